"""What encoding a pair with bent paths takes beside the encoder: searches without their finest levels, and the bend."""

from __future__ import annotations

from torch import Tensor

from videoinr.model.encoders.motion_prior import FrameFeatures, MotionPriorEncoder
from videoinr.model.encoders.path_bend import CoarseSearch, Neighbour
from videoinr.model.representation import Representation
from videoinr.model.video_inr import VideoINR


def outlined(
    model: Representation, frames: Tensor, *, half: bool, frame_features: FrameFeatures | None = None
) -> CoarseSearch:
    """Search for the motion of whole frames on all levels but the two finest.

    Args:
        model: A model with a motion-prior encoder.
        frames: [B, 2, 3, H, W] in 0 ... 1.
        half: Run the convolutions in half precision where the model allows it.
        frame_features: Computes or remembers the finest features of single frames; None: the encoder does.
    """
    model, encoder = _parts(model)
    with model.precision(frames.device, half=half):
        return encoder.outline(frames, None, frame_features)


def searched(
    model: Representation, frames: Tensor, outline: CoarseSearch, *, half: bool,
    frame_features: FrameFeatures | None = None,
) -> CoarseSearch:  # fmt: skip
    """Continue a search to the level below the finest; ``outline``: what :func:`outlined` returned for the frames."""
    model, encoder = _parts(model)
    with model.precision(frames.device, half=half):
        return encoder.search(frames, None, frame_features, outline)


def bent(
    model: Representation, frames: Tensor, inner: CoarseSearch, before: Neighbour | None, after: Neighbour | None,
    *, half: bool,
) -> Tensor | None:  # fmt: skip
    """Compute how the paths of whole frames bend; see :meth:`MotionPriorEncoder.bent`."""
    model, encoder = _parts(model)
    with model.precision(frames.device, half=half):
        return encoder.bent(frames, inner, before, after)


def _parts(model: Representation) -> tuple[VideoINR, MotionPriorEncoder]:
    assert isinstance(model, VideoINR)
    assert isinstance(model.encoder, MotionPriorEncoder)
    return model, model.encoder
