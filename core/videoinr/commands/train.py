"""``videoinr train``: trains a model on clips; a run can be stopped and resumed at any step."""

from __future__ import annotations

import math
from contextlib import ExitStack, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from videoinr.commands.options import LENGTH, DeviceOption
from videoinr.commands.screen import say
from videoinr.commands.signals import cancel_on_signals
from videoinr.evaluation.folders import checked_folder
from videoinr.model.names import check_device_name, check_model_name
from videoinr.text.phrases import format_count
from videoinr.text.plain import printable
from videoinr.training.run_folder import check_run_folder

if TYPE_CHECKING:
    import torch

    from videoinr.training.recipe import Recipe
    from videoinr.training.trainer import Trainer


def train(
    recipe_name: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A shipped recipe (lite, base, finetune ...), or a TOML file.")
    ],
    data: Annotated[list[Path], typer.Option("--data", metavar="DIR", help="Clips. Repeatable.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for checkpoint, log, curves and weights.")],
    stills: Annotated[
        list[Path] | None,
        typer.Option("--stills", metavar="DIR", help="Photographs, from which moving clips are made. Repeatable."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the checkpoint in DIR.")] = False,
    time_limit: Annotated[
        Fraction | None,
        typer.Option(
            "--time-limit",
            parser=LENGTH,
            metavar="SECS",
            help="Stop after this time, 2400 or 40:00 (8:00:00 is hours); the run can be resumed.",
        ),
    ] = None,
    initial: Annotated[
        str | None,
        typer.Option("--initial", metavar="NAME|PATH", help="Weights to start from, instead of random ones."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=0, help="Seed of the batches, instead of the recipe's.")
    ] = None,
    validate: Annotated[
        Path | None,
        typer.Option(
            "--validate", metavar="DIR", help="Score a few of these clips during training, and save pictures of them."
        ),
    ] = None,
    checkpoint_every: Annotated[
        float, typer.Option("--checkpoint-every", metavar="SECS", min=0, help="Time between two checkpoints.")
    ] = 120.0,
    light_checkpoints: Annotated[
        bool,
        typer.Option(
            "--light-checkpoints", help="Leave the optimiser out: a third of the size, but a resumed run is not exact."
        ),
    ] = False,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Use torch.compile: faster steps, worth it in runs of many minutes.")
    ] = False,
    device: DeviceOption = None,
) -> None:
    """Train a model on your own clips: folders of video files, or of folders of pictures.

    The run writes checkpoint.pt, log.jsonl, curves.svg, pictures (with --validate), and NAME.safetensors with its
    card to the folder of --out. On several GPUs: torchrun --nproc-per-node N -m videoinr.cli train ...
    """
    recipe = _recipe(recipe_name, initial, seed, resume=resume)
    if not stills and any(stage.stills_share for stage in recipe.stages):
        from videoinr.training.recipe import no_stills_error

        raise no_stills_error()  # at once, and not hours later when a stage needs them
    _check_folders(data, validate, stills or [])
    check_run_folder(out, recipe.name, resume=resume)
    check_device_name(device)
    check_model_name(initial)
    # Not before: they import torch, which takes seconds.
    from videoinr.errors import Cancelled
    from videoinr.training.data.sources import open_source
    from videoinr.training.distributed import join_ranks, rank_device
    from videoinr.training.fitting import fitted
    from videoinr.training.loop import RunOptions, run
    from videoinr.training.trainer import Trainer, allow_fast_arithmetic

    where = rank_device(device)
    allow_fast_arithmetic(where)
    with cancel_on_signals() as token, join_ranks(where) as ranks, ExitStack() as stack:
        state = ranks.from_leader(lambda: _start(recipe, out, resume=resume))
        stack.callback(_remove_if_empty, out)
        validation = _validation(validate) if ranks.leads else None
        source = open_source(data, where, degradation=recipe.degradation, stills=stills or [], outer=recipe.bends_paths)
        stack.callback(source.close)
        recipe, changes = fitted(recipe, source)
        trainer = Trainer(recipe, source, where, ranks=ranks, state=state, compiled=compiled)
        earlier = trainer.go_on_with(data, stills or [])
        _introduce(trainer, [*changes, *_other_data(earlier)], where)
        options = RunOptions(
            until_secs=math.inf if time_limit is None else float(time_limit),
            token=token,
            checkpoint_every_secs=checkpoint_every,
            with_optimiser=not light_checkpoints,
            validation=validation,
        )
        finished = run(trainer, out, options=options, report=_report)
        if ranks.leads:
            _conclude(trainer, out, finished=finished)
        trainer.close()
    if token.cancelled and not finished:
        raise Cancelled


