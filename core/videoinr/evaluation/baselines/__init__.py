"""Peers: what a user would run instead of this program's models, as restorers by name.

``minterpolate``: FFmpeg's motion interpolation, then its Lanczos enlargement. ``realesrgan`` and
``realesr-animevideo``: the Real-ESRGAN models of photographs and of animated video enlarge both frames of the pair,
which are then blended. ``minterpolate+...``: FFmpeg interpolates, and the other enlarges every picture.

The first needs nothing but what this program needs anyway; the others need an optional package and run on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from videoinr.errors import UsageError
from videoinr.evaluation.baselines.chain import BaselineMissingError, enlarged_then_blended, interpolated_then_enlarged
from videoinr.evaluation.baselines.minterpolate import open_minterpolate
from videoinr.evaluation.baselines.realesrgan import SuperModel, open_realesrgan
from videoinr.evaluation.clips import Method

__all__ = ["BaselineMissingError", "external_baseline_names", "open_baseline"]


def external_baseline_names() -> list[str]:
    """All peers, whether or not they can run here."""
    return list(_OPENERS)


def open_baseline(name: str) -> Method:
    """The peer ``name``, its model loaded; its restorer takes a pair on the CPU, and answers there.

    Raises UsageError for a name that is no peer's, BaselineMissingError where what it needs is not installed.
    """
    if name not in _OPENERS:
        raise UsageError(f"There is no peer {name!r}.", hint=f"Known: {', '.join(_OPENERS)}.")
    return _OPENERS[name]()


def _blended(model: SuperModel) -> Callable[[], Method]:
    return lambda: enlarged_then_blended(open_realesrgan(model))


def _after_minterpolate(model: SuperModel) -> Callable[[], Method]:
    return lambda: interpolated_then_enlarged(open_minterpolate(), open_realesrgan(model))


_OPENERS: Mapping[str, Callable[[], Method]] = MappingProxyType(
    {
        "minterpolate": open_minterpolate,
        "realesrgan": _blended(SuperModel.PHOTO),
        "realesr-animevideo": _blended(SuperModel.ANIMATION),
        "minterpolate+realesrgan": _after_minterpolate(SuperModel.PHOTO),
        "minterpolate+realesr-animevideo": _after_minterpolate(SuperModel.ANIMATION),
    }
)
