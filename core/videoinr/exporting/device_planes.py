"""Converts decoded pictures to the planes of a video on the GPU that decoded them, so that fewer bytes leave it.

It follows swscale, which converts otherwise: the same matrices, and for chroma the same bicubic filter at the place
where the file says that its samples lie. Sums are in float32 instead of swscale's integers, so a sample may differ by
one level. In full range chroma differs by more: swscale rounds it down by half a level in the mean, and cuts off what
overshoots at hard edges of saturated colours. Nothing here chooses among algorithms, so that the same picture always
becomes the same planes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from videoinr.decode.recording import MOST_RECORDED_PX, Recorder, Repeated
from videoinr.devices import computing_on
from videoinr.errors import is_out_of_memory
from videoinr.exporting.coding import FULL_RANGE, Coding
from videoinr.exporting.planes import Planes

log = logging.getLogger(__name__)

_LUMA = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""Shares of red and blue in luma, by swscale's number of the matrix."""

_STEPS = {"yuv420p": (2, 2), "yuv422p": (2, 1), "yuv444p": (1, 1)}
"""Columns and rows of luma for each chroma sample."""

_CO_SITED = ((-3, -0.0375), (-1, 0.2875), (0, 0.5), (1, 0.2875), (3, -0.0375))
_BETWEEN = tuple(
    (offset, share / 2)
    for offset, share in zip(
        range(-3, 5), (-0.028125, -0.084375, 0.240625, 0.871875, 0.871875, 0.240625, -0.084375, -0.028125), strict=True
    )
)
"""The bicubic kernel of swscale (B = 0, C = 0.6), stretched to half the samples: offsets in luma pixels and weights,
for a chroma sample at a luma sample, and for one half a pixel after it."""

_COLUMNS_BETWEEN, _ROWS_BETWEEN = frozenset(("center", "top", "bottom")), frozenset(("left", "center"))


_Shapes = tuple[tuple[int, int], ...]


def can_convert(coding: Coding) -> bool:
    """Return whether :class:`PlaneConverter` makes the planes of ``coding``."""
    layout, _, depth = coding.pix_fmt.partition("p")
    is_known = f"{layout}p" in _STEPS and depth in ("", "10le") and coding.tags.swscale_matrix in _LUMA
    return is_known and coding.siting in (None, "left", "center", "topleft")


