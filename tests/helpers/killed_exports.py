"""Exports that are killed again and again, and resumed: what the tests and the long runs share."""

from __future__ import annotations

import json
import random
import re
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from helpers.fork_server import start

_VARIES_LEVELS = 0.5
"""The most by which a frame that x264 coded twice may differ in the mean (findings/x264_varies.sh): a tenth of it was
seen; frames of the tests' clips differ by several levels from each other."""


def frames_of(path: Path) -> NDArray[np.uint8]:
    """Decode the video, or the folder of pictures, ``path``: uint8 [frames, height, width, 3]."""
    files = sorted(path.glob("*.[pt]*")) if path.is_dir() else [path]
    return np.stack([frame.to_ndarray(format="rgb24") for file in files for frame in _decoded(file)])


def _decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def sound_of(path: Path) -> NDArray[Any]:
    """Decode the sound of ``path``: [channels, samples]."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def assert_same(path: Path, expected: Path) -> None:
    """Assert that two outputs have the same frames, and equal samples if they are files."""
    assert_same_frames(path, expected)
    if path.is_file():
        np.testing.assert_array_equal(sound_of(path), sound_of(expected))


def assert_same_frames(path: Path, expected: Path) -> None:
    """Assert that two outputs have equal frames; of H.264, but for what x264 codes differently from run to run."""
    made, wanted = frames_of(path), frames_of(expected)
    if not _is_h264(path):
        np.testing.assert_array_equal(made, wanted)
        return
    assert made.shape == wanted.shape
    differences = np.abs(made.astype(np.int16) - wanted).mean((1, 2, 3))
    assert differences.max() < _VARIES_LEVELS, f"frame {differences.argmax()} is another one"


def _is_h264(path: Path) -> bool:
    if path.is_dir():
        return False
    with av.open(str(path)) as container:
        return bool(container.streams.video[0].codec_context.name == "h264")


REST = 30
"""So many frames before the end there are frames that the stub engine draws."""


def kill_again_and_again(
    arguments: list[object],
    out: Path,
    *,
    kills: int,
    seed: str,
    secs_per_frame: str,
    module: str,
    at_least: int = 0,
    most: int = 40,
) -> int:
    """Start ``videoinr export`` with ``arguments``, kill it at a random moment, and resume it, ``kills`` times.

    The stub engine never draws the last frames: no export ends before it is killed, however late that is.

    Args:
        arguments: the clip, the output and options.
        out: the output, which must not exist after any of the kills.
        kills: how often.
        seed: of the moments.
        secs_per_frame: how slowly the stub engine renders.
        module: the stub command line.
        at_least: before the last kill this many frames are done.
        most: a kill comes before so many more frames are done.

    Returns:
        How many frames the last start found done.
    """
    moments, found = random.Random(seed), 0
    for kill in range(kills):
        resume = ("--resume",) if kill else ()
        command = ("export", *arguments, "--json-progress", *resume)
        with start(f"{secs_per_frame}:unfinished", *command, module=module) as process:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            assert told["event"] == "progress", process.communicate(timeout=60)
            assert told["done"] >= found, "what was done is not done again"
            found = told["done"]
            enough = found + moments.randrange(5, most)
            if kill == kills - 1:
                enough = max(enough, at_least)
            while told["done"] < min(enough, told["total"] - REST):
                told = json.loads(process.stdout.readline())
            if at_least and kill == kills - 1:
                wait_for_part(out)
            time.sleep(moments.random() / 20)
            process.kill()
        assert not out.exists()
    return int(found)


def wait_for_part(out: Path) -> None:
    """Wait, up to a minute, until a part of the export to the video ``out`` is whole: coding comes after drawing."""
    until = time.monotonic() + 60
    while not any(out.parent.glob(f"{out.name}.*/*.packets")):
        assert time.monotonic() < until, "no part became whole"
        time.sleep(0.005)


def leave_as_another_process(out: Path) -> None:
    """A process knows its own folders, and leaves them alone: give what is left of ``out`` to another."""
    (left,) = out.parent.glob(f"{out.name}.*.part")
    left.rename(left.with_name(re.sub(r"\.\d+-", ".1-", left.name)))
