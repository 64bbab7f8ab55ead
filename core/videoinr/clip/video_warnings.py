"""Sentences for the user about what is missing in a video file, or unusual in it."""

from __future__ import annotations

from fractions import Fraction

from videoinr.clip.early_end import ends_early
from videoinr.clip.frame_times import longest_step
from videoinr.clip.gif_delays import with_browsers_delays
from videoinr.clip.numbering import tick_secs_of
from videoinr.clip.packet_index import PacketTable
from videoinr.clip.pixels import is_convertible
from videoinr.clip.video_file import VideoFile
from videoinr.colour import HDR_TRANSFERS
from videoinr.text.phrases import format_count
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo

_LONG_STEP_SECS = 60
"""Two frames that lie further apart than this give a warning."""

_SOUND_OFFSET_SECS = Fraction(6, 100)
"""Sound that starts this much before or after the picture gives a warning. Encoders' own delays are shorter."""


def loss_warning(file: VideoFile, table: PacketTable) -> str:
    """Return a warning if frames are missing in ``file``, or an empty string.

    Args:
        file: the open file.
        table: all packets of its stream.
    """
    found, declared = len(table.pts), file.declared_packets
    if declared > found:
        listed = format_count(declared, "frame")
        return f"The file's index lists {listed}, but the file holds {found}: it is cut off or damaged."
    if ends_early(file.path, file.format_name, table.size.tolist()):
        return f"The end of the file is missing: it was cut off after {format_count(found, 'frame')}."
    first, end = table.extent
    # The header of a Matroska file counts from 0, not from its first frame.
    secs = (end - min(first, 0) if "matroska" in file.format_name else end - first) * tick_secs_of(file)
    if not declared and file.declared_secs * Fraction(19, 20) - 1 > secs:
        return f"The file's header says {float(file.declared_secs):.1f} s, but its frames end at {float(secs):.1f} s."
    return f"The file is damaged: it can be read only up to packet {found}." if file.broke_off else ""


def size_warning(sizes: list[tuple[int, int]]) -> str:
    """Return a warning if the frames have several ``sizes``, (width, height) each, the first one's first."""
    first, *others = [f"{width}x{height}" for width, height in sizes] or [""]
    if not others:
        return ""
    return f"The size of the frames changes (to {', '.join(others)}). They are fitted into {first}, in their own shape."


def oddities(
    file: VideoFile, info: ClipInfo, timeline: Timeline, table: PacketTable, *, is_right_angled: bool
) -> list[str]:
    """Return sentences about what is unusual in a clip; none if nothing is.

    Args:
        file: the open file.
        info: the clip that it holds.
        timeline: the clip's frame times.
        table: all packets of the file's video stream.
        is_right_angled: whether the file's rotation is a multiple of 90 degrees.
    """
    aspect, pause, colour = info.pixel_aspect, longest_step(timeline), info.colour
    notes = {
        f"Two frames are {float(pause):.0f} s apart: the file's times may be damaged.": pause > _LONG_STEP_SECS,
        f"The clip's pixels are not square ({aspect}). The window shows them as squares; exports keep their shape.": (
            aspect != 1
        ),
        "The clip's rotation is not a multiple of 90 degrees. It is shown without rotation.": not is_right_angled,
        f"The clip's colour matrix ({colour.matrix}) is not supported. Its colours are approximate.": (
            not is_convertible(colour.matrix)
        ),
        f"The clip is HDR ({colour.transfer}). It is shown without tone mapping.": colour.transfer in HDR_TRANSFERS,
        "The clip's transparency is not decoded: the colours of transparent parts are shown.": file.has_hidden_alpha,
        _short_delays(file): True,
        _sound_offset(file, table): True,
        _other_streams(file): True,
    }
    return [sentence for sentence, holds in notes.items() if sentence and holds]


def _short_delays(file: VideoFile) -> str:
    changed = with_browsers_delays(file.path) if file.format_name == "gif" else None
    if changed is None:
        return ""
    return f"The GIF holds {format_count(changed[1], 'delay')} of 0.01 s, shown as 0.1 s, as browsers do."


def _sound_offset(file: VideoFile, table: PacketTable) -> str:
    sound = file.sound_start_secs
    if sound is None:
        return ""
    late = sound - table.extent[0] * tick_secs_of(file)
    if abs(late) < _SOUND_OFFSET_SECS:
        return ""
    secs = f"{float(abs(late)):.2f} s"
    return f"The sound starts {secs} after the picture." if late > 0 else f"The sound starts {secs} before the picture."


def _other_streams(file: VideoFile) -> str:
    others = file.others
    if not others:
        return ""
    return (
        f"The file has {len(others) + 1} video streams. Stream {file.number} is shown; "
        f"--stream chooses another one: {', '.join(others)}."
    )
