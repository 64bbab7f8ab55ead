"""``videoinr train``: a recipe and clips in, weights with a card out; can be stopped and resumed at any step."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from videoinr.commands.options import DeviceOption
from videoinr.commands.screen import say

if TYPE_CHECKING:
    from videoinr.training.loop import Trainer


def train(
    recipe_name: Annotated[str, typer.Argument(metavar="RECIPE", help="A shipped recipe (lite), or a TOML file.")],
    data: Annotated[list[Path], typer.Option("--data", metavar="DIR", help="Clips; may be given several times.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="For checkpoint, log and weights.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on from DIR's checkpoint.")] = False,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", metavar="SECS", min=1, help="Stop then, resumably.")
    ] = None,
    device: DeviceOption = None,
) -> None:
    """Train a model on your own clips: folders of video files, or of folders of pictures.

    DIR gets checkpoint.pt (every two minutes), log.jsonl, and in the end NAME.safetensors with its card.
    """
    from videoinr.devices import pick_device
    from videoinr.errors import UsageError
    from videoinr.training import loop
    from videoinr.training.recipe import load_recipe

    recipe, checkpoint = load_recipe(recipe_name), out / "checkpoint.pt"
    if checkpoint.exists() != resume:
        raise UsageError(
            f"{checkpoint} already exists." if not resume else f"There is no {checkpoint}.",
            hint="Add --resume to go on from it, or name another folder." if not resume else "Leave out --resume.",
        )
    out.mkdir(parents=True, exist_ok=True)
    where = pick_device(device)
    loop.allow_fast_arithmetic(where)
    store = loop.open_store(data, where)
    trainer = loop.Trainer(recipe, store, where)
    if resume:
        loop.load_checkpoint(trainer, checkpoint)
    say(f"{store.frame_count} frames; {recipe.name}: {recipe.steps} steps, from step {trainer.step}, on {where}")
    if loop.run(trainer, out, until_secs=time_limit or math.inf, report=_report):
        say(f"Done: {_save(trainer, data, out)}")
    else:
        say(f"Stopped at step {trainer.step}; go on with --resume.")


def _report(line: dict[str, Any]) -> None:
    say(f"{line['elapsed_secs']:8.1f} s  step {line['step']:>7}  {line['stage']}  loss {line['loss']:.5f}")


def _save(trainer: Trainer, data: list[Path], out: Path) -> Path:
    from videoinr.model.weights import save_model

    recipe = trainer.recipe
    scales = [scale for stage in recipe.stages for scale in stage.scales]
    card = save_model(
        trainer.mean_model,
        out / f"{recipe.name}.safetensors",
        name=recipe.name,
        description=f"trained with the recipe {recipe.name}",
        trained_scales=(min(scales), max(scales)),
        training={"recipe": recipe.to_dict(), "data": [str(folder) for folder in data]},
        metrics={},
        protocol="not evaluated yet: videoinr evaluate",
    )
    return card.path
