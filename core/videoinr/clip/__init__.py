"""Clips: a video file or a folder of pictures, read frame by frame, in any order.

| file | purpose |
|---|---|
| `opening`, `open_options` | opens a path as a clip, in a helper process first; how a clip is read, one checked value |
| `direct_opening`, `found` | opens it in this process; what one opening finds and spares the next |
| `base` | the `Clip` protocol and its base class |
| `suffixes`, `picture_folder` | which files are videos and pictures; those of a folder or pattern, in order |
| `picture_sequence` | which of them make up one sequence, and which numbers are missing |
| `video_clip`, `picture_clip`, `memory_clip` | the three kinds of clip |
| `alpha_clip` | a video with its alpha channel, where that is a stream of its own |
| `video_opening`, `head`, `video_warnings` | opens a video: its first frames, colours and shape; collects warnings |
| `packet_index`, `joined_clocks` | frames and key packets from a scan of the file; their times in joined recordings |
| `closed_groups`, `size_changes` | what the scan asks key packets: whether counting can start there, and their size |
| `numbering`, `frame_times`, `frame_rate` | which frame is which; the timeline; the rate behind rounded times |
| `video_file`, `cropping` | decodes a stream packet by packet; the crop that a container asks for |
| `cursor`, `decoder_order` | reaches a frame by its time, or by counting |
| `picture_format` | which picture format a file holds, by its first bytes |
| `picture_file`, `exif` | decodes one picture file, or reads its size; which way up it is |
| `pixels` | converts decoded frames to upright full-range RGB |
| `siting`, `linear_light` | where chroma lies; sRGB of light |
| `transparency`, `background` | transparent pixels, and what is shown behind them |
| `early_end`, `unreadable` | whether a file was cut off; why a file cannot be opened |
| `deinterlacing`, `gif_delays` | takes woven fields apart; the delays that browsers show |
| `frame_cache` | keeps the frames used last |
| `footage`, `extent` | clips for training and evaluation: found, read in stretches, measured without decoding |
| `cuts`, `pair_kinds` | compares frames by small proxies; finds cuts and repeated frames, pair by pair, on demand |
| `describe` | a clip as plain values, for `videoinr probe` |

KNOWN.md lists what PyAV, FFmpeg and containers do that the reader works around or passes on.
"""

from videoinr.clip.base import Clip
from videoinr.clip.open_options import OpenOptions
from videoinr.clip.opening import open_clip

__all__ = ["Clip", "OpenOptions", "open_clip"]
