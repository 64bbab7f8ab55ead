"""What becomes of each sound stream of a clip in an export."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from videoinr.errors import UsageError
from videoinr.exporting.sound.choice import SoundChoice, Stretch
from videoinr.exporting.sound.coder import FOR_EDITING, SoundCoding, coding_for
from videoinr.exporting.sound.copying import why_not_copied
from videoinr.exporting.sound.facts import SoundFacts

SLOWEST, FASTEST = Fraction(1, 64), Fraction(64)
"""Outside these speeds stretched sound cannot be understood, and is left out."""


@dataclass(frozen=True, slots=True)
class PlannedSound:
    """A sound stream of the output.

    Attributes:
        facts: the clip's stream.
        coding: how it is encoded; None if its packets are copied.
        why: why it is not copied; empty if it is, or if it was not asked for.
    """

    facts: SoundFacts
    coding: SoundCoding | None
    why: str = ""

    def in_words(self, speed: Fraction) -> str:
        """Return what happens to the stream: "copied (aac)", "encoded as AAC"."""
        if self.coding is None:
            return f"copied ({self.facts.codec})"
        played = "" if speed == 1 else f"played at {of_its_speed(speed)} with its pitch kept, "
        return f"{played}encoded as {self.coding.title}" + (f", because {self.why}" if self.why else "")


def of_its_speed(speed: Fraction) -> str:
    """Return a speed in words: "1/4 of its speed", "5/2 times its speed"."""
    return f"{speed} of its speed" if speed < 1 else f"{speed} times its speed"


def plan_sound(
    sounds: tuple[SoundFacts, ...],
    choice: SoundChoice,
    stretch: Stretch,
    *,
    container: str,
    origin_secs: Fraction,
    muxer: str,
    video_encoder: str,
) -> tuple[PlannedSound, ...]:
    """Return what becomes of each of ``sounds``, the streams of a file of FFmpeg's format ``container``.

    Args:
        sounds: the clip's sound streams.
        choice: what the user wants.
        stretch: which part of the clip the output shows, and how fast.
        container: FFmpeg's name of the clip's format.
        origin_secs: the file's own time of the clip's second 0.
        muxer: FFmpeg's name of the format of the output.
        video_encoder: FFmpeg's name of the encoder of the pictures.

    Raises:
        UsageError: ``choice`` is COPY, and a stream cannot be copied.
    """
    if choice is SoundChoice.NONE or not SLOWEST <= stretch.speed <= FASTEST:
        return ()
    planned = []
    for sound in sounds:
        why = _why_encoded(choice, stretch) or _why_pcm(choice, sound, video_encoder)
        why = why or why_not_copied(sound, container, muxer, origin_secs)
        if why and choice is SoundChoice.COPY:
            raise UsageError(f"The sound cannot be copied: {why}.", hint="Leave --sound copy out to encode it.")
        if choice is SoundChoice.ENCODE or why:
            said = "" if choice is SoundChoice.ENCODE or stretch.speed != 1 or not stretch.is_whole else why
            planned.append(PlannedSound(sound, coding_for(muxer, video_encoder, sound), said))
        else:
            planned.append(PlannedSound(sound, None))
    return tuple(planned)


def _why_pcm(choice: SoundChoice, sound: SoundFacts, video_encoder: str) -> str:
    """Return why sound that could be copied becomes PCM: what it loses by that is nothing but its small size."""
    if choice is SoundChoice.KEEP and video_encoder in FOR_EDITING and not sound.codec.startswith("pcm_"):
        return f"not every editing program reads {sound.codec} there"
    return ""


def _why_encoded(choice: SoundChoice, stretch: Stretch) -> str:
    if stretch.speed != 1:
        return "it plays at another speed"
    if not stretch.is_whole and choice is not SoundChoice.COPY:
        return "packets do not end where the segment does"
    return ""
