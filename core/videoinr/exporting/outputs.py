"""The output of an ExportJob: the checks before the work starts, and the sink that takes its frames."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.picture_folder import COUNTER, numbered_files
from videoinr.clip.transparency import TRANSPARENT_NOTE
from videoinr.colour import HDR_TRANSFERS, ColourSpec
from videoinr.errors import UsageError
from videoinr.exporting.codecs import CONTAINERS, Codec
from videoinr.exporting.job import ExportJob
from videoinr.exporting.parts import WHOLE
from videoinr.exporting.share_file import share_path
from videoinr.exporting.sinks import Sink
from videoinr.exporting.tags import tags_from_colour
from videoinr.exporting.target import check_file, check_not_source
from videoinr.render.output_area import output_aspect, stretch_note
from videoinr.text.phrases import format_count
from videoinr.types import ClipInfo

if TYPE_CHECKING:
    from videoinr.exporting.companions import Companions, SourceStreams

_NTSC_ROUNDING = Fraction(1, 200)
"""How far 23.98, 23.976, 29.97 and 59.94 are from the rates of NTSC at most."""


def check_output(job: ExportJob) -> None:
    """Check on the disk that the output of ``job`` may be written.

    Raises:
        UsageError: name, codec and quality do not fit each other, or the output is the clip itself.
        ExportError: a file is in the way, or the folder does not exist or cannot be written to.
    """
    job.check()
    if job.chosen_codec is not None:
        check_file(target_of(job), source=job.clip, overwrite=job.overwrite)
        return
    folder, source = job.pattern.parent, _picture_folder(job.clip)
    if source is not None and folder.exists() and folder.samefile(source):
        raise UsageError(f"{folder} is the clip itself.", hint="Choose another folder.")
    check_not_source(_replaced(job), job.clip)


def is_taken(job: ExportJob) -> bool:
    """Return whether the output of ``job`` exists; of pictures, one of their names."""
    return bool(numbered_files(job.pattern)) if job.picture_format else os.path.lexists(target_of(job))


def can_resume(job: ExportJob) -> bool:
    """Return whether a killed export has left something to the output of ``job``."""
    from videoinr.exporting.journal import resumable

    codec = job.chosen_codec
    return not (codec is not None and codec.is_animation) and bool(resumable(target_of(job)))


def is_deep(job: ExportJob, info: ClipInfo) -> bool:
    """Return whether the output has more than 8 bits: if the clip has, and the codec can; some pictures always."""
    codec, pictures = job.chosen_codec, job.picture_format
    if pictures is not None:
        return pictures.is_deep(info.bit_depth)
    return info.bit_depth > 8 and codec is not None and codec.deep is not None


def check_colour(job: ExportJob, info: ClipInfo) -> None:
    """Raise UsageError for an HDR clip (PQ, HLG) if the output has 8 bits, or is pictures, which are read as sRGB."""
    transfer, pictures = info.colour.transfer, job.picture_format
    if transfer not in HDR_TRANSFERS:
        return
    name = {"smpte2084": "PQ", "arib-std-b67": "HLG"}[transfer]
    hint = "Choose --codec libx265, av1, prores or ffv1, or convert the clip to SDR first."
    codec = job.chosen_codec
    if pictures is not None or (codec is not None and codec.is_animation):
        raise UsageError(f"The clip is HDR ({name}), and programs read pictures as sRGB.", hint=hint)
    if not is_deep(job, info):
        raise UsageError(f"The clip is HDR ({name}), and this output has 8 bits, which are too few for it.", hint=hint)


def _picture_folder(clip: Path) -> Path | None:
    """The folder of a clip of pictures; None for a video file."""
    folder = clip if clip.is_dir() else clip.parent
    return folder if folder.is_dir() and not clip.is_file() else None


def notices(job: ExportJob, companions: Companions | None = None, info: ClipInfo | None = None) -> tuple[str, ...]:
    """Return the sentences that a user should read before ``job`` runs.

    ``companions`` go with the pictures of the clip ``info``.
    """
    codec, (width, height) = job.chosen_codec, job.size_px
    pictures = job.picture_format
    if codec is None or pictures is not None:
        told = (*_picture_notes(job, info), *_shape_notes(job, info), *_alpha_notes(job, info))
        return (*_remaining_notices(job), *told, *(companions.sentences if companions else ()), *_left_over(job))
    return (
        *_rate_notes(job.fps),
        *_shape_notes(job, info),
        *_alpha_notes(job, info),
        *_depth_notes(job, codec, info),
        *(loss_notes(job, info) if info is not None else ()),
        *_odd_sides(codec, width, height),
        *_animation_notes(job, codec, info),
        *(companions.sentences if companions else ()),
        *_left_over(job),
    )


def _rate_notes(fps: Fraction) -> tuple[str, ...]:
    """Say that a rate is close to one of NTSC, which is written so in short: editing programs tell both apart."""
    meant = Fraction(round(fps * 1001 / 1000) * 1000, 1001)
    is_short = fps.denominator > 1 and 1000 % fps.denominator == 0  # A decimal of three digits, such as 23.976.
    if not is_short or abs(fps - meant) > _NTSC_ROUNDING:
        return ()
    return (f"{float(fps):g} frames per second are written as they stand; NTSC has {meant} (--fps {meant}).",)


def _shape_notes(job: ExportJob, info: ClipInfo | None) -> tuple[str, ...]:
    """Say that a size of another shape stretches the picture, where the output's pixels do not make up for it."""
    note = stretch_note(info, job.grid) if info is not None else ""
    return (note,) if note else ()


