"""Messages of the render thread to the window: a clip is open, or something failed. Both are frozen."""

from __future__ import annotations

from dataclasses import dataclass

from videoinr.timeline import Timeline
from videoinr.types import ClipInfo


@dataclass(frozen=True, eq=False)
class Opened:
    """An open clip and the model that renders it.

    Attributes:
        info: the clip's size, rate, colours and so on.
        timeline: the presentation times of the clip's frames.
        model_name: the name on the model's card.
        trained_scales: (least, most) space scale of the model's training. Beyond it pictures are enlarged.
        device_name: the device, in a user's words.
        source_id: names the clip as it is read, the model and the device: equal names mean equal pictures.
    """

    info: ClipInfo
    timeline: Timeline
    model_name: str
    trained_scales: tuple[float, float]
    device_name: str
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of the render thread, in words for a user.

    Attributes:
        message: one sentence that says what happened.
        hint: what to do about it; may be empty.
        opening: whether a clip could not be opened. The clip that was open before stays open.
    """

    message: str
    hint: str
    opening: bool
