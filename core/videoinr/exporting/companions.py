"""What goes with the pictures of a clip into an export: sound, subtitles, chapters and tags; and what does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from videoinr.clip.start_timecode import is_timecode, timecode_tags
from videoinr.clip.video_file import open_container
from videoinr.errors import UsageError, VideoInrError
from videoinr.exporting.codecs import ANIMATIONS
from videoinr.exporting.sound.choice import SoundChoice, Stretch
from videoinr.exporting.sound.facts import SoundFacts
from videoinr.exporting.sound.plan import FASTEST, SLOWEST, PlannedSound, of_its_speed, plan_sound
from videoinr.exporting.start_timecode import NO_TIMECODE, OutputTimecode
from videoinr.exporting.subtitles import PlannedSubtitles, plan_subtitles
from videoinr.text.phrases import format_count
from videoinr.types import ClipInfo

_OF_THE_FILE = frozenset(
    ("encoder", "major_brand", "minor_version", "compatible_brands", "rotate", "duration", "handler_name", "vendor_id")
)
"""Tags that describe the clip's file, not what it shows."""

_OF_MXF = frozenset(
    ("operational_pattern_ul", "uid", "generation_uid", "product_uid", "material_package_umid", "modification_date")
) | frozenset(
    (
        "company_name",
        "product_name",
        "product_version",
        "product_version_num",
        "application_platform",
        "toolkit_version_num",
    )
)
"""The same of MXF, as FFmpeg's demuxer calls them."""

_MP4_TAGS = frozenset(
    ("title", "artist", "album_artist", "composer", "album", "date", "comment", "genre", "copyright", "grouping")
) | frozenset(
    ("lyrics", "description", "synopsis", "show", "episode_id", "network", "keywords", "creation_time", "location")
)
"""The tags that FFmpeg's MP4 and MOV muxers write."""

_TAGS_SHOWN = 4

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of a clip, in the clip's own seconds."""

    start_secs: Fraction
    end_secs: Fraction
    tags: Tags


@dataclass(frozen=True, slots=True)
class SourceStreams:
    """What a clip's file holds besides the pictures that are shown.

    Attributes:
        path: the file.
        container: FFmpeg's name of its format.
        origin_secs: the file's own time of the clip's second 0.
        sounds: its sound streams, as far as they can be decoded.
        subtitles: (number among the subtitle streams, codec) of each.
        chapters: its chapters.
        tags: its tags.
        others: what no output takes, in words: "2 attached files".
        timecode: what it calls its first frame; empty if it does not say.
    """

    path: Path
    container: str
    origin_secs: Fraction
    sounds: tuple[SoundFacts, ...]
    subtitles: tuple[tuple[int, str], ...]
    chapters: tuple[Chapter, ...]
    tags: Tags
    others: tuple[str, ...]
    timecode: str = ""


