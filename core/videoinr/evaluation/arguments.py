"""The arguments of :func:`videoinr.evaluate`, checked: names, methods of the user's own, and the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from os import PathLike
from typing import Literal

import torch
from torch import Tensor

from videoinr.errors import UsageError
from videoinr.evaluation.clips import Method
from videoinr.evaluation.methods import MethodSet, NamedMethod
from videoinr.evaluation.protocols import Protocol
from videoinr.geometry import Grid
from videoinr.model.weights import LoadedModel, named_or_loaded
from videoinr.render.arguments import flag, text
from videoinr.render.torch_state import TorchState

_MOST_SCALE = 1000


def models_from(models: Sequence[str | PathLike[str] | LoadedModel] | object) -> list[str | LoadedModel]:
    """Return the models: names, paths as texts, and loaded models. A single one stands for a list of it.

    Raises:
        UsageError: one of them is no model.
    """
    several = models if isinstance(models, Sequence) and not isinstance(models, str) else [models]
    return [found for each in several if (found := named_or_loaded(each)) is not None]


def names_from(names: Sequence[str] | str) -> list[str]:
    """Return ``names`` as a list; a single text is one name. Raises UsageError if one of them is no text."""
    several = names if isinstance(names, Sequence) and not isinstance(names, str) else [names]
    return [text(each, "A name in baselines") for each in several]


def methods_from(methods: Mapping[str, Method]) -> list[NamedMethod]:
    """Return methods of the user's own, whose answers are checked; they run under the present settings of torch.

    Raises:
        UsageError: they are no functions by their names; or, when one is called, its answer is not what it should be.
    """
    if not isinstance(methods, Mapping) or not all(callable(method) for method in methods.values()):
        raise UsageError("The methods are no functions by their names.", hint='Give a dict: {"mine": restore}.')
    return [NamedMethod(name, _checked(name, method)) for name, method in methods.items()]


def add_methods(method_set: MethodSet, own: Sequence[NamedMethod]) -> None:
    """Add the user's ``own`` methods. Raises UsageError if two methods have one name, or there is none at all."""
    names = [each.name for each in method_set.methods]
    for each in own:
        if each.name in names:
            raise UsageError(f"There are two methods {each.name!r}.", hint="Give your own another name.")
    method_set.methods += own
    if not method_set.methods:
        raise UsageError("No method was named.", hint="Name models, baselines or methods to compare.")


def protocol_from(
    space_scale: Fraction, time_scale: Fraction, channel: Literal["y", "rgb"], flicker: bool, lpips: bool
) -> Protocol:  # fmt: skip
    """Return the protocol. Raises UsageError if a scale or the channel makes no sense."""
    if not 1 <= space_scale <= _MOST_SCALE or not 1 <= time_scale <= _MOST_SCALE or time_scale.denominator > 1:
        hint = f"Both are 1 to {_MOST_SCALE}, and the time scale is a whole number; 4 and 4 are usual."
        raise UsageError(f"Scales {float(space_scale):g} and {float(time_scale):g} cannot be evaluated.", hint=hint)
    if channel not in ("y", "rgb"):
        raise UsageError(f"There is no channel {channel!r}.", hint="Choose y or rgb.")
    measures_flicker, measures_lpips = flag(flicker, "flicker"), flag(lpips, "lpips")
    return Protocol(float(space_scale), int(time_scale), channel, measures_flicker, lpips=measures_lpips)


def _checked(name: str, method: Method) -> Method:
    """Return ``method`` with a check of what it answers: a wrong shape could be compared all the same."""

    callers = TorchState.now()  # The method is the caller's own: it runs as it would by itself.

    def checked(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        with callers.in_force():
            answer = method(low, grid, times)
        pictures = list(answer) if isinstance(answer, Iterable) else [answer]
        if fault := _fault(pictures, grid, len(times)):
            raise UsageError(
                f"The method {name!r} returned {fault}.",
                hint=f"It should return {len(times)} tensors, one for each time: float [3, {grid.height}, "
                f"{grid.width}] in 0 ... 1.",
            )
        return pictures

    return checked


def _fault(pictures: Sequence[object], grid: Grid, count: int) -> str:
    """Return what is wrong with what a method answered, or nothing."""
    if len(pictures) != count:
        return f"{len(pictures)} pictures for {count} times"
    for picture in pictures:
        if not isinstance(picture, Tensor):
            return f"a {type(picture).__name__} instead of a tensor"
        if picture.shape != (3, grid.height, grid.width) or not picture.is_floating_point():
            return f"a picture of shape {list(picture.shape)} and type {str(picture.dtype).removeprefix('torch.')}"
        if not bool(torch.isfinite(picture).all()):
            return "a picture with values that are no numbers"
    return ""
