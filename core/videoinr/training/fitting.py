"""Fit a recipe to small footage: use smaller patches and shorter windows where no clip is large or long enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from videoinr.errors import UsageError
from videoinr.training.batch_shape import BatchShape
from videoinr.training.recipe import Recipe, Stage

if TYPE_CHECKING:
    from videoinr.training.data.sources import ClipSource

LEAST_PATCH = PATCH_STEP = 8
LEAST_WINDOW = 2
"""The shortest window, frames from its first to its last: one target frame lies between them."""


def fitted(recipe: Recipe, source: ClipSource) -> tuple[Recipe, list[str]]:
    """Fit ``recipe`` to the clips of ``source``.

    Args:
        recipe: The recipe as written.
        source: The clips to train on.

    Returns:
        The recipe with smaller patches and shorter windows where needed, and a sentence for each change.

    Raises:
        UsageError: No clip is large and long enough for the smallest patch and the shortest window.
    """
    stages = tuple(_fitted_stage(stage, source) for stage in recipe.stages)
    changes = [words for pair in zip(recipe.stages, stages, strict=True) for words in _changes(*pair)]
    return replace(recipe, stages=stages), changes


def _fitted_stage(stage: Stage, source: ClipSource) -> Stage:
    if stage.draws:
        largest = stage.largest_crop()
        source.usable(stage, BatchShape(1, largest, largest, stage.targets))
        return stage
    for candidate in _candidates(stage):
        try:
            source.usable(candidate, _largest(candidate))
            return candidate
        except UsageError as error:
            reason = error
    raise reason


def _candidates(stage: Stage) -> Iterator[Stage]:
    """Yield the stage itself, then smaller and smaller patches, then the same with the shortest window."""
    smaller = range((stage.patch - 1) // PATCH_STEP * PATCH_STEP, LEAST_PATCH - 1, -PATCH_STEP)
    for windows in (stage.windows, (LEAST_WINDOW,)):
        if windows == stage.windows or min(stage.windows) > LEAST_WINDOW:
            yield from (replace(stage, patch=patch, windows=windows) for patch in (stage.patch, *smaller))


def _largest(stage: Stage) -> BatchShape:
    return BatchShape(stage.batch, stage.patch, stage.largest_crop(), stage.targets)


def _changes(stage: Stage, fit: Stage) -> Iterator[str]:
    if fit.patch != stage.patch:
        yield f"Stage {stage.name}: patches of {fit.patch} instead of {stage.patch} pixels, as no clip is large enough."
    if fit.windows != stage.windows:
        yield f"Stage {stage.name}: windows of {LEAST_WINDOW} frames, as no clip is longer than {min(stage.windows)}."
