"""What encoding a pair with bent paths takes beside the encoder: its search and its neighbours' have begun before."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from videoinr.model.encoders.motion_prior import FrameFeatures, MotionPriorEncoder
from videoinr.model.encoders.path_bend import CoarseSearch, Neighbour
from videoinr.model.features import PairFeatures
from videoinr.model.representation import Representation
from videoinr.model.video_inr import VideoINR


@dataclass(frozen=True, eq=False, slots=True)
class Beginning:
    """What is known of a pair before its two finest levels are searched.

    Attributes:
        outline: What :func:`outlined` returned for the pair.
        before: What lies before its first frame; None: nothing, or another scene.
        after: What lies after its second frame; None as ``before``.
    """

    outline: CoarseSearch
    before: Neighbour | None
    after: Neighbour | None


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


def encoded(
    model: Representation, frames: Tensor, beginning: Beginning, *, half: bool,
    frame_features: FrameFeatures | None = None,
) -> PairFeatures:  # fmt: skip
    """Encode whole frames from the beginning of their search on, with paths that bend.

    Args:
        model, frames, half, frame_features: As for :func:`outlined`.
        beginning: What is known of these frames.
    """
    model, encoder = _parts(model)
    with model.precision(frames.device, half=half):
        feature, prior = encoder.encode_bent(
            frames, beginning.outline, beginning.before, beginning.after, None, frame_features
        )  # fmt: skip
    return model.project(frames, feature, prior)


def _parts(model: Representation) -> tuple[VideoINR, MotionPriorEncoder]:
    assert isinstance(model, VideoINR)
    assert isinstance(model.encoder, MotionPriorEncoder)
    return model, model.encoder
