"""The finished video file of an export: put together from parts, and checked."""

from __future__ import annotations

from pathlib import Path

from videoinr.cancel import CancelToken
from videoinr.exporting.coding import Coding
from videoinr.exporting.companions import Companions
from videoinr.exporting.matroska_header import write_matroska_aspect, write_matroska_duration
from videoinr.exporting.packet_file import PacketFile
from videoinr.exporting.sound.ahead import SoundAhead
from videoinr.exporting.verify import verify_sound, verify_video
from videoinr.exporting.video_mux import VideoParts, write_video
from videoinr.writing.partial_file import PartialFile


def assemble(
    file: PartialFile,
    coding: Coding,
    parts: VideoParts,
    companions: Companions | None,
    token: CancelToken,
    *,
    ahead: SoundAhead | None = None,
    frees: bool = False,
) -> None:
    """Write ``parts`` and ``companions`` to ``file``; raises as :func:`write_video`.

    ``ahead``: sound of the companions that was made before. ``frees``: whether each part's file is removed as soon as
    it was copied.
    """

    def after_file(each: PacketFile) -> None:
        if frees:
            each.path.unlink()

    write_video(file, coding, parts, companions, token, ahead=ahead, after_file=after_file)
    if coding.muxer in ("matroska", "webm"):
        if coding.aspect != 1:
            write_matroska_aspect(file.path, coding.aspect)
        write_matroska_duration(file.path, parts.frames / coding.fps)


def verify_output(path: Path, coding: Coding, frames: int, companions: Companions | None, token: CancelToken) -> None:
    """Check the finished file ``path``. Raises ExportError or Cancelled."""
    verify_video(path, width=coding.width, height=coding.height, frames=frames, fps=coding.fps, token=token)
    if companions is not None:
        verify_sound(path, streams=len(companions.sounds), duration_secs=frames / coding.fps, token=token)
