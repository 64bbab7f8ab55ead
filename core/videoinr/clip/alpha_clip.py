"""A video whose alpha channel is a video stream of its own (animated AVIF), laid over a background."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.background import Background
from videoinr.clip.base import Clip, ClipBase, ReadReport
from videoinr.clip.found import Found
from videoinr.clip.frame_cache import FrameCache
from videoinr.clip.open_options import OpenOptions
from videoinr.clip.transparency import laid_over, note_on
from videoinr.clip.video_clip import PICTURE_BYTES, VideoClip, open_video
from videoinr.errors import ClipError
from videoinr.types import Pixels

_NOT_DECODED = "The clip's transparency cannot be decoded: the colours of transparent parts are shown."


class AlphaClip(ClipBase):
    """The :class:`~videoinr.clip.Clip` of a video and of its alpha channel, which it closes."""

    def __init__(self, video: VideoClip, alpha: VideoClip, background: Background) -> None:
        transparent = np.any(alpha.frame(0)[..., 0] < np.iinfo(alpha.frame(0).dtype).max)
        warnings = (*video.info.warnings, *((note_on(background),) if transparent else ()))
        super().__init__(replace(video.info, warnings=warnings), video.timeline, video.identity)
        self._video, self._alpha, self._background = video, alpha, background
        self._pictures: FrameCache[Pixels] = FrameCache(PICTURE_BYTES, at_least=1)

    @property
    def report(self) -> ReadReport:
        """See :attr:`Clip.report`."""
        return self._video.report

    def frame(self, index: int, token: CancelToken = NEVER) -> Pixels:
        """See :meth:`Clip.frame`."""
        colours = self._video.frame(index, token)
        picture = self._pictures.get(index)
        if picture is None:
            alpha: Any = np.ascontiguousarray(self._alpha.frame(index, token)[..., 0])
            picture = laid_over(colours, alpha, self._background)
            self._pictures.put(index, picture, picture.nbytes)
        return picture

    def hold_at_most(self, frames: int) -> None:
        """See :meth:`Clip.hold_at_most`."""
        for each in (self._video, self._alpha):
            each.hold_at_most(frames)
        self._pictures.limit(frames)

    def close(self) -> None:
        """See :meth:`Clip.close`."""
        self._video.close()
        self._alpha.close()
        self._pictures.clear()


def with_alpha(video: VideoClip, background: Background, token: CancelToken, found: Found) -> Clip:
    """Return ``video`` with its alpha channel, if the file keeps one apart.

    Args:
        video: the open video.
        background: what is shown behind transparent pixels.
        token: cancels the opening of the alpha channel.
        found: what an opening before found; it gets what this one finds.

    Returns:
        A clip that closes ``video``, or ``video`` itself. If the alpha channel cannot be decoded, a warning of the
        clip says so.

    Raises:
        Cancelled: ``token`` was cancelled; ``video`` is closed then.
    """
    number = video.alpha_stream
    if number is None:
        return video
    try:
        alpha = open_video(video.info.path, OpenOptions(stream=number, deinterlace="off"), token, found)
    except ClipError:
        return _Unlaid(video)
    except BaseException:
        video.close()
        raise
    fits = alpha.info.grid == video.info.grid and alpha.info.frames == video.info.frames
    if fits and alpha.frame(0).dtype == video.frame(0).dtype:
        return AlphaClip(video, alpha, background)
    alpha.close()
    return _Unlaid(video)


class _Unlaid(ClipBase):
    """A video without the alpha channel that it should have, which its warnings say."""

    def __init__(self, video: VideoClip) -> None:
        info = replace(video.info, warnings=(*video.info.warnings, _NOT_DECODED))
        super().__init__(info, video.timeline, video.identity)
        self._video = video

    @property
    def report(self) -> ReadReport:
        """See :attr:`Clip.report`."""
        return self._video.report

    def frame(self, index: int, token: CancelToken = NEVER) -> Pixels:
        """See :meth:`Clip.frame`."""
        return self._video.frame(index, token)

    def hold_at_most(self, frames: int) -> None:
        """See :meth:`Clip.hold_at_most`."""
        self._video.hold_at_most(frames)

    def close(self) -> None:
        """See :meth:`Clip.close`."""
        self._video.close()
