"""The names of the pictures that an export writes."""

from __future__ import annotations

from pathlib import Path

from videoinr.clip.picture_folder import COUNTER
from videoinr.errors import UsageError


def pattern_from_out(out: Path) -> Path:
    """Return the pattern of the pictures' names: ``out`` if its name has a counter, else ``out``/%05d.png."""
    return out if "%" in out.name else out / "%05d.png"


def check_pattern(pattern: Path) -> None:
    """Raise UsageError if ``pattern`` is not a name with exactly one counter (%05d) that ends in .png."""
    if len(COUNTER.findall(pattern.name)) != 1 or pattern.name.count("%") != 1 or pattern.suffix.lower() != ".png":
        raise UsageError(
            f"'{pattern.name}' is not a pattern for pictures.", hint="Use one counter and .png, such as %05d.png."
        )


def working_target(pattern: Path) -> Path:
    """Return what the working folder of an export to ``pattern`` stands for: the folder, if it is not there yet."""
    return pattern if pattern.parent.exists() else pattern.parent
