"""Three hundred damaged files: each opens or raises a clip error with a message. None crashes or hangs."""

import time
from pathlib import Path

import pytest

from helpers.clips import numbered_frame, write_clip, write_picture
from helpers.damage import damaged_variants
from videoinr.clip import open_clip
from videoinr.clip.describe import describe
from videoinr.errors import ClipError

GOP = {"g": "8", "bf": "2"}
HANG_SECS = 10


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sources")
    fast = {"g": "8", "cpu-used": "8", "deadline": "realtime"}
    return [
        write_clip(folder / "a.mp4", 24, options=GOP, audio_secs=0.5),
        write_clip(folder / "b.mkv", 24, options=GOP),
        write_clip(folder / "c.ts", 24, options=GOP),
        write_clip(folder / "d.avi", 24, codec="mpeg4", options={"g": "8"}),
        write_clip(folder / "e.webm", 16, codec="libvpx-vp9", options=fast),
        write_clip(folder / "f.mov", 8, codec="prores_ks", pix_fmt="yuv422p10le"),
        write_clip(folder / "g.gif", 12, codec="gif", pix_fmt="rgb8"),
        write_clip(folder / "h.y4m", 6, codec="rawvideo"),
        write_clip(folder / "i.mpg", 24, codec="mpeg2video", options=GOP),
        write_clip(folder / "j.mp4", 24, options=GOP, container_options={"movflags": "frag_keyframe+empty_moov"}),
        write_clip(folder / "k.h264", 24, options=GOP),
        write_clip(folder / "l.flv", 16, codec="flv1"),
        write_picture(folder / "m.png", numbered_frame(3)),
        write_picture(folder / "n.jpg", numbered_frame(3)),
    ]


def look_around(path: Path) -> str:
    """Open and describe the clip and read a few frames. Return "opened" or the error's message."""
    try:
        with open_clip(path) as clip:
            described = describe(clip)
            for index in {0, clip.info.frames // 2, clip.info.frames - 1}:
                pixels = clip.frame(index)
                assert pixels.shape == (described["height"], described["width"], 3)
            assert clip.pair(0).first.shape == pixels.shape
            assert clip.info.fps > 0
            assert clip.info.duration_secs > 0
            return "opened"
    except ClipError as error:
        return error.in_words()


def test_damaged_files_open_or_raise_a_clip_error(sources: list[Path], tmp_path: Path) -> None:
    outcomes = []
    for path in damaged_variants(sources, tmp_path, 300, seed=20240607):
        start = time.process_time()
        outcomes.append(look_around(path))
        assert time.process_time() - start < HANG_SECS, path.name
        path.unlink()
    opened = outcomes.count("opened")
    assert 80 < opened < 260
    assert all(outcomes)


def test_the_same_seed_damages_the_same_way(sources: list[Path], tmp_path: Path) -> None:
    first, again, other = (
        {path.name: path.read_bytes() for path in damaged_variants(sources[:3], tmp_path / name, 48, seed=seed)}
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again
    assert first != other
    whole = {source.read_bytes() for source in sources}
    assert sum(data not in whole for data in first.values()) >= 42
