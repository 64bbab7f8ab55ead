"""The kinds of comparison, and the pictures that the decoded picture is compared with. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoinr.geometry import Rect
from videoinr.types import RegionQuery, RenderedRegion

GAINS = (1, 2, 4, 8, 16, 32)
"""The factors by which a difference may be multiplied."""
BAND_ROWS = 64
"""Rows that are computed at once: numpy holds Python's lock while it gathers pixels, and the window waits for that."""
_A = -0.75
"""The free parameter of the bicubic kernel, as in the engine's own enlargement (images.upsample_bicubic)."""


class Compare(Enum):
    """The ways to compare the reference with the decoded picture."""

    OFF = "off"
    WIPE = "wipe"
    WIPE_FOLLOWS = "wipe that follows the mouse"
    SIDE_BY_SIDE = "side by side"
    DIFFERENCE = "difference"
    BLINK = "blink"

    @property
    def is_wipe(self) -> bool:
        """Whether a line parts the reference from the decoded picture."""
        return self in (Compare.WIPE, Compare.WIPE_FOLLOWS)


class Reference(Enum):
    """What the decoded picture is compared with."""

    NEAREST = "source pixels"
    BICUBIC = "bicubic enlargement"
    BLEND = "blend of both frames"
    FILE = "a file"
    MODEL = "another model"


@dataclass(frozen=True, eq=False)
class Frames:
    """The source frames of an instant, uint8 [H, W, 4] RGBX. ``second`` is None where it is not needed.

    For a reference file, ``first`` is its frame, which may have another size.
    """

    first: NDArray[np.uint8]
    second: NDArray[np.uint8] | None = None


def reference_pixels(frames: Frames, query: RegionQuery, reference: Reference) -> NDArray[np.uint8]:
    """Return the reference for ``query``: uint8 [rect.height, rect.width, 4], RGBX.

    Bicubic pixels equal those of the engine's enlargement of the whole frame, cropped. A blend mixes both frames,
    enlarged so, by the phase. A file's frame of the grid's own size is not resampled at all; another one is enlarged as
    the source is, or reduced with a kernel that is wider by the same factor.
    """
    rect = query.rect
    out = np.empty((rect.height, rect.width, 4), np.uint8)
    for top in range(0, rect.height, BAND_ROWS):
        rows = min(BAND_ROWS, rect.height - top)
        band = replace(query, rect=Rect(rect.x, rect.y + top, rect.width, rows))
        out[top : top + rows] = _band(frames, band, reference)
    return out


def needs_second(reference: Reference, phase: Fraction) -> bool:
    """Return whether the reference at ``phase`` of a pair takes the pair's second frame too."""
    return reference is Reference.BLEND and phase > 0


def difference(decoded: RenderedRegion, reference: NDArray[np.uint8], gain: int) -> RenderedRegion:
    """Return the absolute difference of both times ``gain``, as a region with the query of ``decoded``."""
    out = np.full_like(decoded.rgbx, 255)
    apart = np.abs(decoded.rgbx[..., :3].astype(np.int16) - reference[..., :3])
    out[..., :3] = np.minimum(apart * gain, 255)
    return replace(decoded, rgbx=out)


def _band(frames: Frames, query: RegionQuery, reference: Reference) -> NDArray[np.uint8]:
    if reference is Reference.NEAREST:
        return _nearest(frames.first, query)
    if reference is Reference.FILE and frames.first.shape[:2] == (query.grid.height, query.grid.width):
        return np.ascontiguousarray(frames.first[query.rect.slices])
    rgb = _bicubic(frames.first, query, reduces=reference is Reference.FILE)
    phase = query.instant.phase
    if reference is Reference.BLEND and frames.second is not None and phase:
        rgb += np.float32(phase) * (_bicubic(frames.second, query) - rgb)
    out = np.full((*rgb.shape[:2], 4), 255, np.uint8)
    out[..., :3] = np.rint(rgb)
    return out


def _nearest(frame: NDArray[np.uint8], query: RegionQuery) -> NDArray[np.uint8]:
    rect, grid = query.rect, query.grid
    rows, columns = (
        ((np.arange(start, stop) * 2 + 1) * size // (2 * side)).astype(np.intp)
        for start, stop, size, side in (
            (rect.y, rect.bottom, frame.shape[0], grid.height),
            (rect.x, rect.right, frame.shape[1], grid.width),
        )
    )
    return np.ascontiguousarray(frame[rows[:, None], columns[None]])


def _bicubic(frame: NDArray[np.uint8], query: RegionQuery, *, reduces: bool = False) -> NDArray[np.float32]:
    """Return float32 [rect.height, rect.width, 3], 0 ... 255; ``reduces``: average where the grid is coarser."""
    rect, grid = query.rect, query.grid
    taps = _wide_taps if reduces else _taps
    rows, row_weights = taps(rect.y, rect.bottom, frame.shape[0], grid.height)
    columns, column_weights = taps(rect.x, rect.right, frame.shape[1], grid.width)
    first, last = int(rows.min()), int(rows.max())
    band = frame[first : last + 1, :, :3].astype(np.float32)
    wide = sum(band[:, columns[tap]] * column_weights[tap][None, :, None] for tap in range(len(columns)))
    assert isinstance(wide, np.ndarray)
    tall = sum(wide[rows[tap] - first] * row_weights[tap][:, None, None] for tap in range(len(rows)))
    assert isinstance(tall, np.ndarray)
    return np.clip(tall, 0, 255).astype(np.float32)


def _taps(start: int, stop: int, size: int, side: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the places and weights [4, stop - start] of the source pixels of each of the pixels of a line.

    ``size`` and ``side``: the lengths of the line in source pixels and in pixels of the grid.
    """
    centre = (np.arange(start, stop) + 0.5) * size / side - 0.5
    base = np.floor(centre)
    part = centre - base
    weights = _kernel(np.stack([part + 1, part, 1 - part, 2 - part])).astype(np.float32)
    places = np.clip(base[None] + np.arange(-1, 3)[:, None], 0, size - 1).astype(np.intp)
    return places, weights


def _wide_taps(start: int, stop: int, size: int, side: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return places and weights as :func:`_taps` does; where the grid is coarser, of a kernel that is as much wider."""
    if side >= size:
        return _taps(start, stop, size, side)
    factor = size / side
    centre = (np.arange(start, stop) + 0.5) * factor - 0.5
    first = np.floor(centre - 2 * factor) + 1
    wanted = first[None] + np.arange(math.ceil(4 * factor))[:, None]
    weights = _kernel(np.abs(wanted - centre) / factor) * ((wanted >= 0) & (wanted < size))
    weights /= weights.sum(0)
    return np.clip(wanted, 0, size - 1).astype(np.intp), weights.astype(np.float32)


def _kernel(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bicubic kernel at ``distances`` of at least 0; it is 0 from 2 on."""
    near = ((_A + 2) * distances - (_A + 3)) * distances**2 + 1
    far = ((_A * distances - 5 * _A) * distances + 8 * _A) * distances - 4 * _A
    weights: NDArray[np.float64] = np.where(distances <= 1, near, np.where(distances < 2, far, 0.0))
    return weights
