"""RegionQuery + PairFeatures -> pixels on CUDA: the kernels of model/kernels/decode.py, and what is kept for them.

F_s is evaluated for a rectangle and whatever the flow may reach around it, and kept. How far the flow reaches is known
only once it is computed; so an instant is drawn with what is there, the kernels report what they missed, and the
rare instant that missed something is drawn again with more. A viewport asked twice in a row is recorded as a CUDA
graph. A region equals the crop of the whole picture to one level here, not to the bit.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.decode.cuda_graphs import Launches, Recorder, cuda_graph
from videoinr.decode.field_cache import FieldCache, FieldName
from videoinr.decode.flow import decode_flow
from videoinr.decode.tiled_decoder import RegionDecoder
from videoinr.devices import ComputeProfile, is_out_of_memory
from videoinr.errors import DeviceError
from videoinr.geometry import Grid, Rect
from videoinr.model.features import PairFeatures
from videoinr.model.kernels.decode import (
    MAX_ELEMENTS,
    Canvas,
    DecodeWeights,
    Field,
    can_draw,
    compacted,
    evaluate_field,
    restored,
)
from videoinr.model.representation import Features, Representation
from videoinr.model.video_inr import VideoINR
from videoinr.types import Instant, PairKey, RegionQuery

_LEAST_PX = 2**14
"""A field this small must fit, or the memory does not suffice."""
_BYTES_PER_VALUE = 2


class CudaDecoder:
    """Decodes regions of encoded pairs, and remembers what does not depend on time.

    What the kernels cannot do (the paper's ablations, released networks, a flow that reaches across more pixels than
    the memory holds) is left to a :class:`RegionDecoder`.
    """

    def __init__(self, model: Representation, profile: ComputeProfile, *, record: Recorder | None = None) -> None:
        self._model, self._profile = model, profile
        self._plain: RegionDecoder | None = None
        self._weights: DecodeWeights | None = None
        self._canvas: Canvas | None = None
        self._fields = FieldCache(profile.tile_bytes)
        self._launches = Launches(record or cuda_graph)

    def close(self) -> None:
        """End the threads of the plain decoder, if it was needed."""
        if self._plain is not None:
            self._plain.close()

    def kept(self, features: Features) -> Features:
        """``features`` in the form to keep for :meth:`decode`: what the kernels read most, in half precision."""
        if not self._can_draw(features):
            return features
        assert isinstance(features, PairFeatures)
        return compacted(features)

    @torch.inference_mode()
    def decode(
        self, key: PairKey, features: Features, query: RegionQuery, token: CancelToken, *, to_cpu: bool = True
    ) -> Tensor:
        """The pixels of ``query``: uint8 [rect.height, rect.width, 4] RGBX on the CPU, or else on the device.

        Raises Cancelled between bands, and DeviceError when the memory does not suffice even for the smallest ones.
        """
        if not self._can_draw(features):
            return self._decode_plainly(key, features, query, token, to_cpu)
        assert isinstance(features, PairFeatures)
        while True:
            try:
                # Triton launches on the current device, whatever device its arguments lie on.
                with torch.cuda.device(features.frames.device) if features.frames.is_cuda else nullcontext():
                    return self._picture(_Job(key, features, query, token), to_cpu)
            except _TooWideError:
                self._fields.clear()
                return self._decode_plainly(key, features, query, token, to_cpu)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._make_do_with_less(error)

    def flow(self, features: Features, instant: Instant, token: CancelToken) -> Tensor:
        """Decode the flow at ``instant``: float32 [2, clip height, clip width, 2] (see flow.py)."""
        whole = restored(features) if isinstance(features, PairFeatures) else features
        return decode_flow(self._model, whole, float(instant.phase), token)

    def _picture(self, job: _Job, to_cpu: bool) -> Tensor:
        self._draw(job, job.query.rect)
        assert self._canvas is not None
        return _on_host(self._canvas.rgbx) if to_cpu else self._canvas.rgbx.clone()

    def _can_draw(self, features: Features) -> bool:
        if not isinstance(self._model, VideoINR) or not isinstance(features, PairFeatures):
            return False
        return can_draw(self._model, features)

    def _decode_plainly(
        self, key: PairKey, features: Features, query: RegionQuery, token: CancelToken, to_cpu: bool
    ) -> Tensor:
        if self._plain is None:
            self._plain = RegionDecoder(self._model, self._profile)
        whole = restored(features) if isinstance(features, PairFeatures) else features
        return self._plain.decode(key, whole, query, token, to_cpu=to_cpu)

    def _draw(self, job: _Job, band: Rect) -> None:
        """The rows ``band`` of the picture, in halves where F_s would not fit otherwise."""
        field = self._fields.covering(job.name, band)
        box = reach(job.features, job.query.grid, band) if field is None else field.box
        while True:
            job.token.check()
            if not self._fits(box):
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

    def _fits(self, box: Rect) -> bool:
        channels = self._loaded().field_channels
        return box.area * channels <= min(MAX_ELEMENTS, self._fields.max_bytes // _BYTES_PER_VALUE)

    def _evaluate(self, job: _Job, box: Rect) -> Field:
        weights = self._loaded()
        self._fields.make_room(job.name, box, box.area * weights.field_channels * _BYTES_PER_VALUE)
        field = evaluate_field(weights, job.features, job.query.grid, box)
        self._fields.put(job.name, field)
        job.token.check()
        return field

    def _launch(self, job: _Job, field: Field, band: Rect) -> list[int]:
        """Draw ``band``; -> how many pixels of F_s were missing at the left, top, right and bottom."""
        canvas = self._canvas_for(job)
        canvas.time.fill_(float(job.query.instant.phase))
        self._launches.run(self._loaded(), job.features, field, canvas, band)
        missed: list[int] = canvas.shortfall.tolist()
        return missed

    def _canvas_for(self, job: _Job) -> Canvas:
        grid, rect, latent_hw = job.query.grid, job.query.rect, job.features.latent_hw
        canvas = self._canvas
        if canvas is None or (canvas.grid, canvas.rect, canvas.latent_hw) != (grid, rect, latent_hw):
            self._canvas = canvas = None  # let go of the old one's memory first
            canvas = Canvas.make(grid, rect, latent_hw=latent_hw, device=self._profile.device)
            self._canvas = canvas
        return canvas

    def _loaded(self) -> DecodeWeights:
        if self._weights is None:
            assert isinstance(self._model, VideoINR)
            self._weights = DecodeWeights.make(self._model)
        return self._weights

    def _make_do_with_less(self, error: BaseException) -> None:
        channels = self._loaded().field_channels
        less = min(self._fields.max_bytes, self._fields.held_bytes or self._fields.max_bytes) // 2
        if less < _LEAST_PX * channels * _BYTES_PER_VALUE:
            raise DeviceError(
                f"The memory of {self._profile.device_name} does not suffice.",
                hint="Close other programs, choose a smaller model, or use --device cpu.",
            ) from error
        # The frames of the call that failed still hold what it had: that must be free before more is taken.
        error.with_traceback(None)
        self._fields, self._canvas = FieldCache(less), None
        if self._profile.device.type == "cuda":
            torch.cuda.empty_cache()


@dataclass(frozen=True, eq=False)
class _Job:
    key: PairKey
    features: PairFeatures
    query: RegionQuery
    token: CancelToken

    @property
    def name(self) -> FieldName:
        return self.key, self.query.grid


class _TooWideError(Exception):
    """F_s of all that one row of the picture reaches is more than the memory holds."""


def reach(features: PairFeatures, grid: Grid, rect: Rect) -> Rect:
    """``rect`` of ``grid`` and what the motion prior, and a correction of a latent pixel, make its pixels read.

    Without a prior the flow is known only when it is there: the first instant will show what is missing.
    """
    if rect == grid.rect:
        return rect
    height, width = features.latent_hw
    columns, rows = grid.width / width, grid.height / height
    low, high = _prior_range(features, rect, columns, rows)
    margins = (
        -min(low[0], low[2], 0) * columns + columns,
        -min(low[1], low[3], 0) * rows + rows,
        max(high[0], high[2], 0) * columns + columns,
        max(high[1], high[3], 0) * rows + rows,
    )
    return _widened(rect, [math.ceil(min(margin, grid.width + grid.height)) + 1 for margin in margins], grid)


def _prior_range(features: PairFeatures, rect: Rect, columns: float, rows: float) -> tuple[list[float], list[float]]:
    """Least and greatest of the prior's four components that ``rect`` meets, at the end of a pair: twice mid-time's."""
    if not features.prior.shape[-1]:
        return [0.0] * 4, [0.0] * 4
    left, right = max(0, math.floor(rect.x / columns) - 1), math.ceil(rect.right / columns) + 1
    top, bottom = max(0, math.floor(rect.y / rows) - 1), math.ceil(rect.bottom / rows) + 1
    prior = 2 * features.prior[0, top:bottom, left:right]
    low, high = torch.stack((prior.amin((0, 1)), prior.amax((0, 1)))).tolist()
    return low, high


def _enlarged(box: Rect, missed: list[int], grid: Grid) -> Rect:
    """``box`` and the pixels missing on each side, with a quarter more of them for the instants to come."""
    return _widened(box, [missing + (missing + 3) // 4 for missing in missed], grid)


def _widened(rect: Rect, margins: list[int], grid: Grid) -> Rect:
    left, top, right, bottom = margins
    x, y = max(0, rect.x - left), max(0, rect.y - top)
    return Rect.from_edges(x, y, min(grid.width, rect.right + right), min(grid.height, rect.bottom + bottom))


def _on_host(rgbx: Tensor) -> Tensor:
    """A copy on the CPU; from a GPU into memory that it can write to by itself, which torch keeps for next time."""
    if rgbx.device.type != "cuda":
        return rgbx.clone()
    host = torch.empty(rgbx.shape, dtype=rgbx.dtype, pin_memory=True)
    host.copy_(rgbx, non_blocking=True)
    torch.cuda.current_stream(rgbx.device).synchronize()
    return host
