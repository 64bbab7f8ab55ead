"""The index of a stream's frames, on made-up packets: files with these faults are hard to make."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoinr.cancel import NEVER
from videoinr.clip.frame_rate import find_rate, plausible_rates
from videoinr.clip.frame_times import longest_step, times_from_index
from videoinr.clip.packet_index import FrameIndex, PacketTable, index_from_packets, scan_packets

MS = Fraction(1, 1000)


@dataclass
class FakePacket:
    pts: int | None
    dts: int | None = None
    duration: int | None = 40
    size: int = 100
    is_keyframe: bool = False
    is_discard: bool = False
    is_encrypted: bool = False

    def has_sidedata(self, dtype: str) -> bool:
        return self.is_encrypted and dtype == "encryption_info"


def table_of(*packets: FakePacket) -> PacketTable:
    return scan_packets(packets, codec="mpeg4", token=NEVER)


def index_of(*packets: FakePacket) -> FrameIndex:
    index = index_from_packets(table_of(*packets), MS)
    assert index is not None
    return index


def reordered(count: int) -> list[FakePacket]:
    """A key packet, then groups of three in which the packet shown last comes first."""
    shown = [0]
    for start in range(1, count, 3):
        shown += [start + 2, start, start + 1]
    return [FakePacket(40 * time, dts=40 * place, is_keyframe=time == 0) for place, time in enumerate(shown)]


def test_frames_are_sorted_by_time() -> None:
    index = index_of(*reordered(7))
    assert index.pts.tolist() == [0, 40, 80, 120, 160, 200, 240]
    assert index.order.tolist() == [0, 2, 3, 1, 5, 6, 4]
    assert [index.frame_at(time) for time in (0, 120, 121, None, 999)] == [0, 3, None, None, None]


def test_packets_outside_an_edit_list_are_key_packets_but_not_frames() -> None:
    index = index_of(
        FakePacket(-80, is_keyframe=True, is_discard=True), FakePacket(-40, is_discard=True), FakePacket(0)
    )
    assert index.pts.tolist() == [0]
    assert index.key_before(0) == 0
    assert index.key_pts.tolist() == [-80]


def test_negative_times_are_allowed() -> None:
    times = times_from_index(index_of(*(FakePacket(time) for time in (-80, -40, 0))), MS, [])
    assert [times.timeline.frame_time(index) for index in range(3)] == [0, Fraction(1, 25), Fraction(2, 25)]
    assert times.fps == 25


def test_of_frames_with_one_time_the_first_in_the_file_is_kept() -> None:
    index = index_of(FakePacket(0, is_keyframe=True), FakePacket(40), FakePacket(40), FakePacket(80))
    assert index.order.tolist() == [0, 1, 3]
    assert index.duplicates == 1


def test_missing_times_are_not_trusted() -> None:
    assert index_from_packets(table_of(FakePacket(0), FakePacket(None)), MS) is None
    assert index_from_packets(table_of(), MS) is None


def test_absurd_times_are_not_trusted() -> None:
    for wild in (1 << 62, -(1 << 62), 2 * 86_400_000):
        assert index_from_packets(table_of(FakePacket(0), FakePacket(40), FakePacket(wild)), MS) is None


def joined(first: int, second: int) -> list[FakePacket]:
    parts = [range(0, 40 * count, 40) for count in (first, second)]
    return [FakePacket(time, dts=time - 80, is_keyframe=time == 0) for part in parts for time in part]


@pytest.mark.parametrize(("first", "second"), [(100, 100), (4, 50), (50, 4), (2, 2)])
def test_a_clock_that_starts_again_continues_after_the_frame_before(first: int, second: int) -> None:
    index = index_of(*joined(first, second))
    assert index.restarts == 1
    assert index.order.tolist() == list(range(first + second))
    assert np.all(np.diff(index.pts) == 40)


def test_a_single_wrong_time_is_no_restart_of_the_clock() -> None:
    packets = [FakePacket(40 * n, dts=40 * n) for n in range(40)]
    packets[20].dts, packets[30].dts = 5000, 40
    assert index_of(*packets).restarts == 0


def test_times_that_step_back_without_decode_times_are_not_trusted() -> None:
    times = [*range(0, 4000, 40), *range(0, 4000, 40)]
    assert index_from_packets(table_of(*(FakePacket(time) for time in times)), MS) is None


def test_encryption_is_seen_in_key_packets() -> None:
    assert table_of(FakePacket(0, is_keyframe=True, is_encrypted=True)).is_encrypted
    assert not table_of(FakePacket(0, is_keyframe=True)).is_encrypted


def test_a_key_packet_later_in_the_file_is_not_used() -> None:
    index = index_of(FakePacket(0, is_keyframe=True), FakePacket(120), FakePacket(80, is_keyframe=True))
    assert index.key_before(2) == 0
    assert index.key_before(1) == 1


def test_a_key_packet_is_identified_by_time_and_size() -> None:
    index = index_of(FakePacket(0, is_keyframe=True, size=7), FakePacket(40, is_keyframe=True, size=9))
    assert [index.key_of(pts, size) for pts, size in ((40, 9), (40, 8), (41, 9), (None, 9))] == [1, None, None, None]


def test_the_extent_ignores_unknown_times_and_hidden_frames() -> None:
    packets = [FakePacket(None), FakePacket(0, is_discard=True), FakePacket(100, duration=50), FakePacket(40)]
    assert table_of(*packets).extent == (40, 150)
    assert table_of(FakePacket(None)).extent == (0, 0)


@given(
    count=st.integers(2, 400),
    rate=st.sampled_from([24, 25, 30, 50, 60, 120, 240, 480]),
    pulled_down=st.booleans(),
    unit=st.sampled_from([1, 12, 90]),
)
def test_rates_are_found_despite_rounding_to_milliseconds(count: int, rate: int, pulled_down: bool, unit: int) -> None:
    fps = Fraction(rate * 1000, 1001) if pulled_down else Fraction(rate)
    ticks = unit * np.array([round(number / fps / MS) for number in range(count)], np.int64)
    declared, guessed = find_rate(ticks, MS / unit, [fps]), find_rate(ticks, MS / unit, [])
    assert declared is not None
    assert [declared.fps, declared.has_gaps] == [fps, False]
    assert guessed is not None
    assert abs(guessed.fps - fps) <= fps / 20


@pytest.mark.parametrize("dropped", [[7], [3, 4, 20], [1]])
def test_dropped_frames_leave_the_rate_and_a_gap(dropped: list[int]) -> None:
    numbers = [number for number in range(30) if number not in dropped]
    rate = find_rate(np.array([round(number * 1000 / 30) for number in numbers], np.int64), MS, [Fraction(59, 2)])
    assert rate is not None
    assert [rate.fps, rate.has_gaps, rate.numbers.tolist()] == [30, True, numbers]


def test_an_early_first_time_leaves_the_rate() -> None:
    ticks = np.array([0, *(round(number * 1000 / 30) + 12 for number in range(1, 30))], np.int64)
    rate = find_rate(ticks, MS, [])
    assert rate is not None
    assert [rate.fps, rate.numbers.tolist()] == [30, list(range(30))]


def test_uneven_times_have_no_rate() -> None:
    assert find_rate(np.array([0, 10, 43, 44, 83, 193], np.int64), Fraction(1, 600), [Fraction(25)]) is None
    assert find_rate(np.array([0, 40, 80, 120, 500, 540, 580, 2000, 2040], np.int64), MS, [Fraction(25)]) is None


@pytest.mark.parametrize("steps", [[1, 100], [1, 1, 100, 100], [3, 9, 90, 4000]])
def test_steps_of_which_none_is_near_their_median_have_no_rate(steps: list[int]) -> None:
    assert find_rate(np.cumsum([0, *steps]), MS, []) is None


def test_rates_that_no_clip_has_are_dropped() -> None:
    assert plausible_rates([None, Fraction(0), Fraction(90000), Fraction(1, 10**6), Fraction(25), Fraction(25)]) == [25]


def test_the_last_frame_lasts_as_long_as_its_packet_says_or_as_the_others() -> None:
    for said, expected in ((70, 70), (10**6, 40), (0, 40), (1, 40)):
        packets = [FakePacket(time, duration=said) for time in (0, 40, 80, 200, 240)]
        times = times_from_index(index_of(*packets), MS, [Fraction(25)])
        assert [times.fps, times.has_gaps] == [25, True]
        assert times.timeline.duration_secs == (240 + expected) * MS
        assert longest_step(times.timeline) == Fraction(120, 1000)


def test_a_long_last_frame_is_believed_if_the_file_is_that_long() -> None:
    packets = [FakePacket(time, duration=3000) for time in range(0, 400, 40)]
    for declared, expected in ((Fraction(336, 100), Fraction(336, 100)), (Fraction(0), Fraction(4, 10))):
        times = times_from_index(index_of(*packets), MS, [], declared_secs=declared)
        assert [times.fps, times.timeline.duration_secs] == [25, expected]


def test_a_single_frame_lasts_as_long_as_its_packet_says_or_as_the_rate_gives() -> None:
    said = times_from_index(index_of(FakePacket(5, duration=300)), MS, [Fraction(25)])
    assert said.timeline.end_tick == 300
    assert said.fps is None
    assert longest_step(said.timeline) == 0
    unsaid = times_from_index(index_of(FakePacket(5, duration=0)), MS, [Fraction(50)])
    assert unsaid.timeline.end_tick == 20
