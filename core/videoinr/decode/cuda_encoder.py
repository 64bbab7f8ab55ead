"""A pair -> its features on CUDA, the launches recorded once as a CUDA graph and then replayed.

An encoder is some hundred kernels. On frames of 320x180 each runs for less time than it takes to launch; on frames
nine times as large, too, launches are a seventh (``base``) to a third (``lite``) of the time. But a recording keeps all
the memory that it uses.
"""

from __future__ import annotations

from dataclasses import fields, replace

from torch import Tensor

from videoinr.decode.cuda_graphs import Recorder, Replay, cuda_graph
from videoinr.geometry import Grid
from videoinr.model.features import PairFeatures
from videoinr.model.representation import Features, Representation

RECORDING_BYTES = 2500
"""What a recording of ``base`` keeps for every pixel of a frame (lite: 1800; paper, of 320x180: 10,000)."""


class CudaEncoder:
    """Encodes pairs of a clip of ``size``; its second pair of whole frames is recorded, if ``room`` bytes suffice."""

    def __init__(
        self, model: Representation, size: Grid, *, half: bool, room: int, record: Recorder = cuda_graph
    ) -> None:
        self._model, self._size, self._half, self._record = model, size, half, record
        self._recording: _Recording | None = None
        self._is_warm, self._tried = False, size.rect.area * RECORDING_BYTES > room

    def __call__(self, low: Tensor) -> Features:
        """As the model's ``encode``, of the frames ``low`` [1, 2, 3, H, W] or the same part of both."""
        if low.shape[-2:] != (self._size.height, self._size.width):
            return self._model.encode(low, half=self._half)
        if self._is_warm and not self._tried:
            self._recording, self._tried = self._recorded(low), True
        if self._recording is not None:
            return self._recording.answer(low)
        features = self._model.encode(low, half=self._half)
        # What is compiled or chosen on the first run has its place there, and not in a recording.
        self._is_warm = True
        return features

    def _recorded(self, low: Tensor) -> _Recording | None:
        recording = _Recording(self._model, low.clone(), half=self._half)
        recording.replay = self._record(recording.launch)
        return recording if recording.replay and recording.features else None


class _Recording:
    """A pair of frames, and the features that a replay makes of whatever is in them."""

    def __init__(self, model: Representation, low: Tensor, *, half: bool) -> None:
        self._model, self._low, self._half = model, low, half
        self.features: PairFeatures | None = None
        self.replay: Replay | None = None

    def launch(self) -> None:
        features = self._model.encode(self._low, half=self._half)
        self.features = features if isinstance(features, PairFeatures) else None

    def answer(self, low: Tensor) -> PairFeatures:
        """A copy: the next replay writes over the original."""
        assert self.replay is not None
        assert self.features is not None
        self._low.copy_(low)
        self.replay()
        features = self.features
        return replace(features, **{field.name: getattr(features, field.name).clone() for field in fields(features)})
