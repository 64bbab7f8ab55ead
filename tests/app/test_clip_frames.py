"""The window's second reader of a clip keeps few frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.clips import numbered_frames, write_clip
from videoinr.clip.video_clip import VideoClip
from videoinr_viewer.clip_access import clip_frames


def test_large_frames_are_not_kept_by_the_second_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mkv", numbered_frames(12, width=96, height=64))
    held = []
    for budget in (0, 2**20):
        monkeypatch.setattr(clip_frames, "_HELD_BYTES", budget)
        frames = clip_frames.open_clip_frames(path)
        assert isinstance(frames._clip, VideoClip)
        for index in range(12):
            assert frames.rgbx(index).shape == (64, 96, 4)
        held.append(frames._clip.held_bytes)
        frames.close()
    assert 3 * held[0] == held[1]
