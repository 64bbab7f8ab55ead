"""Damages files the way disks, networks and people do: the same variants for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.clips import numbered_frame, remux, write_clip

_HEADER_BYTES = 512

Damage = Callable[[bytearray, random.Random], bytes]


def damaged_variants(sources: list[Path], folder: Path, count: int, seed: int) -> Iterator[Path]:
    """``count`` damaged copies of ``sources`` in turn, written to ``folder`` one by one, each named for its damage."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    for number in range(count):
        source = sources[number % len(sources)]
        kind = _KINDS[number // len(sources) % len(_KINDS)]
        suffix = chance.choice(_SUFFIXES) if kind is _untouched else source.suffix
        path = folder / f"{number:04d}_{kind.__name__.strip('_')}_{source.stem}{suffix}"
        path.write_bytes(kind(bytearray(source.read_bytes()), chance))
        yield path


def spoil_middle(*numbers: int) -> Callable[[int, bytes], bytes]:
    """Return a change that flips bits in the middle of the packets ``numbers``."""

    def change(number: int, data: bytes) -> bytes:
        middle = len(data) // 2
        end = middle + max(4, len(data) // 8)
        return (
            data[:middle] + bytes(each ^ 0x5A for each in data[middle:end]) + data[end:] if number in numbers else data
        )

    return change


def spoilt_clip(folder: Path, count: int = 30) -> tuple[Path, Path]:
    """Write a clip with a key frame each 12 frames, and a copy whose frames 17 and 25 decode with errors."""
    frames = [numbered_frame(number, width=160, height=96) for number in range(count)]
    whole = write_clip(folder / "whole.mkv", frames, codec="mpeg4", options={"g": "12"})
    return whole, remux(whole, folder / "spoilt.mkv", spoil_middle(17, 25))


def _truncated(data: bytearray, chance: random.Random) -> bytes:
    return bytes(data[: chance.randrange(1, len(data))])


def _header_only(data: bytearray, chance: random.Random) -> bytes:
    return bytes(data[: chance.randrange(1, min(_HEADER_BYTES, len(data)))])


def _tail_lost(data: bytearray, chance: random.Random) -> bytes:
    return bytes(data[: len(data) - chance.randrange(1, max(2, len(data) // 10))])


def _few_bits(data: bytearray, chance: random.Random) -> bytes:
    return _flipped(data, chance, count=8, within=len(data))


def _many_bits(data: bytearray, chance: random.Random) -> bytes:
    return _flipped(data, chance, count=max(1, len(data) // 50), within=len(data))


def _header_bits(data: bytearray, chance: random.Random) -> bytes:
    return _flipped(data, chance, count=chance.choice((1, 3, 16)), within=min(_HEADER_BYTES, len(data)))


def _tail_bits(data: bytearray, chance: random.Random) -> bytes:
    """Bits at the end, where MP4 files keep their index."""
    start = max(0, len(data) - 2048)
    return bytes(data[:start]) + _flipped(data[start:], chance, count=6, within=len(data) - start)


def _zeroed(data: bytearray, chance: random.Random) -> bytes:
    return _filled(data, chance, value=0)


def _saturated(data: bytearray, chance: random.Random) -> bytes:
    return _filled(data, chance, value=255)


def _swapped(data: bytearray, chance: random.Random) -> bytes:
    first, second, third, fourth = sorted(chance.sample(range(len(data) + 1), 4))
    return bytes(data[:first] + data[third:fourth] + data[second:third] + data[first:second] + data[fourth:])


def _doubled(data: bytearray, chance: random.Random) -> bytes:
    first, second = sorted(chance.sample(range(len(data) + 1), 2))
    return bytes(data[:second] + data[first:])


def _hole(data: bytearray, chance: random.Random) -> bytes:
    first = chance.randrange(len(data))
    return bytes(data[:first] + data[first + chance.randrange(1, 2000) :])


def _empty(data: bytearray, chance: random.Random) -> bytes:
    return b""


def _text(data: bytearray, chance: random.Random) -> bytes:
    return "".join(chance.choice("lorem ipsum dolor sit amet,\n") for _ in range(chance.randrange(1, 4000))).encode()


def _noise(data: bytearray, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(1, 20_000))


def _untouched(data: bytearray, chance: random.Random) -> bytes:
    """The whole file, under another extension."""
    return bytes(data)


_KINDS: tuple[Damage, ...] = (
    *(_truncated, _few_bits, _header_bits, _tail_bits, _zeroed, _swapped, _hole, _many_bits),
    *(_untouched, _text, _empty, _noise, _header_only, _tail_lost, _saturated, _doubled),
)

_SUFFIXES = (".mp4", ".mkv", ".avi", ".gif", ".ts", ".txt", ".png", ".mp3", "")


def _flipped(data: bytearray, chance: random.Random, *, count: int, within: int) -> bytes:
    for _ in range(count):
        data[chance.randrange(within)] ^= 1 << chance.randrange(8)
    return bytes(data)


def _filled(data: bytearray, chance: random.Random, *, value: int) -> bytes:
    start = chance.randrange(len(data))
    length = min(len(data) - start, chance.randrange(1, max(2, len(data) // 3)))
    data[start : start + length] = bytes([value]) * length
    return bytes(data)
