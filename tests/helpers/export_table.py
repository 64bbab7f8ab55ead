"""A table of exports: clips of all kinds, exported to every format, and read back by the system's ffprobe and ffmpeg.

The pictures are linear in x and y, so a fit of a plane gives its values, where its samples lie, and which way up it is,
far more exactly than the codec's loss. No reader or formula of videoinr takes part in the check.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations, product
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from helpers.clips import write_clip
from helpers.held_frames import HeldFrames
from helpers.webp_reader import planes_of_webp, probe_webp
from videoinr.clip import open_clip
from videoinr.colour import ColourSpec
from videoinr.exporting.export import export_job
from videoinr.exporting.job import job_for

WIDTH, HEIGHT, FRAMES = 96, 64, 8
STEP = 5
"""By how much of 255 each frame is lighter than the one before."""
CONSTANT = [40 * number for number in range(FRAMES)]
VARIABLE = [0, 40, 60, 100, 180, 200, 260, 300]
"""Milliseconds."""

FORMATS = [
    ("out.mp4", "libx264"), ("out.mov", "libx264"), ("out.mkv", "libx264"), ("out.mp4", "libx265"),
    ("out.mov", "libx265"), ("out.mkv", "libx265"), ("out.mp4", "libsvtav1"), ("out.webm", "libsvtav1"),
    ("out.mkv", "libsvtav1"), ("out.mp4", "libvpx-vp9"), ("out.webm", "libvpx-vp9"), ("out.mkv", "libvpx-vp9"),
    ("out.mov", "prores_ks"), ("out.mkv", "prores_ks"), ("out.mkv", "ffv1"), ("frames", "png"),
    ("out.mov", "dnxhd"), ("out.gif", "gif"), ("out.webp", "libwebp_anim"), ("out.apng", "apng"),
    ("frames", "png16"), ("frames", "tiff"), ("frames", "exr"),
]  # fmt: skip
_PICTURES = ("png", "png16", "tiff", "exr")
_UNTAGGED = (*_PICTURES, "gif", "libwebp_anim", "apng")
"""Formats whose colours are sRGB, or as good as untold."""
COLOURS = {
    "601": ColourSpec("smpte170m", "tv", "smpte170m", "smpte170m"),
    "709": ColourSpec("bt709", "tv", "bt709", "bt709"),
    "2020": ColourSpec("bt2020nc", "tv", "bt2020", "bt2020-10"),
    "untagged": None,
}
UNTAGGED = ColourSpec("smpte170m", "tv", "bt709", "bt709")
"""What an untagged clip of this size is taken for, as mpv does."""

_COEFFICIENTS = {"smpte170m": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020nc": (0.2627, 0.0593)}
_EDGE = 4
_MOST_OFF = {"libx264": 0.5, "libx265": 0.8, "libsvtav1": 1.0, "libvpx-vp9": 0.8, "prores_ks": 0.8,
             "dnxhd": 0.8}  # fmt: skip
"""The mean error of the fitted pictures that a codec may make at its best quality, of 255; of others: rounding."""
_MOST_OFF_RGB = {"gif": 4.0, "libwebp_anim": 1.5}
"""256 colours for a plane of 130 x 130 levels are 8 levels apart; WebP has BT.601 of limited range, in 4:2:0."""
_BEST = {"libx264": 1, "libx265": 1, "libsvtav1": 1, "libvpx-vp9": 1, "libwebp_anim": 0}
_MOST_SHIFT = {"libsvtav1": 0.3, "dnxhd": 0.3}
"""Luma pixels, as far as a codec's loss moves the fit; half a pixel is what a wrong siting would be. DNxHR's pictures
are four times as large, so that the same error in levels moves the fit four times as far."""


@dataclass(frozen=True)
class Row:
    """A line of the table: an output, and the clip that it is made from."""

    name: str
    codec: str
    bits: int
    colour: str
    is_variable: bool
    rotation: int
    aspect: Fraction

    def __str__(self) -> str:
        rate = "vfr" if self.is_variable else "cfr"
        kind = f"{self.codec}{Path(self.name).suffix}"
        shape = f"{self.aspect.numerator}x{self.aspect.denominator}"
        return f"{kind}-{self.bits}-{self.colour}-{rate}-{self.rotation}-{shape}"

    @property
    def source(self) -> Row:
        """The row as far as it describes the clip."""
        return replace(self, name="", codec="" if self.factor == 1 else self.codec)

    @property
    def factor(self) -> int:
        """How many times as large as others the clip is: DNxHR begins at 256 x 120."""
        return 4 if self.codec == "dnxhd" else 1

    @property
    def stored(self) -> tuple[int, int]:
        """(width, height) of the clip's stored pictures."""
        return WIDTH * self.factor, HEIGHT * self.factor

    @property
    def tags(self) -> ColourSpec:
        """The colours of the clip."""
        return COLOURS[self.colour] or UNTAGGED

    @property
    def times(self) -> list[int]:
        """When the clip's frames start, milliseconds."""
        return VARIABLE if self.is_variable else CONSTANT

    @property
    def fps(self) -> Fraction:
        """The output's rate."""
        return Fraction(50 if self.is_variable else 25)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the upright picture."""
        return self.stored[::-1] if self.rotation % 180 else self.stored

    @property
    def is_rgb(self) -> bool:
        """Whether the output holds RGB."""
        return self.codec in ("ffv1", *_UNTAGGED)

    @property
    def depth(self) -> int:
        """The bits that the output should have; those of GIF and WebP are 8."""
        whole = {"libvpx-vp9": 8, "gif": 8, "libwebp_anim": 8, "prores_ks": 10, "png16": 16, "exr": 32}
        deep = {"ffv1": 16, "png": 16, "tiff": 16, "apng": 16}
        return whole.get(self.codec, self.bits if self.bits == 8 else deep.get(self.codec, self.bits))


def all_rows() -> Iterator[Row]:
    """Yield the whole table."""
    for (name, codec), bits, colour, is_variable, rotation, aspect in product(
        FORMATS, (8, 10), COLOURS, (False, True), (0, 90, 180, 270), (Fraction(1), Fraction(4, 3))
    ):
        yield Row(name, codec, bits, colour, is_variable, rotation, aspect)


def some_rows() -> Iterator[Row]:
    """Yield two rows of each format, chosen so that all pairs of properties of a clip are among them."""
    kinds = list(product((8, 10), COLOURS, (False, True), (0, 90, 180, 270), (Fraction(1), Fraction(4, 3))))
    met: set[tuple[object, ...]] = set()
    for (name, codec), _ in product(FORMATS, range(2)):
        kind = max(kinds, key=lambda each: len(_pairs((name, codec), each) - met))
        met |= _pairs((name, codec), kind)
        yield Row(name, codec, *kind)


def _pairs(output: object, kind: tuple[object, ...]) -> set[tuple[object, ...]]:
    properties = list(enumerate((*kind, output)))
    return set(combinations(properties, 2))


# ---- the clips ----


def picture_at(row: Row, x: Any, y: Any, number: Any) -> NDArray[np.float64]:
    """[..., 3]: red, green and blue, 0..255, of frame ``number`` at (x, y) of the upright picture, pixel centres."""
    right, down = (x + 0.5) / row.size[0], (y + 0.5) / row.size[1]
    lighter = STEP * number
    levels = [60 + 130 * right, 60 + 130 * down, 200 - 100 * right - 60 * down]
    picture: NDArray[np.float64] = np.stack(levels, -1) + lighter
    return picture


def _yuv(rgb: NDArray[np.float64], matrix: str, bits: int) -> NDArray[np.float64]:
    """[3, ...]: stored values of limited range, by the formulas of the standards."""
    red, green, blue = np.moveaxis(rgb / 255, -1, 0)
    kr, kb = _COEFFICIENTS[matrix]
    luma: NDArray[np.float64] = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    stored: NDArray[np.float64] = np.stack([16 + 219 * luma, 128 + 224 * cb, 128 + 224 * cr]) * 2.0 ** (bits - 8)
    return stored


def _upright(row: Row, x: Any, y: Any) -> tuple[Any, Any]:
    """Where a place of the stored picture lies when it was turned clockwise by the row's rotation."""
    width, height = row.stored
    return {
        0: (x, y), 90: (height - 1 - y, x), 180: (width - 1 - x, height - 1 - y), 270: (y, width - 1 - x)
    }[row.rotation]  # fmt: skip


