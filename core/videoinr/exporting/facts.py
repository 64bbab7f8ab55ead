"""What an export is, as plain values: exports with equal facts have equal parts. For journals and shares."""

from __future__ import annotations

import os
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

from videoinr.clip.source_stamp import SourceStamp
from videoinr.exporting.job import ExportJob
from videoinr.exporting.parts import plan_facts
from videoinr.exporting.target import files_of

FORM = 2
"""Of these facts, and of how parts are encoded: it changes when parts of two versions cannot be joined."""


def facts_of(
    job: ExportJob,
    coding: dict[str, Any],
    *,
    model: str,
    origin_secs: Fraction | None,
    duration_secs: Fraction,
    timecode: str = "",
) -> dict[str, Any]:
    """Return the facts of ``job``.

    Args:
        job: the export.
        coding: how its video or its pictures are encoded, as plain values.
        model: identifies the weights.
        origin_secs: the file's own time of the clip's second 0.
        duration_secs: how long the clip is.
        timecode: what the output calls its first frame; empty if it says nothing.
    """
    crop, read = job.crop, job.options
    return {
        "form": FORM,
        "clip": os.path.abspath(job.clip),
        "content": content_print(job.clip),
        "model": model,
        "segment": [str(job.segment.start_secs), str(job.segment.end_secs)],
        "speed": str(job.speed),
        "size": [job.grid.width, job.grid.height],
        "crop": [crop.x, crop.y, crop.width, crop.height],
        "across_cuts": job.across_cuts.value,
        "stream": read.stream,
        "background": read.background,
        "deinterlace": read.deinterlace,
        "picture_fps": str(read.picture_fps),
        "colour": None if read.colour is None else str(read.colour),
        "sound": job.sound.value,
        "origin_secs": None if origin_secs is None else str(origin_secs),
        "duration_secs": str(duration_secs),
        "coding": coding,
        "frames": job.plan.total,
        **plan_facts(job.plan),
        # Absent without edits, so that journals from before there were any still fit.
        **({"cuts": read.cuts} if read.cuts else {}),
        **({"retime": str(job.curve)} if job.curve else {}),
        **({"shutter": str(job.shutter)} if job.shutter else {}),
        **({"camera": str(job.camera)} if job.camera else {}),
        **({"readout": str(job.readout)} if job.readout else {}),
        **({"timecode": timecode} if timecode else {}),
        **({"shutter_region": str(job.shutter_region)} if job.shutter_region else {}),
    }


def content_print(clip: Path) -> str:
    """Return a digest of the sizes of a clip's files and of their first and last bytes, wherever they lie."""
    stamp = SourceStamp.of(files_of(clip))
    digest = blake2b(digest_size=16)
    for status in stamp.statuses:
        digest.update(f"{status[2] if status else None},".encode())
    for index in sorted(stamp.ends):
        digest.update(stamp.ends[index])
    return digest.hexdigest()
