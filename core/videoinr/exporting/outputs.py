"""From an ExportJob to the sink that takes its frames; what must be refused or said before the work starts."""

from __future__ import annotations

from pathlib import Path

from videoinr.colour import ColourSpec
from videoinr.errors import UsageError
from videoinr.exporting.codecs import Codec, codec_for, is_video
from videoinr.exporting.image_sink import ImageSink, check_pattern, pattern_from_out
from videoinr.exporting.job import ExportJob
from videoinr.exporting.sinks import Sink
from videoinr.exporting.tags import tags_from_colour
from videoinr.exporting.target import check_file


def codec_of(job: ExportJob) -> Codec | None:
    """The codec of ``job``, or None if it writes pictures. UsageError if its output, codec and crf do not agree."""
    if not _writes_pictures(job):
        codec = codec_for(job.out.suffix, job.codec)
        codec.options_for(job.crf)
        return codec
    check_pattern(pattern_from_out(job.out))
    if job.codec not in (None, "png") or job.crf is not None:
        raise UsageError("Pictures are written as PNG, without loss.", hint="Leave --codec and --crf out.")
    return None


def _writes_pictures(job: ExportJob) -> bool:
    return not is_video(job.out) and ("%" in job.out.name or not job.out.suffix or job.out.is_dir())


def check(job: ExportJob) -> None:
    """Refuse ``job`` before any work if its output cannot or must not be written (UsageError, ExportError)."""
    if codec_of(job) is not None:
        check_file(job.out, source=job.path, overwrite=job.overwrite)
        return
    folder, source = pattern_from_out(job.out).parent, _picture_folder(job.path)
    if source is not None and folder.exists() and folder.samefile(source):
        raise UsageError(f"{folder} is the clip itself.", hint="Choose another folder.")


def _picture_folder(clip: Path) -> Path | None:
    """The folder whose pictures are the clip, if there is one."""
    folder = clip if clip.is_dir() else clip.parent
    return folder if folder.is_dir() and not clip.is_file() else None


def notices(job: ExportJob) -> tuple[str, ...]:
    """Sentences that a user should read before ``job`` runs."""
    codec = codec_of(job)
    if codec is not None and codec.pix_fmt_for(job.crop.width, job.crop.height) != codec.pix_fmt:
        return (
            f"{job.crop.width}x{job.crop.height} has an odd side, so the file keeps all colour samples (4:4:4), "
            "which some players do not show; choose even sides with --size or --crop.",
        )
    return ()


def sink_for(job: ExportJob, colour: ColourSpec) -> Sink:
    """The sink that writes ``job``'s frames, of a clip of ``colour``."""
    codec = codec_of(job)
    if codec is None:
        return ImageSink(pattern_from_out(job.out), overwrite=job.overwrite)
    from videoinr.exporting.video_sink import VideoSink

    tags = tags_from_colour(colour, rgb=codec.pix_fmt == "bgr0", full_range=codec.full_range)
    return VideoSink(
        job.out, width=job.crop.width, height=job.crop.height, fps=job.fps, codec=codec, crf=job.crf, tags=tags
    )
