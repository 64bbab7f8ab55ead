"""``videoinr train``: a recipe and clips in, weights with a card out; can be stopped and resumed at any step."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from videoinr.commands.options import DeviceOption
from videoinr.commands.screen import say
from videoinr.commands.signals import cancel_on_signals

if TYPE_CHECKING:
    from videoinr.training.recipe import Recipe
    from videoinr.training.trainer import Trainer


def train(
    recipe_name: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A shipped recipe (lite, base, finetune ...), or a TOML file.")
    ],
    data: Annotated[list[Path], typer.Option("--data", metavar="DIR", help="Clips; may be given several times.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="For checkpoint, log, curves and weights.")],
    stills: Annotated[
        list[Path] | None, typer.Option("--stills", metavar="DIR", help="Photographs to set in motion.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from DIR's checkpoint.")] = False,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", metavar="SECS", min=1, help="Stop then, resumably.")
    ] = None,
    initial: Annotated[
        str | None, typer.Option("--initial", metavar="NAME|PATH", help="Weights to start from, not random ones.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=0, help="Other batches than the recipe's: one more run.")
    ] = None,
    validate: Annotated[
        Path | None, typer.Option("--validate", metavar="DIR", help="Score and show a few of these clips as it trains.")
    ] = None,
    checkpoint_every: Annotated[
        float, typer.Option("--checkpoint-every", metavar="SECS", min=0, help="How often to save.")
    ] = 120.0,
    light_checkpoints: Annotated[
        bool, typer.Option("--light-checkpoints", help="A third as large, without the optimiser: not resumed exactly.")
    ] = False,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Let torch.compile shorten the steps: pays in runs of many minutes.")
    ] = False,
    device: DeviceOption = None,
) -> None:
    """Train a model on your own clips: folders of video files, or of folders of pictures.

    DIR gets checkpoint.pt, log.jsonl, curves.svg, pictures (with --validate), and NAME.safetensors with its card.
    Several GPUs: torchrun --nproc-per-node N -m videoinr.cli train ...
    """
    from videoinr.errors import Cancelled
    from videoinr.training.data.sources import no_stills_error, open_source
    from videoinr.training.distributed import join_ranks, rank_device
    from videoinr.training.fitting import fitted
    from videoinr.training.loop import RunOptions, run
    from videoinr.training.trainer import Trainer, allow_fast_arithmetic

    recipe = _recipe(recipe_name, initial, seed, resume=resume)
    if not stills and any(stage.stills_share for stage in recipe.stages):
        raise no_stills_error()  # now, and not when a stage that wants them is reached after hours
    where = rank_device(device)
    allow_fast_arithmetic(where)
    with cancel_on_signals() as token, join_ranks(where) as ranks, ExitStack() as stack:
        state = ranks.from_leader(lambda: _start(recipe, out, resume=resume))
        validation = _validation(validate) if ranks.leads else None
        source = open_source(data, where, degradation=recipe.degradation, stills=stills or [])
        stack.callback(source.close)
        recipe, changes = fitted(recipe, source)
        trainer = Trainer(recipe, source, where, ranks=ranks, state=state, compiled=compiled)
        _introduce(trainer, changes, where)
        options = RunOptions(
            until_secs=time_limit or math.inf,
            token=token,
            checkpoint_every_secs=checkpoint_every,
            with_optimiser=not light_checkpoints,
            validation=validation,
        )
        finished = run(trainer, out, options=options, report=_report)
        if ranks.leads:
            _conclude(trainer, data, stills or [], out, finished=finished)
        trainer.close()
    if token.cancelled and not finished:
        raise Cancelled


def _recipe(name: str, initial: str | None, seed: int | None, *, resume: bool) -> Recipe:
    from videoinr.errors import UsageError
    from videoinr.training.recipe import load_recipe

    recipe = load_recipe(name)
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    if initial is None:
        return recipe
    if resume:
        raise UsageError("A resumed run goes on from its own weights.", hint="Leave out --initial or --resume.")
    return replace(recipe, initial=initial)


def _introduce(trainer: Trainer, changes: list[str], device: object) -> None:
    recipe, ranks = trainer.recipe, trainer.ranks
    if ranks.leads:
        several = f", {ranks.count} processes" if ranks.count > 1 else ""
        origin = f", begun with {trainer.initial}" if trainer.initial else ""
        for line in (*trainer.source.report(), *changes):
            say(line)
        say(f"{recipe.name}: {recipe.steps} steps, from step {trainer.step}, on {device}{several}{origin}")


def _start(recipe: Recipe, out: Path, *, resume: bool) -> dict[str, Any] | None:
    """The state to go on from, None for a new run. Makes ``out``. Raises UsageError if it is not as asked for."""
    from videoinr.errors import UsageError
    from videoinr.training.checkpoints import NAME, read_checkpoint

    checkpoint = out / NAME
    if checkpoint.exists() != resume:
        raise UsageError(
            f"{checkpoint} already exists." if not resume else f"There is no {checkpoint}.",
            hint="Add --resume to go on from it, or name another folder." if not resume else "Leave out --resume.",
        )
    out.mkdir(parents=True, exist_ok=True)
    return read_checkpoint(checkpoint, recipe) if resume else None


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
            f"{start}back to here from step {line['from_step']}: {line['skipped']} steps had gradients that are not "
            f"finite. Now at {line['rate_factor']:g} of the learning rate."
        )
    else:
        loss = "all steps skipped" if line["loss"] is None else f"loss {line['loss']:.5f}"
        skipped = f"  ({line['skipped']} steps skipped: not finite)" if line["skipped"] else ""
        say(f"{start}{line['stage']}  {loss}{skipped}")


def _conclude(trainer: Trainer, data: list[Path], stills: list[Path], out: Path, *, finished: bool) -> None:
    from videoinr.training.trained import save_trained

    weights = save_trained(trainer, out, data=data, stills=stills) if trainer.step else None
    if finished:
        say(f"Done: {weights}")
    else:
        say(f"Stopped at step {trainer.step}; go on with --resume. The weights so far: {weights or 'none yet'}")