def write_source(row: Row, path: Path) -> Path:
    """Write the clip of ``row``, lossless, with chroma at the left."""
    pix_fmt = "yuv420p" if row.bits == 8 else "yuv420p10le"
    frames = []
    noise = np.random.default_rng(0)
    for number in range(FRAMES):
        frame = av.VideoFrame(*row.stored, pix_fmt)
        for index, plane in enumerate(frame.planes):
            step = frame.width // plane.width
            y, x = np.mgrid[0 : plane.height, 0 : plane.width] * step
            rgb = picture_at(row, *_upright(row, x, y + (step - 1) / 2), number)
            exact = _yuv(rgb, row.tags.matrix, row.bits)[index]
            # Dithered: when plain steps are turned and rounded again, the errors add up to a quarter of a pixel.
            stored = np.rint(exact + noise.uniform(-0.5, 0.5, exact.shape))
            view = np.frombuffer(memoryview(plane), np.uint8 if row.bits == 8 else np.uint16)
            view.reshape(plane.height, -1)[:, : plane.width] = stored
        frames.append(frame)
    return write_clip(
        path, frames, codec="libx264", pix_fmt=pix_fmt, options={"qp": "0", "bf": "0"}, rotation=row.rotation,
        colour=COLOURS[row.colour], times=row.times, time_base=Fraction(1, 1000), fps=Fraction(25),
        sample_aspect=row.aspect,
    )  # fmt: skip


