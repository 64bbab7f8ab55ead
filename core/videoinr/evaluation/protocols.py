"""The literature's evaluation protocols as frozen values. Each describes in words what its figures mean.

LR frames are downsampled by antialiased bicubic and rounded to 8 bits. The inputs of a window are its frames 0 and T,
and windows start every T frames. The outputs are at t = k/T for k = 0 ... T-1; the frame at k = T counts once, as the
next window's k = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from videoinr.evaluation.metrics import Channel
from videoinr.evaluation.perceptual import LPIPS_WORDS
from videoinr.text.phrases import format_count

if TYPE_CHECKING:
    from videoinr.evaluation.coded import CodedInputs

Scoring = Literal["float", "8bit"]
"""What is compared: the float prediction, or prediction and truth rounded to 8 bits."""
Center = Literal["v3", "bf-stvsr"]
"""Which outputs of a window count as center: k = 0 and T/2, as VideoINR and its V3 do, or T/2 alone, as BF-STVSR."""


@dataclass(frozen=True, slots=True)
class StandardSet:
    """A published set of clips, or any clips, and the scales that they are usually evaluated at.

    ``clips``: the number of clips in the set, None for a set of any clips. ``frames``: (clip name, frame count) of
    each clip, where known. ``baselines``: the methods that models are compared with unless others are asked for.
    """

    name: str
    space_scales: tuple[float, ...] = (4.0,)
    time_scales: tuple[int, ...] = (4,)
    clips: int | None = None
    frames: tuple[tuple[str, int], ...] = ()
    baselines: tuple[str, ...] = ("bicubic-blend",)

    def remarks(self, found: Mapping[str, int]) -> list[str]:
        """Compare ``found`` (frame counts by clip name) with the set, in sentences; none for a set of any clips."""
        if self.clips is None:
            return []
        known = dict(self.frames)
        wanted = f"{self.clips} clips" + (f" of {sum(known.values())} frames" if known else "")
        have = f"{format_count(len(found), 'clip')} of {format_count(sum(found.values()), 'frame')}"
        same = dict(found) == known if known else len(found) == self.clips
        return [f"{self.name} is {wanted}; found {have}" + (": the set itself." if same else ": NOT the standard set.")]


ANY_CLIPS = StandardSet("clips")
NATIVE = StandardSet("native", (1, 2), (4, 8, 12), baselines=("bicubic-blend", "minterpolate"))
"""Any clips at their own size: things move by many more pixels there than in frames that were shrunk to a quarter."""
VID4 = StandardSet("vid4", (4,), (2,), 4, (("calendar", 41), ("city", 34), ("foliage", 49), ("walk", 47)))
GOPRO = StandardSet("gopro", (4,), (8,), 11)
ADOBE = StandardSet("adobe", (4,), (8,), 17)
STANDARD_SETS = (ANY_CLIPS, NATIVE, VID4, GOPRO, ADOBE)


@dataclass(frozen=True, slots=True)
class Protocol:
    """The settings of an evaluation.

    ``space_scale``: output side over input side. ``time_scale``: T, output frame rate over input frame rate.
    ``channel``: what PSNR and SSIM compare. ``flicker``, ``lpips``: whether tOF and LPIPS are measured. ``cut_to``:
    frames are cropped, from the top left, to multiples of this many pixels. ``scoring``, ``center``: variants of the
    field. ``coding``: an encoder that the LR clip goes through first; None for none.
    """

    space_scale: float
    time_scale: int
    channel: Channel = "y"
    flicker: bool = False
    standard: StandardSet = ANY_CLIPS
    cut_to: int = 16
    scoring: Scoring = "float"
    center: Center = "v3"
    coding: CodedInputs | None = None
    lpips: bool = False

    def __str__(self) -> str:
        return f"{self.standard.name}, {self.setting}: {self.rules}"

    @property
    def setting(self) -> str:
        """The scales in words."""
        return f"space x{self.space_scale:g}, time x{self.time_scale} (T = {self.time_scale})"

    @property
    def rules(self) -> str:
        """Everything but the scales in words. T stands for the time scale."""
        compared = {"y": "BT.601 Y", "rgb": "RGB"}[self.channel]
        scored = {
            "float": "of the float prediction, clamped, not rounded",
            "8bit": "of prediction and truth, RGB clamped and rounded to 8 bits",
        }[self.scoring]
        center = {"v3": "center k = 0 and T/2 (“-Center”)", "bf-stvsr": "center k = T/2 alone (“-Center” of BF-STVSR)"}
        rules = (
            "LR = antialiased bicubic (a = -0.5), 8 bits; at x1 the frames themselves",
            *(() if self.coding is None else (str(self.coding),)),
            "inputs are frames 0 and T of each window, stride T; outputs at t = k/T, k = 0 ... T-1",
            f"PSNR and SSIM on {compared} {scored}",
            "PSNR with no border cut, SSIM over whole windows of 11 x 11 (Gaussian, sigma 1.5)",
            *(
                ("tOF = mean |dx| + |dy| between the optical flows of successive outputs and truths, px",)
                * self.flicker
            ),
            *((LPIPS_WORDS,) * self.lpips),
            f"frames cut to multiples of {self.cut_to}",
            "mean over frames: input is k = 0, between k > 0, middle k = T/2, others the rest; average is all k "
            f"(“-Average” in papers), {center[self.center]}",
        )
        return "; ".join(rules)
