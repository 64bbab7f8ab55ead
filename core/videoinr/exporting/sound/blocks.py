"""Blocks of sound: float32 [channels, samples] in -1 ... 1, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import floor

import av
import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]

BLOCK_SAMPLES = 8192

INTERLEAVED = "flt"
"""The format of frames on the way to blocks and back: PyAV 18 does not read the planes of many channels safely."""


def silence(channels: int, samples: int) -> Iterator[Block]:
    """Yield ``samples`` samples of silence."""
    for start in range(0, samples, BLOCK_SAMPLES):
        yield np.zeros((channels, min(BLOCK_SAMPLES, samples - start)), np.float32)


def fitted(blocks: Iterable[Block], channels: int, samples: int) -> Iterator[Block]:
    """Yield exactly ``samples`` samples: those of ``blocks``, cut, or followed by silence."""
    left = samples
    for block in blocks:
        if left <= 0:
            return
        yield block[:, :left]
        left -= min(left, block.shape[1])
    yield from silence(channels, left)


def chunked(blocks: Iterable[Block], samples: int) -> Iterator[Block]:
    """Yield the same sound in blocks of ``samples`` samples; the last one may be shorter."""
    waiting: list[Block] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += block.shape[1]
        if count >= samples:
            whole = np.concatenate(waiting, axis=1)
            stop = count - count % samples
            for start in range(0, stop, samples):
                yield whole[:, start : start + samples]
            waiting, count = [whole[:, stop:]], count - stop
    if count:
        yield np.concatenate(waiting, axis=1)


def resampled(blocks: Iterable[Block], layout: str, rate: int, new_layout: str, new_rate: int) -> Iterator[Block]:
    """Yield the sound at another rate (samples per second) or with other channels, starting at the same time."""
    if (layout, rate) == (new_layout, new_rate):
        yield from blocks
        return
    resampler = av.AudioResampler(format=INTERLEAVED, layout=new_layout, rate=new_rate)
    position = 0
    for block in blocks:
        frame = frame_from_block(block, layout, rate, position)
        position += block.shape[1]
        for each in resampler.resample(frame):
            yield block_of(each)
    if position:
        for each in resampler.resample(None):
            yield block_of(each)


def block_of(frame: av.AudioFrame) -> Block:
    """Return the samples of a frame of the format INTERLEAVED."""
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1, frame.layout.nb_channels).T


def frame_from_block(block: Block, layout: str, rate: int, position: int) -> av.AudioFrame:
    """Return a frame of ``block`` that starts ``position`` samples after second 0."""
    samples = np.ascontiguousarray(block.T, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format=INTERLEAVED, layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, position, Fraction(1, rate)
    return frame


def sample_count(secs: Fraction, rate: int) -> int:
    """Return the number of samples in ``secs`` seconds, rounded half up."""
    return floor(secs * rate + Fraction(1, 2))
