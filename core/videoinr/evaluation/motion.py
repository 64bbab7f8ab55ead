"""Measures how much clips move, so that a figure of quality stands beside the motion that it was reached on.

The measure is optical flow by Lucas and Kanade's method (``optical_flow.py``) between successive true frames; no model
under test has a part in it. Only pixels count where forward and backward flow agree: elsewhere the flow is a guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from torch import Tensor

from videoinr.evaluation.clips import cut, window_starts
from videoinr.evaluation.footage import Frames
from videoinr.evaluation.optical_flow import agreeing_flow
from videoinr.evaluation.protocols import Protocol
from videoinr.images import downsample

MOST_LINES = 180
"""Frames with a longer short side are measured at this size; mean flow is as exact there, in a quarter of the time."""
LEAST_AGREEING = 0.25
"""Share of the pixels below which a mean is marked as uncertain."""
MOTION_WORDS = (
    "motion = mean length of the optical flow between successive true frames, px a frame at the scored size (share of "
    f"the height); pyramidal Lucas-Kanade on frames of at most {MOST_LINES} lines, over the pixels whose forward and "
    f"backward flow agree; ~ where fewer than {LEAST_AGREEING:.0%} agree"
)


@dataclass(frozen=True, slots=True)
class Motion:
    """Mean motion over ``steps`` steps from one frame to the next.

    ``px``: pixels a frame at the scored size. ``share``: the same as a share of the frame's height. ``agreeing``: the
    share of the pixels, 0 ... 1, that the mean is taken over. ``px`` and ``share`` are NaN where no pixel agrees.
    """

    px: float
    share: float
    agreeing: float
    steps: int

    @property
    def is_uncertain(self) -> bool:
        """Whether the mean is taken over few pixels."""
        return self.agreeing < LEAST_AGREEING

    @classmethod
    def mean(cls, motions: Iterable[Motion]) -> Motion:
        """Return the mean over all steps of ``motions``. Steps where no pixel agrees count only in ``agreeing``."""
        every = [motion for motion in motions if motion.steps]
        steps = sum(motion.steps for motion in every)
        known = [motion for motion in every if not math.isnan(motion.px)]
        counted = sum(motion.steps for motion in known)
        if not counted:
            return cls(math.nan, math.nan, 0.0, steps)
        px, share = (
            sum(each * m.steps for each, m in zip(values, known, strict=True)) / counted
            for values in ([m.px for m in known], [m.share for m in known])
        )
        return cls(px, share, sum(motion.agreeing * motion.steps for motion in every) / steps, steps)


def measure_step(first: Tensor, second: Tensor) -> Motion:
    """Measure the motion from one frame to the next.

    Args:
        first: RGB float32 [3, H, W] in 0 ... 1.
        second: RGB of the same shape.
    """
    height, width = first.shape[-2:]
    flow, agrees = agreeing_flow(*(_small(frame) for frame in (first, second)))
    if not agrees.any():
        return Motion(math.nan, math.nan, 0.0, 1)
    # The sides of a small frame are rounded, so the scales along x and y may differ.
    x, y = flow[0] * (width / flow.shape[-1]), flow[1] * (height / flow.shape[-2])
    px = float((x.square() + y.square()).sqrt()[agrees].mean())
    return Motion(px, px / height, float(agrees.float().mean()), 1)


@dataclass(eq=False)
class MotionMeter:
    """Measures clips under several protocols; remembers each step, as most protocols score the same frames."""

    _steps: dict[tuple[str, int, int], Motion] = field(default_factory=dict)

    def measure(self, frames: Frames, name: str, protocol: Protocol) -> Motion:
        """Return the mean motion of the frames that ``protocol`` scores of a clip."""
        starts = window_starts(len(frames), protocol.time_scale)
        count = len(starts) * protocol.time_scale
        return Motion.mean(self._step(frames, name, number, protocol.cut_to) for number in range(count))

    def _step(self, frames: Frames, name: str, number: int, cut_to: int) -> Motion:
        key = (name, number, cut_to)
        if key not in self._steps:
            self._steps[key] = measure_step(*(cut(frames[number + k], cut_to) for k in (0, 1)))
        return self._steps[key]


def _small(frame: Tensor) -> Tensor:
    """Return the frame with a short side of at most MOST_LINES pixels."""
    height, width = frame.shape[-2:]
    ratio = MOST_LINES / min(height, width)
    if ratio >= 1:
        return frame
    return downsample(frame[None], height=max(1, round(height * ratio)), width=max(1, round(width * ratio)))[0]
