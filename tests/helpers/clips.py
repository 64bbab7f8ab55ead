"""Makes small clips and pictures for tests, with frames whose number can be read back from their pixels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from videoinr.colour import MATRICES, PRIMARIES, RANGES, TRANSFERS, ColourSpec
from videoinr.exporting.decode_times import mend_decode_times

Picture = NDArray[np.uint8] | NDArray[np.uint16]

_CODE_COLUMNS, _CODE_ROWS, _ROW_SHARE = 8, 2, 6
"""The frame number stands at the top: 8 x 2 black or white cells, each an eighth wide and a sixth high."""

_SWS_CODES = {"bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020nc": 9}


def numbered_frame(number: int, *, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """uint8 [height, width, 3]: a drifting colour pattern that carries ``number`` (0 ... 65535); see number_in."""
    x, y = np.meshgrid(np.arange(width) + 2 * number, np.arange(height) + number)
    picture = np.stack([128 + 90 * np.sin(x / 9), 128 + 90 * np.sin(y / 7), 128 + 90 * np.sin((x + y) / 11)], axis=-1)
    frame = picture.astype(np.uint8)
    cell_width, cell_height = width // _CODE_COLUMNS, height // _ROW_SHARE
    for bit in range(_CODE_COLUMNS * _CODE_ROWS):
        row, column = divmod(bit, _CODE_COLUMNS)
        cell = np.s_[row * cell_height : (row + 1) * cell_height, column * cell_width : (column + 1) * cell_width]
        frame[cell] = 235 if number >> bit & 1 else 20
    return frame


def number_in(pixels: Picture) -> int:
    """The number that :func:`numbered_frame` wrote, from its pixels at any depth, size, and loss of coding."""
    height, width = pixels.shape[:2]
    grey = pixels.astype(float).mean(axis=-1) / np.iinfo(pixels.dtype).max
    cell_width, cell_height = width // _CODE_COLUMNS, height // _ROW_SHARE
    number = 0
    for bit in range(_CODE_COLUMNS * _CODE_ROWS):
        row, column = divmod(bit, _CODE_COLUMNS)
        centre = grey[
            row * cell_height + cell_height // 4 : (row + 1) * cell_height - cell_height // 4,
            column * cell_width + cell_width // 4 : (column + 1) * cell_width - cell_width // 4,
        ]
        number |= int(centre.mean() > 0.5) << bit
    return number


def numbered_frames(count: int, *, width: int = 64, height: int = 48) -> Iterator[NDArray[np.uint8]]:
    """Frames 0 ... count - 1 of :func:`numbered_frame`."""
    return (numbered_frame(number, width=width, height=height) for number in range(count))


@dataclass(frozen=True)
class ClipRecipe:
    """How a clip is written.

    ``pix_fmt``: of the stream. ``options``: the encoder's (``{"g": "12", "bf": "3"}``). ``rotation``: degrees clockwise
    that a player shall turn it; ``mirrored``: after that, flipped left to right. ``colour``: tags, and how RGB is
    converted; without it there are no tags and RGB is converted as BT.601 limited. ``times``: when each frame starts,
    in units of ``time_base``, for variable rates. ``audio_secs``: length of a sine tone that goes with it. ``tags``: of
    the file.
    """

    fps: Fraction = Fraction(25)
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=dict)
    rotation: int = 0
    mirrored: bool = False
    colour: ColourSpec | None = None
    times: Sequence[int] | None = None
    time_base: Fraction | None = None
    audio_secs: float = 0.0
    sample_aspect: Fraction | None = None
    container_format: str | None = None
    container_options: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def write_clip(
    path: Path,
    frames: int | Iterable[Picture | av.VideoFrame] = 24,
    recipe: ClipRecipe | None = None,
    **changes: Any,
) -> Path:
    """Write ``frames`` (how many numbered ones, or [h, w, 3] RGB arrays, or PyAV frames) to ``path``; return it.

    ``changes`` are fields of :class:`ClipRecipe`: ``write_clip(path, 10, codec="ffv1", fps=Fraction(30))``.
    """
    how = recipe or ClipRecipe(**changes)
    source = iter(numbered_frames(frames) if isinstance(frames, int) else frames)
    first = next(source, None)
    os.environ.setdefault("SVT_LOG", "0")
    with av.open(str(path), "w", format=how.container_format, options=dict(how.container_options)) as container:
        container.metadata.update(how.tags)
        stream = _add_stream(container, how)
        sound = container.add_stream("aac", rate=44100, layout="mono") if how.audio_secs else None
        if first is None:
            stream.width, stream.height = 64, 48
            container.start_encoding()
        else:
            stream.width, stream.height = _size_of(first)
            _write_frames(container, stream, first, source, how)
        if sound is not None:
            _write_tone(container, sound, how.audio_secs)
    return path


def write_audio(path: Path, secs: float = 0.5) -> Path:
    """A file with sound alone."""
    with av.open(str(path), "w") as container:
        _write_tone(container, container.add_stream("aac", rate=44100, layout="mono"), secs)
    return path


def write_pictures(
    folder: Path, frames: int | Iterable[Picture] = 4, *, name: str = "img_{}.png", pix_fmt: str | None = None
) -> list[Path]:
    """Write one picture file for each frame, ``name`` filled with its number; the paths, in that order."""
    folder.mkdir(parents=True, exist_ok=True)
    source = numbered_frames(frames) if isinstance(frames, int) else frames
    return [write_picture(folder / name.format(number), frame, pix_fmt=pix_fmt) for number, frame in enumerate(source)]


def write_picture(path: Path, pixels: Picture, *, pix_fmt: str | None = None) -> Path:
    """Write [h, w, 3] RGB ``pixels`` in the format that the suffix names."""
    codec, usual = {"jpg": ("mjpeg", "yuvj444p"), "tif": ("tiff", "rgb24")}.get(path.suffix[1:], (path.suffix[1:], ""))
    stored = pix_fmt or usual or ("rgb48be" if pixels.dtype == np.uint16 else "bgr24" if codec == "bmp" else "rgb24")
    frame = _frame_of(pixels, stored, None)
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, stored
    encoder.time_base = Fraction(1, 25)
    if codec == "mjpeg":
        encoder.options = {"qmin": "1", "qmax": "1"}
    path.write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]))
    return path


def flat_yuv_frame(
    values: Sequence[int], pix_fmt: str, *, width: int = 64, height: int = 48, time: int | None = None
) -> av.VideoFrame:
    """A frame of one colour: ``values`` are the stored numbers of its planes."""
    frame = av.VideoFrame(width, height, pix_fmt)
    for plane, value in zip(frame.planes, values, strict=True):
        kind = "u1" if frame.format.components[0].bits <= 8 else "u2"
        np.frombuffer(memoryview(plane), kind)[:] = value
    frame.pts = time
    return frame


def _add_stream(container: av.container.OutputContainer, how: ClipRecipe) -> Any:
    stream: Any = container.add_stream(how.codec, rate=how.fps)
    stream.pix_fmt = how.pix_fmt
    stream.codec_context.options = dict(how.options)
    if how.time_base is not None:
        stream.codec_context.time_base = how.time_base
    if how.rotation or how.mirrored:
        stream.set_display_rotation(-how.rotation, hflip=how.mirrored)
    if how.sample_aspect is not None:
        stream.codec_context.sample_aspect_ratio = how.sample_aspect
    if how.colour is not None:
        stream.codec_context.colorspace = _code(MATRICES, how.colour.matrix)
        stream.codec_context.color_range = _code(RANGES, how.colour.range)
        stream.codec_context.color_primaries = _code(PRIMARIES, how.colour.primaries)
        stream.codec_context.color_trc = _code(TRANSFERS, how.colour.transfer)
    return stream


def _code(names: Mapping[int, str], name: str) -> int:
    return next(code for code, each in names.items() if each == name)


def _size_of(frame: Picture | av.VideoFrame) -> tuple[int, int]:
    return (frame.width, frame.height) if isinstance(frame, av.VideoFrame) else (frame.shape[1], frame.shape[0])


def _write_frames(
    container: av.container.OutputContainer,
    stream: Any,
    first: Picture | av.VideoFrame,
    others: Iterator[Picture | av.VideoFrame],
    how: ClipRecipe,
) -> None:
    packets: list[av.Packet[Any]] = []
    for number, picture in enumerate((first, *others)):
        frame = picture if isinstance(picture, av.VideoFrame) else _frame_of(picture, how.pix_fmt, how.colour)
        frame.time_base = how.time_base or 1 / how.fps
        frame.pts = number if how.times is None else how.times[number]
        packets += stream.encode(frame)
    packets += stream.encode(None)
    # x265 once gave two frames a wrong decode time, on a machine of 16 cores.
    mend_decode_times(packets)
    container.mux(packets)


def _frame_of(pixels: Picture, pix_fmt: str, colour: ColourSpec | None) -> av.VideoFrame:
    deep = pixels.dtype == np.uint16
    stored: Any = np.ascontiguousarray(pixels)
    rgb = av.VideoFrame.from_ndarray(stored, "rgb48le" if deep else "rgb24")
    full = pix_fmt.startswith("yuvj") or (colour is not None and colour.range == "pc")
    code = _SWS_CODES.get(colour.matrix, 5) if colour else 5
    return rgb.reformat(format=pix_fmt, dst_colorspace=code, dst_color_range=2 if full else 1)


def _write_tone(container: av.container.OutputContainer, stream: Any, secs: float) -> None:
    count = 1024
    for start in range(0, int(secs * 44100), count):
        wave = 0.2 * np.sin((np.arange(count) + start) * 2 * np.pi * 440 / 44100)
        frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def remux(source: Path, target: Path, change: Callable[[int, bytes], bytes | None]) -> Path:
    """Copy ``source``'s video packets to ``target``, each through ``change`` (its number, its data; None drops it)."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0])
        packets = (packet for packet in reader.demux(video=0) if packet.size)
        for number, packet in enumerate(packets):
            data = change(number, bytes(packet))
            if data is not None:
                changed: Any = av.Packet(data)
                changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
                changed.duration, changed.is_keyframe, changed.stream = packet.duration, packet.is_keyframe, stream
                writer.mux(changed)
    return target


def write_footage(folder: Path) -> Path:
    """Write two clips to ``folder``: ``a``, a folder of 9 pictures, and ``b.mkv``, a video of 12 frames."""
    write_pictures(folder / "a", 9)
    write_clip(folder / "b.mkv", 12, codec="ffv1", pix_fmt="bgr0")
    return folder