def _alpha_notes(job: ExportJob, info: ClipInfo | None) -> tuple[str, ...]:
    """Say what becomes of transparent pixels."""
    if info is None or not any(TRANSPARENT_NOTE in sentence for sentence in info.warnings):
        return ()
    if job.keeps_alpha:
        return ("The transparency is kept: the alpha channel is decoded as a picture too, which takes as long again.",)
    if job.can_keep_alpha:
        return ("The output is opaque. Its format holds transparency: --background transparent keeps it.",)
    return ("The output is opaque: its format holds no transparency.",)


def _picture_notes(job: ExportJob, info: ClipInfo | None) -> tuple[str, ...]:
    """Say what the samples of pictures are, where that is not plain."""
    pictures = job.picture_format
    if pictures is not None and pictures.is_light:
        return ("The OpenEXR pictures hold linear light in half floats: 1 is white, and levels are taken as sRGB.",)
    if pictures is None or info is None or info.bit_depth <= 8 or is_deep(job, info):
        return ()
    return (f"The clip has {info.bit_depth} bits; {pictures.name} writes 8.",)


def _depth_notes(job: ExportJob, codec: Codec, info: ClipInfo | None) -> tuple[str, ...]:
    """Say what becomes of more than 8 bits, and of the mastering data of HDR."""
    from videoinr.exporting.mastering import CARRIERS, read_mastering

    if info is None or info.bit_depth <= 8:
        return ()
    if not is_deep(job, info):
        return (f"The clip has {info.bit_depth} bits; {codec.word} writes 8.",)
    said = []
    if codec.encoder == "libx264":
        said.append("The file is H.264 of 10 bits, which few players show. More show H.265 (--codec libx265).")
    if codec.encoder not in CARRIERS and read_mastering(info.path, info.stream):
        said.append(f"Left out: the mastering data of the HDR clip, which {codec.word} does not write.")
    return tuple(said)


def losses(job: ExportJob, info: ClipInfo) -> tuple[str, ...]:
    """Return what the pictures of the clip ``info`` lose in the file of ``job``, each in words."""
    from videoinr.exporting.chroma_loss import chroma_loss

    codec = job.chosen_codec
    lost = chroma_loss(job, codec, info, deep=is_deep(job, info)) if codec is not None else ""
    return (lost,) if lost else ()


def loss_notes(job: ExportJob, info: ClipInfo) -> tuple[str, ...]:
    """Return the sentences about :func:`losses`."""
    lost = losses(job, info)
    return (f"Left out: {'; '.join(lost)}. FFV1 and PNG keep them.",) if lost else ()


def _animation_notes(job: ExportJob, codec: Codec, info: ClipInfo | None) -> tuple[str, ...]:
    """Say what an animation cannot keep of the pictures, and that it has no parts."""
    if info is None or not codec.is_animation:
        return ()
    said, name = [], codec.title
    said.append(f"Each frame of {name} is stored as what it changes: an export that is killed cannot be resumed.")
    if codec.encoder == "libwebp_anim" and output_aspect(info, job.grid) != 1:
        said.append("WebP files store no pixel aspect ratio: choose a size in proportion to the picture (--size).")
    if codec.encoder != "apng" and info.colour.primaries == "bt2020":
        said.append(f"{name} files hold no colour tags, so that the clip's wide colours (BT.2020) look pale.")
    return tuple(said)


def _odd_sides(codec: Codec, width: int, height: int) -> tuple[str, ...]:
    if codec.pix_fmt_for(width, height) == codec.pix_fmt:
        return ()
    return (
        f"{width}x{height} has an odd side, so the file keeps all colour samples (4:4:4), which some players cannot "
        "show. Choose even sides with --size or --crop.",
    )


def _left_over(job: ExportJob) -> tuple[str, ...]:
    """Say if a killed export to the same file has left its parts."""
    from videoinr.exporting.journal import resumable

    left = [] if job.resume else resumable(target_of(job))
    if not left:
        return ()
    return (f"{left[0]} is left of an export that was killed: go on with it by --resume, or remove it.",)


def target_of(job: ExportJob) -> Path:
    """Return the video file that ``job`` writes: its output, or the file of its share."""
    return job.out if job.share == WHOLE else share_path(job.out, job.share)


