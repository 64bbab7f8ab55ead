"""Shots with known cuts, flashes, fades, dissolves and pans, from the demo clip and procedural textures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from videoinr.clip import open_clip
from videoinr.images import uint8_from_pixels
from videoinr_resources import path as resource_path

Frames = NDArray[np.uint8]

HEIGHT, WIDTH = 60, 96
TEXTURES = 30
"""How many different textures there are: each takes a while to make."""


@cache
def texture(number: int, *, size: int = 400) -> NDArray[np.float32]:
    """Return a coloured noise texture [size, size, 3] with detail at several sizes and a colour cast of its own."""
    rng, picture = np.random.default_rng(number), np.zeros((size, size, 3), np.float32)
    for cell in (6, 15, 40, 110):
        count = size // cell + 2
        where = np.arange(size, dtype=np.float32) / cell
        low = np.minimum(where.astype(int), count - 2)
        part = (where - low)[:, None]
        grid = rng.normal(size=(count, count, 3)).astype(np.float32)
        rows = grid[low] * (1 - part[..., None]) + grid[low + 1] * part[..., None]
        picture += (rows[:, low] * (1 - part) + rows[:, low + 1] * part) * cell**0.7
    tint, light = rng.uniform(0.6, 1, 3), rng.uniform(80, 170)
    return np.asarray(np.clip((light + 5 * picture) * tint.astype(np.float32), 0, 255), np.float32)


def pan(
    seed: int, frames: int, *, step: tuple[float, float] = (1.5, 0.5), start: tuple[int, int] = (120, 120)
) -> Frames:
    """Return a pan over a texture by ``step`` (x, y) pixels a frame."""
    picture, shot = texture(seed % TEXTURES), np.empty((frames, HEIGHT, WIDTH, 3), np.uint8)
    for number in range(frames):
        x, y = (round(start[axis] + number * step[axis]) for axis in (0, 1))
        shot[number] = picture[y : y + HEIGHT, x : x + WIDTH]
    return shot


def zoom(seed: int, frames: int, *, rate: float = 1.03) -> Frames:
    """Return a zoom into a texture, ``rate`` times closer each frame."""
    picture, shot = texture(seed % TEXTURES), np.empty((frames, HEIGHT, WIDTH, 3), np.uint8)
    for number in range(frames):
        rows, columns = (200 + (np.arange(side) - side / 2) / rate**number for side in (HEIGHT, WIDTH))
        shot[number] = picture[rows.astype(int)[:, None], columns.astype(int)]
    return shot


@cache
def demo_frames() -> Frames:
    """Return the 32 frames of the demo clip, a third of its size."""
    with open_clip(resource_path("demo/demo.mp4")) as clip:
        frames = [uint8_from_pixels(clip.frame(index)) for index in range(clip.info.frames)]
    small = [frame[: HEIGHT * 3, : WIDTH * 3].reshape(HEIGHT, 3, WIDTH, 3, 3).mean((1, 3)) for frame in frames]
    return np.stack(small).round().astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Known:
    """Frames with known cuts: ``cuts`` are the pairs that have one."""

    name: str
    frames: Frames
    cuts: frozenset[int]


def joined(name: str, *shots: Frames) -> Known:
    """Return the shots one after the other, with a cut between any two."""
    ends = np.cumsum([len(shot) for shot in shots])
    return Known(name, np.concatenate(shots), frozenset(int(end) - 1 for end in ends[:-1]))


def lit(shot: Frames, gains: dict[int, float], *, lift: float = 0.0) -> Frames:
    """Return a shot with some frames ``gains`` times as bright, and ``lift`` levels on top."""
    changed = shot.astype(float)
    for number, gain in gains.items():
        changed[number] = changed[number] * gain + lift
    return np.asarray(np.clip(changed, 0, 255), np.uint8)


def faded(shot: Frames, first: int, count: int, *, to: int) -> Frames:
    """Return a shot that fades to a flat colour of ``to`` levels in ``count`` frames, and back in as many."""
    level = np.interp(np.arange(len(shot)), [first, first + count, first + 2 * count], [0, 1, 0])
    shares = level[:, None, None, None]
    return np.asarray((shot * (1 - shares) + to * shares).round(), np.uint8)


def dissolved(first: Frames, second: Frames, count: int) -> Frames:
    """Return ``first`` and then ``second``, which dissolve into each other over ``count`` frames."""
    shares = ((np.arange(count) + 1) / (count + 1))[:, None, None, None]
    between = first[-count:] * (1 - shares) + second[:count] * shares
    return np.concatenate([first[:-count], between.round().astype(np.uint8), second[count:]])


def known_sequences() -> Iterator[Known]:
    """Yield 60 hard cuts in 20 sequences, and 40 sequences of flashes, fades, dissolves and fast motion without one."""
    yield from _sequences_with_cuts()
    yield from _sequences_without_cuts()


def _sequences_with_cuts() -> Iterator[Known]:
    demo = demo_frames()
    for seed in range(4):
        shots = [pan(10 * seed + n, 7, step=(n, 1 - n)) for n in range(4)]
        yield joined(f"pans {seed}", *shots)
        yield joined(f"demo {seed}", demo[5 * seed : 5 * seed + 7], zoom(seed + 50, 6), demo[20:26], pan(seed + 60, 5))
        still = [np.repeat(pan(100 + 10 * seed + n, 1), 5, 0) for n in range(4)]
        yield joined(f"stills {seed}", *still)
        places = [pan(200 + seed, 6, start=(20 + 90 * n, 250 - 80 * n)) for n in range(4)]
        yield joined(f"places of one scene {seed}", *places)
        fast = [pan(300 + 10 * seed + n, 6, step=(14 - 4 * n, 3), start=(20, 20)) for n in range(4)]
        yield joined(f"cuts in fast pans {seed}", *fast)


def _sequences_without_cuts() -> Iterator[Known]:
    demo = demo_frames()
    for seed in range(5):
        shot = pan(400 + seed, 14)
        none = frozenset[int]()
        yield Known(f"flash of one frame {seed}", lit(shot, {6: 1.5 + seed / 4}, lift=40), none)
        yield Known(f"flash that dies away {seed}", lit(demo[:14], {6: 3, 7: 2.2, 8: 1.4}, lift=10 * seed), none)
        yield Known(f"fade to black {seed}", faded(shot, 1, 6, to=0), none)
        yield Known(f"fade to white {seed}", faded(pan(500 + seed, 16), 1, 5 + seed // 2, to=255), none)
        yield Known(f"dissolve {seed}", dissolved(shot, pan(600 + seed, 14), 8), none)
        yield Known(f"fast pan {seed}", pan(700 + seed, 10, step=(16 + 3 * seed, 2), start=(5, 120)), none)
        yield Known(f"fast zoom {seed}", zoom(800 + seed, 12, rate=1.1 + 0.03 * seed), none)
        lights = lit(demo[10:24], dict.fromkeys(range(6 + seed, 14), 0.5))
        yield Known(f"the light goes out {seed}", lights, none)
