"""How many threads an export uses, and what it decodes of the finished file: both bound its time on many cores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from videoinr.cancel import NEVER
from videoinr.exporting import part_coder, verify
from videoinr.exporting.cores import usable_cores
from videoinr.exporting.part_coder import coders_at_once
from videoinr.exporting.verify import _spots
from videoinr.exporting.waiting import memory_bytes

HD_BYTES, UHD_BYTES = 1920 * 1080 * 3 // 2, 3840 * 2160 * 3 // 2


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "max 100000"}, 16),
        ({"cpu.max": "350000 100000"}, 4),
        ({"cpu.max": "5000 100000"}, 1),
        ({"cpu.max": "9900000 100000"}, 16),
        ({"cpu.max": "nonsense"}, 16),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 16),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ({}, 16),
    ],
)
def test_a_quota_counts_as_well_as_the_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert usable_cores(tmp_path) == cores


@pytest.mark.parametrize(
    ("cores", "gib", "frame_bytes", "coders"),
    [
        (1, 4, HD_BYTES, 2), (2, 8, HD_BYTES, 2), (8, 16, HD_BYTES, 4), (16, 128, HD_BYTES, 8),
        # Frames too large for the memory: no more than without a second part for each core.
        (16, 128, UHD_BYTES, 8), (16, 32, UHD_BYTES, 4), (16, 0, HD_BYTES, 4), (64, 512, HD_BYTES, 32),
    ],
)  # fmt: skip
def test_more_parts_are_encoded_at_once_where_there_are_cores_and_memory(
    monkeypatch: pytest.MonkeyPatch, cores: int, gib: int, frame_bytes: int, coders: int
) -> None:
    monkeypatch.setattr(part_coder, "usable_cores", lambda: cores)
    monkeypatch.setattr(part_coder, "memory_bytes", lambda: gib << 30)
    assert coders_at_once(frame_bytes) == coders


def test_of_a_long_file_frames_near_key_frames_are_decoded() -> None:
    times = [Fraction(number, 50) for number in range(640)]
    keys = times[::96]
    spots = _spots(times, keys)
    assert (spots[0], spots[-1]) == (0, 639)
    groups = {spot // 96 for spot in spots}
    assert groups == set(range(7)), "each group is tried"
    assert all(spot % 96 <= 8 for spot in spots[:-1])
    # Every frame is a key frame, or none is known: the places stay where they are.
    assert _spots(times, times) == [number * 639 // 15 for number in range(16)]
    assert _spots(times, []) == _spots(times, times)


@pytest.mark.parametrize(
    ("cores", "gib", "side", "threads"),
    [(2, 8, 1080, 2), (16, 128, 1080, 15), (8, 128, 1080, 8), (16, 16, 1080, 4), (16, 128, 4320, 4), (16, 0, 1080, 4)],
)
def test_each_place_of_a_long_file_is_tried_by_a_thread_of_its_own_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, cores: int, gib: int, side: int, threads: int
) -> None:
    monkeypatch.setattr(verify, "usable_cores", lambda: cores)
    monkeypatch.setattr(verify, "memory_bytes", lambda: gib << 30)
    tried = list[Sequence[int]]()

    def sizes_at(_path: Path, _times: object, spots: Sequence[int], *_: object, threads: bool = False) -> set[Any]:
        tried.append(spots)
        return {(side, side)}

    monkeypatch.setattr(verify, "_sizes_at", sizes_at)
    times = [Fraction(number, 50) for number in range(2560)]
    frame_bytes = side * 16 // 9 * side * 8
    assert verify._decoded_sizes(Path(), times, times[::96], frame_bytes, NEVER) == {(side, side)}
    assert len(tried) == 1 + threads
    assert sorted(spot for spots in tried for spot in spots) == _spots(times, times[::96])
    assert max(map(len, tried)) <= -(-15 // threads)


@pytest.mark.parametrize(("name", "text"), [("memory.max", "1048576"), ("memory/memory.limit_in_bytes", "1048576\n")])
def test_a_limit_of_memory_counts(name: str, text: str, tmp_path: Path) -> None:
    unlimited = memory_bytes(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert memory_bytes(tmp_path) == 1 << 20 < unlimited
    (tmp_path / name).write_text("max")
    assert memory_bytes(tmp_path) == unlimited
