"""Clips with a click at each flash of the picture, and independent readers that find both again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 64, 48
MILLISECOND = Fraction(1, 1000)
TONE_HZ = 440

Times = list[float]


def write_clicks(
    path: Path,
    times_msecs: Sequence[int],
    flashes: Sequence[int],
    *,
    end_msecs: int,
    sound: str = "aac",
    rate: int = 48000,
    tone: float = 0.0,
    late_msecs: int = 0,
    sound_end_msecs: int | None = None,
) -> Path:
    """Write a clip of dark frames that start at ``times_msecs``; frames ``flashes`` are white and start with a click.

    ``tone``: amplitude of a tone of TONE_HZ below the clicks. ``late_msecs``: by how much all of the file's times are
    later. ``sound_end_msecs``: where the sound ends, if not with the picture.
    """
    samples = rate * (sound_end_msecs or end_msecs) // 1000
    signal = tone * np.sin(np.arange(samples) * 2 * np.pi * TONE_HZ / rate)
    for flash in flashes:
        start = round(times_msecs[flash] * rate / 1000)
        signal[start : start + 3] = 0.9, -0.9, 0.9
    codec = {".webm": ("libvpx-vp9", {"lossless": "1"})}.get(path.suffix, ("libx264", {"crf": "0", "bf": "2"}))
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec[0], rate=1000, options=codec[1])
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.time_base = MILLISECOND
        audio: Any = container.add_stream(sound, rate=rate, layout="mono")
        packets = _coded_video(video, times_msecs, flashes, end_msecs, late_msecs) + _coded_sound(
            audio, signal, rate, late_msecs
        )
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


def _coded_video(stream: Any, times: Sequence[int], flashes: Sequence[int], end: int, late: int) -> list[Any]:
    packets = []
    for number, time in enumerate(times):
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        luma = np.full((HEIGHT, frame.planes[0].line_size), 235 if number in flashes else 16, np.uint8)
        # A bar moves, so that no frame repeats another.
        luma[8:24, 5 * number % 40 : 5 * number % 40 + 20] = 120
        frame.planes[0].update(luma.tobytes())
        for plane in frame.planes[1:]:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts, frame.time_base = time + late, MILLISECOND
        packets += stream.encode(frame)
    packets += stream.encode(None)
    stops = dict(zip(times, [*times[1:], end], strict=True))
    for packet in packets:
        start = round(packet.pts * packet.time_base * 1000) - late
        packet.duration = round((stops[start] - start) * MILLISECOND / packet.time_base)
    return packets


def _coded_sound(stream: Any, signal: NDArray[np.float64], rate: int, late: int) -> list[Any]:
    stream.codec_context.open()
    packets, size = [], stream.codec_context.frame_size or 1024
    kind = stream.codec_context.format.name
    shift = late * rate // 1000
    for start in range(0, len(signal), size):
        piece = signal[None, start : start + size]
        whole: Any = {"s16": np.int16, "s32": np.int32}.get(kind.rstrip("p"))
        ready = np.rint(piece * np.iinfo(whole).max).astype(whole) if whole else piece.astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(ready), format=kind, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start + shift, Fraction(1, rate)
        packets += stream.encode(frame)
    return packets + list(stream.encode(None))


def found_by_pyav(path: Path) -> tuple[Times, Times]:
    """Return when the picture turns white and when clicks start, seconds, read by PyAV alone."""
    with av.open(str(path)) as container:
        frames = [(frame.time, frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        pieces = [(frame.time or 0.0, _mono(frame), frame.sample_rate) for frame in container.decode(audio=0)]
    rate = pieces[0][2]
    clicks = _clicks(np.concatenate([piece for _, piece, _ in pieces]), rate)
    return _flashes(frames), [pieces[0][0] + click for click in clicks]


def found_by_ffmpeg(path: Path) -> tuple[Times, Times]:
    """Return the same, read by the system's FFmpeg, which is another version."""
    probed = _output("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time",
                     "-of", "csv=p=0", str(path))  # fmt: skip
    times = sorted(float(line.strip(b",")) for line in probed.split() if line.strip(b","))
    raw = _output("ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-vsync", "passthrough",
                  "-f", "rawvideo", "-pix_fmt", "gray", "-")  # fmt: skip
    size = len(raw) // len(times)
    means = [float(np.frombuffer(raw[n * size : (n + 1) * size], np.uint8).mean()) for n in range(len(times))]

    # Samples before second 0 are dropped, and silence stands before a late start.
    sound = _output("ffmpeg", "-v", "error", "-copyts", "-i", str(path), "-map", "0:a:0",
                    "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", "48000", "-f", "f32le", "-")  # fmt: skip
    return _flashes(list(zip(times, means, strict=True))), _clicks(np.frombuffer(sound, np.float32), 48000)


def readers() -> list[Any]:
    """Return the readers that this machine has."""
    return [found_by_pyav, *([found_by_ffmpeg] if shutil.which("ffmpeg") and shutil.which("ffprobe") else [])]


def _output(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


def _mono(frame: av.AudioFrame) -> NDArray[np.float64]:
    stored: Any = frame.to_ndarray()
    values = stored / np.iinfo(stored.dtype).max if stored.dtype.kind == "i" else stored.astype(float)
    channels = frame.layout.nb_channels
    mono: NDArray[np.float64] = values.mean(0) if frame.format.is_planar else values.reshape(-1, channels).mean(1)
    return mono


def _flashes(frames: list[Any]) -> Times:
    """The times of the frames that are white after a dark one."""
    white = [mean > 128 for _, mean in frames]
    return [frames[n][0] for n in range(1, len(frames)) if white[n] and not white[n - 1]]


def _clicks(signal: NDArray[Any], rate: int) -> Times:
    """The starts of the loudest places that are at least 20 ms apart."""
    loud = np.flatnonzero(np.abs(signal) > 0.45 * np.abs(signal).max())
    starts = [index for n, index in enumerate(loud) if n == 0 or index - loud[n - 1] > rate // 50]
    return [float(index) / rate for index in starts]
