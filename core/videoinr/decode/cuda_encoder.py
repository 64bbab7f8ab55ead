"""Encodes pairs on CUDA; the launches are recorded once as a CUDA graph and then replayed.

An encoder is some hundred kernels. On frames of 320x180 each of them runs for less time than its launch takes; on
frames nine times as large, launches still are a seventh (``base``) to a third (``lite``) of the time. But a recording
keeps all the memory that it uses.
"""

from __future__ import annotations

from torch import Tensor

from videoinr.decode.recording import Recorder, Replay, cuda_graph
from videoinr.geometry import Grid
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
        self._model, self._size, self._half, self._record = model, size, half, record
        self._recording: _Recording | None = None
        is_small = size.rect.area * RECORDING_BYTES <= room
        self._is_warm, self._tried = False, not (is_small and model.can_record_encoding)

    def __call__(self, frames: Tensor) -> Features:
        """Encode the frames ``frames`` [1, 2, 3, H, W] (0 ... 1), or the same crop of both frames."""
        if frames.shape[-2:] != (self._size.height, self._size.width):
            return self._model.encode(frames, half=self._half, whole=self._size)
        if self._is_warm and not self._tried:
            self._recording, self._tried = self._recorded(frames), True
        if self._recording is not None:
            return self._recording.encode(frames)
        features = self._model.encode(frames, half=self._half)
        # The first run compiles kernels and chooses algorithms, which must not happen inside a recording.
        self._is_warm = True
        return features

    def _recorded(self, frames: Tensor) -> _Recording | None:
        recording = _Recording(self._model, frames.clone(), half=self._half)
        recording.replay = self._record(recording.launch)
        return recording if recording.replay and recording.features else None


class _Recording:
    """A buffer for a pair of frames, and the features that a replay computes from its contents."""

    def __init__(self, model: Representation, frames: Tensor, *, half: bool) -> None:
        self._model, self._frames, self._half = model, frames, half
        self.features: Features | None = None
        self.replay: Replay | None = None

    def launch(self) -> None:
        self.features = self._model.encode(self._frames, half=self._half)

    def encode(self, frames: Tensor) -> Features:
        assert self.replay is not None
        assert self.features is not None
        self._frames.copy_(frames)
        self.replay()
        # A copy: the next replay writes over the original.
        return self.features.clone()
