"""The files that a job's export makes."""

from __future__ import annotations

import os
from pathlib import Path

from videoinr.errors import UsageError
from videoinr.exporting.codecs import is_video
from videoinr.exporting.job_file import ExportCall
from videoinr.exporting.parts import share_from_text
from videoinr.exporting.picture_names import check_pattern, pattern_from_out
from videoinr.exporting.share_file import share_path


def target_of(call: ExportCall) -> Path:
    """Return the output of a job: a video, a share of one, or what stands for pictures. Raises UsageError."""
    part = call.options["part"]
    return call.out if part is None else share_path(call.out, share_from_text(part))


def has_output(call: ExportCall) -> bool:
    """Return whether the output exists: of pictures the first, which gets its name last. Raises UsageError."""
    target, pattern = target_of(call), pattern_from_out(call.out, call.options["codec"])
    if is_video(call.out):
        return os.path.lexists(target)
    try:
        check_pattern(pattern)
    except UsageError:
        return False
    return os.path.lexists(pattern.with_name(pattern.name % 0))
