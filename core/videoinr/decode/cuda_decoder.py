"""Decodes a region of an encoded pair on CUDA, by the kernels of model/kernels/decode.py.

F_s is evaluated for the rectangle and for what the flow may reach around it, and kept. How far the flow reaches is
known only after the flow is computed. So an instant is drawn with the F_s that is there, the kernels report which
pixels they missed, and the rare instant that missed some is drawn again with a larger box of F_s. A view that is drawn
twice in a row is recorded as a CUDA graph. Here a region equals the crop of the whole picture up to one 8-bit level,
not to the bit.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeGuard

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.cuda_graphs import Launches
from videoinr.decode.field_cache import FieldCache, FieldName
from videoinr.decode.flow import decode_flow
from videoinr.decode.recording import Recorder, cuda_graph
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile, current
from videoinr.errors import DeviceError, is_out_of_memory
from videoinr.geometry import Grid, Rect, rect_on_grid
from videoinr.model.features import PairFeatures, PairHeads
from videoinr.model.kernels.decode import (
    MAX_ELEMENTS,
    Canvas,
    DecodeWeights,
    Field,
    can_draw,
    can_draw_model,
    evaluate_field,
)
from videoinr.model.latent import LatentPair
from videoinr.model.representation import Features, Representation
from videoinr.model.time_laws import reach_of_prior
from videoinr.types import Instant, PairKey, RegionQuery

_LEAST_PX = 2**14
"""If even a field of so few pixels does not fit, the memory does not suffice."""
_BYTES_PER_VALUE = 2
_FIELD_BAND_PX = 2**18
"""Pixels at which F_s is evaluated at a time from a latent feature."""


class CudaDecoder:
    """Decodes regions of encoded pairs, and keeps F_s for other times of the same view.

    Whatever the kernels cannot compute (the paper's ablations, released networks, a flow across more pixels than the
    memory holds) is left to a :class:`~videoinr.decode.tiled_decoder.TiledDecoder`.
    """

    def __init__(
        self, model: Representation, profile: ComputeProfile, *, record: Recorder | None = None,
        spare: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        """Make a decoder.

        Args:
            model: The model that encodes the pairs, on the profile's device.
            profile: The device and the budget of the cache of fields.
            record: Makes recordings of launches; without it, :func:`~videoinr.decode.recording.cuda_graph`.
            spare: Called if the memory does not suffice: frees what can be computed again, and returns whether there
                was something.
        """
        self._spare = spare
        self._model, self._profile = model, profile
        self._plain: TiledDecoder | None = None
        self._weights: DecodeWeights | None = None
        self._canvas: Canvas | None = None
        self._fields = FieldCache(profile.tile_bytes)
        self._maps: tuple[weakref.ref[LatentPair], Rect, PairFeatures] | None = None
        self._launches = Launches(record or cuda_graph)

    def close(self) -> None:
        """End the threads of the tiled decoder, if one was needed."""
        if self._plain is not None:
            self._plain.close()

    def compact(self, features: Features) -> Features:
        """Return ``features`` in the form to cache for :meth:`decode`: the maps read most, in half precision."""
        return features if _for_kernels(features) is None else features.compact()

    def keep_only(self, keys: Collection[PairKey]) -> None:
        """Drop what is kept of all pairs but ``keys``."""
        self._fields.keep_only(keys)
        self._maps = None
        if self._plain is not None:
            self._plain.keep_only(keys)

    @torch.inference_mode()
    def decode(
        self, key: PairKey, features: Features, query: RegionQuery, token: CancelToken, *, to_cpu: bool = True,
        deep: bool = False,
    ) -> Tensor:  # fmt: skip
        """Decode the pixels of a region; see :meth:`TiledDecoder.decode`. Cancelled between bands of rows.

        A picture that stays on the device is lent: the next call may write over it.
        """
        pair = features if self._draws(features) else _for_kernels(features)
        if pair is None or deep or query.lines is not None:  # The kernels write 8 bits, and have one time.
            return self._decode_plainly(key, features, query, token, to_cpu, deep=deep)
        while True:
            try:
                # Triton launches on the current device, whatever the device of its arguments.
                with current(pair.frames.device):
                    return self._picture(_Job(key, pair, query, token), to_cpu)
            except _TooWideError:
                self._fields.clear()
                return self._decode_plainly(key, features, query, token, to_cpu)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._reduce_budget(error, pair.model)

    def flow(self, features: Features, instant: Instant, token: CancelToken) -> Tensor:
        """Decode the flow at ``instant``: float32 [2, clip height, clip width, 2] (see flow.py)."""
        return decode_flow(features.in_float32(), float(instant.phase), token)

    def _picture(self, job: _Job, to_cpu: bool) -> Tensor:
        self._draw(job, job.query.rect)
        assert self._canvas is not None
        return _on_host(self._canvas.rgbx) if to_cpu else self._canvas.rgbx

    def _draws(self, features: Features) -> TypeGuard[LatentPair]:
        """Whether ``features`` are a pair kept as its latent feature, all of it, that the kernels can draw."""
        if not isinstance(features, LatentPair) or features.part.rect != features.grid.rect:
            return False
        model = features.model
        return can_draw_model(model)

    def _decode_plainly(
        self,
        key: PairKey,
        features: Features,
        query: RegionQuery,
        token: CancelToken,
        to_cpu: bool,
        *,
        deep: bool = False,
    ) -> Tensor:
        if self._plain is None:
            self._plain = TiledDecoder(self._model, self._profile)
        return self._plain.decode(key, features.in_float32(), query, token, to_cpu=to_cpu, deep=deep)

    def _draw(self, job: _Job, band: Rect) -> None:
        """Draw the rows ``band`` of the picture, in halves where F_s would not fit otherwise."""
        field = self._fields.covering(job.name, band)
        box = reach(job.features, job.query.grid, band) if field is None else field.box
        while True:
            job.token.check()
            if not self._fits(job, box):
                self._draw_halves(job, band)
                return
            missed = self._launch(job, field or self._evaluate(job, box), band)
            if not any(missed):
                return
            field, box = None, _enlarged(box, missed, job.query.grid)

    def _draw_halves(self, job: _Job, band: Rect) -> None:
        if band.height == 1:
            raise _TooWideError
        half = band.height // 2
        self._draw(job, Rect(band.x, band.y, band.width, half))
        self._draw(job, Rect(band.x, band.y + half, band.width, band.height - half))

    def _fits(self, job: _Job, box: Rect) -> bool:
        channels = self._weights_of(job.features.model).field_channels
        return box.area * channels <= min(MAX_ELEMENTS, self._fields.max_bytes // _BYTES_PER_VALUE)

    def _evaluate(self, job: _Job, box: Rect) -> Field:
        weights = self._weights_of(job.features.model)
        self._fields.make_room(job.name, box, box.area * weights.field_channels * _BYTES_PER_VALUE)
        if isinstance(job.features, LatentPair):
            field = self._evaluate_latent(job.features, weights, job.query.grid, box)
        else:
            field = evaluate_field(weights, job.features, job.query.grid, box)
        self._fields.put(job.name, field)
        job.token.check()
        return field

    def _evaluate_latent(self, pair: LatentPair, weights: DecodeWeights, grid: Grid, box: Rect) -> Field:
        """Evaluate F_s in bands, with the projected maps of the latent pixels that ``box`` covers."""
        maps = self._maps_of(pair, _covered(box, grid, pair.grid))
        shape = (box.height, box.width, weights.field_channels)
        values = torch.empty(shape, dtype=torch.float16, device=pair.frames.device)
        rows = max(1, _FIELD_BAND_PX // box.width)
        for top in range(box.y, box.bottom, rows):
            band = Rect(box.x, top, box.width, min(rows, box.bottom - top))
            spatial = pair.kernel_spatial(_covered(band, grid, pair.grid))
            values[top - box.y : band.bottom - box.y] = evaluate_field(weights, spatial, grid, band).values
        return Field(box, values, maps)

    def _maps_of(self, pair: LatentPair, rect: Rect) -> PairFeatures:
        """Return the projected maps of the latent pixels ``rect`` or of more; those of the last call where they do."""
        known = self._maps
        if known is not None and known[0]() is pair and known[1].contains(rect):
            return known[2]
        self._maps = known = None  # Free their memory before more is allocated.
        maps = pair.kernel_maps(rect)
        self._maps = (weakref.ref(pair), rect, maps)
        return maps

    def _launch(self, job: _Job, field: Field, band: Rect) -> list[int]:
        """Draw ``band``; return how many pixels of F_s were missing at the left, top, right and bottom; [] for none."""
        maps = field.maps or job.features
        assert isinstance(maps, PairFeatures)
        canvas = self._canvas_for(job, maps.origin)
        canvas.time.fill_(float(job.query.instant.phase))
        self._launches.run(self._weights_of(job.features.model), maps, field, canvas, band)
        if field.box == job.query.grid.rect:
            # The kernels keep to the grid, so nothing is missing. Asking would be to wait for the GPU, and a thread
            # that waits for it is busy: an export launches its next pictures instead.
            return []
        missed: list[int] = canvas.shortfall.tolist()
        return missed

    def _canvas_for(self, job: _Job, origin: tuple[int, int]) -> Canvas:
        grid, rect, latent_hw = job.query.grid, job.query.rect, job.features.latent_hw
        canvas = self._canvas
        wanted = (grid, rect, latent_hw, origin)
        if canvas is None or (canvas.grid, canvas.rect, canvas.latent_hw, canvas.origin) != wanted:
            self._canvas = self._canvas_with(canvas, job, origin)
            canvas = self._canvas
        return canvas

    def _canvas_with(self, old: Canvas | None, job: _Job, origin: tuple[int, int]) -> Canvas:
        grid, rect, latent_hw = job.query.grid, job.query.rect, job.features.latent_hw
        same = old is not None and (old.grid, old.rect, old.latent_hw) == (grid, rect, latent_hw)
        self._canvas = None  # Free its memory before more is allocated, unless bands of one picture change the origin.
        canvas = Canvas.make(grid, rect, latent_hw=latent_hw, device=self._profile.device, origin=origin)
        if same and old is not None:
            canvas = replace(canvas, rgbx=old.rgbx)
        return canvas

    def _weights_of(self, heads: PairHeads) -> DecodeWeights:
        """Return the weights as the kernels read them, made once: all features come from the decoder's model."""
        if self._weights is None:
            self._weights = DecodeWeights.make(heads)
        return self._weights

    def _reduce_budget(self, error: BaseException, heads: PairHeads) -> None:
        """Go on without another encoded pair, or with half the memory for fields; raise DeviceError if it is little."""
        if self._spare():
            error.with_traceback(None)
            self._free()
            return
        channels = self._weights_of(heads).field_channels
        less = min(self._fields.max_bytes, self._fields.held_bytes or self._fields.max_bytes) // 2
        if less < _LEAST_PX * channels * _BYTES_PER_VALUE:
            raise DeviceError(
                f"The memory of {self._profile.device_name} does not suffice.",
                hint="Close other programs, choose a smaller model, or use --device cpu.",
            ) from error
        # The stack frames of the failed call still refer to its tensors, which must be freed before more is allocated.
        error.with_traceback(None)
        self._fields = FieldCache(less)
        self._free()

    def _free(self) -> None:
        self._canvas = self._maps = None
        if self._profile.device.type == "cuda":
            torch.cuda.empty_cache()


