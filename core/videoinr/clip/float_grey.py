"""Grey pictures of floating-point numbers, such as depth maps in PFM and OpenEXR files, made RGB.

Swscale takes their black and white for those of the limited range, whatever range it is told (FFmpeg 8.1): levels below
1/16 become black, those above 0.92 white. It reads RGB of floating-point numbers right.
"""

from __future__ import annotations

import re

import av
import numpy as np

_GREY = re.compile(r"(gray|ya)f(16|32)(le|be)")


def rgb_of_float_grey(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a frame of grey floating-point numbers as RGB of float32, with its alpha; other frames as they are.

    Args:
        frame: a decoded frame. PyAV itself does not read those of half floats.
    """
    name = _GREY.fullmatch(frame.format.name)
    if name is None:
        return frame
    kind, bits, order = name.groups()
    channels, plane = 1 if kind == "gray" else 2, frame.planes[0]
    numbers = np.frombuffer(memoryview(plane), ("<" if order == "le" else ">") + f"f{int(bits) // 8}")
    stored = numbers.reshape(plane.height, -1)[:, : channels * frame.width].astype(np.float32)
    if plane.line_size < 0:
        stored = stored[::-1]  # PFM files, and so their frames, have the last row first.
    grey_first = stored.reshape(frame.height, frame.width, channels)
    rgb = np.ascontiguousarray(grey_first[..., [0, 0, 0, *range(1, channels)]])
    made = av.VideoFrame.from_ndarray(rgb, format="gbrpf32le" if channels == 1 else "gbrapf32le")
    made.color_range, made.color_primaries, made.color_trc = frame.color_range, frame.color_primaries, frame.color_trc
    return made
