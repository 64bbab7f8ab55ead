"""The names of the pictures that an export writes."""

from __future__ import annotations

from pathlib import Path

from videoinr.clip.picture_folder import COUNTER, with_counter
from videoinr.errors import UsageError
from videoinr.exporting.picture_formats import PICTURE_ENDINGS, PICTURES, picture_format_named


def counted_out(out: Path) -> Path:
    """Return ``out`` with a counter such as %04d in place of ####, if exports write pictures of its ending.

    Other endings of pictures are those of animations (.webp, .apng), which are one file.
    """
    return with_counter(out) if out.suffix.lower() in PICTURE_ENDINGS else out


def pattern_from_out(out: Path, codec: str | None = None) -> Path:
    """Return the pattern of the pictures' names: ``out`` if its name has a counter, else ``out``/%05d.png.

    ``codec``: the name of the pictures' format, which says how they end in a folder.
    """
    chosen = picture_format_named(codec or "") or PICTURES[0]
    return out if "%" in out.name else out / f"%05d{chosen.endings[0]}"


def patterns_of_folder(folder: Path) -> list[Path]:
    """Return the patterns of the pictures that exports may write to ``folder``."""
    return [folder / f"%05d{ending}" for ending in PICTURE_ENDINGS]


def check_pattern(pattern: Path) -> None:
    """Raise UsageError if ``pattern`` is not a name with exactly one counter (%05d) and an ending of pictures."""
    is_counted = len(COUNTER.findall(pattern.name)) == 1 and pattern.name.count("%") == 1
    if not is_counted or pattern.suffix.lower() not in PICTURE_ENDINGS:
        raise UsageError(
            f"'{pattern.name}' is not a pattern for pictures.",
            hint=f"Use one counter and an ending of pictures, such as %05d.png ({', '.join(PICTURE_ENDINGS)}).",
        )


def working_target(pattern: Path) -> Path:
    """Return what the working folder of an export to ``pattern`` stands for: the folder, if it is not there yet."""
    return pattern if pattern.parent.exists() else pattern.parent
