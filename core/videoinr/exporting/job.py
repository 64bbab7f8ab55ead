"""ExportJob: what an export writes, and how; made from the options of the command line, Python or the dialog."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypedDict, Unpack

from videoinr.clip.background import TRANSPARENT
from videoinr.clip.open_options import DEFAULT_OPTIONS, OpenOptions
from videoinr.colour import HDR_TRANSFERS
from videoinr.errors import UsageError
from videoinr.exporting.codecs import CONTAINERS, Codec, Effort, codec_for, is_video
from videoinr.exporting.parts import WHOLE, PartPlan, Share, plan_parts
from videoinr.exporting.picture_formats import PictureFormat, check_no_pictures, picture_format_for
from videoinr.exporting.picture_names import check_pattern, pattern_from_out
from videoinr.exporting.retime import ConstantRate, checked_fps, default_fps, rate_from_scale, segment_from_marks
from videoinr.exporting.sound.choice import SoundChoice, Stretch
from videoinr.geometry import Grid, Rect, longest_readout_secs
from videoinr.journey.camera import CameraPath
from videoinr.journey.curve import CurveRate, RetimeCurve
from videoinr.journey.even_frames import EvenFrames
from videoinr.journey.shutter_region import ShutterRegion
from videoinr.render.output_area import CLIP_SCALE, grid_of, rect_of
from videoinr.types import AcrossCuts, ClipInfo, Segment

_MAX_DENOMINATOR = 10**9
"""Of a time on the command line. Frame times stay exact; a mark set in playback moves by less than 1e-18 s."""


@dataclass(frozen=True, slots=True)
class ExportJob:
    """An export of one segment of a clip into one output.

    Attributes:
        clip: a video file, or a folder or pattern of pictures.
        out: a video file, a folder for pictures, or a pattern for them (folder/%05d.png).
        segment: the stretch of the clip, seconds.
        fps: frames per second of the output.
        speed: clip seconds per output second; 1/4 is slow motion.
        grid: the size of the full frame, pixels.
        crop: the region of ``grid`` that is written, (x, y, width, height) in pixels.
        codec: name of an encoder or a format, also of pictures; None for the default of the file's ending.
        crf: constant quality in the encoder's unit, the least value is best; None for the encoder's default.
        effort: how hard the encoder tries to make a small file.
        model: a shipped model's name, or a weights file; None for the default model.
        device: cuda, cuda:1, mps or cpu; None for the fastest.
        options: how the clip is read.
        overwrite: whether an existing output is replaced.
        keep_partial: whether an export that ends early leaves its finished frames in a file named "partial".
        across_cuts: what is shown between two frames with a cut between them.
        sound: what happens with the sound.
        share: which share is made of an export that several machines make.
        resume: whether to go on with what a killed export has left.
        curve: the retime curve, instead of ``speed``; ``segment`` is then what it shows of the clip.
        shutter: the exposure of each frame, degrees: 360 is the time of a whole frame of the output; 0 is none.
        camera: which part of the picture is shown when; ``crop`` then gives no more than the output's size.
        readout: the seconds in which the clip's camera read a frame, from its first row to its last, if its rolling
            shutter is corrected; negative: from the last one. 0 corrects nothing.
        shutter_region: a region of the clip that has another exposure.
    """

    clip: Path
    out: Path
    segment: Segment
    fps: Fraction
    speed: Fraction
    grid: Grid
    crop: Rect
    codec: str | None = None
    crf: int | None = None
    effort: Effort = Effort.MEDIUM
    model: str | None = None
    device: str | None = None
    options: OpenOptions = DEFAULT_OPTIONS
    overwrite: bool = False
    keep_partial: bool = False
    across_cuts: AcrossCuts = AcrossCuts.HOLD
    sound: SoundChoice = SoundChoice.KEEP
    share: Share = WHOLE
    resume: bool = False
    curve: RetimeCurve | None = None
    shutter: Fraction = Fraction(0)
    camera: CameraPath | None = None
    readout: Fraction = Fraction(0)
    shutter_region: ShutterRegion | None = None

    @property
    def keeps_alpha(self) -> bool:
        """Whether the output has the clip's transparency."""
        return self.options.background == TRANSPARENT

    @property
    def can_keep_alpha(self) -> bool:
        """Whether the output's format holds transparency. Raises UsageError as :meth:`check` does."""
        pictures, codec = self.picture_format, self.chosen_codec
        return bool(pictures.alpha[1]) if pictures is not None else codec is not None and codec.alpha is not None

    @property
    def retiming(self) -> EvenFrames:
        """The clip time of each output frame."""
        if self.curve is not None:
            return CurveRate(self.curve, self.fps)
        return ConstantRate(self.segment, self.fps, self.speed)

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the output, pixels."""
        return self.crop.width, self.crop.height

    @property
    def plan(self) -> PartPlan:
        """The parts that the frames are encoded in."""
        return plan_parts(self.retiming.frame_count, *self.size_px)

    def stretch(self, duration_secs: Fraction) -> Stretch:
        """Return which part is shown of the clip, which is ``duration_secs`` long, and how fast."""
        segment, half = self.segment, 1 / (2 * self.fps)
        is_whole = segment.start_secs == 0 and abs(duration_secs - segment.end_secs) <= half
        return Stretch(segment.start_secs, is_whole, self.speed)

    @property
    def chosen_codec(self) -> Codec | None:
        """The codec of a video file; None for pictures. Raises UsageError as :meth:`check` does."""
        if self._writes_video:
            check_no_pictures(self.out.suffix, self.codec)
            codec = codec_for(self.out.suffix, self.codec)
            codec.options_for(self.crf, effort=self.effort)
            return codec
        self._picture_format()
        return None

    @property
    def picture_format(self) -> PictureFormat | None:
        """The format of pictures; None for a video file. Raises UsageError as :meth:`check` does."""
        return None if self._writes_video else self._picture_format()

    def _picture_format(self) -> PictureFormat:
        check_pattern(self.pattern)
        if self.crf is not None:
            raise UsageError(
                f"{self.out.name} stands for pictures, such as PNG, which have no quality setting.",
                hint="End the name in .mp4, .mov, .mkv or .webm for a video, or leave --crf out.",
            )
        if self.effort is not Effort.MEDIUM:
            raise UsageError(
                f"{self.out.name} stands for pictures, such as PNG, which have no setting for the effort.",
                hint="End the name in .mp4, .mov, .mkv or .webm for a video, or leave --effort out.",
            )
        return picture_format_for(self.pattern.suffix, self.codec)

    @property
    def pattern(self) -> Path:
        """The pattern of the pictures' names."""
        return pattern_from_out(self.out, self.codec)

    @property
    def _writes_video(self) -> bool:
        out = self.out
        return is_video(out) or not ("%" in out.name or not out.suffix or out.is_dir())

    def check(self) -> None:
        """Raise UsageError if output name, codec and quality do not fit each other."""
        if not self.out.name:
            raise UsageError("The file has no name yet.", hint="Choose where to save it.")
        if str(self.out) == "-":
            raise UsageError(
                "An export is not written to standard output: it is checked and completed as a file.",
                hint="Give a file's name, such as out.mkv.",
            )
        if self.out.name.lower() in CONTAINERS and not self.out.is_dir():
            raise UsageError(
                f"“{self.out.name}” is an ending without a name.", hint=f"Write a name before it: out{self.out.name}."
            )
        codec = self.chosen_codec
        if self.keeps_alpha and not self.can_keep_alpha:
            assert codec is not None
            raise UsageError(
                f"{codec.title or codec.word} holds no transparency.",
                hint="Export PNG, TIFF or OpenEXR pictures, ProRes (.mov), FFV1 (.mkv), an animated WebP or PNG "
                "(.apng), or choose another --background.",
            )
        if codec is not None and codec.is_animation:
            self._check_animation(codec)
        if codec is None and self.share != WHOLE:
            raise UsageError("Pictures are not shared.", hint="Export a video, such as FFV1 in .mkv.")
        if self.share != WHOLE:
            self.share.parts(self.plan)
            if self.keep_partial:
                raise UsageError("A share of an export cannot be kept partial.", hint="Leave --keep-partial out.")

    def _check_animation(self, codec: Codec) -> None:
        if codec.most_fps is not None and self.fps > codec.most_fps:
            raise UsageError(
                f"Players show a {codec.title} of {float(self.fps):g} frames per second more slowly than it is.",
                hint=f"Give --fps {codec.most_fps} or less, or export a video.",
            )
        if self.share != WHOLE or self.resume:
            raise UsageError(
                f"An animation ({codec.title}) is encoded in one piece: it cannot be shared or resumed.",
                hint="Leave --part and --resume out, or export a video.",
            )

    def arguments(self) -> list[str]:
        """Return the arguments of ``videoinr`` that run this job; ``videoinr export`` parses them to an equal job.

        Two options of reading have no argument: colours, and the rate of a clip of pictures.
        """
        read, crop = self.options, f"{self.crop.width}x{self.crop.height}+{self.crop.x}+{self.crop.y}"
        is_plain = self.curve is None
        options = {
            "--start": _time(self.segment.start_secs) if is_plain else None,
            "--end": _time(self.segment.end_secs) if is_plain else None,
            "--fps": self.fps,
            "--speed": self.speed if is_plain else None,
            "--retime": self.curve,
            "--shutter": self.shutter or None,
            "--camera": self.camera,
            "--readout": self.readout or None,
            "--shutter-region": self.shutter_region,
            "--size": self.grid,
            "--crop": crop if self.crop != self.grid.rect else None,
            "--across-cuts": self.across_cuts.value if self.across_cuts is not AcrossCuts.HOLD else None,
            "--sound": self.sound.value if self.sound is not SoundChoice.KEEP else None,
            "--part": self.share if self.share != WHOLE else None,
            "--codec": self.codec,
            "--crf": self.crf,
            "--effort": self.effort.value if self.effort is not Effort.MEDIUM else None,
            "--model": self.model,
            "--device": self.device,
            "--stream": read.stream,
            "--background": read.background if read.background != DEFAULT_OPTIONS.background else None,
            "--cuts": read.cuts or None,
            "--deinterlace": read.deinterlace if read.deinterlace != DEFAULT_OPTIONS.deinterlace else None,
        }
        flags = {"--overwrite": self.overwrite, "--keep-partial": self.keep_partial, "--resume": self.resume}
        line = ["export"]
        for name, value in options.items():
            line += [] if value is None else [name, str(value)]
        # "--" ends the options, so that a name such as -o.mp4 is read as a path.
        return [*line, *(name for name, is_on in flags.items() if is_on), "--", str(self.clip), str(self.out)]


