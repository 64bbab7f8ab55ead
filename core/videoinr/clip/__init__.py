"""Clips: a video file or a folder of pictures, read frame by frame, in any order."""

from videoinr.clip.base import Clip
from videoinr.clip.opening import open_clip

__all__ = ["Clip", "open_clip"]
