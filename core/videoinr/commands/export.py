"""``videoinr export``: exports a segment of a clip at any frame rate, speed and size."""

from __future__ import annotations

from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Unpack

import typer

from videoinr.commands.estimating import show_estimate
from videoinr.commands.export_jobs import check_alone, run_jobs
from videoinr.commands.export_progress import removal_told, reporter
from videoinr.commands.options import (
    EFFORT,
    FACTOR,
    LENGTH,
    RATE,
    REGION,
    TIME,
    CameraOption,
    OpeningFlags,
    ReadoutOption,
    RetimeOption,
    ScaleOption,
    ShutterOption,
    ShutterRegionOption,
    SizeOption,
    check_clip,
    opens_clip,
    option_parser,
)
from videoinr.commands.signals import cancel_on_signals
from videoinr.commands.stop_lines import heed_lines
from videoinr.errors import UsageError
from videoinr.exporting.presets import Preset, preset_named
from videoinr.exporting.sound.choice import SoundName, sound_named
from videoinr.geometry import Rect
from videoinr.text.clip_time import ClipTime

SOUND = option_parser(lambda text: sound_named(text).value)
PRESET = option_parser(preset_named)


@opens_clip
def export(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A video, or a folder or pattern of pictures.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="A video (.mp4 .mov .mkv .webm .gif .webp .apng), a folder, or f/%05d.png."),
    ] = None,
    job: Annotated[
        Path | None,
        typer.Option("--job", metavar="FILE.json", help="Run the export that a job file describes."),
    ] = None,
    queue: Annotated[
        Path | None,
        typer.Option("--queue", metavar="DIR", help="Run all job files of a folder, one after the other."),
    ] = None,
    start: Annotated[
        ClipTime | None,
        typer.Option(
            "--start", parser=TIME, metavar="TIME", help="Start: 1.25, 1:02.5, 00:00:01:06, f31 or 50%. Default: 0."
        ),
    ] = None,
    end: Annotated[
        ClipTime | None,
        typer.Option("--end", parser=TIME, metavar="TIME", help="End, written as --start. Default: the clip's."),
    ] = None,
    fps: Annotated[
        Fraction | None,
        typer.Option("--fps", parser=RATE, metavar="N[/D]", help="Frames per second. Default: the clip's rate."),
    ] = None,
    time_scale: Annotated[
        Fraction | None,
        typer.Option("--time-scale", parser=FACTOR, metavar="F", help="The frame rate as a multiple of the clip's."),
    ] = None,
    speed: Annotated[
        Fraction | None,
        typer.Option("--speed", parser=FACTOR, metavar="F", help="1/4 is slow motion, four times slower. Default: 1."),
    ] = None,
    scale: ScaleOption = None,
    size: SizeOption = None,
    crop: Annotated[
        Rect | None,
        typer.Option("--crop", parser=REGION, metavar="WxH+X+Y", help="Export only this region of the scaled picture."),
    ] = None,
    preset: Annotated[
        Preset | None,
        typer.Option(
            "--preset",
            parser=PRESET,
            metavar="share|edit|archive|analyse",
            help="Format, codec, quality and sound for a purpose; other options go before it.",
        ),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            "--codec", metavar="NAME", help="libx264, libx265, libvpx-vp9, ffv1 (lossless) ... Default: by ending."
        ),
    ] = None,
    crf: Annotated[
        int | None, typer.Option("--crf", metavar="N", help="Quality, the least is best. Default: the codec's.")
    ] = None,
    effort: Annotated[
        str,
        typer.Option(
            "--effort",
            parser=EFFORT,
            metavar="fast|medium|slow",
            help="How hard the encoder tries to make a small file; fast pays where a GPU decodes.",
        ),
    ] = "medium",
    retime: RetimeOption = None,
    shutter: ShutterOption = None,
    camera: CameraOption = None,
    readout: ReadoutOption = None,
    shutter_region: ShutterRegionOption = None,
    sound: Annotated[
        SoundName,
        typer.Option(
            "--sound",
            parser=SOUND,
            metavar="keep|copy|encode|none",
            help="Copy the sound if all of it fits, else encode it (keep); only copy it; always encode it.",
        ),
    ] = "keep",
    sample: Annotated[
        Fraction | None,
        typer.Option(
            "--sample", parser=LENGTH, metavar="S", help="Export only S seconds of the output, to OUT's NAME.sample."
        ),
    ] = None,
    sample_at: Annotated[
        ClipTime | None,
        typer.Option("--sample-at", parser=TIME, metavar="TIME", help="Where in the clip it starts. Default: middle."),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only tell time, size and memory, measured on a few frames.")
    ] = False,
    part: Annotated[
        str | None,
        typer.Option("--part", metavar="K/N", help="Make share K of N, the file OUT.KofN, for videoinr join."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="ADDRESS", help="Have workers of Dask make the shares: tcp://HOST:8786."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what a killed export with the same options has left.")
    ] = False,
    json_progress: Annotated[
        bool, typer.Option("--json-progress", help="Print progress and result as JSON lines on stdout.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
    keep_partial: Annotated[
        bool,
        typer.Option(
            "--keep-partial", help="If the export ends early, keep the finished frames as OUT.partial (exit code 3)."
        ),
    ] = False,
    **opening: Unpack[OpeningFlags],
) -> None:
    """Export a segment of a clip at any frame rate, speed and size.

    The default is the whole clip at its own frame rate and scale x2. The output shows the clip from --start to just
    before --end: (end - start) / speed * fps frames, rounded half up, at least one. Sound keeps its pitch at any speed;
    it, subtitles, chapters, timecode and tags go into OUT as far as its format holds them; what is left out is said.

    Pictures are numbered files: f/%05d.png or f/#####.png, .tif, .exr, or a folder with --codec png, tiff, exr. PNG and
    TIFF have 8 bits, and 16 if the clip has more than 8 or with --codec png16 or tiff16. OpenEXR has linear light in
    half floats: 1 is white, and levels are taken as sRGB. GIF (at most 50 frames per second), WebP and APNG hold no
    sound.

    With --background transparent the output keeps the clip's transparency: PNG, TIFF, OpenEXR, ProRes (4444), FFV1,
    WebP and APNG hold it, others are refused. The model decodes the alpha channel as a picture of its own, which takes
    as long again.

    A time of the clip is 1.25, 5/4, 1:02.5, 00:00:01:06, f31 (a frame) or 50%. Timecode counts from that of the clip's
    file, if it has one; 01:00:00;02 is drop-frame.

    --retime goes through points OUT=CLIP instead of --start, --end and --speed: OUT in seconds of the output, CLIP any
    time of the clip. ~R after a point makes a ramp of R seconds around it, in which the speed changes evenly. Level
    pieces freeze, falling ones run backwards. The sound is left out.

    --shutter 180 shows for each frame the mean, in light, of half the time from one output frame to the next, as a
    camera would. It never reaches across a cut. --shutter-region 40,0,320,240=180 exposes a region, in pixels of the
    clip, by an angle of its own.

    --camera reads {"videoinr_camera": 1, "keyframes": [{"time": 0, "centre": [160, 90], "zoom": 2}, ...]}: clip
    seconds, clip pixels, how many times nearer than without a camera; "easing" is smooth, linear or hold. Of --crop
    only the size counts then. Each frame lies on whole pixels, at most half an output pixel beside the path.

    --readout 1/60 corrects a rolling shutter: most cameras read a frame row by row, so what moves leans. Each row is
    decoded at the time at which the camera saw it. The data sheet of the camera, or a test of it, says how long a frame
    takes: phones some 1/60 to 1/30 of a second. Frames that are shown turned were read by columns; that is allowed for.

    The output is written under a name of its own (OUT.*.part), and renamed to OUT when it is complete and checked.
    --preset share is H.264 with AAC, edit ProRes, archive lossless FFV1, analyse PNG pictures; OUT may have no ending
    then. --sample 2 makes two seconds of the same frames, to look at before hours of work, and
    --estimate tells how long they will be: time and size are likely values with limits, from frames of the beginning,
    the middle and the end that are decoded and coded.

    --overwrite replaces files of the same names, and no others. A video keeps the clip's colour tags. Times are exact
    in .mp4 and .mov, and rounded to milliseconds in .mkv and .webm.

    An export that was killed, or ended by a power failure, a closed terminal or a scheduler, goes on with --resume and
    the same options. Its frames are those of an unbroken run: a video is encoded in parts that start at fixed frames.
    Ctrl+C ends an export for good and removes its frames; with --keep-partial it keeps those that are finished. GIF,
    WebP and APNG have no parts, and begin anew: each of their frames is stored as what it changes. With
    --json-progress, a line on standard input stops the export: keep keeps its finished frames, stop does what Ctrl+C
    does, and leave leaves them for --resume.

    --cluster has the workers of a Dask cluster make shares of the video (--part), joins them, and goes on with others
    when a worker dies. Clip, model and OUT must have the same paths on all machines.

    A job file (--job) is JSON: {"videoinr_export": 2, "clip": "a.mp4", "out": "b.mp4", "speed": "1/4"}. Its other keys
    are arguments of videoinr.export in Python; camera is the list of keyframes. Version 1 has no retime, shutter,
    shutter_region, camera and readout. A queue (--queue) is a folder of job files. Each that ends moves to done/ or
    failed/, with a .result.json beside it; one that is stopped or killed goes on when the queue is started again.
    Several processes may share a queue.
    """
    if queue is not None:
        check_alone(context, "queue", {"json_progress"})
        run_jobs(queue, as_json=json_progress)
        return
    if job is not None:
        allowed = {"json_progress", "overwrite", "keep_partial", "resume", "sample", "sample_at", "estimate", "cluster"}
        check_alone(context, "job", allowed)
    elif file is None or out is None:
        raise UsageError("FILE and OUT are missing.", hint="Give a clip and an output, or --job, or --queue.")
    if preset is not None and out is not None:
        out, given = preset.named(out), context.get_parameter_source("sound")
        sound = sound if given is not None and given.name == "COMMANDLINE" else preset.sound.value
        crf = preset.crf if crf is None and codec is None else crf
        codec = codec or preset.codec
    if sample_at is not None and sample is None:
        raise UsageError("--sample-at says where a sample starts.", hint="Give --sample too, such as --sample 2.")
    if estimate and sample is not None:
        raise UsageError("An estimate makes no sample.", hint="Leave --sample or --estimate out.")
    with (
        reporter(as_json=json_progress) as report,
        # What is to be kept must be finished, however long a library takes.
        cancel_on_signals(report_forced=None if keep_partial else report.stopped, leaves=not keep_partial) as token,
        heed_lines(token) if json_progress else nullcontext(),
        # A cluster's whole shares stay.
        nullcontext() if cluster else removal_told(report, token),
    ):
        if job is not None:
            from videoinr.exporting.job_file import read_job

            call = read_job(job)
            check_clip(call.clip)
            from videoinr import api

            report.watch(token)
            flags = {"overwrite": overwrite, "keep_partial": keep_partial, "resume": resume}
            options = {**call.options, **{name: True for name, is_on in flags.items() if is_on}}
            if estimate:
                show_estimate(call.clip, call.out, options, token, as_json=json_progress)
                return
            api.export(
                call.clip, call.out, progress=report.progress, notice=report.notice, cancel=token,
                report=report.finished, sample=sample, sample_at=sample_at, cluster=cluster, **options,
            )  # fmt: skip
            return
        assert file is not None
        assert out is not None
        check_clip(file)
        from videoinr import api

        report.watch(token)
        if estimate:
            options = {
                "start": start, "end": end, "fps": fps, "time_scale": time_scale,
                "speed": speed or 1, "scale": scale,
                "size": size, "region": crop, "codec": codec, "crf": crf, "effort": effort, "sound": sound,
                "part": part,
                "retime": retime, "shutter": shutter or 0, "camera": camera, "readout": readout or 0,
                "shutter_region": shutter_region, **opening,
            }  # fmt: skip
            show_estimate(file, out, options, token, as_json=json_progress)
            return
        api.export(
            file, out, progress=report.progress, notice=report.notice, cancel=token,
            start=start, end=end, fps=fps, time_scale=time_scale, speed=1 if speed is None else speed,
            scale=scale, size=size, region=crop, codec=codec, crf=crf, effort=effort, overwrite=overwrite,
            keep_partial=keep_partial, sound=sound, part=part, resume=resume, retime=retime,
            shutter=0 if shutter is None else shutter,
            camera=camera, readout=readout or 0, shutter_region=shutter_region, sample=sample,
            sample_at=sample_at, cluster=cluster, report=report.finished, **opening,
        )  # fmt: skip