class PlaneConverter:
    """Converts pictures on a device to the planes of ``coding``; see :func:`can_convert`. One thread may use it.

    The conversion is some 80 short launches; from the second picture of a size on they are replayed.
    """

    def __init__(self, coding: Coding, device_name: str, record: Recorder | None = None) -> None:
        """Make a converter.

        Args:
            coding: what the planes are for.
            device_name: the device in words, for the message if it is lost.
            record: records the launches; None where they are quick, on a CPU.
        """
        self._device_name, self._repeat = device_name, Repeated(record)
        layout, _, depth = coding.pix_fmt.partition("p")
        self._bits, self._steps = (10 if depth else 8), _STEPS[f"{layout}p"]
        red, blue = _LUMA[coding.tags.swscale_matrix]
        self._weights = (red, 1 - red - blue, blue)
        # From a difference to luma to -0.5 ... 0.5.
        self._blue_scale, self._red_scale = 0.5 / (1 - blue), 0.5 / (1 - red)
        unit = 1 << (self._bits - 8)
        is_full = coding.tags.range == FULL_RANGE
        peak = (1 << self._bits) - 1
        self._luma = (peak, 0) if is_full else (219 * unit, 16 * unit)
        self._chroma = (peak if is_full else 224 * unit, 128 * unit)
        siting = coding.siting or "left"
        self._columns = _BETWEEN if siting in _COLUMNS_BETWEEN else _CO_SITED
        self._rows = _BETWEEN if siting in _ROWS_BETWEEN else _CO_SITED

    @torch.inference_mode()
    def planes(self, rgbx: Tensor) -> Planes:
        """Convert a picture; from a GPU, the planes are copied while this thread goes on.

        Args:
            rgbx: [height, width, 4], uint8, or int32 of 16 bits; X is ignored.

        Raises:
            DeviceLostError: the device stopped working.
        """
        with computing_on(rgbx.device, self._device_name):
            try:
                is_small = rgbx.shape[0] * rgbx.shape[1] <= MOST_RECORDED_PX
                return self._sent(self._repeat(None, self._values, rgbx) if is_small else self._values(rgbx))
            except Exception as error:
                if not (rgbx.is_cuda and is_out_of_memory(error)):
                    raise
                # The stack frames of the failed call still refer to its tensors.
                error.with_traceback(None)
                self._repeat.forget()
        return self._sent(self._values(rgbx.cpu()))

    def close(self) -> None:
        """Give back the memory that planes were copied to, which torch would keep: up to what may wait for encoders.

        Raises nothing: an export that ends because its device stopped working ends with that error.
        """
        self._repeat.forget()
        empty = getattr(torch.accelerator, "empty_host_cache", None)  # torch 2.11 has none.
        if empty is not None and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            try:
                empty()
            except RuntimeError as error:  # A lost device refuses this, too. What it refused before is told, not this.
                log.info("the memory of planes could not be given back", exc_info=error)

    def _values(self, rgbx: Tensor) -> tuple[Tensor, _Shapes]:
        peak = 255 if rgbx.dtype == torch.uint8 else 65535
        colours = [rgbx[..., channel].float().div_(peak) for channel in range(3)]
        luma = sum(colour * weight for colour, weight in zip(colours, self._weights, strict=True))
        assert isinstance(luma, Tensor)
        parts = [self._samples(luma, *self._luma)]
        for colour, scale in ((colours[2], self._blue_scale), (colours[0], self._red_scale)):
            parts.append(self._samples(self._subsampled((colour - luma).mul_(scale)), *self._chroma))
        shapes = tuple((part.shape[0], part.shape[1]) for part in parts)
        values = torch.cat([part.reshape(-1) for part in parts])
        return values, shapes

    def _sent(self, made: tuple[Tensor, _Shapes]) -> Planes:
        values, shapes = made
        if not values.is_cuda:
            return Planes(values.numpy(), shapes)
        device = values.device
        host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
        host.copy_(values, non_blocking=True)
        # A thread that waits for it lets others run.
        event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(device))

        def arrive() -> None:
            with computing_on(device, self._device_name):
                event.synchronize()

        return Planes(host.numpy(), shapes, arrive)

    def _subsampled(self, values: Tensor) -> Tensor:
        columns, rows = self._steps
        if columns == 2:
            values = _filtered(values, self._columns, 1)
        return _filtered(values, self._rows, 0) if rows == 2 else values

    def _samples(self, values: Tensor, scale: int, offset: int) -> Tensor:
        levels = values.mul(scale).add_(offset).round_().clamp_(0, (1 << self._bits) - 1)
        return levels.to(torch.uint8 if self._bits == 8 else torch.int16)


def _filtered(values: Tensor, kernel: Sequence[tuple[int, float]], axis: int) -> Tensor:
    """Return every second sample of ``values`` along ``axis``, filtered; beyond the edges the last sample goes on."""
    size = values.shape[axis]
    first, last = kernel[0][0], kernel[-1][0]
    edges = [values.narrow(axis, 0, 1), values.narrow(axis, size - 1, 1)]
    padded = torch.cat([*[edges[0]] * -first, values, *[edges[1]] * last], axis)
    found: Tensor | None = None
    for offset, weight in kernel:
        start = offset - first
        taken = padded[start : start + size : 2] if axis == 0 else padded[:, start : start + size : 2]
        found = taken * weight if found is None else found.add_(taken, alpha=weight)
    assert found is not None
    return found