class ExportOptions(TypedDict, total=False):
    """The options of an export, as keyword arguments; an option that is absent or None has its default.

    ``start`` and ``end`` (seconds) default to the whole clip; ``fps``, or ``time_scale`` times the clip's rate, to the
    clip's rate; ``speed`` to 1; ``scale`` (grid pixels for each clip pixel), or the grid's ``size``, to scale 2;
    ``crop`` to the whole grid; ``shutter`` and ``readout`` to 0. The others are those of :class:`ExportJob`.
    """

    start: Fraction | None
    end: Fraction | None
    fps: Fraction | None
    time_scale: Fraction | None
    speed: Fraction | None
    scale: Fraction | None
    size: Grid | None
    crop: Rect | None
    codec: str | None
    crf: int | None
    effort: Effort
    model: str | None
    device: str | None
    options: OpenOptions
    overwrite: bool
    keep_partial: bool
    across_cuts: AcrossCuts
    sound: SoundChoice
    share: Share
    resume: bool
    curve: RetimeCurve | None
    shutter: Fraction | None
    camera: CameraPath | None
    readout: Fraction | None
    shutter_region: ShutterRegion | None


def job_for(info: ClipInfo, out: Path, **options: Unpack[ExportOptions]) -> ExportJob:
    """Return the job that exports the clip ``info`` to ``out``.

    Raises:
        UsageError: an option is out of range, two options exclude each other, or the segment or the crop lies
            outside the clip.
    """
    grid = grid_of(info, scale=options.get("scale"), size=options.get("size"), default_scale=CLIP_SCALE)
    curve, camera = options.get("curve"), options.get("camera")
    crop = rect_of(grid, options.get("crop"))
    if camera is not None:
        camera.check(info.grid, grid, (crop.width, crop.height))
    return ExportJob(
        clip=info.path,
        out=out,
        segment=_segment(info, curve, options),
        fps=_fps(info.fps, options.get("fps"), options.get("time_scale")),
        speed=checked_speed(options.get("speed")),
        grid=grid,
        crop=crop,
        codec=options.get("codec"),
        crf=options.get("crf"),
        effort=options.get("effort", Effort.MEDIUM),
        model=options.get("model"),
        device=options.get("device"),
        options=options.get("options", DEFAULT_OPTIONS),
        overwrite=options.get("overwrite", False),
        keep_partial=options.get("keep_partial", False),
        across_cuts=options.get("across_cuts", AcrossCuts.HOLD),
        sound=options.get("sound", SoundChoice.KEEP),
        share=options.get("share", WHOLE),
        resume=options.get("resume", False),
        curve=curve,
        shutter=_shutter(options.get("shutter"), info),
        camera=camera,
        readout=_readout(options.get("readout"), info),
        shutter_region=_shutter_region(options.get("shutter_region"), info),
    )


