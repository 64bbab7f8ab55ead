"""Validation during training: PSNR and sample pictures on a few clips that are not trained on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from videoinr.errors import UsageError
from videoinr.evaluation.clips import FrameScore, blend_bicubic, method_from_model, score_clip
from videoinr.evaluation.footage import Footage, find_footage
from videoinr.evaluation.protocols import Protocol
from videoinr.exporting.png import write_png
from videoinr.images import rgbx_from_tensor
from videoinr.model.video_inr import VideoINR
from videoinr.training.run_log import Line
from videoinr.writing.words import write_errors

PROTOCOL = Protocol(4.0, 4)
MAX_CLIPS, MAX_WINDOWS = 4, 2
MAX_WIDTH, MAX_HEIGHT = 640, 384
"""Larger clips are cropped to their centre, so that a validation is shorter than the training between two of them."""
PICTURE_SIDE, GAP = 256, 8
BASELINE, MODEL = "blend", "model"


@dataclass(frozen=True, eq=False)
class Validation:
    """Validation clips in memory. ``clips``: (name, frames float32 [T, 3, H, W] in 0 ... 1) of each."""

    clips: tuple[tuple[str, Tensor], ...]

    def line(self, model: VideoINR, *, step: int, pictures: Path) -> Line:
        """Score ``model`` on all clips, and write a picture of truth, baseline and model for each.

        Draws no random numbers and does not change the model, so training continues as without a validation.

        Args:
            model: The model, on the device to compute on.
            step: The training step.
            pictures: The folder for ``STEP_CLIP.png``; it is created.

        Returns:
            A ``validation`` line for the log.
        """
        start, scores = time.monotonic(), list[FrameScore]()
        with write_errors(pictures):
            pictures.mkdir(exist_ok=True)
        for name, frames in self.clips:
            shown: dict[str, Tensor] = {}

            def keep(method: str, frame: int, picture: Tensor, shown: dict[str, Tensor] = shown) -> None:
                if frame == PROTOCOL.time_scale // 2:
                    shown[method] = picture

            methods = {BASELINE: blend_bicubic, MODEL: method_from_model(model)}
            device = next(model.parameters()).device
            scores += score_clip(frames.to(device), name, PROTOCOL, methods, on_picture=keep)
            strip = _strip([frames[PROTOCOL.time_scale // 2], shown[BASELINE].cpu(), shown[MODEL].cpu()])
            picture = rgbx_from_tensor(strip.permute(1, 2, 0)).numpy()
            write_png(pictures / f"{step:06}_{name.replace('/', '-')}.png", picture)
        return {"kind": "validation", "step": step, **_figures(scores), "secs": round(time.monotonic() - start, 1)}


def open_validation(folder: Path) -> Validation:
    """Load up to MAX_CLIPS clips, evenly spread over ``folder``. Raises UsageError if none is long and large enough."""
    found = find_footage(folder)
    picked = [found[index * len(found) // MAX_CLIPS] for index in range(MAX_CLIPS)] if len(found) > MAX_CLIPS else found
    loaded = ((each.name, _middle(each)) for each in picked)
    clips = tuple((name, frames) for name, frames in loaded if _is_enough(frames))
    if not clips:
        raise UsageError(
            f"No clip in {folder} has the {PROTOCOL.time_scale + 1} frames of 64x64 pixels that validation needs.",
            hint="Use longer or larger clips, or leave out --validate.",
        )
    return Validation(clips)


def _middle(footage: Footage) -> Tensor:
    """Return the frames of a clip's first windows, cropped to the centre: float32 [T, 3, h, w] on the CPU."""
    with footage.open(torch.device("cpu")) as frames:
        count = min(len(frames), PROTOCOL.time_scale * MAX_WINDOWS + 1)
        height, width = frames[0].shape[-2:]
        y, x = max(0, height - MAX_HEIGHT) // 2, max(0, width - MAX_WIDTH) // 2
        return torch.stack([frames[index][:, y : y + MAX_HEIGHT, x : x + MAX_WIDTH].clone() for index in range(count)])


def _is_enough(frames: Tensor) -> bool:
    return len(frames) > PROTOCOL.time_scale and min(frames.shape[-2:]) >= 64


def _figures(scores: Sequence[FrameScore]) -> dict[str, float]:
    """Return mean PSNR-Y in dB of model and baseline, over all instants and over those between the input frames."""

    def mean(method: str, least_number: int) -> float:
        values = [score.psnr_db for score in scores if score.method == method and score.number >= least_number]
        return round(sum(min(value, 99.0) for value in values) / len(values), 3)

    return {
        "psnr_db": mean(MODEL, 0),
        "between_db": mean(MODEL, 1),
        "baseline_db": mean(BASELINE, 0),
        "baseline_between_db": mean(BASELINE, 1),
    }


def _strip(pictures: Sequence[Tensor]) -> Tensor:
    """Join the centres of some pictures [3, H, W] side by side, separated by white: [3, h, w]."""
    height, width = (min(side) for side in zip(*(picture.shape[-2:] for picture in pictures), strict=True))
    h, w = min(height, PICTURE_SIDE), min(width, PICTURE_SIDE)
    y, x = (height - h) // 2, (width - w) // 2
    crops = [picture[:, y : y + h, x : x + w] for picture in pictures]
    white = torch.ones(3, h, GAP)
    return torch.cat([strip for crop in crops for strip in (white, crop)][1:], -1)
