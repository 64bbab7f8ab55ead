"""The names of baselines, checked without torch, which takes a second or more to import."""

from __future__ import annotations

from collections.abc import Sequence

from videoinr.errors import UsageError
from videoinr.text.plain import printable

BICUBIC_BLEND = "bicubic-blend"
BUILT_IN_NAMES = (BICUBIC_BLEND, "lanczos-blend", "nearest")
"""Those that evaluation/methods.py has."""
EXTERNAL_NAMES = (
    "minterpolate", "realesrgan", "realesr-animevideo", "minterpolate+realesrgan", "minterpolate+realesr-animevideo",
)  # fmt: skip
"""Those that evaluation/baselines/ can open, whether or not this machine can run them."""


def baseline_names() -> list[str]:
    """Return every name that ``--baseline`` accepts: built-in baselines, then external ones."""
    return list(dict.fromkeys((*BUILT_IN_NAMES, *EXTERNAL_NAMES)))


def baselines_named(given: Sequence[str]) -> list[str]:
    """Return the names in ``given``, each once, and all of them for ``all``. Raises UsageError for an unknown one."""
    known = baseline_names()
    names = list(dict.fromkeys(name for each in given for name in (known if each == "all" else [each])))
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"There is no baseline '{printable(unknown[0])}'.", hint=f"Known: all, {', '.join(known)}.")
    return names
