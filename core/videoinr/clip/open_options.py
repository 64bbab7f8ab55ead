"""OpenOptions: how a clip is read. One value, checked when it is made, from the command line to the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from videoinr.clip.background import Background, background_named
from videoinr.clip.cut_edits import edits_from_text
from videoinr.colour import ColourSpec, check_colour
from videoinr.errors import UsageError

DEINTERLACE_MODES = ("auto", "on", "off")
"""auto deinterlaces the frames that the stream calls interlaced; on deinterlaces all; off weaves the fields."""


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """How to read a clip. Making one raises UsageError if a name is unknown or the rate is not positive.

    Attributes:
        colour: how to read the pixels. If None, the clip's own tags decide, and guesses where they are missing.
        picture_fps: frames per second of a clip of pictures; positive.
        stream: which video stream of a file to show, counted from 0; None for the one that a player would show.
        background: what is shown behind transparent pixels: black, grey, white, a colour such as #2060ff,
            checkerboard, transparent (black, and an export keeps the transparency), or alpha (that channel itself).
        deinterlace: "auto" deinterlaces the frames of a video that are said to be interlaced, one for each pair of
            fields, "on" all frames, "off" none.
        cuts: pairs that are cuts whatever their frames look like, and with a minus those that are none: "12,-40".
    """

    colour: ColourSpec | None = None
    picture_fps: Fraction = Fraction(24)
    stream: int | None = None
    background: str = "black"
    deinterlace: str = "auto"
    cuts: str = ""

    def __post_init__(self) -> None:
        if self.colour is not None:
            check_colour(self.colour)
        if self.picture_fps <= 0:
            rate = f"{float(self.picture_fps):g} frames per second"
            raise UsageError(f"Pictures cannot be shown at {rate}.", hint="Give a rate above 0.")
        background_named(self.background)
        if self.deinterlace not in DEINTERLACE_MODES:
            raise UsageError(
                f"There is no way of deinterlacing “{self.deinterlace}”.",
                hint=f"Choose one of: {', '.join(DEINTERLACE_MODES)}.",
            )
        edits_from_text(self.cuts)

    @property
    def behind(self) -> Background:
        """The background that :attr:`background` names."""
        return background_named(self.background)

    @property
    def cut_edits(self) -> dict[int, bool]:
        """The pairs that :attr:`cuts` names, and whether each is a cut."""
        return edits_from_text(self.cuts)

    @property
    def suffix(self) -> str:
        """What the options add to the identity of a video: nothing for the default ones."""
        choices = (
            self.behind.suffix,
            "" if self.deinterlace == "auto" else f"|deinterlace {self.deinterlace}",
            "" if self.stream is None else f"|stream {self.stream}",
        )
        return "".join(choices)


DEFAULT_OPTIONS = OpenOptions()