def _remaining_notices(job: ExportJob) -> tuple[str, ...]:
    """Say which numbered pictures of the folder are not replaced, because the job writes none of that name."""
    pattern = job.pattern
    others = [file for file in numbered_files(pattern) if not _is_written(job, pattern, file.name)]
    if not others:
        return ()
    count = format_count(len(others), "other numbered picture")
    return (f"{pattern.parent} holds {count}, which the export leaves as it is ({others[0].name} ...).",)


def _replaced(job: ExportJob) -> list[Path]:
    """Return the existing pictures that ``job`` would replace."""
    pattern = job.pattern
    return [file for file in numbered_files(pattern) if _is_written(job, pattern, file.name)]


def _is_written(job: ExportJob, pattern: Path, name: str) -> bool:
    """Return whether ``job`` writes a picture called ``name``."""
    before = COUNTER.split(pattern.name, maxsplit=1)[0]
    number = int("".join(takewhile(str.isdecimal, name[len(before) :])))
    return number < job.retiming.frame_count and pattern.name % number == name


def sink_for(
    job: ExportJob,
    colour: ColourSpec,
    aspect: Fraction = Fraction(1),
    *,
    info: ClipInfo | None = None,
    model: str = "",
    companions: Companions | None = None,
    token: CancelToken = NEVER,
) -> Sink:
    """Return the sink that writes the frames of ``job``.

    Args:
        job: the export.
        colour: the colours of the clip.
        aspect: width of an output pixel by its height.
        info: the clip; None if the export is not to be resumed or shared.
        model: identifies the weights.
        companions: what goes with the pictures.
        token: cancels the end of the writing.
    """
    from videoinr.exporting.facts import facts_of

    origin, duration = (info.start_secs, info.duration_secs) if info else (None, job.segment.end_secs)
    codec = job.chosen_codec
    pictures = job.picture_format
    if codec is None or pictures is not None:
        from videoinr.exporting.image_sink import ImageSink, PictureOutput

        assert pictures is not None
        is_fine = info is not None and is_deep(job, info)
        # Those of PNG with 8 bits have no depth, as in journals from before there were others.
        depth = {"depth": 16} if is_fine else {}
        values = {"encoder": pictures.encoder, "aspect": str(aspect), **depth}
        facts = facts_of(job, values, model=model, origin_secs=origin, duration_secs=duration)
        written = PictureOutput(
            job.pattern, job.overwrite, aspect, job.retiming.frame_count, facts, resumes=job.resume,
            form=replace(pictures, keeps_alpha=job.keeps_alpha),
        )  # fmt: skip
        return ImageSink(written, token=token)
    from videoinr.exporting.coding import Coding
    from videoinr.exporting.mastering import CARRIERS, read_mastering
    from videoinr.exporting.video_sink import VideoOutput, VideoSink

    tags = tags_from_colour(colour, rgb=codec.is_rgb, full_range=codec.full_range)
    deep = info is not None and is_deep(job, info)
    mastering = read_mastering(info.path, info.stream) if info and deep and codec.encoder in CARRIERS else None
    coding = Coding(
        codec, job.out.suffix.lower(), *job.size_px, job.fps, job.crf, tags, aspect, deep, mastering, job.keeps_alpha,
        job.effort,
    )  # fmt: skip
    if codec.is_animation:
        from videoinr.exporting.animation_sink import AnimationSink

        return AnimationSink(job.out, coding, overwrite=job.overwrite, token=token)
    output = VideoOutput(
        out=job.out, coding=coding, plan=job.plan, companions=companions, share=job.share, overwrite=job.overwrite,
        keeps_partial=job.keep_partial, resumes=job.resume,
        facts=facts_of(
            job, coding.as_values(), model=model, origin_secs=origin, duration_secs=duration,
            timecode=companions.timecode if companions else "",
        ),
    )  # fmt: skip
    return VideoSink(output, token=token)


def companions_for(job: ExportJob, info: ClipInfo, source: SourceStreams | None = None) -> Companions | None:
    """Return what goes with the pictures of ``job``; None from pictures.

    Args:
        job: the export.
        info: the clip.
        source: what :func:`~videoinr.exporting.companions.read_streams` has read of the clip; None to read it now.

    Raises:
        UsageError: the sound cannot be copied as asked.
    """
    from videoinr.exporting.companions import nothing_kept, plan_companions, read_streams, without_time
    from videoinr.exporting.start_timecode import output_timecode

    codec, pictures = job.chosen_codec, job.picture_format
    source = source or read_streams(info)
    if source is None:
        return None
    if job.curve is not None:
        source = without_time(source)
    stretch = job.stretch(info.duration_secs)
    if codec is None or pictures is not None:
        return nothing_kept(source, job.sound, stretch, pictures.encoder.upper() if pictures else "")
    muxer = CONTAINERS[job.out.suffix.lower()]
    return plan_companions(
        source, job.sound, stretch, muxer=muxer, video_encoder=codec.encoder, timecode=output_timecode(job, info)
    )
