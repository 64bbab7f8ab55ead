"""The folder of a training run: the names of its files, and whether a run can begin or go on there. No torch."""

from __future__ import annotations

from pathlib import Path

from videoinr.errors import InputError, OutputExistsError

CHECKPOINT, LOG, CURVES = "checkpoint.pt", "log.jsonl", "curves.svg"


def check_run_folder(out: Path, recipe_name: str, *, resume: bool) -> None:
    """Check that a run can begin in ``out``, or go on there.

    Args:
        out: the folder of the run.
        recipe_name: the recipe's name, which the weights get.
        resume: whether the run goes on.

    Raises:
        OutputExistsError: a run is to begin, but there are files of one.
        InputError: a run is to go on, but there is no checkpoint.
    """
    checkpoint = out / CHECKPOINT
    if resume:
        if not checkpoint.exists():
            raise InputError(f"There is no {checkpoint}.", hint="Leave out --resume.")
        return
    if checkpoint.exists():
        hint = "Add --resume to continue from it, or give another folder."
        raise OutputExistsError(f"{checkpoint} already exists.", hint=hint)
    for name in (f"{recipe_name}.safetensors", f"{recipe_name}.json", LOG):
        if (out / name).exists():
            raise OutputExistsError(
                f"{out / name} already exists.", hint="Give another folder, or remove the file first."
            )
