"""An evaluation run: all clips of a folder, all methods, one protocol. One clip is open at a time."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from videoinr.errors import ClipError, InputError, UsageError
from videoinr.evaluation.clips import FrameScore, OnPicture, score_clip
from videoinr.evaluation.footage import Footage, Frames
from videoinr.evaluation.methods import BaselineFailedError, MethodSet
from videoinr.evaluation.metrics import SSIM_SIDE_PX
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.summary import Summary, summarise
from videoinr.text.phrases import format_count

Say = Callable[[str], None]

_UNREADABLE = "it cannot be read: "


@dataclass(frozen=True, eq=False)
class Run:
    """The scores under one protocol. ``left_out``: reasons why clips were not evaluated, by clip name."""

    protocol: Protocol
    scores: list[FrameScore]
    left_out: dict[str, str]

    @property
    def clips(self) -> list[str]:
        """Names of the evaluated clips, in order."""
        return list(dict.fromkeys(score.clip for score in self.scores))

    def without(self, methods: Container[str]) -> Run:
        """Return the run without the scores of some methods, for example of a baseline that failed on a later clip."""
        kept = [score for score in self.scores if score.method not in methods]
        return Run(self.protocol, kept, self.left_out)

    def summary(self, method: str, clip: str | None = None) -> Summary:
        """Return a method's means over one clip, or over all clips."""
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
    """Score every method on every clip.

    Args:
        footage: The clips.
        protocol: The protocol for all of them.
        method_set: The methods. An external baseline that fails is removed from it, with all its scores.
        device: Where frames are compared and models run.
        say: Called with a line of progress for each clip.
        pictures: Where every output frame is saved; None: nowhere.

    Returns:
        The scores, and the clips that were left out.

    Raises:
        DeviceError: A frame does not fit into the device's memory.
        ExportError: A picture cannot be written.
    """
    scores: list[FrameScore] = []
    left_out: dict[str, str] = {}
    for clip in footage:
        try:
            with clip.open(device) as frames:
                reason = why_left_out(frames, protocol)
                if reason is None:
                    say(f"{protocol.setting}: {clip.name}")
                    scores += _score(frames, clip.name, protocol, method_set, pictures, say)
                else:
                    left_out[clip.name] = reason
        except ClipError as error:
            left_out[clip.name] = unreadable(error)
    return Run(protocol, scores, left_out).without(method_set.absent)


def run_protocols(
    footage: Sequence[Footage],
    protocols: Sequence[Protocol],
    method_set: MethodSet,
    device: torch.device,
    *,
    say: Say = lambda line: None,
    pictures: PictureFolder | None = None,
) -> list[Run]:
    """Return one run for each protocol, without the methods that failed in any of them.

    Raises:
        UsageError: no clip could take part in any run.
    """
    runs = [run_protocol(footage, protocol, method_set, device, say=say, pictures=pictures) for protocol in protocols]
    runs = [run.without(method_set.absent) for run in runs]
    if not any(run.scores for run in runs):
        raise no_clips([run.left_out for run in runs])
    return runs


def unreadable(error: ClipError) -> str:
    """Return why a clip that cannot be read, or only in part, is not evaluated."""
    return f"{_UNREADABLE}{str(error).removesuffix('.')}"


def why_left_out(frames: Frames, protocol: Protocol) -> str | None:
    """Return why a clip cannot be evaluated, or None if it can."""
    needed = protocol.time_scale + 1
    if len(frames) < needed:
        return f"{format_count(len(frames), 'frame')}, and x{protocol.time_scale} in time needs {needed}"
    height, width = frames[0].shape[-2:]
    if min(height, width) < max(protocol.cut_to, SSIM_SIDE_PX):
        return f"{width}x{height} pixels, and frames are cut to multiples of {protocol.cut_to}"
    return None


def no_clips(left_out: Sequence[Mapping[str, str]]) -> UsageError:
    """Return the error for runs in which no clip could be evaluated, with the reasons."""
    reasons = dict.fromkeys(f"{clip}: {reason}" for run in left_out for clip, reason in run.items())
    damaged = all(reason.startswith(_UNREADABLE) for run in left_out for reason in run.values())
    return (InputError if damaged else UsageError)("No clip can be evaluated.", hint=f"{'; '.join(reasons)}.")


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
    """Saves output frames as FOLDER/x4-t8/METHOD/CLIP/00012.png, numbered as in the clip."""

    folder: Path

    def keeper(self, protocol: Protocol, clip: str) -> OnPicture:
        """Return a function that writes each output frame of ``clip`` as an 8-bit PNG. It raises ExportError."""
        from videoinr.exporting.png import write_png
        from videoinr.images import rgbx_from_tensor

        scales = f"x{protocol.space_scale:g}-t{protocol.time_scale}"

        def keep(method: str, frame: int, picture: torch.Tensor) -> None:
            folder = self.folder / scales / _plain(method) / _plain(clip)
            folder.mkdir(parents=True, exist_ok=True)
            write_png(folder / f"{frame:05d}.png", rgbx_from_tensor(picture.permute(1, 2, 0)).cpu().numpy())

        return keep


def _plain(name: str) -> str:
    """Turn a method's or clip's name, which may be a path, into one folder name."""
    return name.replace("/", "_").replace("\\", "_").lstrip(".") or "_"
