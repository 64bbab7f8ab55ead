"""FFmpeg's motion interpolation (its filter ``minterpolate``), then its Lanczos enlargement.

The filter looks at four frames to interpolate between the middle two. A pair is all that a restorer is given, so it
is fed I0, I0, I1, I1, one second apart: what is due between second 1 and second 2 is the pair's. In a whole clip the
outer frames are the real neighbours, which help its search for motion: about 0.1 dB at the middle of our validation
clips, 0.35 dB at most. That much is held back from it here.

Settings: bidirectional search, adaptive overlapped blocks of variable size, and no detection of cuts (a pair never
spans one). Blocks are half as wide as the filter's default, because the pictures are small: 0.3 dB in its favour on
our validation clips. It leaves what does not fill a whole block at the right and the bottom without motion, so
pictures are extended to whole blocks first and cut back afterwards. It works on 8 bits of YUV, here with chroma in
full resolution.
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
"""Into how many steps of equal length a pair is cut at most: the filter knows no other times."""
BLOCK_PX = 8
_FRAMES_FED = (0, 0, 1, 1)
_FIRST_SECS = 1
_SCALING = "flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp"

Chain = Sequence[tuple[str, str]]
"""Filters in order: (name, arguments)."""
Filtering = Callable[[NDArray[np.uint8], Chain, Grid, int], list[NDArray[np.uint8]]]
"""(frames [n, h, w, 3] a second apart, filters, grid they lead to, outputs per second) -> outputs from second 0."""


def open_minterpolate() -> Method:
    """The filter inside PyAV, or else the program ffmpeg; BaselineMissingError where neither has it."""
    import av

    if "minterpolate" in av.filter.filters_available:
        return minterpolate_by(filtered_by_pyav)
    if shutil.which("ffmpeg"):
        return minterpolate_by(filtered_by_ffmpeg)
    raise BaselineMissingError("No FFmpeg with motion interpolation is here.", hint="Install ffmpeg, or PyAV's wheel.")


def minterpolate_by(filtering: Filtering) -> Method:
    """The peer, its filters run by ``filtering``."""

    def restore(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        numbers, rate = steps_from_times(times)
        chain = _chain(Grid(low.shape[-1], low.shape[-2]), grid, rate)
        pictures = filtering(_whole_blocks(low)[list(_FRAMES_FED)], chain, grid, rate)
        due = [pictures[_FIRST_SECS * rate + number] for number in numbers]
        return [torch.from_numpy(picture).permute(2, 0, 1).float() / 255 for picture in due]

    return restore


def steps_from_times(times: Sequence[float]) -> tuple[list[int], int]:
    """(k of each time, N), where time = k / N; UsageError where N would exceed MOST_STEPS or a time 0 ... 1."""
    exact = [Fraction(t).limit_denominator(MOST_STEPS) for t in times]
    rate = math.lcm(*(t.denominator for t in exact))
    if rate > MOST_STEPS or any(abs(a - t) > 1e-6 or not 0 <= t <= 1 for a, t in zip(exact, times, strict=True)):
        raise UsageError(
            f"FFmpeg cannot interpolate at the times {list(times)}.",
            hint=f"It needs multiples of 1/N from 0 to 1, N up to {MOST_STEPS}.",
        )
    return [int(t * rate) for t in exact], rate


def filtered_by_pyav(frames: NDArray[np.uint8], chain: Chain, grid: Grid, rate: int) -> list[NDArray[np.uint8]]:
    """The filters inside PyAV's own FFmpeg."""
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
    """The filters in the program ffmpeg, through pipes."""
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24")
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    filters = ",".join(f"{name}={arguments}" for name, arguments in chain)
    entry = ("ffmpeg", "-v", "error", *raw, "-s", size, "-r", "1", "-i", "-")
    # "-r" repeats the rate that the filter makes, so that no frame is doubled or dropped on the way out.
    command = (*entry, "-vf", filters, "-r", str(rate), *raw, "-")
    done = subprocess.run(command, input=frames.tobytes(), capture_output=True, check=False)
    if done.returncode:
        raise VideoInrError(f"ffmpeg failed: {done.stderr.decode(errors='replace').strip()}")
    return list(np.frombuffer(bytearray(done.stdout), np.uint8).reshape(-1, grid.height, grid.width, 3))


def _chain(size: Grid, grid: Grid, rate: int) -> Chain:
    """From RGB of whole blocks to RGB on ``grid``; ``size``: the pair's own pixels."""
    return (
        ("scale", _SCALING),
        ("format", "pix_fmts=yuv444p"),
        ("minterpolate", f"fps={rate}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=none:mb_size={BLOCK_PX}"),
        ("crop", f"{size.width}:{size.height}:0:0"),
        ("scale", f"{grid.width}:{grid.height}:{_SCALING}"),
        ("format", "pix_fmts=rgb24"),
    )


def _whole_blocks(low: Tensor) -> NDArray[np.uint8]:
    """[2, 3, h, w] -> uint8 [2, h', w', 3], the right and bottom edges repeated until the filter's blocks fit."""
    # One block would do, but two serve it better, if only by 0.03 dB on our validation clips.
    extra_y, extra_x = (-side % (2 * BLOCK_PX) for side in low.shape[-2:])
    whole = F.pad(low, (0, extra_x, 0, extra_y), mode="replicate")
    return whole.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
