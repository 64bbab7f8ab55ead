"""Keeps the decoder's projected maps of regions of encoded pairs, which are projected in blocks of latent pixels.

It also keeps the frames of the pair in use as floats; of all others, 8-bit frames are kept as bytes.

Blocks of 16 x 16 latent pixels are projected by matrix products of one size, so a value does not depend on the region
that asked for it: on a CPU a decoded region stays the crop of the whole picture, bit for bit.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from videoinr.geometry import Grid, Rect
from videoinr.images import tensor_from_planes
from videoinr.model.encoders.motion_prior_bands import EncodedPart
from videoinr.model.features import PairFeatures, PairModel
from videoinr.model.head_inputs import DECODER_LATENTS

BLOCK = 16
"""Side of the blocks of latent pixels that are projected by one matrix product."""
_MARGIN = 32
"""Latent pixels around a region that are kept with it, so that a pan does not start anew."""


class OutsidePartError(Exception):
    """Decoding needs latent pixels that were not encoded; ``rect`` are all that the failed step reads."""

    def __init__(self, rect: Rect) -> None:
        super().__init__(f"latent pixels {rect} were not encoded")
        self.rect = rect


class BlockwisePair(Protocol):
    """An encoded pair whose latent feature is projected in blocks: a :class:`~videoinr.model.latent.LatentPair`."""

    @property
    def planes(self) -> Tensor:
        """The source frames [1, 2, 3, H, W], uint8 or float32 in 0 ... 1."""

    @property
    def frames(self) -> Tensor:
        """The same as float32."""

    @property
    def grid(self) -> Grid:
        """The size of the frames."""

    @property
    def part(self) -> EncodedPart:
        """The encoded pixels."""

    @property
    def model(self) -> PairModel:
        """The model whose heads decode the pair."""

    def projected(self, rect: Rect, *, colour: bool = True, view: bool = True) -> PairFeatures:
        """Return the projected maps of the latent pixels ``rect``."""

    def project_blocks(self, weights: Sequence[Tensor], blocks: Rect) -> list[Tensor]:
        """Project whole blocks; see :meth:`videoinr.model.latent.LatentPair.project_blocks`."""


class ProjectedRegions:
    """Keeps the decoder's projected maps of some regions of some pairs; the least recently used make room.

    Several threads may use it. A region is filled block by block, as tiles read it.
    """

    def __init__(self, max_bytes: int) -> None:
        """Keep at most ``max_bytes``. A region that is larger than that is not kept: its tiles are projected anew."""
        self.max_bytes = max_bytes
        self._regions: OrderedDict[int, _Region] = OrderedDict()
        self._lock = threading.Lock()
        self._floats: tuple[weakref.ref[BlockwisePair], Tensor] | None = None

    def frames(self, pair: BlockwisePair) -> Tensor:
        """Return the frames of ``pair`` as floats, which stay until those of another pair are asked for."""
        if pair.planes.dtype == torch.float32:
            return pair.planes
        held = self._floats
        if held is None or held[0]() is not pair:
            with self._lock:
                held = self._floats
                if held is None or held[0]() is not pair:
                    self._floats = None  # Not in memory at the same time.
                    held = self._floats = weakref.ref(pair), tensor_from_planes(pair.planes)
        return held[1]

    @property
    def nbytes(self) -> int:
        """Bytes of all regions."""
        return sum(region.nbytes for region in self._regions.values())

    def expect(self, pair: BlockwisePair, rect: Rect) -> None:
        """Make room for the latent pixels that a view reads: ``rect`` and what its flow reaches."""
        if not pair.model.config.multi_scale:
            return
        with self._lock:
            self._forget_dead()
            known = self._regions.get(id(pair))
            wanted = rect.widened(2, pair.grid)
            if known is not None and known.rect.contains(wanted):
                self._regions.move_to_end(id(pair))
                return
            self._regions.pop(id(pair), None)
            for margin in (_MARGIN, 2):
                region = _Region(pair, rect.widened(margin, pair.grid))
                if region.nbytes <= self.max_bytes:
                    while self._regions and self.nbytes + region.nbytes > self.max_bytes:
                        self._regions.popitem(last=False)
                    self._regions[id(pair)] = region
                    return

    def colour(self, pair: BlockwisePair, rect: Rect) -> PairFeatures:
        """Return maps that hold the decoder's projections of the latent pixels ``rect``; raises OutsidePartError."""
        region = self._regions.get(id(pair))
        if region is None or region.pair() is not pair or not region.rect.contains(rect):
            return pair.projected(rect, view=False)
        if not pair.part.rect.contains(rect):
            raise OutsidePartError(rect)
        return region.filled(pair, rect, self._lock)

    def clear(self) -> None:
        """Drop all regions, and the frames."""
        with self._lock:
            self._regions.clear()
            self._floats = None

    def _forget_dead(self) -> None:
        for name in [name for name, region in self._regions.items() if region.pair() is None]:
            del self._regions[name]


