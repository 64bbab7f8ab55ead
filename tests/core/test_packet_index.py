"""The index of a stream's frames, on made-up packets: files with these faults are hard to make."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from videoinr.cancel import NEVER
from videoinr.clip.frame_times import constant_fps, longest_step, plausible_rates, timeline_from_index
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


def table_of(*packets: FakePacket) -> PacketTable:
    return scan_packets(packets, codec="h264", token=NEVER)


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
    timeline, fps = timeline_from_index(index_of(*(FakePacket(time) for time in (-80, -40, 0))), MS, [])
    assert [timeline.frame_time(index) for index in range(3)] == [0, Fraction(1, 25), Fraction(2, 25)]
    assert fps == 25


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


def test_times_that_start_again_are_not_trusted() -> None:
    times = [*range(0, 4000, 40), *range(0, 4000, 40)]
    assert index_from_packets(table_of(*(FakePacket(time) for time in times)), MS) is None


def test_a_key_packet_later_in_the_file_is_not_used() -> None:
    index = index_of(FakePacket(0, is_keyframe=True), FakePacket(120), FakePacket(80, is_keyframe=True))
    assert index.key_before(2) == 0
    assert index.key_before(1) == 1


def test_a_key_packet_is_identified_by_time_and_size() -> None:
    index = index_of(FakePacket(0, is_keyframe=True, size=7), FakePacket(40, is_keyframe=True, size=9))
    assert [index.key_of(pts, size) for pts, size in ((40, 9), (40, 8), (41, 9), (None, 9))] == [1, None, None, None]


def test_the_span_ignores_unknown_times() -> None:
    assert table_of(FakePacket(None), FakePacket(100), FakePacket(40)).span == 60
    assert table_of(FakePacket(None)).span == 0


@given(count=st.integers(2, 400), rate=st.sampled_from([24, 25, 30, 50, 60, 120]), pulled_down=st.booleans())
def test_rates_are_found_despite_rounding_to_milliseconds(count: int, rate: int, pulled_down: bool) -> None:
    fps = Fraction(rate * 1000, 1001) if pulled_down else Fraction(rate)
    ticks = np.array([round(number / fps / MS) for number in range(count)], np.int64)
    assert constant_fps(ticks, MS, [fps]) == fps
    found = constant_fps(ticks, MS, [])
    assert found is not None
    assert abs(found - fps) <= fps / 20


def test_rates_that_no_clip_has_are_dropped() -> None:
    assert plausible_rates([None, Fraction(0), Fraction(90000), Fraction(1, 10**6), Fraction(25), Fraction(25)]) == [25]


def test_the_last_frame_lasts_as_long_as_its_packet_says_or_as_the_others() -> None:
    for said, expected in ((70, 70), (0, 40), (10**6, 40)):
        packets = [FakePacket(time, duration=said) for time in (0, 40, 80, 200, 240)]
        timeline, fps = timeline_from_index(index_of(*packets), MS, [Fraction(25)])
        assert fps is None
        assert timeline.end_tick == 240 + expected
        assert longest_step(timeline) == Fraction(120, 1000)


def test_a_single_frame_lasts_as_long_as_its_packet_says_or_as_the_rate_gives() -> None:
    said, fps = timeline_from_index(index_of(FakePacket(5, duration=300)), MS, [Fraction(25)])
    assert said.end_tick == 300
    assert fps is None
    assert longest_step(said) == 0
    unsaid, _ = timeline_from_index(index_of(FakePacket(5, duration=0)), MS, [Fraction(50)])
    assert unsaid.end_tick == 20