def export_row(row: Row, source: Path, folder: Path) -> Path:
    """Export the clip ``source`` of ``row`` into ``folder``; return the output."""
    with HeldFrames(open_clip(source)) as engine:
        task = job_for(
            engine.opened.info,
            folder / row.name,
            codec=row.codec,
            crf=_BEST.get(row.codec),
            scale=Fraction(1),
            fps=row.fps,
        )
        return export_job(task, engine).path


# ---- the check ----


def faults_of(row: Row, source: Path, out: Path) -> list[str]:
    """Return what is wrong with the output of ``row``, in words."""
    return list(_Check(row, source, out).faults())


class _Check:
    def __init__(self, row: Row, source: Path, out: Path) -> None:
        self._row, self._source, self._out = row, source, out

    @cached_property
    def _probed(self) -> dict[str, Any]:
        if self._out.suffix == ".webp":
            return probe_webp(self._out, self._row.fps)
        is_pictures = self._row.codec in _PICTURES
        return _probe(self._out.parent / (self._out.name % 0) if is_pictures else self._out)

    @property
    def _stream(self) -> dict[str, Any]:
        stream: dict[str, Any] = self._probed["streams"][0]
        return stream

    def faults(self) -> Iterator[str]:
        stream, row = self._stream, self._row
        if (stream["width"], stream["height"]) != row.size:
            yield f"size {stream['width']}x{stream['height']}, not {row.size}"
            return
        wanted = 1 / row.aspect if row.rotation % 180 else row.aspect
        if any("rotation" in each for each in stream.get("side_data_list", [])):
            yield "the output is rotated once more"
        aspect = Fraction(stream.get("sample_aspect_ratio", "1:1").replace(":", "/"))
        # WebP has no aspect, which a notice says; GIF has it in 64ths.
        if row.codec != "libwebp_anim" and abs(aspect / wanted - 1) > (0.01 if row.codec == "gif" else 1e-3):
            yield f"sample aspect {aspect}"
        is_webp = self._out.suffix == ".webp"
        planes = planes_of_webp(self._out, row.fps) if is_webp else _planes(self._out, stream)
        yield from self._time_faults(len(planes))
        if row.codec not in _UNTAGGED:
            yield from self._tag_faults()
        if _bits(stream["pix_fmt"]) != row.depth:
            yield f"pixel format {stream['pix_fmt']}"
        yield from self._picture_faults(planes)

    def _time_faults(self, frames: int) -> Iterator[str]:
        row, secs = self._row, Fraction(_probe(self._source)["format"]["duration"])
        wanted = int(secs * row.fps + Fraction(1, 2))
        if frames != wanted:
            yield f"{frames} frames, not {wanted}"
        if row.codec not in _PICTURES:
            last, told = self._probed["packets"][-1], self._probed["format"].get("duration")
            # An APNG has no duration but those of its frames.
            found = Fraction(told or float(last["pts_time"]) + float(last["duration_time"]))
            if abs(found - secs) > 1 / (2 * row.fps) + Fraction(1, 1000):
                yield f"lasts {float(found)} s, not {float(secs)} s"
            times = sorted(float(each["pts_time"]) for each in self._probed["packets"])
            unit = 0.01 if row.codec == "gif" else 0.001
            if any(abs(time - index / row.fps) > 0.51 * unit for index, time in enumerate(times)):
                yield f"frames at {times}"

    def _tag_faults(self) -> Iterator[str]:
        row, stream, tags = self._row, self._stream, self._row.tags
        wanted = {
            "color_space": "gbr" if row.is_rgb else tags.matrix, "color_range": "pc" if row.is_rgb else tags.range,
            "color_primaries": tags.primaries, "color_transfer": tags.transfer,
        }  # fmt: skip
        for name, value in wanted.items():
            if stream.get(name) != value:
                yield f"{name} is {stream.get(name)}, not {value}"

    def _picture_faults(self, planes: list[list[NDArray[np.float64]]]) -> Iterator[str]:
        row, shifts, off = self._row, [], []
        for index, frame in enumerate(planes):
            now = index * 1000 / row.fps
            number = max(n for n, time in enumerate(row.times) if time <= now)
            errors, shift = self._compared(frame, number)
            off.append(errors)
            shifts.append(shift)
        # A frame that is one step off in time is off by STEP levels.
        # The clip's own rounding, which RGB shows in three planes together.
        most = 1.0 if row.bits == 8 else 0.35
        if row.codec in _MOST_OFF_RGB:
            most = _MOST_OFF_RGB[row.codec]
        if not row.is_rgb:
            most = _MOST_OFF[row.codec] + (0.3 if row.bits == 8 else 0)
        if (worst := float(np.max(off))) > most:
            yield f"colours are off by {worst:.2f} of 255"
        shift = np.mean(shifts, axis=0)
        if np.abs(shift).max() > _MOST_SHIFT.get(row.codec, 0.2):
            yield f"chroma lies {shift.round(2).tolist()} pixels from {self._stream.get('chroma_location')}"

    def _compared(self, frame: list[NDArray[np.float64]], number: int) -> tuple[float, NDArray[np.float64]]:
        """The mean error of 255, and how far the chroma lies from where it should, luma pixels."""
        row, bits = self._row, _bits(self._stream["pix_fmt"])
        errors, ahead, slopes = [], [], []
        for index, plane in enumerate(frame):
            steps = row.size[0] // plane.shape[1], row.size[1] // plane.shape[0]
            j, i = (each[_EDGE:-_EDGE, _EDGE:-_EDGE] for each in np.mgrid[0 : plane.shape[0], 0 : plane.shape[1]])
            x, y = (i * steps[0] + self._offset(steps[0], "x"), j * steps[1] + self._offset(steps[1], "y"))
            rgb = picture_at(row, x, y, number)
            scale = 255 / (1 if bits == 32 else 2**bits - 1) if row.is_rgb else 2.0 ** (8 - bits)
            wanted = (np.moveaxis(rgb, -1, 0) if row.is_rgb else _yuv(rgb, row.tags.matrix, 8))[index]
            error = plane[_EDGE:-_EDGE, _EDGE:-_EDGE] * scale - wanted
            errors.append(np.abs(error).mean())
            if index and not row.is_rgb:
                ahead.append(error.mean())
                slopes.append([(wanted[0, -1] - wanted[0, 0]) / (x[0, -1] - x[0, 0]),
                               (wanted[-1, 0] - wanted[0, 0]) / (y[-1, 0] - y[0, 0])])  # fmt: skip
        shift = np.linalg.solve(np.array(slopes), np.array(ahead)) if slopes else np.zeros(2)
        return float(max(errors)), shift

    def _offset(self, step: int, axis: str) -> float:
        """Where the first sample of a plane with one sample for ``step`` pixels lies."""
        # Without a location, chroma lies at the left: that of MPEG-2 and its successors.
        where = self._stream.get("chroma_location", "left")
        if step == 1:
            return 0
        at_edge = {"x": ("left", "topleft"), "y": ("top", "topleft")}[axis]
        return 0 if where in at_edge else (step - 1) / 2


