"""Protocols of the literature as frozen values, each of which says in words what its figures mean.

LR = antialiased bicubic x 1/scale, 8 bits; inputs frames 0 and T of each window, stride T; outputs at t = k/T,
k = 0 ... T-1: a window's last frame is the next one's first, and counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from videoinr.evaluation.metrics import Channel


@dataclass(frozen=True, slots=True)
class StandardSet:
    """A published set of clips and the scales that it is usually measured at.

    ``clips``: how many the set has, None where any will do. ``frames``: of each clip by name, where they are known.
    """

    name: str
    space_scale: float = 4.0
    time_scale: int = 4
    clips: int | None = None
    frames: tuple[tuple[str, int], ...] = ()

    def remarks(self, found: Mapping[str, int]) -> list[str]:
        """What is found (frames of each clip) against what the set has: sentences, none for a set of any clips."""
        if self.clips is None:
            return []
        known = dict(self.frames)
        wanted = f"{self.clips} clips" + (f" of {sum(known.values())} frames" if known else "")
        have = f"{len(found)} clips of {sum(found.values())} frames"
        same = dict(found) == known if known else len(found) == self.clips
        return [f"{self.name} is {wanted}; found {have}" + (": the set itself." if same else ": NOT the standard set.")]


ANY_CLIPS = StandardSet("clips")
VID4 = StandardSet("vid4", 4, 2, 4, (("calendar", 41), ("city", 34), ("foliage", 49), ("walk", 47)))
GOPRO = StandardSet("gopro", 4, 8, 11)
ADOBE = StandardSet("adobe", 4, 8, 17)
STANDARD_SETS = (ANY_CLIPS, VID4, GOPRO, ADOBE)


@dataclass(frozen=True, slots=True)
class Protocol:
    """How some figures came about.

    ``space_scale`` and ``time_scale`` (T); ``channel``: what PSNR and SSIM compare; ``flicker``: whether tOF is
    measured; ``cut_to``: clips are cut down to this multiple of pixels (from the top left).
    """

    space_scale: float
    time_scale: int
    channel: Channel = "y"
    flicker: bool = False
    standard: StandardSet = ANY_CLIPS
    cut_to: int = 16

    def __str__(self) -> str:
        return f"{self.standard.name}, {self.setting}: {self.rules}"

    @property
    def setting(self) -> str:
        """The scales."""
        return f"space x{self.space_scale:g}, time x{self.time_scale} (T = {self.time_scale})"

    @property
    def rules(self) -> str:
        """All but the scales, in words; T stands for the time scale."""
        compared = {"y": "BT.601 Y", "rgb": "RGB"}[self.channel]
        parts = (
            "LR = antialiased bicubic (a = -0.5), 8 bits; at x1 the frames themselves",
            "inputs are frames 0 and T of each window, stride T; outputs at t = k/T, k = 0 ... T-1",
            f"PSNR and SSIM on {compared} of the float prediction, clamped, not rounded",
            "PSNR with no border cut, SSIM over whole windows of 11 x 11 (Gaussian, sigma 1.5)",
            *(
                ("tOF = mean |dx| + |dy| between the optical flows of successive outputs and truths, px",)
                * self.flicker
            ),
            f"frames cut to multiples of {self.cut_to}",
            "mean over frames: input is k = 0, between k > 0, middle k = T/2, others the rest; average is all k "
            "(“-Average” in papers), center k = 0 and T/2 (“-Center”)",
        )
        return "; ".join(parts)
