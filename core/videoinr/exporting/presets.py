"""Presets of an export: format, codec, quality and sound for a purpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from videoinr.errors import UsageError
from videoinr.exporting.sound.choice import SoundChoice


@dataclass(frozen=True, slots=True)
class Preset:
    """What a purpose needs.

    Attributes:
        name: the name on the command line.
        title: the name in the export dialog.
        says: what it is for, in a sentence.
        codec: the encoder, or the format of pictures.
        ending: the ending of the file; empty for a folder of pictures.
        crf: constant quality; None for an encoder without one.
        sound: what happens with the sound.
    """

    name: str
    title: str
    says: str
    codec: str
    ending: str
    crf: int | None
    sound: SoundChoice

    def named(self, out: Path) -> Path:
        """Return ``out`` with the preset's ending, if its name has none."""
        return out if out.suffix or "%" in out.name else out.with_name(out.name + self.ending)


PRESETS = (
    Preset(
        "share", "Share", "A small H.264 file that every player shows, with AAC sound.",
        "libx264", ".mp4", 21, SoundChoice.ENCODE,
    ),
    Preset(
        "edit", "Edit", "ProRes 422, which editing programs read fast; the sound is kept.",
        "prores_ks", ".mov", None, SoundChoice.KEEP,
    ),
    Preset(
        "archive", "Archive", "FFV1, which loses nothing, with all sound and subtitles that fit.",
        "ffv1", ".mkv", None, SoundChoice.KEEP,
    ),
    Preset(
        "analyse", "Analyse", "Every frame as a PNG picture in a folder, for measuring; without sound.",
        "png", "", None, SoundChoice.NONE,
    ),
)  # fmt: skip


def preset_named(name: str) -> Preset:
    """Return the preset called ``name``. Raises UsageError."""
    for preset in PRESETS:
        if preset.name == name.lower():
            return preset
    known = ", ".join(preset.name for preset in PRESETS)
    raise UsageError(f"There is no preset “{name}”.", hint=f"Choose one of: {known}.")
