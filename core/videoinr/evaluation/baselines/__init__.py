"""External baselines: other programs' methods for the same task, by name.

``minterpolate``: FFmpeg's motion interpolation, then its Lanczos upsampling. ``realesrgan`` and
``realesr-animevideo``: the Real-ESRGAN models of photographs and of animated video upsample both frames of the pair,
which are then blended. ``minterpolate+...``: FFmpeg interpolates, and Real-ESRGAN upsamples every frame.

The first needs only PyAV, which this program depends on. The others need an optional package and run on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from videoinr.errors import UsageError
from videoinr.evaluation.baselines.chain import (
    BaselineMissingError,
    interpolated_then_upsampled,
    upsampled_then_blended,
)
from videoinr.evaluation.baselines.minterpolate import open_minterpolate
from videoinr.evaluation.baselines.realesrgan import SuperModel, open_realesrgan
from videoinr.evaluation.clips import Method

__all__ = ["BaselineMissingError", "open_baseline"]


def open_baseline(name: str) -> Method:
    """Open an external baseline and load its model.

    Args:
        name: One of :data:`videoinr.evaluation.names.EXTERNAL_NAMES`.

    Returns:
        The method. Its input pair and its output frames are on the CPU.

    Raises:
        UsageError: There is no external baseline of that name.
        BaselineMissingError: A package or program that it needs is not installed.
    """
    if name not in _OPENERS:
        raise UsageError(f"There is no external baseline {name!r}.", hint=f"Known: {', '.join(_OPENERS)}.")
    return _OPENERS[name]()


def _blended(model: SuperModel) -> Callable[[], Method]:
    return lambda: upsampled_then_blended(open_realesrgan(model))


def _after_minterpolate(model: SuperModel) -> Callable[[], Method]:
    return lambda: interpolated_then_upsampled(open_minterpolate(), open_realesrgan(model))


_OPENERS: Mapping[str, Callable[[], Method]] = MappingProxyType(
    {
        "minterpolate": open_minterpolate,
        "realesrgan": _blended(SuperModel.PHOTO),
        "realesr-animevideo": _blended(SuperModel.ANIMATION),
        "minterpolate+realesrgan": _after_minterpolate(SuperModel.PHOTO),
        "minterpolate+realesr-animevideo": _after_minterpolate(SuperModel.ANIMATION),
    }
)