def _segment(info: ClipInfo, curve: RetimeCurve | None, options: ExportOptions) -> Segment:
    start, end = options.get("start"), options.get("end")
    if curve is None:
        return segment_from_marks(info.duration_secs, start, end)
    if start is not None or end is not None or options.get("speed") not in (None, 1):
        raise UsageError(
            "A retime curve says itself which part of the clip is shown, and how fast.",
            hint="Leave --start, --end and --speed out, or the curve (--retime).",
        )
    shown = curve.extent
    if shown.end_secs > info.duration_secs:
        raise UsageError(
            f"The retime curve shows the clip up to {float(shown.end_secs):g} s, but it lasts "
            f"{float(info.duration_secs):g} s (exactly {info.duration_secs} s).",
            hint="In a point OUT=CLIP, the second number is the time in the clip.",
        )
    return shown


def check_angle(angle: Fraction) -> None:
    """Raise UsageError if no shutter is open for so many degrees."""
    if not 0 <= angle <= 360:
        raise UsageError(f"A shutter of {float(angle):g} degrees is out of range.", hint="Give 0 to 360 degrees.")


def _shutter(angle: Fraction | None, info: ClipInfo) -> Fraction:
    if angle is None or not angle:
        return Fraction(0)
    check_angle(angle)
    if info.colour.transfer in HDR_TRANSFERS:
        raise UsageError(
            "Shutter synthesis adds light, and reads the levels of HDR clips (PQ, HLG) wrongly.",
            hint="Leave the shutter out, or convert the clip to SDR first.",
        )
    return angle


