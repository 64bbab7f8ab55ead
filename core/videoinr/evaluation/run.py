"""An evaluation run: all clips of a folder, all methods, one protocol. One clip is open at a time."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from videoinr.devices import current
from videoinr.errors import ClipError, InputError, UsageError
from videoinr.evaluation.clips import FrameScore, OnPicture, score_clip, window_starts
from videoinr.evaluation.footage import ClipFrames, Footage, Frames
from videoinr.evaluation.journal import ClipResult, Journal
from videoinr.evaluation.methods import BaselineFailedError, MethodSet
from videoinr.evaluation.metrics import SSIM_SIDE_PX
from videoinr.evaluation.motion import Motion, MotionMeter
from videoinr.evaluation.perceptual import LEAST_SIDE_PX, perceptual_distance
from videoinr.evaluation.progress import Progress, Say
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.summary import Summary, summarise
from videoinr.text.phrases import format_count
from videoinr.writing.words import write_errors

_UNREADABLE = "it cannot be read: "


@dataclass(frozen=True, eq=False)
class Run:
    """The scores under one protocol.

    ``left_out``: reasons why clips were not evaluated, by clip name. ``motions``: the evaluated clips' mean motion, by
    clip name. ``uneven``: how many frames of an evaluated clip are not evenly spaced in time, by clip name, if any are.
    """

    protocol: Protocol
    scores: list[FrameScore]
    left_out: dict[str, str]
    motions: dict[str, Motion] = field(default_factory=dict)
    uneven: dict[str, int] = field(default_factory=dict)

    @property
    def clips(self) -> list[str]:
        """Names of the evaluated clips, in order."""
        return list(dict.fromkeys(score.clip for score in self.scores))

    def without(self, methods: Container[str]) -> Run:
        """Return the run without the scores of some methods, for example of a baseline that failed on a later clip."""
        kept = [score for score in self.scores if score.method not in methods]
        return replace(self, scores=kept)

    def motion(self, clip: str | None = None) -> Motion:
        """Return the mean motion of one clip, or of all evaluated clips."""
        return Motion.mean(motion for name, motion in self.motions.items() if clip in (None, name))

    def summary(self, method: str, clip: str | None = None) -> Summary:
        """Return a method's means over one clip, or over all clips."""
        mine = [score for score in self.scores if score.method == method and clip in (None, score.clip)]
        return summarise(mine, self.protocol.time_scale, self.protocol.center)


def run_protocols(
    footage: Sequence[Footage],
    protocols: Sequence[Protocol],
    method_set: MethodSet,
    device: torch.device,
    *,
    say: Say = lambda line: None,
    pictures: PictureFolder | None = None,
    journal: Journal | None = None,
) -> list[Run]:
    """Score every method on every clip under every protocol.

    Args:
        footage: The clips.
        protocols: The protocols.
        method_set: The methods. An external baseline that fails is removed from it, with all its scores.
        device: Where frames are compared and models run.
        say: Called with lines of progress.
        pictures: Where every output frame is saved; None: nowhere.
        journal: Results that are known already, and where each new one is added; None: nowhere.

    Returns:
        One run for each protocol: the scores, and the clips that were left out.

    Raises:
        UsageError: no clip could take part in any run, or LPIPS is to be measured and cannot be.
        DeviceError: A frame does not fit into the device's memory.
        ExportError: A picture or the journal cannot be written.
    """
    session = _Session(method_set, device, pictures, journal, Progress(len(footage) * len(protocols), say), say)
    if any(protocol.lpips for protocol in protocols):
        perceptual_distance(device)  # What is missing is told before anything is restored.
    with current(device):
        runs = [session.run(footage, protocol) for protocol in protocols]
    runs = [run.without(method_set.absent) for run in runs]
    if not any(run.scores for run in runs):
        raise no_clips([run.left_out for run in runs])
    return runs