class _Region:
    """The decoder's projected maps of a rectangle of blocks."""

    def __init__(self, pair: BlockwisePair, rect: Rect) -> None:
        self.pair = weakref.ref(pair)
        blocks = self._blocks = blocks_over(rect)
        self.rect = Rect(BLOCK * blocks.x, BLOCK * blocks.y, BLOCK * blocks.width, BLOCK * blocks.height)
        channels = pair.model.decoder_head.first.out_features
        self.nbytes = 2 * 4 * self.rect.area * channels
        self._channels = channels
        self._maps: list[Tensor] = []
        self._is_filled = torch.zeros((blocks.height, blocks.width), dtype=torch.bool)

    def filled(self, pair: BlockwisePair, rect: Rect, lock: threading.Lock) -> PairFeatures:
        """Return the maps; those of ``rect`` are filled."""
        if not self._maps:
            with lock:
                if not self._maps:
                    shape = (1, self.rect.height, self.rect.width, self._channels)
                    # Not zeros: untouched memory takes no room yet, and every value is written before it is read.
                    self._maps = [pair.part.prior.new_empty(shape) for _ in range(2)]
        inside = blocks_over(rect).relative_to(self._blocks)
        missing = ~self._is_filled[inside.slices]
        if missing.any():
            rows, columns = (missing.any(axis).nonzero().flatten() for axis in (1, 0))
            part = Rect.from_edges(
                inside.x + int(columns[0]), inside.y + int(rows[0]),
                inside.x + int(columns[-1]) + 1, inside.y + int(rows[-1]) + 1,
            )  # fmt: skip
            self._fill(pair, part)
        return PairFeatures(
            frames=pair.frames, prior=self._maps[0][..., :0], spatial=self._maps[0][..., :0],
            temporal=self._maps[0][..., :0], colour_first=self._maps[0], colour_second=self._maps[1],
            model=pair.model, origin=(self.rect.x, self.rect.y),
        )  # fmt: skip

    def _fill(self, pair: BlockwisePair, part: Rect) -> None:
        weights = [pair.model.decoder_head.first.weight_of(index) for index in DECODER_LATENTS]
        blocks = Rect(self._blocks.x + part.x, self._blocks.y + part.y, part.width, part.height)
        pixels = Rect(BLOCK * part.x, BLOCK * part.y, BLOCK * part.width, BLOCK * part.height).slices
        # Another thread may write the same values at the same time.
        for to, values in zip(self._maps, pair.project_blocks(weights, blocks), strict=True):
            to[:, pixels[0], pixels[1]] = values
        # A block at the edge of the encoded part is not whole, but what was encoded of it is all that is ever read.
        self._is_filled[part.slices] = True


def blocks_over(rect: Rect) -> Rect:
    """Return the columns and rows of blocks that share a latent pixel with ``rect``."""
    right, bottom = -(-rect.right // BLOCK), -(-rect.bottom // BLOCK)
    return Rect.from_edges(rect.x // BLOCK, rect.y // BLOCK, right, bottom)
