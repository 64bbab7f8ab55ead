"""Which clips of a folder are for training: the known data sets' layouts come out of a few general rules.

1. A clip is a video file, or a folder that holds pictures.
2. Where a folder ``train...`` has neighbours ``test...`` or ``val...``, those are for testing (GoPro, Adobe240, REDS).
3. Where a folder ``...sharp...`` has neighbours ``...blur...``, those are the same frames made worse (GoPro, REDS).
4. A folder ``..._bicubic`` holds frames made smaller (REDS).
5. A list ``...train....txt`` names the clips that count, if it names any (Vimeo-90K, Adobe240).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

from videoinr.clip.footage import clips_below
from videoinr.clip.suffixes import VIDEO_SUFFIXES, has_video_suffix
from videoinr.errors import UsageError

_FOR_TESTS = ("test", "val", "eval")

_KNOWN = (
    ("Vimeo-90K", re.compile(r"sequences/\d{5}/\d{4}$")),
    ("REDS", re.compile(r"(train|val|test)_(sharp|orig)[^/]*(/[^/]*)*/\d{3}$")),
    ("GoPro", re.compile(r"GOPR\d+|(^|/)gopro", re.IGNORECASE)),
    ("Adobe240", re.compile(r"adobe_?240|720p_240fps_\d+", re.IGNORECASE)),
)
"""Names for a report only; what is taken follows from the rules above."""


def find_training_clips(folder: Path) -> list[Path]:
    """The clips at or below ``folder`` that are for training, sorted. Raises UsageError where there is none."""
    others = list[Path]()
    clips = sorted(clips_below(folder, enter=_for_training, others=others))
    for each in filter(_may_be_list, others):
        named = _names_in(each)
        chosen = [clip for clip in clips if each.parent not in clip.parents or _is_named(clip, each.parent, named)]
        # A text file that names no clip is not a list of clips.
        clips = chosen if any(each.parent in clip.parents for clip in chosen) else clips
    if not clips:
        raise UsageError(
            f"There are no clips for training in {folder}.",
            hint="It should hold video files, or folders of pictures (DIR/CLIP/000.png ...).",
        )
    return clips


def layouts_of(clips: list[Path]) -> Counter[str]:
    """How many of the clips lie as in which data set."""
    return Counter(_layout_of(clip) for clip in clips)


def _layout_of(clip: Path) -> str:
    where = clip.as_posix()
    known = (name for name, pattern in _KNOWN if pattern.search(where))
    return next(known, "video files" if has_video_suffix(clip) else "folders of pictures")


def _for_training(names: list[str]) -> list[str]:
    """Which of a folder's folders to look into."""
    lower = [name.lower() for name in names]
    split = any(name.startswith("train") for name in lower)
    sharp = any("sharp" in name for name in lower)

    def counts(name: str) -> bool:
        tests, blurred = split and name.startswith(_FOR_TESTS), sharp and "blur" in name
        return not (name.endswith("_bicubic") or tests or blurred)

    return [name for name in names if counts(name.lower())]


def _may_be_list(path: Path) -> bool:
    return path.suffix.lower() == ".txt" and "train" in path.name.lower()


def _names_in(path: Path) -> set[str]:
    lines = path.read_text("utf-8", errors="replace").splitlines()
    return {_without_suffix(line.strip().replace("\\", "/").strip("/")) for line in lines if line.strip()}


def _without_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in VIDEO_SUFFIXES else name


def _is_named(clip: Path, root: Path, names: set[str]) -> bool:
    """Whether some stretch of the clip's path below ``root`` stands in the list."""
    parts = _without_suffix(clip.relative_to(root).as_posix()).split("/")
    stretches = ("/".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1))
    return any(each in names for each in stretches)
