"""How many frames of which size a clip says it holds, read without decoding it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer

from videoinr.clip.picture_file import stored_size
from videoinr.clip.picture_folder import find_pictures
from videoinr.clip.video_file import av_errors_as, open_container, video_stream


@dataclass(frozen=True, slots=True)
class Extent:
    """What a clip says it holds. Files may be wrong: good for sizing memory, not to be relied upon.

    ``height`` and ``width`` are those of the stored frames, before any turn.
    """

    frames: int
    height: int
    width: int

    @property
    def bytes(self) -> int:
        """Size of all frames as uint8 RGB."""
        return self.frames * self.height * self.width * 3

    def holds(self, frames: int, side: int) -> bool:
        """Return whether ``frames`` frames of ``side`` x ``side`` pixels each can be cut from the clip."""
        return self.frames >= frames and min(self.height, self.width) >= side


def extent_of(path: Path) -> Extent:
    """Read the extent of a video file, a picture or a folder of pictures (its first picture gives the size).

    Raises:
        ClipError: the file cannot be read, or the folder holds no pictures.
    """
    pictures = find_pictures(path)
    if pictures is not None:
        width, height = stored_size(pictures[0])
        return Extent(len(pictures), height, width)
    with av_errors_as(f"“{path}” cannot be read.", "It may be damaged."), open_container(path) as container:
        stream = video_stream(container, path)
        return Extent(_frame_count(container, stream), stream.height, stream.width)


def _frame_count(container: InputContainer, stream: av.VideoStream) -> int:
    secs = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    secs = (container.duration or 0) / av.time_base if secs is None else secs
    frames = stream.frames or round(secs * float(stream.average_rate or 0))
    return frames or sum(1 for _ in container.decode(stream))