def _shutter_region(region: ShutterRegion | None, info: ClipInfo) -> ShutterRegion | None:
    if region is not None:
        region.check(info.grid)
        _shutter(region.degrees, info)
    return region


def _readout(secs: Fraction | None, info: ClipInfo) -> Fraction:
    most = longest_readout_secs(info.fps)
    if secs is not None and abs(secs) > most:
        raise UsageError(
            f"A readout of {float(secs):g} s is longer than two frames of the clip ({float(most):g} s).",
            hint="Give the seconds in which the camera reads one frame, such as 1/60; negative: from the last row.",
        )
    return secs or Fraction(0)


def _fps(clip_fps: Fraction, fps: Fraction | None, time_scale: Fraction | None) -> Fraction:
    check_rate(fps, time_scale)
    if fps is not None:
        return fps
    return default_fps(clip_fps) if time_scale is None else rate_from_scale(clip_fps, time_scale)


def check_rate(fps: Fraction | None, time_scale: Fraction | None) -> None:
    """Raise UsageError if a rate cannot be written, or a time scale was given besides it."""
    if fps is not None and time_scale is not None:
        raise UsageError("Both a frame rate and a time scale were given.", hint="Give one of them.")
    if fps is not None:
        checked_fps(fps)


def checked_speed(speed: Fraction | None) -> Fraction:
    """Return ``speed``, or 1 for None; raise UsageError if it is not above 0."""
    if speed is not None and speed <= 0:
        raise UsageError(f"A speed of {float(speed):g} is not above 0.", hint="Give a speed above 0.")
    return Fraction(1) if speed is None else speed


def _time(secs: Fraction) -> str:
    return str(secs.limit_denominator(_MAX_DENOMINATOR))
