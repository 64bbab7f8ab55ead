"""FFmpeg's motion interpolation (its filter ``minterpolate``), then its Lanczos upsampling.

The filter reads four frames to interpolate between the middle two. A method gets only a pair, so the filter is fed I0,
I0, I1, I1, one second apart, and its output between second 1 and second 2 belongs to the pair. In a whole clip the
outer frames would be the real neighbours, which help its motion search: by about 0.1 dB at the middle instant of our
validation clips, by 0.35 dB at most. The baseline is that much worse here than it could be.

Settings: bidirectional search, adaptive overlapped blocks of variable size, and no scene-cut detection (a pair never
spans a cut). Blocks are half as wide as the filter's default, because the frames are small: this raises its PSNR by
0.3 dB on our validation clips. The filter moves nothing in an incomplete block at the right or the bottom, so frames
are padded to whole blocks and cropped afterwards. It works on 8-bit YUV, here with chroma in full resolution.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from videoinr.errors import UsageError, VideoInrError
from videoinr.evaluation.baselines.chain import BaselineMissingError
from videoinr.evaluation.clips import Method
from videoinr.geometry import Grid

MOST_STEPS = 256
"""The largest number of equal time steps in a pair. The filter can only interpolate at such steps."""
BLOCK_PX = 8
_FRAMES_FED = (0, 0, 1, 1)
_FIRST_SECS = 1
_SCALING = "flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp"

Chain = Sequence[tuple[str, str]]
"""Filters in order: (name, arguments)."""
Filtering = Callable[[NDArray[np.uint8], Chain, Grid, int], list[NDArray[np.uint8]]]
"""(uint8 frames [n, h, w, 3], one per second; filters; output grid; outputs per second) -> outputs from second 0."""


def open_minterpolate() -> Method:
    """Open the filter in PyAV or else in the program ffmpeg. Raises BaselineMissingError if neither has it."""
    import av

    if "minterpolate" in av.filter.filters_available:
        return minterpolate_by(filtered_by_pyav)
    if shutil.which("ffmpeg"):
        return minterpolate_by(filtered_by_ffmpeg)
    raise BaselineMissingError(
        "No FFmpeg with motion interpolation is installed.", hint="Install ffmpeg, or PyAV from its wheel."
    )


def minterpolate_by(filtering: Filtering) -> Method:
    """Return the method with its filters run by ``filtering``."""

    def restore(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        numbers, rate = steps_from_times(times)
        chain = _chain(Grid(low.shape[-1], low.shape[-2]), grid, rate)
        pictures = filtering(_whole_blocks(low)[list(_FRAMES_FED)], chain, grid, rate)
        due = [pictures[_FIRST_SECS * rate + number] for number in numbers]
        return [torch.from_numpy(picture).permute(2, 0, 1).float() / 255 for picture in due]

    return restore


def steps_from_times(times: Sequence[float]) -> tuple[list[int], int]:
    """Return the step k of each time and the number of steps N, with time = k / N.

    Raises UsageError if N would exceed :data:`MOST_STEPS`, or if a time is outside 0 ... 1.
    """
    exact = [Fraction(t).limit_denominator(MOST_STEPS) for t in times]
    rate = math.lcm(*(t.denominator for t in exact))
    if rate > MOST_STEPS or any(abs(a - t) > 1e-6 or not 0 <= t <= 1 for a, t in zip(exact, times, strict=True)):
        raise UsageError(
            f"FFmpeg cannot interpolate at the times {list(times)}.",
            hint=f"It needs multiples of 1/N from 0 to 1, N up to {MOST_STEPS}.",
        )
    return [int(t * rate) for t in exact], rate


def filtered_by_pyav(frames: NDArray[np.uint8], chain: Chain, grid: Grid, rate: int) -> list[NDArray[np.uint8]]:
    """Run the filters in PyAV's own FFmpeg (see :data:`Filtering`)."""
    import av

    graph, second = av.filter.Graph(), Fraction(1)
    rgb = av.VideoFormat("rgb24")
    source = graph.add_buffer(width=frames.shape[2], height=frames.shape[1], format=rgb, time_base=second)
    graph.link_nodes(source, *(graph.add(*each) for each in chain), graph.add("buffersink")).configure()
    for number, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
        frame.pts, frame.time_base = number, second
        graph.vpush(frame)
    graph.vpush(None)
    pictures = []
    with contextlib.suppress(av.EOFError):
        while True:
            pictures.append(graph.vpull().to_ndarray().astype(np.uint8, copy=False))
    return pictures


def filtered_by_ffmpeg(frames: NDArray[np.uint8], chain: Chain, grid: Grid, rate: int) -> list[NDArray[np.uint8]]:
    """Run the filters in the program ffmpeg, through pipes (see :data:`Filtering`). Raises VideoInrError."""
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24")
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    filters = ",".join(f"{name}={arguments}" for name, arguments in chain)
    entry = ("ffmpeg", "-v", "error", *raw, "-s", size, "-r", "1", "-i", "-")
    # "-r" repeats the filter's output rate, so that ffmpeg duplicates or drops no frame.
    command = (*entry, "-vf", filters, "-r", str(rate), *raw, "-")
    done = subprocess.run(command, input=frames.tobytes(), capture_output=True, check=False)
    if done.returncode:
        raise VideoInrError(f"ffmpeg failed: {done.stderr.decode(errors='replace').strip()}")
    return list(np.frombuffer(bytearray(done.stdout), np.uint8).reshape(-1, grid.height, grid.width, 3))


def _chain(size: Grid, grid: Grid, rate: int) -> Chain:
    """Return the filters from padded RGB frames to RGB on ``grid``. ``size``: the pair's size without padding."""
    return (
        ("scale", _SCALING),
        ("format", "pix_fmts=yuv444p"),
        ("minterpolate", f"fps={rate}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=none:mb_size={BLOCK_PX}"),
        ("crop", f"{size.width}:{size.height}:0:0"),
        ("scale", f"{grid.width}:{grid.height}:{_SCALING}"),
        ("format", "pix_fmts=rgb24"),
    )


def _whole_blocks(low: Tensor) -> NDArray[np.uint8]:
    """Convert a pair [2, 3, h, w] to uint8 [2, h', w', 3], padded at the right and bottom to whole blocks."""
    # Multiples of two blocks give 0.03 dB more than multiples of one on our validation clips.
    extra_y, extra_x = (-side % (2 * BLOCK_PX) for side in low.shape[-2:])
    whole = F.pad(low, (0, extra_x, 0, extra_y), mode="replicate")
    return whole.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
