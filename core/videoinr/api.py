"""The public face: open a clip, decode pictures and motion from it, export it, evaluate models.

The command line calls these functions too, so both give the same pixels.

Conventions:
    Numbers: times (seconds), rates, speeds and scales may be ``int``, ``float`` or ``Fraction``. A float stands for the
        shortest decimal that prints it, so 0.3 is exactly 3/10, as ``--time 0.3`` is on the command line. Times of a
        clip may be texts, too, as they are typed there: ``"1:02.5"``, ``"00:01:02:12"``, ``"f31"``, ``"50%"``.
    Pictures: uint8 [height, width, 3], RGB, full range. Coordinates are (x, y), x to the right, y down, in pixels.
    Grid: a picture of ``scale`` (grid pixels for each clip pixel) or of ``size`` (width, height). Give one of them.
    Region: (x, y, width, height) in pixels of that grid. ``decode(region) == decode(full)[region]``, bit for bit on a
        CPU and within one level on a GPU.
    Threads: a :class:`Video` and its pairs may be used from any thread. One call runs at a time; others wait. They
        belong to the process that opened them: in a fork (a worker of a DataLoader) open the clip again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Literal, Unpack

from videoinr.cancel import NEVER, CancelToken
from videoinr.render.arguments import (
    Number,
    Region,
    Size,
    check_functions,
    check_names,
    check_token,
    device_name,
    exact,
    flag,
    path,
)
from videoinr.render.open_arguments import OpenArguments, engine_from, options_from
from videoinr.render.pair import Pair
from videoinr.render.video import Video
from videoinr.text.parsing import AcrossCutsName
from videoinr.types import ExportProgress, ExportReport

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from videoinr.clip.memory_clip import Frames
    from videoinr.evaluation.clips import Method
    from videoinr.evaluation.run import Run
    from videoinr.exporting.arguments import JobArguments
    from videoinr.exporting.estimate import Estimate
    from videoinr.exporting.job import ExportJob
    from videoinr.exporting.sound.choice import SoundName
    from videoinr.journey.arguments import CameraArgument
    from videoinr.journey.curve import RetimeCurve
    from videoinr.journey.shutter_region import ShutterRegion
    from videoinr.model.weights import LoadedModel
    from videoinr.render.engine import Engine
    from videoinr.render.typed_times import TypedTime

__all__ = ["OpenArguments", "Pair", "Video", "estimate", "evaluate", "export", "load_model", "open"]


def load_model(name_or_path: str | PathLike[str] | None = None) -> LoadedModel:
    """Load a model on the CPU.

    Args:
        name_or_path: a shipped model's name (``"lite"``, ``"base"``), or the path of a .safetensors file with its card
            (NAME.json) beside it. None means the default model.

    Returns:
        The model and its card (``.model``, ``.card``), for :func:`open`, :func:`export` and :func:`evaluate`.

    Raises:
        ModelError: there is no such model, or its files are damaged.
    """
    from videoinr.model.weights import LoadedModel, named_or_loaded
    from videoinr.model.weights import load_model as load
    from videoinr.render.torch_state import plain_torch

    model = named_or_loaded(name_or_path)
    if isinstance(model, LoadedModel):
        return model
    with plain_torch():
        return load(model)


def open(  # noqa: A001 - the verb that Python's readers expect, as in io.open
    clip: str | PathLike[str] | Frames | Sequence[Frames] | torch.Tensor,
    *,
    model: str | PathLike[str] | LoadedModel | None = None,
    device: str | torch.device | None = None,
    memory: int | None = None,
    picture_fps: Number = 24,
    stream: int | None = None,
    background: str = "black",
    deinterlace: str = "auto",
    across_cuts: AcrossCutsName = "hold",
    cuts: str = "",
    notice: Callable[[str], None] | None = None,
) -> Video:
    """Open a clip with a model.

    Args:
        clip: a video file, a picture, a folder of pictures, or a pattern of them (``shots/*.png``, ``img_%03d.png``).
            Or frames in memory: an array, a list or a tensor [frames, height, width, 3], RGB, uint8 or uint16, which
            are taken as sRGB.
        model: a shipped model's name, the path of a weights file, or a loaded model, which moves to the device.
            None means the default model.
        device: ``"cuda"``, ``"cuda:1"``, ``"mps"`` or ``"cpu"``, or a ``torch.device``. None means the fastest.
        memory: bytes for caches, bands and the pair in use. None takes a share of the device's memory. The
            program, the frames read, the picture and the search for motion in whole large frames come on top (on a CPU
            some 0.3 GB at 1920x1080 and 1.2 GB at 3840x2160), and whole features where they are asked for
            (``pair.features``).
            A pair of large frames that does not fit is encoded in parts, for each picture anew.
        picture_fps: frames per second of a clip of pictures or of frames in memory.
        stream: which video stream of a file to show, counted from 0. None means the one that a player would show.
        background: what is shown behind transparent pixels: ``"black"``, ``"grey"``, ``"white"``, a colour such as
            ``"#2060ff"``, ``"checkerboard"``; ``"transparent"``: an export keeps it; ``"alpha"``: that channel itself.
        deinterlace: ``"auto"`` deinterlaces the frames of a video that are said to be interlaced, ``"on"`` all frames,
            ``"off"`` none.
        across_cuts: what is decoded between two frames with a cut between them. ``"hold"``: the nearer frame, decoded
            from the neighbouring pair of its own scene. ``"blend"``: both frames, mixed. ``"decode"``: every pair as it
            is, across a cut a mixture. With the first two, repeated frames are skipped: motion runs on between the
            distinct frames around them.
        cuts: pairs that are cuts whatever their frames look like, and with a minus those that are none: ``"12,-40"``.
            Pair 12 lies between frames 12 and 13.
        notice: called with a sentence while opening takes long: that a GPU's kernels are being compiled.

    Returns:
        The open video. Close it, or use it in a ``with`` block.

    Raises:
        ClipError: the clip cannot be read.
        ModelError: the model cannot be loaded.
        DeviceError: this machine has no such device.
        UsageError: ``memory`` or one of the options after it makes no sense, or frames have another shape or type.
    """
    opening = OpenArguments(
        model=model, device=device, memory=memory, picture_fps=picture_fps, stream=stream, background=background,
        deinterlace=deinterlace, across_cuts=across_cuts, cuts=cuts,
    )  # fmt: skip
    check_functions(notice=notice)
    return Video(engine_from(clip, options_from(opening), notice=notice, **opening))


def export(
    clip: str | PathLike[str] | Frames | Sequence[Frames] | torch.Tensor,
    out: str | PathLike[str],
    *,
    start: TypedTime | None = None, end: TypedTime | None = None,
    fps: Number | None = None, time_scale: Number | None = None, speed: Number = 1,
    scale: Number | None = None, size: Size | None = None, region: Region | None = None,
    codec: str | None = None, crf: int | None = None, effort: str = "medium",
    overwrite: bool = False, keep_partial: bool = False,
    sound: SoundName = "keep",
    part: str | None = None, resume: bool = False,
    retime: RetimeCurve | str | None = None, shutter: Number = 0, camera: CameraArgument | None = None,
    readout: Number = 0, shutter_region: ShutterRegion | str | None = None,
    sample: Number | None = None, sample_at: TypedTime | None = None,
    progress: Callable[[ExportProgress], None] | None = None,
    notice: Callable[[str], None] | None = None,
    report: Callable[[ExportReport], None] | None = None,
    cancel: CancelToken = NEVER,
    cluster: str | None = None,
    **opening: Unpack[OpenArguments],
) -> Path:  # fmt: skip
    """Export a segment of a clip at any rate, speed and size, as ``videoinr export`` does.

    The frames are those of :meth:`Video.frames`. The output appears under its name when it is complete and checked.
    Sound, subtitles, chapters and tags of a video file go with the pictures, as far as the output's file can hold them.

    Args:
        clip: a path or frames, as for :func:`open`.
        out: a video file (.mp4, .mov, .mkv, .webm), an animation (.gif, .webp, .apng), a folder for pictures, or a
            pattern for them (``folder/%05d.png``, ``.tif`` or ``.exr``).
        start, end: the segment [start, end) of the clip, in seconds or as typed (``"1:02.5"``, ``"00:01:02:12"``,
            ``"f31"``, ``"50%"``); None means the clip's start and end.
        fps: frames per second of the output; None means the clip's mean rate.
        time_scale: the frame rate as a multiple of the clip's mean rate, instead of ``fps``.
        speed: 0.25 plays four times slower.
        scale, size, region: the grid and its pixels to write, as for :meth:`Video.decode`; the default scale is 2.
        codec: an encoder (libx264, dnxhr, ffv1, png16, exr ...); None means the default of the file's ending.
        crf: constant quality in the encoder's unit, the least value is best; None means the encoder's default.
        effort: how hard the encoder tries to make a small file: ``"fast"``, ``"medium"`` or ``"slow"``. Where a GPU
            decodes, encoding takes most of the time: ``"fast"`` then ends in a half to a third of it.
        overwrite: replace an existing output.
        keep_partial: keep the finished frames of an export that ends early, in a file named "partial".
        sound: ``"keep"`` copies the sound where all of it fits, and encodes it to the exact length otherwise; at
            another speed it keeps its pitch. Beside ProRes and DNxHR, which go into editing programs, it becomes PCM.
            ``"copy"`` raises UsageError where it cannot be copied, ``"encode"`` always encodes it, ``"none"`` leaves
            it out.
        part: ``"2/4"`` makes the second of four shares of the export, a file OUT.2of4, which ``videoinr join``
            puts together with the others.
        resume: go on with what a killed export of the same arguments has left.
        retime: a curve of output time to clip time, instead of ``start``, ``end`` and ``speed``: points OUT=CLIP in
            seconds, ``"0=0 1=1~1/2 3=3/2"``. ``~1/2`` makes a ramp of half a second around that point, in which the
            speed changes evenly. Level pieces freeze, falling ones play backwards. Sound is left out.
        shutter: how long each frame is exposed, 0 ... 360 degrees of the time between two frames of the output.
        camera: which part of the picture is shown when: a camera file, or keyframes ``{"time": 0, "centre": [x, y],
            "zoom": 2, "easing": "smooth"}`` (clip seconds, clip pixels, how many times nearer than without a camera;
            easing is ``"smooth"``, ``"linear"`` or ``"hold"``). Of ``region`` only the size counts then.
        readout: the seconds in which the clip's camera read a frame row by row: its rolling shutter is corrected.
            Negative: from the last row to the first. 0: nothing is corrected.
        shutter_region: a region of the clip with a shutter of its own: ``"40,0,320,240=180"`` (x, y, width and height
            in pixels of the clip, degrees).
        sample: export only so many seconds of the output, the same frames, to NAME.sample.mp4 for NAME.mp4.
        sample_at: where in the clip the sample starts, as ``start``; None takes it from the middle.
        progress: called on this thread before the first frame and after each frame.
        notice: called with each sentence that a user should read: while the clip opens, before the export starts, and
            at its end about what was met in reading the clip.
        report: called with the result: what became of the sound, and what the output lacks.
        cancel: cancels the export between chunks of a few milliseconds.
        cluster: the address of a Dask scheduler whose workers make a video's shares; paths must be theirs, too.
        opening: model, device, memory, picture_fps, stream, background, deinterlace, across_cuts, cuts: as for
            :func:`open`.

    Returns:
        The path of the video file, or the pattern of the pictures' names.

    Raises:
        UsageError: the arguments do not fit each other or the clip.
        ExportError: the output exists already, or cannot be written.
        ClipError, ModelError, DeviceError, Cancelled: as for :func:`open` and :meth:`Video.decode`.
    """
    from videoinr.exporting.export import export_job

    arguments: JobArguments = {
        "start": start, "end": end, "fps": fps, "time_scale": time_scale, "speed": speed, "scale": scale, "size": size,
        "region": region, "codec": codec, "crf": crf, "effort": effort, "overwrite": overwrite,
        "keep_partial": keep_partial, "sound": sound, "part": part, "resume": resume, "retime": retime,
        "shutter": shutter, "camera": camera, "readout": readout, "shutter_region": shutter_region,
        "sample": sample, "sample_at": sample_at,
    }  # fmt: skip
    check_functions(progress=progress, notice=notice, report=report)
    hear, say = progress or _ignore, notice or _ignore
    if cluster is not None:
        from videoinr.exporting.cluster import export_clip
        from videoinr.exporting.picture_names import counted_out

        target = counted_out(path(out, "out"))
        done = export_clip(cluster, clip, target, arguments, options_from(opening), opening, hear, say, cancel)
    else:
        with _export(clip, out, arguments, cancel, say, **opening) as (job, engine):
            done = export_job(job, engine, progress=hear, notice=say, token=cancel)
    (report or _ignore)(done)
    return done.path


def estimate(
    clip: str | PathLike[str] | Frames | Sequence[Frames] | torch.Tensor,
    out: str | PathLike[str],
    *,
    notice: Callable[[str], None] | None = None,
    cancel: CancelToken = NEVER,
    opening: OpenArguments | None = None,
    **arguments: Unpack[JobArguments],
) -> Estimate:
    """Estimate the time, the room and the memory of an export: a short sample of it is decoded and coded.

    Nothing is written but to a temporary folder. ``arguments`` are those of :func:`export`, ``opening`` those of
    :func:`open`; it raises what they raise. ``notice`` is called with a sentence while opening takes long.
    """
    from videoinr.exporting.estimate import estimate_job

    started = time.perf_counter()
    check_functions(notice=notice)
    with _export(clip, out, arguments, cancel, notice, **opening or {}) as (job, engine):
        return estimate_job(job, engine, opening_secs=time.perf_counter() - started, token=cancel)


@contextmanager
def _export(
    clip: str | PathLike[str] | Frames | Sequence[Frames] | torch.Tensor,
    out: str | PathLike[str],
    arguments: JobArguments,
    cancel: CancelToken,
    notice: Callable[[str], None] | None,
    **opening: Unpack[OpenArguments],
) -> Iterator[tuple[ExportJob, Engine]]:
    """Open a clip, and return the job that exports it, with the engine, which is closed at the end."""
    from videoinr.exporting.ahead import check_ahead
    from videoinr.exporting.arguments import JobArguments, job_from_arguments, read_ahead
    from videoinr.exporting.picture_names import counted_out

    check_token(cancel)
    check_names(opening, OpenArguments.__annotations__, "export")
    check_names(arguments, JobArguments.__annotations__, "estimate")
    options, arguments = options_from(opening), read_ahead(arguments)
    target = counted_out(path(out, "out"))
    check_ahead(clip, target, arguments, options)
    with engine_from(clip, options, cancel, notice, **opening) as engine:
        from videoinr.render.torch_state import plain_torch  # Not before: it imports torch.

        with plain_torch():
            yield job_from_arguments(
                engine.opened.info, target, arguments, timeline=engine.opened.timeline,
                model=opening.get("model"),
                device=device_name(opening.get("device")), options=options,
                across_cuts=opening.get("across_cuts", "hold"),
            ), engine  # fmt: skip


def evaluate(
    data: str | PathLike[str],
    *,
    models: Sequence[str | PathLike[str] | LoadedModel] = (),
    baselines: Sequence[str] = (),
    methods: Mapping[str, Method] | None = None,
    scale: Number = 4,
    time_scale: int = 4,
    channel: Literal["y", "rgb"] = "y",
    flicker: bool = False,
    lpips: bool = False,
    neighbours: bool = True,
    device: str | torch.device | None = None,
    journal: str | PathLike[str] | None = None,
    notice: Callable[[str], None] | None = None,
) -> Run:
    """Degrade clips, restore them in space and time, and compare with the truth, as ``videoinr evaluate`` does.

    Args:
        data: a folder of clips (CLIP/NAME.png, or video files).
        models: names of shipped models, paths of weights files, or loaded models, which move to the device.
        baselines: names of methods without a model: ``"bicubic-blend"``, ``"lanczos-blend"``, ``"nearest"`` ..., or
            ``"all"``.
        methods: methods of your own by name. A method takes the two low-resolution frames (float32 [2, 3, h, w] in
            0 ... 1), the :class:`~videoinr.geometry.Grid` to restore and the phases (floats, 0 ... 1), and returns
            one float32 [3, grid.height, grid.width] for each phase.
        scale: how many times smaller the low-resolution frames are, 1 or more.
        time_scale: every so many frames are given, the others restored; 1 or more.
        channel: compare BT.601 luma or all of RGB.
        flicker: measure tOF too, the error of the motion.
        lpips: measure LPIPS too, by the package lpips, which is to be installed.
        neighbours: whether models that use the frames beside a pair get them, as in the program. Published figures of
            methods that read two frames compare with False.
        device: as for :func:`open`.
        journal: a file that each clip's result is added to, and that an evaluation which was stopped goes on from.
            It knows a method of your own by its name alone: give one that has changed another name.
        notice: called with lines of progress.

    Returns:
        The run: ``run.scores`` has the figures of each frame, ``run.summary(name).average.psnr_db`` the mean PSNR of a
        method, ``run.motion(clip)`` how much a clip moves, ``run.protocol`` what the figures mean, ``run.left_out``
        the clips that could not take part, and why, ``run.uneven`` those whose frames are not evenly spaced in time.

    Raises:
        UsageError: a scale or a baseline is not valid, no method was named, LPIPS cannot be measured, no clip could
            take part, or the journal belongs to another evaluation.
        ExportError: the journal cannot be written.
        ClipError, ModelError, DeviceError: as for :func:`open`.
    """
    from videoinr.devices import pick_device
    from videoinr.evaluation.arguments import add_methods, methods_from, models_from, names_from, protocol_from
    from videoinr.evaluation.footage import find_footage
    from videoinr.evaluation.journal import open_journal
    from videoinr.evaluation.methods import open_methods
    from videoinr.evaluation.run import run_protocols
    from videoinr.render.forks import fit_for_forks
    from videoinr.render.torch_state import plain_torch

    fit_for_forks()
    check_functions(notice=notice)
    protocol = protocol_from(exact(scale, "scale"), exact(time_scale, "time_scale"), channel, flicker, lpips)
    where = pick_device(device_name(device))
    named, own = models_from(models), methods_from(methods or {})
    with plain_torch():
        given = names_from(baselines)
        method_set = open_methods(
            models=named, baselines=given, device=where, notice=notice, neighbours=flag(neighbours, "neighbours")
        )
        add_methods(method_set, own)
        footage, say = find_footage(path(data, "data")), notice or _ignore
        kept = None if journal is None else open_journal(path(journal, "journal"), method_set, str(where))
        (run,) = run_protocols(footage, [protocol], method_set, where, say=say, journal=kept)
    return run


def _ignore(_: object) -> None:
    pass
