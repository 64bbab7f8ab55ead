"""Frames of every container, read in any order, are the right ones, and no seek is made without need."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.clips import number_in, write_clip
from videoinr.clip import open_clip, video_clip
from videoinr.clip.video_clip import VideoClip

FRAMES = 60
B_FRAMES = {"g": "12", "bf": "3"}


@dataclass(frozen=True)
class Kind:
    name: str
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    pix_fmt: str = "yuv420p"
    counted: bool = False


KINDS = [
    Kind("closed.mp4", options=B_FRAMES),
    Kind("open_gop.mp4", options={**B_FRAMES, "x264-params": "open-gop=1:log-level=-1"}),
    Kind("open_gop.mkv", options={**B_FRAMES, "x264-params": "open-gop=1:log-level=-1"}),
    Kind("open_gop.ts", options={**B_FRAMES, "x264-params": "open-gop=1:log-level=-1"}),
    Kind("closed.ts", options=B_FRAMES),
    Kind("closed.flv", options=B_FRAMES),
    Kind("intra_refresh.mkv", options={"g": "12", "x264-params": "intra-refresh=1:log-level=-1"}),
    Kind("one_key.mp4", options={"g": "600", "bf": "3"}),
    Kind("hevc.mp4", "libx265", {"x265-params": "keyint=12:bframes=3:log-level=none"}),
    Kind("closed_hevc.mkv", "libx265", {"x265-params": "keyint=12:bframes=3:open-gop=0:log-level=none"}),
    Kind("mpeg4.avi", "mpeg4", {"g": "12"}),
    Kind("mpeg4_b.avi", "mpeg4", B_FRAMES),
    Kind("mpeg2.mpg", "mpeg2video", {"g": "12", "bf": "2"}),
    Kind("vp9.webm", "libvpx-vp9", {"g": "12", "cpu-used": "8", "deadline": "realtime"}),
    Kind("vp8.webm", "libvpx", {"g": "12", "cpu-used": "8", "deadline": "realtime"}),
    Kind("av1.mkv", "libsvtav1", {"g": "12", "preset": "12"}),
    Kind("ffv1.mkv", "ffv1", {"g": "1"}),
    Kind("prores.mov", "prores_ks", pix_fmt="yuv422p10le"),
    Kind("motion_jpeg.avi", "mjpeg", pix_fmt="yuvj420p"),
    Kind("animation.gif", "gif", pix_fmt="rgb8"),
    Kind("raw.y4m", "rawvideo"),
    Kind("stream.h264", options=B_FRAMES, counted=True),
    Kind("pyramid.avi", options=B_FRAMES, counted=True),
]


HARD_TO_SEEK = {"intra_refresh.mkv", "mpeg2.mpg"}
"""Pictures here become clean only a period after a key packet; times get lost where tiny frames share a pack."""


@pytest.fixture(scope="module")
def clip_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind], Path]:
    folder = tmp_path_factory.mktemp("seek")

    def made(kind: Kind) -> Path:
        path = folder / kind.name
        if not path.exists():
            write_clip(path, FRAMES, codec=kind.codec, options=kind.options, pix_fmt=kind.pix_fmt)
        return path

    return made


@contextmanager
def opened(path: Path) -> Iterator[VideoClip]:
    with open_clip(path) as clip:
        assert isinstance(clip, VideoClip)
        yield clip


def forget(patch: pytest.MonkeyPatch) -> None:
    """Limit the caches to two frames, so that clips have to seek."""
    patch.setattr(video_clip, "DECODED_BYTES", 0)
    patch.setattr(video_clip, "PICTURE_BYTES", 0)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_any_order_reads_the_same_frames_as_reading_forward(
    clip_of: Callable[[Kind], Path], kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(clip_of(kind)) as clip:
        assert clip.info.frames == FRAMES
        straight = [clip.frame(index).copy() for index in range(FRAMES)]
        assert clip.seeks == 0
    assert [number_in(pixels) for pixels in straight] == list(range(FRAMES))
    forget(monkeypatch)
    chance = Random(kind.name)
    with opened(clip_of(kind)) as clip:
        for index in [FRAMES - 1, *(chance.randrange(FRAMES) for _ in range(24 if kind.counted else 60)), 0]:
            assert np.array_equal(clip.frame(index), straight[index]), index


@pytest.mark.parametrize("kind", KINDS[:2], ids=lambda kind: kind.name)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=8))
def test_any_sequence_of_reads_returns_the_right_frames(
    clip_of: Callable[[Kind], Path], kind: Kind, order: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        forget(patch)
        with opened(clip_of(kind)) as clip:
            assert [number_in(clip.frame(index)) for index in order] == order


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("kind", [KINDS[0], KINDS[3], KINDS[12]], ids=lambda kind: kind.name)
def test_reading_on_after_a_jump_does_not_seek(clip_of: Callable[[Kind], Path], kind: Kind) -> None:
    with opened(clip_of(kind)) as clip:
        clip.frame(40)
        jumped = clip.seeks
        assert jumped >= 1
        for index in range(41, 60):
            clip.frame(index)
        assert clip.seeks == jumped


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name not in HARD_TO_SEEK], ids=lambda kind: kind.name)
def test_a_jump_is_one_seek(clip_of: Callable[[Kind], Path], kind: Kind) -> None:
    with opened(clip_of(kind)) as clip:
        # The first jump back may find out how this container seeks.
        clip.frame(55)
        clip.frame(30)
        before = clip.seeks
        for index in (5, 50, 20, 58, 2):
            clip.frame(index)
        assert clip.seeks - before <= 5


def test_steps_back_are_read_from_the_cache(clip_of: Callable[[Kind], Path]) -> None:
    with opened(clip_of(KINDS[0])) as clip:
        for index in (*range(FRAMES), *reversed(range(FRAMES))):
            assert number_in(clip.frame(index)) == index
        assert clip.seeks == 0


def test_a_pair_is_two_successive_frames(clip_of: Callable[[Kind], Path]) -> None:
    with opened(clip_of(KINDS[0])) as clip:
        pair = clip.pair(31)
        assert (number_in(pair.first), number_in(pair.second)) == (31, 32)
        assert pair.key.pair == 31
        assert pair.key.clip == clip.identity
        assert clip.pair(32).first is pair.second


def test_a_frame_after_a_near_key_packet_is_reached_by_decoding_on(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "intra.mkv", FRAMES, codec="ffv1", options={"g": "1"})
    with opened(path) as clip:
        for index in range(0, FRAMES, 8):
            assert number_in(clip.frame(index)) == index
        assert clip.seeks == 0
