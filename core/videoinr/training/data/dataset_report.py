"""What screening found in a set of clips, in lines to print."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.training.data.layouts import layouts_of
from videoinr.training.data.screening import Screened

PERCENTILES = (5, 25, 50, 75, 95)
MOTION_EDGES_PX = (0.5, 2.0, 4.0, 8.0, 16.0)


@dataclass(eq=False)
class DatasetReport:
    """Adds up what is found in the clips of one folder, ``sampled``: in some of their frames only."""

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
        """One clip, or a stretch of one; None: it could not be read."""
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
        """Frames, what was left out and why, and how much moves."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(layouts_of(self.clips).items()))
        seen = f"{self.frames} frames" + (" looked at as a sample" if self.sampled else "")
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.left_out.most_common())
        share = 100 * (1 - self.kept / self.frames) if self.frames else 0
        lines = [
            f"{self.folder}: {kinds}; {seen}",
            f"  {self.kept} frames in {self.runs} runs; {self.cuts} cuts; "
            f"{share:.1f} % left out" + (f" ({reasons})" if reasons else ""),
            *_motion_lines(self.motion),
        ]
        if self.unreadable:
            some = ", ".join(path.name for path in self.unreadable[:3])
            lines.append(f"  {len(self.unreadable)} clips could not be read, and were left out: {some}")
        return lines


def _motion_lines(parts: list[NDArray[np.float32]]) -> list[str]:
    motion = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    if not len(motion):
        return []
    values = " / ".join(f"{value:.1f}" for value in np.percentile(motion, PERCENTILES))
    bins = np.bincount(np.searchsorted(MOTION_EDGES_PX, motion, side="right"), minlength=len(MOTION_EDGES_PX) + 1)
    edges = [f"{edge:g}" for edge in MOTION_EDGES_PX]
    names = [f"< {edges[0]}", *(f"{a}-{b}" for a, b in pairwise(edges)), f">= {edges[-1]}"]
    shares = ", ".join(f"{name}: {share:.0%}" for name, share in zip(names, bins / len(motion), strict=True))
    return [
        "  motion from frame to frame, pixels (a tenth of the picture moves at least this far): percentiles "
        f"{'/'.join(map(str, PERCENTILES))} are {values}",
        f"  pairs by motion: {shares}",
    ]
