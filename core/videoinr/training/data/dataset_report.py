"""The dataset report: what screening kept and left out of a folder of clips, and how much moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.text.phrases import format_count
from videoinr.training.data.layouts import layouts_of
from videoinr.training.data.screening import Screened

PERCENTILES = (5, 25, 50, 75, 95)
MOTION_EDGES_PX = (0.5, 2.0, 4.0, 8.0, 16.0)
_SINGULAR = {"video files": "video file", "folders of pictures": "folder of pictures"}


@dataclass(eq=False)
class DatasetReport:
    """Sums up the screening of one folder's clips. ``sampled``: whether only a sample of the frames was screened."""

    folder: Path
    clips: list[Path]
    sampled: bool = False
    frames: int = 0
    kept: int = 0
    runs: int = 0
    cuts: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    unreadable: list[Path] = field(default_factory=list)
    motion: list[NDArray[np.float32]] = field(default_factory=list)

    def count(self, clip: Path, screened: Screened | None) -> None:
        """Add a clip or a stretch of one. ``screened``: None if it could not be read."""
        if screened is None:
            self.unreadable.append(clip)
            return
        self.frames += screened.frames
        self.cuts += screened.cuts
        self.runs += len(screened.runs)
        self.kept += sum(len(run.frames) for run in screened.runs)
        self.left_out.update(screened.left_out)
        self.motion.extend(run.motion[:-1] for run in screened.runs)

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        layouts = sorted(layouts_of(self.clips).items())
        kinds = ", ".join(format_count(count, _SINGULAR.get(kind, kind), kind) for kind, count in layouts)
        seen = format_count(self.frames, "frame") + (" screened as a sample" if self.sampled else "")
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.left_out.most_common())
        share = 100 * (1 - self.kept / self.frames) if self.frames else 0
        lines = [
            f"{self.folder}: {kinds}; {seen}",
            f"  {format_count(self.kept, 'frame')} in {format_count(self.runs, 'run')}; "
            f"{format_count(self.cuts, 'cut')}; {share:.1f} % left out" + (f" ({reasons})" if reasons else ""),
            *_motion_lines(self.motion),
        ]
        if self.unreadable:
            some = ", ".join(path.name for path in self.unreadable[:3])
            lines.append(f"  {format_count(len(self.unreadable), 'clip')} could not be read: {some}")
        return lines


def _motion_lines(of_runs: list[NDArray[np.float32]]) -> list[str]:
    motion = np.concatenate(of_runs) if of_runs else np.zeros(0, np.float32)
    if not len(motion):
        return []
    values = " / ".join(f"{value:.1f}" for value in np.percentile(motion, PERCENTILES))
    bins = np.bincount(np.searchsorted(MOTION_EDGES_PX, motion, side="right"), minlength=len(MOTION_EDGES_PX) + 1)
    edges = [f"{edge:g}" for edge in MOTION_EDGES_PX]
    names = [f"< {edges[0]}", *(f"{a}-{b}" for a, b in pairwise(edges)), f">= {edges[-1]}"]
    shares = ", ".join(f"{name}: {share:.0%}" for name, share in zip(names, bins / len(motion), strict=True))
    return [
        "  motion from frame to frame, pixels (90th percentile over each frame): percentiles "
        f"{'/'.join(map(str, PERCENTILES))} are {values}",
        f"  pairs by motion: {shares}",
    ]