def _check_folders(data: list[Path], validate: Path | None, stills: list[Path]) -> None:
    """Raise InputError if one of the folders is missing, or holds no clip."""
    from videoinr.evaluation.footage import find_footage
    from videoinr.training.data.layouts import check_training_clips

    for folder in (*data, *((validate,) if validate else ())):
        checked_folder(folder)
    for folder in stills:
        checked_folder(folder, hint="Give a folder of photographs.")
    for folder in data:
        check_training_clips(folder)
    if validate is not None:
        find_footage(validate)


def _recipe(name: str, initial: str | None, seed: int | None, *, resume: bool) -> Recipe:
    from videoinr.errors import UsageError
    from videoinr.training.recipe import load_recipe

    recipe = load_recipe(name)
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    if initial is None:
        return recipe
    if resume:
        raise UsageError("A resumed run continues from its own weights.", hint="Leave out --initial or --resume.")
    return replace(recipe, initial=initial)


def _introduce(trainer: Trainer, changes: list[str], device: torch.device) -> None:
    from videoinr.model.fast_code import fast_code_name

    recipe, ranks = trainer.recipe, trainer.ranks
    if ranks.leads:
        several = f", {ranks.count} processes" if ranks.count > 1 else ""
        origin = f", started from {trainer.initial}" if trainer.initial else ""
        for line in (*trainer.source.report(), *changes):
            say(line)
        say(f"{recipe.name}: {recipe.steps} steps, from step {trainer.step}, on {device}{several}{origin}")
        if device.type == "cuda" and fast_code_name(device):
            say("The first step prepares the kernels for this GPU; where that was not done before, it takes minutes.")


def _other_data(earlier: list[str]) -> list[str]:
    if not earlier:
        return []
    names = ", ".join(printable(folder) for folder in earlier)
    return [f"note: The steps before were trained on other data: {names}. The card names it, too."]


def _start(recipe: Recipe, out: Path, *, resume: bool) -> dict[str, Any] | None:
    """Create ``out`` and return the state to resume, None for a new run. Raises ExportError if it cannot be made."""
    from videoinr.training.checkpoints import read_checkpoint
    from videoinr.training.run_folder import CHECKPOINT
    from videoinr.writing.words import write_errors

    with write_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    return read_checkpoint(out / CHECKPOINT, recipe) if resume else None


def _remove_if_empty(folder: Path) -> None:
    """Leave no empty folder of a run that could not begin: its data may be missing."""
    with suppress(OSError):
        folder.rmdir()


def _validation(folder: Path | None) -> Any:
    if folder is None:
        return None
    from videoinr.training.validation import open_validation

    return open_validation(folder)


def _report(line: dict[str, Any]) -> None:
    start = f"{line['elapsed_secs']:8.1f} s  step {line['step']:>7}  "
    if line["kind"] == "validation":
        say(
            f"{start}validation {line['psnr_db']:.2f} dB ({line['between_db']:.2f} between frames), plain blend "
            f"{line['baseline_db']:.2f} ({line['baseline_between_db']:.2f}); took {line['secs']:.0f} s"
        )
    elif line["kind"] == "rollback":
        say(
            f"{start}went back from step {line['from_step']}, because the gradients of "
            f"{format_count(line['skipped'], 'step')} were not finite; learning rate now x{line['rate_factor']:g}"
        )
    else:
        loss = "all steps skipped" if line["loss"] is None else f"loss {line['loss']:.5f}"
        skipped = f"  ({format_count(line['skipped'], 'step')} skipped: not finite)" if line["skipped"] else ""
        say(f"{start}{line['stage']}  {loss}{skipped}")


def _conclude(trainer: Trainer, out: Path, *, finished: bool) -> None:
    from videoinr.training.trained import save_trained

    weights = save_trained(trainer, out) if trainer.step else None
    if finished:
        say(f"Saved {weights}")
    else:
        say(f"Stopped at step {trainer.step}; continue with --resume. Weights so far: {weights or 'none'}")