@dataclass(frozen=True, eq=False)
class _Job:
    """The arguments of :meth:`CudaDecoder.decode`."""

    key: PairKey
    features: PairFeatures | LatentPair
    query: RegionQuery
    token: CancelToken

    @property
    def name(self) -> FieldName:
        return self.key, self.query.grid


class _TooWideError(Exception):
    """F_s of all that one row of the picture reaches does not fit into memory."""


def _for_kernels(features: Features) -> PairFeatures | None:
    """Return the maps that the kernels read, or None if they cannot draw these features."""
    pair = features.for_kernels()
    return pair if pair is not None and can_draw(pair.model, pair) else None


def _covered(box: Rect, grid: Grid, clip: Grid) -> Rect:
    """Return the latent pixels that reads at the pixels ``box`` of ``grid`` reach: three more for bicubic ones."""
    rect = rect_on_grid(box, grid, clip)
    return _widened(rect, [3, 3, 3, 3], clip)


def reach(features: PairFeatures | LatentPair, grid: Grid, rect: Rect) -> Rect:
    """Return ``rect`` of ``grid`` with the margin that its pixels' flow probably reaches.

    The margin allows for the motion prior and a correction of one latent pixel. Without a prior the flow is not known
    in advance: drawing the first instant tells what is missing.
    """
    if rect == grid.rect:
        return rect
    height, width = features.latent_hw
    columns, rows = grid.width / width, grid.height / height
    left, right = max(0, math.floor(rect.x / columns) - 1), math.ceil(rect.right / columns) + 1
    top, bottom = max(0, math.floor(rect.y / rows) - 1), math.ceil(rect.bottom / rows) + 1
    low, high = reach_of_prior(features.prior[0, top:bottom, left:right])
    margins = (
        -min(low[0], low[2]) * columns + columns,
        -min(low[1], low[3]) * rows + rows,
        max(high[0], high[2]) * columns + columns,
        max(high[1], high[3]) * rows + rows,
    )
    return _widened(rect, [math.ceil(min(margin, grid.width + grid.height)) + 1 for margin in margins], grid)


def _enlarged(box: Rect, missed: list[int], grid: Grid) -> Rect:
    """Widen ``box`` by the pixels missing on each side, and a quarter more for other instants."""
    return _widened(box, [missing + (missing + 3) // 4 for missing in missed], grid)


def _widened(rect: Rect, margins: list[int], grid: Grid) -> Rect:
    """Widen ``rect`` by margins at the left, top, right and bottom, within ``grid``."""
    left, top, right, bottom = margins
    x, y = max(0, rect.x - left), max(0, rect.y - top)
    return Rect.from_edges(x, y, min(grid.width, rect.right + right), min(grid.height, rect.bottom + bottom))


def _on_host(rgbx: Tensor) -> Tensor:
    """Copy ``rgbx`` to the CPU; from a GPU into pinned memory, which is faster and which torch reuses."""
    if rgbx.device.type != "cuda":
        return rgbx.clone()
    host = torch.empty(rgbx.shape, dtype=rgbx.dtype, pin_memory=True)
    host.copy_(rgbx, non_blocking=True)
    torch.cuda.current_stream(rgbx.device).synchronize()
    return host
