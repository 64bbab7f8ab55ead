"""Encodes pairs on CUDA; the launches are recorded once as a CUDA graph and then replayed.

An encoder is some hundred kernels. On frames of 320x180 each of them runs for less time than its launch takes; on
frames nine times as large, launches still are a seventh (``base``) to a third (``lite``) of the time. But a recording
keeps all the memory that it uses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from torch import Tensor

from videoinr.decode.bending import Beginning, encoded, outlined
from videoinr.decode.recording import Made, Recorder, Replay, cuda_graph
from videoinr.geometry import Grid
from videoinr.model.encoders.motion_prior import FrameFeatures
from videoinr.model.encoders.path_bend import CoarseSearch, Neighbour
from videoinr.model.representation import Features, Representation

RECORDING_BYTES = 2500
"""Bytes that a recording of ``base`` keeps for each pixel of a frame (``lite``: 1800, ``paper``: 10,000 on 320x180)."""


class CudaEncoder:
    """Encodes pairs of one clip; its second pair of whole frames is recorded if the memory suffices."""

    def __init__(
        self, model: Representation, size: Grid, *, half: bool, room: int, record: Recorder = cuda_graph
    ) -> None:
        """Make an encoder.

        Args:
            model: The model, on a CUDA device.
            size: The size of the clip's frames.
            half: Encode in half precision where the model allows it.
            room: Bytes that a recording may keep.
            record: Makes the recording.
        """
        self._model, self._size, self._half = model, size, half
        is_small = size.rect.area * RECORDING_BYTES <= room
        record_whole = record if is_small and model.can_record_encoding else None
        self._whole = _Recorded[Features](self._encode, lambda features: features.clone(), record_whole)
        self._bent = _Recorded[Features](self._encode_bent, lambda features: features.clone(), record_whole)
        self._outline = _Recorded[CoarseSearch](self._outline_whole, lambda found: found.clone(), record_whole)

    def __call__(
        self, frames: Tensor, beginning: Beginning | None = None, frame_features: FrameFeatures | None = None
    ) -> Features:
        """Encode a pair.

        Args:
            frames: [1, 2, 3, H, W] in 0 ... 1: whole frames, or the same crop of both.
            beginning: What is known of whole frames whose paths bend; None: they are straight. Between two neighbours,
                the launches are recorded.
            frame_features: Not used: a recording computes the same each time.
        """
        if beginning is not None:
            outline, before, after = beginning.outline, beginning.before, beginning.after
            if before is None or after is None:
                return encoded(self._model, frames, beginning, half=self._half)
            sides = (before.frame, before.flow, after.frame, after.flow)
            spans = (frames.new_full((), float(one.span)) for one in (before, after))
            return self._bent(frames, outline.flow, outline.hidden, *sides, *spans)
        if frames.shape[-2:] != (self._size.height, self._size.width):
            return self._model.encode(frames, half=self._half, whole=self._size)
        return self._whole(frames)

    def outline(self, frames: Tensor, frame_features: FrameFeatures | None = None) -> CoarseSearch:
        """Search whole frames on all levels but the two finest; the model has a motion-prior encoder.

        ``frame_features`` is not used, as above.
        """
        return self._outline(frames)

    def _encode(self, frames: Tensor) -> Features:
        return self._model.encode(frames, half=self._half)

    def _encode_bent(
        self, frames: Tensor, flow: Tensor, hidden: Tensor, before: Tensor, back: Tensor, after: Tensor, ahead: Tensor,
        *spans: Tensor,
    ) -> Features:  # fmt: skip
        """Encode a pair between two neighbours; recorded, so that tensors are all that it takes."""
        sides = Neighbour(before, back, spans[0]), Neighbour(after, ahead, spans[1])
        return encoded(self._model, frames, Beginning(CoarseSearch(flow, hidden), *sides), half=self._half)

    def _outline_whole(self, frames: Tensor) -> CoarseSearch:
        return outlined(self._model, frames, half=self._half)


class _Recorded(Generic[Made]):
    """A function of some tensors; its second call is recorded."""

    def __init__(self, compute: Callable[..., Made], copy: Callable[[Made], Made], record: Recorder | None) -> None:
        """Record nothing yet; never, if ``record`` is None. ``copy`` copies a result: the next replay changes it."""
        self._compute, self._copy, self._record = compute, copy, record
        self._is_warm = False
        self._buffers: tuple[Tensor, ...] = ()
        self._made: Made | None = None
        self._replay: Replay | None = None

    def __call__(self, *given: Tensor) -> Made:
        """Return the function of ``given``, whose shapes and types are the same in each call."""
        if self._is_warm and self._record is not None:
            self._buffers = tuple(one.clone() for one in given)
            self._replay, self._record = self._record(self._launch), None
        if self._replay is None or self._made is None:
            made = self._compute(*given)
            # The first run compiles kernels and chooses algorithms, which must not happen inside a recording.
            self._is_warm = True
            return made
        for buffer, one in zip(self._buffers, given, strict=True):
            buffer.copy_(one)
        self._replay()
        return self._copy(self._made)

    def _launch(self) -> None:
        self._made = self._compute(*self._buffers)
