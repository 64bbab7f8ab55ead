"""Clips: a video file or a folder of pictures, read frame by frame, in any order.

| file | purpose |
|---|---|
| `opening` | opens a path as a clip of the right kind |
| `base` | the `Clip` protocol and its base class |
| `suffixes`, `picture_folder` | which files are videos and pictures; which pictures make up a clip, in which order |
| `video_clip`, `picture_clip`, `memory_clip` | the three kinds of clip |
| `video_opening` | opens a video: numbers its frames, reads its colours, collects warnings |
| `packet_index`, `frame_times` | frames and key packets from a scan of the file; their times as a timeline |
| `video_file`, `cursor` | decodes a stream packet by packet; reaches a frame by seeking or by counting |
| `picture_file` | decodes one picture file, or reads its size |
| `pixels` | converts decoded frames to upright full-range RGB |
| `frame_cache` | keeps the frames used last |
| `footage`, `extent` | clips for training and evaluation: found, read in stretches, measured without decoding |
| `describe` | a clip as plain values, for `videoinr probe` |
"""

from videoinr.clip.base import Clip
from videoinr.clip.opening import open_clip

__all__ = ["Clip", "open_clip"]