def _bits(pix_fmt: str) -> int:
    if "f32" in pix_fmt:
        return 32
    return 16 if "16" in pix_fmt or "48" in pix_fmt else 10 if "10" in pix_fmt else 8


def _probe(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_streams", "-show_format", "-show_packets",
               "-of", "json", str(path)]  # fmt: skip
    probed: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return probed


def _planes(out: Path, stream: dict[str, Any]) -> list[list[NDArray[np.float64]]]:
    """The planes of each frame, as ffmpeg decodes them: Y, Cb, Cr, or R, G, B."""
    pix_fmt, (width, height) = stream["pix_fmt"], (stream["width"], stream["height"])
    is_rgb = "rgb" in pix_fmt or "bgr" in pix_fmt or "gbr" in pix_fmt
    stored = (
        "gbrpf32le" if _bits(pix_fmt) == 32 else ("rgb48le" if _bits(pix_fmt) > 8 else "rgb24") if is_rgb else pix_fmt
    )
    command = ["ffmpeg", "-v", "error", "-noautorotate", "-i", str(out), "-map", "0:v", "-vsync", "passthrough",
               "-f", "rawvideo", "-pix_fmt", stored, "-"]  # fmt: skip
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    if stored == "gbrpf32le":
        light = np.frombuffer(raw, np.float32).astype(float).reshape(-1, 3, height, width)
        return [[_srgb(plane) for plane in (red, green, blue)] for green, blue, red in light]
    values = np.frombuffer(raw, np.uint16 if _bits(pix_fmt) > 8 else np.uint8).astype(float)
    if is_rgb:
        return [list(np.moveaxis(frame, -1, 0)) for frame in values.reshape(-1, height, width, 3)]
    across, down = (1 if "444" in pix_fmt else 2), (2 if "420" in pix_fmt else 1)
    luma, chroma = width * height, (width // across) * (height // down)
    frames = values.reshape(-1, luma + 2 * chroma)
    shape = (height // down, width // across)
    return [
        [f[:luma].reshape(height, width), f[luma : luma + chroma].reshape(shape), f[luma + chroma :].reshape(shape)]
        for f in frames
    ]


def _srgb(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """The level, 0..1, of an amount of light (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)