@dataclass(frozen=True, slots=True)
class Companions:
    """What goes into an output besides the pictures.

    Attributes:
        source: the clip's file.
        start_secs: the clip's second at the start of the output.
        speed: clip seconds per output second.
        sounds: its sound streams.
        subtitles: its subtitle streams that are kept.
        chapters: the clip's chapters.
        tags: the tags that are kept.
        timecode: what the output calls its first frame; empty if it says nothing.
        dropped: what is left out although the clip has it, each in words.
    """

    source: SourceStreams
    start_secs: Fraction
    speed: Fraction
    sounds: tuple[PlannedSound, ...]
    subtitles: tuple[PlannedSubtitles, ...]
    chapters: tuple[Chapter, ...]
    tags: Tags
    dropped: tuple[str, ...]
    timecode: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a user should know before the start."""
        texts = "; ".join(dict.fromkeys(each.in_words for each in self.subtitles if each.encoder))
        kinds = (("Sound", self.sound_in_words), ("Subtitles", texts), ("Left out", "; ".join(self.dropped)))
        return tuple(f"{kind}: {words}." for kind, words in kinds if words)

    @property
    def sound_in_words(self) -> str:
        """What happens to the sound; empty if there is none."""
        words = dict.fromkeys(sound.in_words(self.speed) for sound in self.sounds)
        return "; ".join(words)


def read_streams(info: ClipInfo) -> SourceStreams | None:
    """Return what the file of the clip ``info`` holds besides the pictures that are shown; None for other clips."""
    return read_streams_of(info.path, info.start_secs)


def read_streams_of(path: Path, origin_secs: Fraction | None) -> SourceStreams | None:
    """Return what the file ``path`` holds besides the pictures that are shown; None if it is no file that can be read.

    ``origin_secs``: the file's own time of the first picture; None if it has no one clock.
    """
    if not path.is_file():
        return None
    if origin_secs is None:
        return SourceStreams(path, "", Fraction(0), (), (), (), (), ("all sound, because recordings were joined",))
    try:
        with open_container(path) as container:
            sounds = [SoundFacts.of(stream, number) for number, stream in enumerate(container.streams.audio)]
            others = _others(container) + (["sound that cannot be decoded"] if None in sounds else [])
            return SourceStreams(
                path=path,
                container=container.format.name,
                origin_secs=origin_secs,
                sounds=tuple(sound for sound in sounds if sound is not None),
                subtitles=tuple(
                    (number, stream.codec_context.codec.canonical_name if stream.codec_context else "unknown")
                    for number, stream in enumerate(container.streams.subtitles)
                ),
                chapters=tuple(_chapters(container, origin_secs)),
                tags=tuple(
                    (name, value) for name, value in container.metadata.items() if value and not is_timecode(name)
                ),
                others=tuple(others),
                timecode=next(timecode_tags(container, container.streams), ""),
            )
    except (VideoInrError, av.FFmpegError, OSError, ValueError):
        return None


def _others(container: InputContainer) -> list[str]:
    videos = len(container.streams.video) - 1
    data = [
        stream for stream in container.streams.data
        if not _is_chapter_text(stream, container) and not any(map(is_timecode, stream.metadata))
    ]  # fmt: skip
    attachments = len(container.streams.attachments)
    found = []
    if videos > 0:
        found.append(format_count(videos, "other video stream"))
    if data:
        found.append(format_count(len(data), "stream of data", "streams of data"))
    if attachments:
        found.append(format_count(attachments, "attached file"))
    return found


def _is_chapter_text(stream: av.stream.Stream, container: InputContainer) -> bool:
    """Return whether a stream of data only repeats the chapters, as in MP4. FFmpeg calls such text binary data."""
    chapters = container.chapters()
    return bool(chapters) and getattr(stream, "name", None) == "bin_data" and stream.frames == len(chapters)


def _chapters(container: InputContainer, origin_secs: Fraction) -> list[Chapter]:
    found = []
    for each in container.chapters():
        base = Fraction(each["time_base"] or 1)
        start, end = (Fraction(each[name]) * base - origin_secs for name in ("start", "end"))
        found.append(Chapter(start, end, tuple(dict(each["metadata"]).items())))
    return found


def plan_companions(
    source: SourceStreams,
    choice: SoundChoice,
    stretch: Stretch,
    *,
    muxer: str,
    video_encoder: str,
    timecode: OutputTimecode = NO_TIMECODE,
) -> Companions:
    """Return what goes from ``source`` into an output of FFmpeg's ``muxer``, beside the video of an encoder.

    ``timecode``: what the output calls its first frame.

    Raises:
        UsageError: the sound cannot be copied as asked.
    """
    if muxer in ANIMATIONS:
        return nothing_kept(source, choice, stretch, ANIMATIONS[muxer])
    sounds = plan_sound(
        source.sounds, choice, stretch,
        container=source.container, origin_secs=source.origin_secs, muxer=muxer, video_encoder=video_encoder,
    )  # fmt: skip
    kept = plan_subtitles(source.subtitles, muxer)
    kept_numbers = {each.number for each in kept}
    tags = tuple((name, value) for name, value in source.tags if _is_tag(name))
    if muxer in ("mp4", "mov"):
        # Matroska's names are written large.
        tags = tuple((name.lower() if name.lower() in _MP4_TAGS else name, value) for name, value in tags)
    written = tuple((name, value) for name, value in tags if _is_held(name, muxer))
    dropped = [
        *_dropped_sound(source, choice, stretch),
        *(f"subtitles ({codec})" for number, codec in source.subtitles if number not in kept_numbers),
        *source.others,
        *_dropped_timecode(source, timecode),
        *_dropped_tags([name for name, _ in tags if name not in dict(written)]),
    ]
    return Companions(
        source, stretch.start_secs, stretch.speed, sounds, kept, source.chapters, written, tuple(dropped), timecode.name
    )


def nothing_kept(source: SourceStreams, choice: SoundChoice, stretch: Stretch, title: str) -> Companions:
    """Return the companions of files that hold none ("GIF", "PNG"): all of ``source`` is left out.

    Raises:
        UsageError: the sound is to be copied.
    """
    if source.sounds and choice is SoundChoice.COPY:
        raise UsageError(f"{title} files hold no sound.", hint="Leave --sound copy out, or export a video.")
    kinds = (
        ("the sound", source.sounds), ("subtitles", source.subtitles), ("the chapters", source.chapters),
        ("the timecode", source.timecode),
    )  # fmt: skip
    tags = [name for name, _ in source.tags if _is_tag(name)]
    dropped = [f"{words}, which {title} files do not hold" for words, found in kinds if found]
    return Companions(
        source, stretch.start_secs, stretch.speed, (), (), (), (), (*dropped, *source.others, *_dropped_tags(tags))
    )


def without_time(source: SourceStreams) -> SourceStreams:
    """Return ``source`` without what has times of its own: a retime curve does not move it. It counts as left out."""
    kinds = (("the sound", source.sounds), ("subtitles", source.subtitles), ("the chapters", source.chapters))
    others = tuple(f"{words}, which a retime curve does not move" for words, found in kinds if found)
    return replace(source, sounds=(), subtitles=(), chapters=(), others=(*source.others, *others))


def _dropped_timecode(source: SourceStreams, timecode: OutputTimecode) -> list[str]:
    """Say that the clip's timecode is left out, if it has one."""
    if timecode.name or not source.timecode:
        return []
    return [f"the timecode, {timecode.lost}" if timecode.lost else "the timecode"]


def _dropped_tags(names: list[str]) -> list[str]:
    shown = ", ".join(names[:_TAGS_SHOWN]) + (", ..." if len(names) > _TAGS_SHOWN else "")
    return [f"{'the tag' if len(names) == 1 else 'the tags'} {shown}"] if names else []


def _is_tag(name: str) -> bool:
    return name.lower() not in _OF_THE_FILE | _OF_MXF and not name.startswith("_STATISTICS")


def _is_held(name: str, muxer: str) -> bool:
    """Return whether files of FFmpeg's ``muxer`` hold the tag."""
    return muxer not in ("mp4", "mov") or name in _MP4_TAGS


def _dropped_sound(source: SourceStreams, choice: SoundChoice, stretch: Stretch) -> list[str]:
    if not source.sounds:
        return []
    if choice is SoundChoice.NONE:
        return ["the sound, as asked"]
    if not SLOWEST <= stretch.speed <= FASTEST:
        return [f"the sound, which cannot be heard at {of_its_speed(stretch.speed)}"]
    return []
