"""The detector of cuts and repeated frames, on frames with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import write_clip
from helpers.shots import Frames, Known, demo_frames, joined, known_sequences, pan
from videoinr.cancel import NEVER, CancelToken
from videoinr.clip import cuts, open_clip
from videoinr.clip.cut_edits import edits_from_text, text_of_edits
from videoinr.clip.memory_clip import MemoryClip, open_frames
from videoinr.clip.pair_kinds import PairKinds
from videoinr.errors import ClipError, UsageError
from videoinr.types import PairKind, Pixels

R, M = PairKind.REPEAT, PairKind.MOTION


def kinds_of(frames: Frames, order: Sequence[int] | None = None) -> list[PairKind]:
    with open_frames(frames, fps=Fraction(25)) as clip:
        kinds = PairKinds(clip)
        for pair in order or ():
            kinds.kind(pair)
        return [kinds.kind(pair) for pair in range(clip.timeline.last_frame)]


def cuts_of(frames: Frames) -> frozenset[int]:
    with open_frames(frames, fps=Fraction(25)) as clip:
        return frozenset(PairKinds(clip).cut_pairs())


def test_precision_and_recall_of_hard_cuts() -> None:
    """60 cuts between pans, zooms, stills and the demo clip; 40 flashes, fades, dissolves and fast pans without one."""
    known = list(known_sequences())
    found = [cuts_of(sequence.frames) for sequence in known]
    count = sum(len(sequence.cuts) for sequence in known)
    right = sum(len(each & sequence.cuts) for each, sequence in zip(found, known, strict=True))
    wrong = [sequence.name for each, sequence in zip(found, known, strict=True) if each != sequence.cuts]
    assert (count, sum(not sequence.cuts for sequence in known)) == (60, 40)
    assert right / count >= 0.95, wrong
    assert right / sum(map(len, found)) >= 0.95, wrong


def test_a_coded_clip_is_judged_like_its_frames(tmp_path: Path) -> None:
    shots = joined("coded", pan(1, 6), demo_frames()[:7], pan(2, 5))
    path = write_clip(tmp_path / "cuts.mp4", shots.frames, options={"crf": "30"})
    with open_clip(path) as clip:
        assert frozenset(PairKinds(clip).cut_pairs()) == shots.cuts


def test_cuts_two_frames_apart_are_both_found() -> None:
    shots = joined("short", pan(1, 6), pan(2, 2), pan(3, 6))
    assert cuts_of(shots.frames) == {5, 7}


def test_a_clip_of_two_frames_can_have_a_cut() -> None:
    assert cuts_of(joined("two", pan(1, 1), pan(2, 1)).frames) == {0}
    assert cuts_of(pan(1, 2)) == frozenset()
    assert cuts_of(pan(1, 1)) == frozenset()


def test_noise_has_no_cuts() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 48, 64, 3)).astype(np.uint8)
    assert cuts_of(noise) == frozenset()


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (9, 2), (16, 16), (7, 300)])
def test_frames_of_any_size_are_judged(size: tuple[int, int]) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (4, *size, 3)).astype(np.uint8)
    assert len(kinds_of(frames)) == 3


def test_frames_of_16_bits_are_judged_like_those_of_8() -> None:
    shots = joined("deep", pan(1, 6), pan(2, 6))
    with open_frames(shots.frames.astype(np.uint16) * 257, fps=Fraction(25)) as clip:
        assert frozenset(PairKinds(clip).cut_pairs()) == shots.cuts


def test_the_order_of_judging_does_not_matter() -> None:
    shot = pan(1, 12)
    frames = np.concatenate([shot[[0, 1, 2, 2, 3, 4, 5, 5, 5, 6]], pan(2, 6)])
    expected = kinds_of(frames)
    for order in (range(14, -1, -1), [9, 3, 7, 2, 6], [2, 10, 9, 8]):
        assert kinds_of(frames, order) == expected
    assert expected == [M, M, R, R, M, M, R, R, R, PairKind.CUT, M, M, M, M, M]


def test_a_repeated_frame_and_the_pair_after_it_are_one_motion() -> None:
    shot = pan(1, 8)
    frames = shot[[0, 1, 2, 3, 3, 4, 5]]
    assert kinds_of(frames) == [M, M, M, R, R, M]
    with open_frames(frames, fps=Fraction(25)) as clip:
        kinds = PairKinds(clip)
        assert [kinds.distinct_frames(pair) for pair in range(6)] == [(0, 1), (1, 2), (2, 3), (3, 5), (3, 5), (5, 6)]


@pytest.mark.parametrize("held", [2, 3, 5])
def test_doubled_frames_are_found(held: int) -> None:
    frames = np.repeat(pan(1, 5), held, 0)
    assert kinds_of(frames) == [R] * (4 * held) + [M] * (held - 1)


@pytest.mark.parametrize("crf", [18, 23, 28])
def test_doubled_frames_of_a_coded_clip_are_found(tmp_path: Path, crf: int) -> None:
    """Coding alters repeated frames too: it refines them."""
    frames = np.repeat(demo_frames()[:8], 2, 0)
    path = write_clip(tmp_path / "doubled.mp4", frames, options={"crf": str(crf)})
    with open_clip(path) as clip:
        kinds = PairKinds(clip)
        assert [kinds.distinct_frames(pair) for pair in range(14)] == [
            (pair // 2 * 2, pair // 2 * 2 + 2) for pair in range(14)
        ]


def test_the_repeats_of_coded_telecine_are_found(tmp_path: Path) -> None:
    """24 frames a second shown at 30: every fourth frame is shown twice."""
    shot = demo_frames()[:12]
    path = write_clip(tmp_path / "telecine.mp4", shot[[0, 1, 2, 3, 3, 4, 5, 6, 7, 7, 8, 9, 10]], options={"crf": "28"})
    with open_clip(path) as clip:
        kinds = PairKinds(clip)
        assert [pair for pair in range(12) if kinds.kind(pair) is R] == [3, 4, 8, 9]


def test_a_pause_of_the_camera_beside_a_moving_object_is_no_repeat() -> None:
    frames = pan(1, 9)[[0, 1, 2, 3, 3, 4, 5, 6, 7]]
    for number, frame in enumerate(frames):
        frame[20:30, 5 + 6 * number : 15 + 6 * number] = 255
    assert kinds_of(frames) == [M] * 8


def test_a_scene_at_rest_has_no_repeats() -> None:
    shot = pan(1, 8)
    assert kinds_of(np.concatenate([shot[:4], np.repeat(shot[4:5], 7, 0), shot[5:]])) == [M] * 13


def test_a_slow_scene_has_no_repeats() -> None:
    """Every frame of a slow fade changes some pixels by a level; none is skipped."""
    still = pan(1, 1)[0] + np.random.default_rng(2).uniform(0, 1, (60, 96, 3))
    frames = np.stack([np.clip(still + 0.45 * number, 0, 255) for number in range(12)]).astype(np.uint8)
    assert kinds_of(frames) == [M] * 11


def test_repeats_at_a_cut_are_not_skipped() -> None:
    shot = pan(1, 6)
    frames = np.concatenate([shot, shot[-1:], pan(2, 5)])
    assert kinds_of(frames) == [M] * 6 + [PairKind.CUT] + [M] * 4


class BrokenClip(MemoryClip):
    """A clip whose frame ``broken`` cannot be read."""

    broken = -1

    def frame(self, index: int, token: CancelToken = NEVER) -> Pixels:
        if index == self.broken:
            raise ClipError(f"Frame {index} cannot be decoded.")
        return super().frame(index, token)


def test_an_unreadable_neighbour_does_not_fail_a_pair() -> None:
    shots = joined("broken", pan(1, 4), pan(2, 4))
    with open_frames(shots.frames, fps=Fraction(25)) as whole:
        clip = BrokenClip(whole.info, whole.timeline, shots.frames)
        clip.broken = 5
        kinds = PairKinds(clip)
        assert kinds.kind(3) is PairKind.CUT
        with pytest.raises(ClipError, match="Frame 5"):
            kinds.kind(4)


def test_few_frames_are_read_to_judge_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    read, proxy_of = list[cuts.Proxy](), cuts.proxy_of

    def noted(pixels: Pixels) -> cuts.Proxy:
        read.append(proxy_of(pixels))
        return read[-1]

    monkeypatch.setattr(cuts, "proxy_of", noted)
    with open_frames(joined("read", pan(1, 30), pan(2, 30)).frames, fps=Fraction(25)) as clip:
        kinds = PairKinds(clip)
        assert kinds.known(12) is None
        assert kinds.kind(12) is M
        assert len(read) == 3, "the pair and the frame before it, which it might repeat"
        assert kinds.known(12) is M
        assert kinds.kind(29) is PairKind.CUT
        assert len(read) <= 3 + 8


def test_verdicts_are_kept_for_the_same_clip(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 6)
    with open_clip(path) as clip:
        PairKinds(clip).kind(2)
    with open_clip(path) as clip:
        kinds = PairKinds(clip)
        assert kinds.known(2) is PairKind.MOTION
        assert kinds.known(3) is None


def test_the_known_sequences_are_what_they_say() -> None:
    known = Known("one", pan(1, 3), frozenset())
    assert known.frames.shape == (3, 60, 96, 3)


# ---- what the user says ----


def edited(frames: Frames, cuts: str) -> tuple[list[PairKind], list[tuple[int, int]]]:
    with open_frames(frames, fps=Fraction(25)) as clip:
        PairKinds(clip).kind(0)
        clip.cut_edits = edits_from_text(cuts)
        kinds, pairs = PairKinds(clip), range(clip.timeline.last_frame)
        found = [kinds.kind(pair) for pair in pairs]
        assert [kinds.known(pair) for pair in pairs] == found
        return found, [kinds.distinct_frames(pair) for pair in pairs]


def test_edits_count_more_than_the_frames_and_only_where_they_say() -> None:
    frames = joined("two", pan(1, 4), pan(2, 4)).frames
    cut = PairKind.CUT
    assert edited(frames, "")[0] == [M, M, M, cut, M, M, M]
    assert edited(frames, "-3")[0] == [M] * 7
    assert edited(frames, "1,-3,-5,99")[0] == [M, cut, M, M, M, M, M]
    assert edited(frames, "")[0] == [M, M, M, cut, M, M, M], "the edits of one opening are not those of the next"


def test_no_motion_runs_on_across_a_cut_that_the_user_set() -> None:
    """Frames 2 and 3 are the same: without the edit, the motion of pairs 2 and 3 runs from frame 2 to frame 4."""
    frames = pan(1, 8, step=(4, 1))
    frames[3] = frames[2]
    kinds, distinct = edited(frames, "")
    assert kinds[2] is R
    assert distinct[2] == (2, 4)
    kinds, distinct = edited(frames, "3")
    assert kinds[2:4] == [M, PairKind.CUT]
    assert distinct[2:4] == [(2, 3), (3, 4)]


@pytest.mark.parametrize("text", ["", "0", "-0", "3,-40,41"])
def test_edits_are_written_and_read(text: str) -> None:
    assert text_of_edits(edits_from_text(text)) == text


@pytest.mark.parametrize("text", ["x", "1,", "--1", "1.5", "9999999999", ",".join(["1"] * 5001), "1 2"])
def test_what_is_no_list_of_cuts_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no list of cuts"):
        edits_from_text(text)
