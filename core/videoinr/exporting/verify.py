"""Checks a written video file by reading it back."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.formats import VIDEO_OPTIONS
from videoinr.clip.sound_channels import settle_channels
from videoinr.errors import ExportError
from videoinr.exporting.coding import Coding
from videoinr.exporting.cores import usable_cores
from videoinr.exporting.waiting import memory_bytes
from videoinr.exporting.webp import webp_facts
from videoinr.text.phrases import format_count

_MILLISECOND = Fraction(1, 1000)

_GIF_UNIT_SECS = Fraction(1, 100)
_APNG_DRIFT_SECS = Fraction(1, 100_000)
"""FFmpeg reads each duration of an APNG, which the file holds exactly, in this unit, rounded down."""

_SOUND_SLACK_SECS = Fraction(1, 100)
_DECODED_PACKETS = 50

_DECODED_WHOLE = 240
"""A file of at most so many frames is decoded from start to end."""

_SPOTS = 16
"""In a longer file, frames at so many places are decoded: the first, the last, and others evenly spread."""

_WORKERS, _HELD_FRAMES, _MEMORY_SHARE = 4, 16, 16
"""So many threads decode them, or one for each, as far as there are cores for them and the frames that a decoder holds
take at most that share of the memory. Nothing else is left to do then."""

_MOST_BYTES_PX = 8
"""Bytes of a decoded pixel, at most: four planes of 16 bits."""

_FROM_KEY = 8
"""Of a place between, the frames from the key frame before it are decoded, so many at most: all of a group, twice as
many as a file has groups, would take a quarter of the time of an export on a GPU."""


def verify_video(
    path: Path, *, width: int, height: int, frames: int, fps: Fraction, token: CancelToken = NEVER,
    unit_secs: Fraction = _MILLISECOND, drift_secs: Fraction = Fraction(0),
) -> None:  # fmt: skip
    """Check that the file ``path`` holds ``frames`` pictures of that size, ``1 / fps`` seconds apart from second 0.

    Times may be rounded to the container's unit, ``unit_secs`` (milliseconds in Matroska and WebM); and a reader may
    add up rounded durations, so that frame ``i`` is off by ``i * drift_secs`` more. The check reads the whole file and
    decodes frames at its start, at its end and between; all frames of a short file.

    Raises:
        ExportError: the file cannot be read, or it holds something else.
        Cancelled: ``token`` was cancelled.
    """
    try:
        with av.open(f"file:{path}", options=VIDEO_OPTIONS) as container:
            times, keys, end_secs = _times(container, token)
            duration = Fraction(container.duration, av.time_base) if container.duration else end_secs
        if len(times) != frames:
            raise _failed(f"it holds {format_count(len(times), 'frame')} instead of {frames}")
        sizes = _decoded_sizes(path, times, keys, _MOST_BYTES_PX * width * height, token)
    except (av.FFmpegError, IndexError, StopIteration, ValueError) as error:
        raise _failed(f"it cannot be read back ({error!r})") from error
    wrong = next(((w, h) for w, h in sizes if (w, h) != (width, height)), None)
    if wrong:
        raise _failed(f"its pictures are {wrong[0]}x{wrong[1]} instead of {width}x{height}")
    if any(abs(time - index / fps) > unit_secs + index * drift_secs for index, time in enumerate(times)):
        raise _failed("its frames have wrong times")
    if abs(duration - frames / fps) > 1 / fps + unit_secs + frames * drift_secs:
        raise _failed(f"it lasts {float(duration):.3f} s instead of {float(frames / fps):.3f} s")


def verify_animation(path: Path, coding: Coding, frames: int, token: CancelToken = NEVER) -> None:
    """Check that the file ``path`` holds an animation of ``frames`` pictures of ``coding``; see :func:`verify_video`.

    FFmpeg reads no animated WebP: only the size and the duration of one are checked.
    """
    if coding.muxer != "webp":
        verify_video(
            path, width=coding.width, height=coding.height, frames=frames, fps=coding.fps, token=token,
            unit_secs=_GIF_UNIT_SECS if coding.muxer == "gif" else _MILLISECOND, drift_secs=_APNG_DRIFT_SECS,
        )  # fmt: skip
        return
    found = webp_facts(path)
    if (found.width, found.height) != (coding.width, coding.height):
        raise _failed(
            f"its pictures are {found.width}x{found.height} instead of {coding.width}x{coding.height}"
        )  # fmt: skip
    if found.stored and abs(found.duration_secs - frames / coding.fps) > 1 / coding.fps + _MILLISECOND:
        raise _failed(f"it lasts {float(found.duration_secs):.3f} s instead of {float(frames / coding.fps):.3f} s")


def verify_sound(path: Path, *, streams: int, duration_secs: Fraction, token: CancelToken = NEVER) -> None:
    """Check that the file ``path`` has ``streams`` sound streams, and that none goes on after ``duration_secs``.

    The first second of each stream is decoded. Some sound starts later than the picture, or ends earlier.

    Raises:
        ExportError: the file cannot be read, or it holds something else.
        Cancelled: ``token`` was cancelled.
    """
    try:
        with av.open(f"file:{path}", options=VIDEO_OPTIONS) as container:
            found = len(container.streams.audio)
        if found != streams:
            raise _failed(f"it holds {format_count(found, 'sound stream')} instead of {streams}")
        for number in range(streams):
            with av.open(f"file:{path}", options=VIDEO_OPTIONS) as container:
                end_secs = _sound_end(container, number, token)
            if end_secs > duration_secs + _SOUND_SLACK_SECS:
                raise _failed(
                    f"its sound ends at {float(end_secs):.3f} s, its pictures at {float(duration_secs):.3f} s"
                )
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise _failed(f"its sound cannot be read back ({error!r})") from error


def _sound_end(container: InputContainer, number: int, token: CancelToken) -> Fraction:
    """Decode the first packets of a sound stream, and return when its last packet starts."""
    stream = container.streams.audio[number]
    settle_channels(stream.codec_context)
    packets, latest = 0, Fraction(0)
    for packet in container.demux(stream):
        token.check()
        if packet.pts is not None and packet.size:
            packets += 1
            latest = max(latest, packet.pts * packet.time_base)
            if packets <= _DECODED_PACKETS:
                packet.decode()
    return latest


def _times(container: InputContainer, token: CancelToken) -> tuple[list[Fraction], list[Fraction], Fraction]:
    """Return the presentation times of all pictures and of the key frames, in order, and when the last picture ends."""
    stream = container.streams.video[0]
    base = stream.time_base or Fraction(1)
    times, keys, end_secs = [], [], Fraction(0)
    for packet in container.demux(stream):
        token.check()
        if packet.pts is not None:
            if packet.size and not any(memoryview(packet)):
                raise _failed(f"its data at {float(packet.pts * base):.3f} s is empty")
            times.append(packet.pts * base)
            if packet.is_keyframe:
                keys.append(times[-1])
            end_secs = max(end_secs, (packet.pts + (packet.duration or 0)) * base)
    return sorted(times), sorted(keys), end_secs


def _spots(times: Sequence[Fraction], keys: Sequence[Fraction]) -> Sequence[int]:
    """Return which frames of a long file are decoded up to, from the key frames before them."""
    last = len(times) - 1
    spots = {0, last}
    for spot in (i * last // (_SPOTS - 1) for i in range(1, _SPOTS - 1)):
        before = bisect_right(keys, times[spot])
        key = bisect_left(times, keys[before - 1]) if before else spot
        spots.add(min(spot, key + _FROM_KEY))
    return sorted(spots)


def _workers(places: int, frame_bytes: int) -> int:
    """Return how many threads decode frames of ``frame_bytes`` at so many ``places``."""
    room = memory_bytes() // _MEMORY_SHARE // (_HELD_FRAMES * frame_bytes)
    return min(places, usable_cores(), max(_WORKERS, room))


def _decoded_sizes(
    path: Path, times: Sequence[Fraction], keys: Sequence[Fraction], frame_bytes: int, token: CancelToken
) -> set[tuple[int, int]]:
    """Decode some frames, or all of a short file. Return the (width, height) of all that were decoded.

    Of a long file, the frames up to the last one are decoded by FFmpeg's threads. The other places, of which each
    needs few frames, are shared by threads that decode one frame at a time: FFmpeg's threads would begin many more
    frames at each place than are needed.

    Raises:
        ExportError: a frame is missing or damaged.
    """
    if len(times) <= _DECODED_WHOLE:
        return _sizes_at(path, times, range(len(times)), token, threads=True)
    *between, last = _spots(times, keys)
    workers = _workers(len(between), frame_bytes)
    with ThreadPoolExecutor(workers, thread_name_prefix="verify") as pool:
        tried = [pool.submit(_sizes_at, path, times, (last,), token, threads=True)]
        tried += [pool.submit(_sizes_at, path, times, between[number::workers], token) for number in range(workers)]
        return {size for each in tried for size in each.result()}


def _sizes_at(
    path: Path, times: Sequence[Fraction], spots: Sequence[int], token: CancelToken, *, threads: bool = False
) -> set[tuple[int, int]]:
    """Decode up to each of the frames ``spots``, from the key frame before it; ``threads``: on several of FFmpeg's."""
    sizes: set[tuple[int, int]] = set()
    with av.open(f"file:{path}", options=VIDEO_OPTIONS) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "AUTO" if threads else "NONE"
        base = stream.time_base or Fraction(1)
        decoded = container.decode(stream)
        for spot in spots:
            if len(spots) < len(times):  # All frames are decoded in one go.
                container.seek(int(times[spot] / base), stream=stream)
                decoded = container.decode(stream)
            for frame in decoded:
                token.check()
                sizes.add((frame.width, frame.height))
                if frame.is_corrupt:
                    raise _failed(f"its frame at {float(times[spot]):.3f} s is damaged")
                if frame.pts is not None and frame.pts * base >= times[spot]:
                    break
            else:
                raise _failed(f"its frame at {float(times[spot]):.3f} s cannot be decoded")
            if frame.pts is None or frame.pts * base != times[spot]:
                raise _failed(f"its frame at {float(times[spot]):.3f} s cannot be decoded")
    return sizes


def _failed(fault: str) -> ExportError:
    return ExportError(
        f"The written file failed its check: {fault}.", hint="It was removed. Try another codec or file type."
    )
