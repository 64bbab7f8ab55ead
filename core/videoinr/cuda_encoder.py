"""A pair -> its features on CUDA, the launches of small frames recorded once as a CUDA graph and then replayed.

An encoder is some hundred kernels. On frames of 320x180 each runs for less time than it takes to launch.
"""

from __future__ import annotations

from dataclasses import fields, replace

from torch import Tensor

from videoinr.cuda_launches import Recorder, Replay, cuda_graph
from videoinr.model.representation import Features, Representation
from videoinr.model.video_inr import PairFeatures

RECORDED_PX = 2**18
"""Pixels of the largest frames that are recorded: larger ones outlast their launches, and a recording its use."""


class CudaEncoder:
    """Encodes pairs of one size after another; the second of a size is recorded, memory and all."""

    def __init__(self, model: Representation, *, half: bool, record: Recorder = cuda_graph) -> None:
        self._model, self._half, self._record = model, half, record
        self._size: tuple[int, int] | None = None
        self._recording: _Recording | None = None
        self._tried = False

    def __call__(self, low: Tensor) -> Features:
        """As the model's ``encode``, of the frames ``low`` [1, 2, 3, H, W]."""
        height, width = low.shape[-2:]
        if self._size != (height, width):
            # What is compiled or chosen on the first run has its place there, and not in a recording.
            self._size, self._recording, self._tried = (height, width), None, height * width > RECORDED_PX
        elif not self._tried:
            self._recording, self._tried = self._recorded(low), True
        return self._model.encode(low, half=self._half) if self._recording is None else self._recording.answer(low)

    def _recorded(self, low: Tensor) -> _Recording | None:
        recording = _Recording(self._model, low.clone(), half=self._half)
        recording.replay = self._record(recording.launch)
        return recording if recording.replay and recording.features else None


class _Recording:
    """Frames of one size, and the features that a replay makes of whatever is in them."""

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