@dataclass(frozen=True, eq=False)
class _Session:
    """What the runs of one call share."""

    method_set: MethodSet
    device: torch.device
    pictures: PictureFolder | None
    journal: Journal | None
    progress: Progress
    say: Say
    meter: MotionMeter = field(default_factory=MotionMeter)
    damaged: dict[str, frozenset[int]] = field(default_factory=dict)
    """Of each clip, the frames that were found damaged: a later protocol reads none for the meter, which knows them."""

    def run(self, footage: Sequence[Footage], protocol: Protocol) -> Run:
        run = Run(protocol, [], {})
        for clip in footage:
            self.progress.next()
            try:
                with clip.open(self.device) as frames:
                    reason = why_left_out(frames, protocol)
                    if reason is not None:
                        run.left_out[clip.name] = reason
                        continue
                    result = self._result(frames, clip.name, protocol)
                    uneven = frames.uneven
            except ClipError as error:
                run.left_out[clip.name] = unreadable(error)
                continue
            run.scores.extend(result.scores)
            run.motions[clip.name] = result.motion
            if uneven:
                run.uneven[clip.name] = uneven
        return run

    def _result(self, frames: ClipFrames, name: str, protocol: Protocol) -> ClipResult:
        known = self.journal.find(protocol, name, frames.identity) if self.journal is not None else None
        if known is not None:
            return known
        self.progress.clip(f"{protocol.setting}: {name}")
        motion = self.meter.measure(frames, name, protocol)
        # That has read the frames, usually all: a damaged file shall not cost the time of the models first.
        self._refuse_damaged(frames, name, protocol)
        result = ClipResult(self._score(frames, name, protocol), motion)
        self._refuse_damaged(frames, name, protocol)
        if self.journal is not None:
            self.journal.add(protocol, name, frames.identity, result)
        self.progress.finished()
        return result

    def _refuse_damaged(self, frames: ClipFrames, name: str, protocol: Protocol) -> None:
        found = self.damaged[name] = self.damaged.get(name, frozenset()) | frames.damaged
        last = len(window_starts(len(frames), protocol.time_scale)) * protocol.time_scale
        if any(number <= last for number in found):
            raise ClipError(f"The file is damaged, which spoils {format_count(len(found), 'frame')}.")

    def _score(self, frames: Frames, name: str, protocol: Protocol) -> list[FrameScore]:
        while True:
            methods = {method.name: method.restore for method in self.method_set.methods}
            keep = _keeper(self.pictures, protocol, name)
            try:
                return score_clip(frames, name, protocol, methods, on_picture=keep, on_window=self.progress.window)
            except BaselineFailedError as failure:
                self.method_set.drop(failure.name, failure.reason)
                self.say(str(failure))
                if self.journal is not None:
                    self.journal.fail(failure.name, failure.reason)


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
    if protocol.lpips and min(height, width) // protocol.cut_to * protocol.cut_to < LEAST_SIDE_PX:
        return f"{width}x{height} pixels, and LPIPS needs {LEAST_SIDE_PX}"
    return None


def no_clips(left_out: Sequence[Mapping[str, str]]) -> UsageError:
    """Return the error for runs in which no clip could be evaluated, with the reasons."""
    reasons = dict.fromkeys(f"{clip}: {reason}" for run in left_out for clip, reason in run.items())
    damaged = all(reason.startswith(_UNREADABLE) for run in left_out for reason in run.values())
    return (InputError if damaged else UsageError)("No clip can be evaluated.", hint=f"{'; '.join(reasons)}.")


def _keeper(pictures: PictureFolder | None, protocol: Protocol, clip: str) -> OnPicture:
    if pictures is None:
        return lambda method, frame, picture: None
    return pictures.keeper(protocol, clip)


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """Saves output frames as FOLDER/x4-t8/METHOD/CLIP/00012.png, numbered as in the clip.

    Raises:
        ExportError: the folder cannot be made.
    """

    folder: Path

    def __post_init__(self) -> None:
        # Now, and not after the first clip was restored.
        self._make(self.folder)

    @staticmethod
    def _make(folder: Path) -> None:
        with write_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def keeper(self, protocol: Protocol, clip: str) -> OnPicture:
        """Return a function that writes each output frame of ``clip`` as an 8-bit PNG. It raises ExportError."""
        from videoinr.exporting.png import write_png
        from videoinr.images import rgbx_from_tensor

        scales = f"x{protocol.space_scale:g}-t{protocol.time_scale}"

        def keep(method: str, frame: int, picture: torch.Tensor) -> None:
            folder = self.folder / scales / _plain(method) / _plain(clip)
            self._make(folder)
            write_png(folder / f"{frame:05d}.png", rgbx_from_tensor(picture.permute(1, 2, 0)).cpu().numpy())

        return keep


def _plain(name: str) -> str:
    """Turn a method's or clip's name, which may be a path, into one folder name."""
    return re.sub(r"[/\\:]", "_", name).lstrip(".") or "_"
