"""A run: all clips of a folder through all methods under one protocol; one clip is open at a time."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from videoinr.errors import UsageError
from videoinr.evaluation.clips import FrameScore, OnPicture, score_clip
from videoinr.evaluation.footage import Footage, Frames
from videoinr.evaluation.methods import BaselineFailedError, MethodSet
from videoinr.evaluation.metrics import SSIM_SIDE_PX
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.summary import Summary, summarise

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Run:
    """What one protocol gave. ``left_out``: clips that could not take part, and why."""

    protocol: Protocol
    scores: list[FrameScore]
    left_out: dict[str, str]

    @property
    def clips(self) -> list[str]:
        """The clips that took part, in order."""
        return list(dict.fromkeys(score.clip for score in self.scores))

    def without(self, methods: Container[str]) -> Run:
        """The run, but for some methods: one that failed later has no figures that compare."""
        kept = [score for score in self.scores if score.method not in methods]
        return Run(self.protocol, kept, self.left_out)

    def summary(self, method: str, clip: str | None = None) -> Summary:
        """A method's means on one clip, or on all."""
        mine = [score for score in self.scores if score.method == method and clip in (None, score.clip)]
        return summarise(mine, self.protocol.time_scale)


def run_protocol(
    footage: Sequence[Footage],
    protocol: Protocol,
    method_set: MethodSet,
    device: torch.device,
    *,
    say: Say = lambda line: None,
    pictures: PictureFolder | None = None,
) -> Run:
    """Score every clip. A peer that fails is dropped from the comparison, and its scores with it."""
    scores: list[FrameScore] = []
    left_out: dict[str, str] = {}
    for clip in footage:
        with clip.open(device) as frames:
            reason = why_left_out(frames, protocol)
            if reason is None:
                say(f"{protocol.setting}: {clip.name}")
                scores += _score(frames, clip.name, protocol, method_set, pictures, say)
            else:
                left_out[clip.name] = reason
    return Run(protocol, scores, left_out).without(method_set.absent)


def why_left_out(frames: Frames, protocol: Protocol) -> str | None:
    """Why a clip cannot take part, or None."""
    needed = protocol.time_scale + 1
    if len(frames) < needed:
        return f"{len(frames)} frames, and x{protocol.time_scale} in time needs {needed}"
    height, width = frames[0].shape[-2:]
    if min(height, width) < max(protocol.cut_to, SSIM_SIDE_PX):
        return f"{width}x{height} pixels, and frames are cut to multiples of {protocol.cut_to}"
    return None


def no_clips(left_out: Sequence[Mapping[str, str]]) -> UsageError:
    """The error for runs in which no clip took part, with the reasons."""
    reasons = dict.fromkeys(f"{clip}: {reason}" for run in left_out for clip, reason in run.items())
    return UsageError("No clip can be evaluated.", hint=f"{'; '.join(reasons)}.")


def _score(
    frames: Frames, name: str, protocol: Protocol, method_set: MethodSet, pictures: PictureFolder | None, say: Say
) -> list[FrameScore]:
    while True:
        methods = {method.name: method.restore for method in method_set.methods}
        try:
            return score_clip(frames, name, protocol, methods, on_picture=_keeper(pictures, protocol, name))
        except BaselineFailedError as failure:
            method_set.drop(failure.name, failure.reason)
            say(str(failure))


def _keeper(pictures: PictureFolder | None, protocol: Protocol, clip: str) -> OnPicture:
    if pictures is None:
        return lambda method, frame, picture: None
    return pictures.keeper(protocol, clip)


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """Where outputs are kept: FOLDER/x4-t8/METHOD/CLIP/00012.png, named by the frame of the clip."""

    folder: Path

    def keeper(self, protocol: Protocol, clip: str) -> OnPicture:
        """Writes each picture of ``clip`` as a PNG of 8 bits. Raises ExportError."""
        from videoinr.exporting.png import write_png
        from videoinr.images import rgbx_from_tensor

        scales = f"x{protocol.space_scale:g}-t{protocol.time_scale}"

        def keep(method: str, frame: int, picture: torch.Tensor) -> None:
            folder = self.folder / scales / _plain(method) / _plain(clip)
            folder.mkdir(parents=True, exist_ok=True)
            write_png(folder / f"{frame:05d}.png", rgbx_from_tensor(picture.permute(1, 2, 0)).cpu().numpy())

        return keep


def _plain(name: str) -> str:
    """A name that is one folder: a model's or a clip's may be a path."""
    return name.replace("/", "_").replace("\\", "_").lstrip(".") or "_"
