"""Evaluation: the clips it reads, and the figures of its protocol, by hand where a hand can compute them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.clips import numbered_frames, write_clip, write_pictures
from helpers.tiny_model import tiny_video_inr
from videoinr.errors import UsageError
from videoinr.evaluation.clips import (
    FrameScore,
    Protocol,
    blend_bicubic,
    restorer_from_model,
    score_clip,
    score_folder,
    summarise,
)
from videoinr.evaluation.metrics import luma, psnr_y
from videoinr.geometry import Grid
from videoinr.images import shrink
from videoinr.training.readers import find_clips, read_frames

CPU = torch.device("cpu")


def test_luma_is_the_studio_range_of_bt601() -> None:
    white, green = torch.ones(3, 1, 1), torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)
    assert float(luma(white)) * 255 == pytest.approx(219, abs=1e-3)
    assert float(luma(green)) * 255 == pytest.approx(128.553, abs=1e-3)
    assert luma(torch.rand(4, 2, 3, 5, 6)).shape == (4, 2, 5, 6)


def test_psnr_of_a_known_difference() -> None:
    target = torch.full((3, 4, 4), 0.5)
    # Ten levels on all channels are 10 * 219 / 255 levels of Y.
    assert psnr_y(target + 10 / 255, target) == pytest.approx(20 * math.log10(255 / (10 * 219 / 255)), abs=1e-3)
    red = target.clone()
    red[0, 0, 0] += 0.2
    assert psnr_y(red, target) == pytest.approx(-10 * math.log10((0.2 * 65.481 / 255) ** 2 / 16), abs=1e-3)


def test_psnr_clamps_the_prediction_and_is_infinite_without_error() -> None:
    assert psnr_y(torch.full((3, 2, 2), 1.7), torch.ones(3, 2, 2)) == math.inf
    assert psnr_y(torch.full((3, 2, 2), -0.7), torch.zeros(3, 2, 2)) == math.inf


def test_the_blend_is_exact_where_it_has_nothing_to_do() -> None:
    low = torch.rand(2, 3, 6, 8)
    first, middle, last = blend_bicubic(low, Grid(8, 6), [0, 0.25, 1])
    torch.testing.assert_close(first, low[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(last, low[1], atol=1e-6, rtol=0)
    torch.testing.assert_close(middle, 0.75 * low[0] + 0.25 * low[1], atol=1e-6, rtol=0)
    assert blend_bicubic(low, Grid(20, 15), [0.5])[0].shape == (3, 15, 20)


class Recorder:
    """A restorer that notes what it was given, and answers with flat grey."""

    def __init__(self) -> None:
        self.calls: list[tuple[Tensor, Grid, list[float]]] = []

    def __call__(self, low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        self.calls.append((low, grid, list(times)))
        return [torch.full((3, grid.height, grid.width), 0.5) for _ in times]


@pytest.mark.parametrize(("frames", "windows"), [(4, 0), (5, 1), (8, 1), (9, 2), (12, 2), (13, 3)])
def test_windows_stride_by_their_length(frames: int, windows: int) -> None:
    clip, record = torch.rand(frames, 3, 32, 48), Recorder()
    scores = score_clip(clip, "clip", Protocol(2, 4), {"grey": record})
    assert len(record.calls) == windows
    assert [score.number for score in scores] == [0, 1, 2, 3] * windows
    for window, (low, grid, times) in enumerate(record.calls):
        assert grid == Grid(48, 32)
        assert times == [0, 0.25, 0.5, 0.75]
        expected = shrink(clip[[4 * window, 4 * window + 4]], height=16, width=24)
        torch.testing.assert_close(low, expected)
    for index, score in enumerate(scores):
        assert score.psnr_db == pytest.approx(psnr_y(torch.full((3, 32, 48), 0.5), clip[index]))


def test_clips_are_cut_from_the_top_left() -> None:
    clip, record = torch.rand(3, 3, 39, 50), Recorder()
    score_clip(clip, "clip", Protocol(1, 2), {"grey": record})
    low, grid, _ = record.calls[0]
    assert grid == Grid(48, 32)
    assert torch.equal(low, clip[[0, 2], :, :32, :48])


def test_a_restorer_that_is_right_scores_infinitely() -> None:
    clip = torch.rand(5, 3, 16, 16)
    truth = iter(clip)
    methods = {"truth": lambda low, grid, times: [next(truth) for _ in times]}
    assert {score.psnr_db for score in score_clip(clip, "clip", Protocol(4, 2), methods)} == {math.inf}


def test_a_model_restores() -> None:
    low = torch.rand(2, 3, 6, 8)
    with torch.inference_mode():
        pictures = restorer_from_model(tiny_video_inr())(low, Grid(16, 12), [0, 0.5])
        features = tiny_video_inr().encode(low[None])
        expected = tiny_video_inr().render(features, Grid(16, 12), [torch.tensor([0.5])])[0][0].clamp(0, 1)
    assert len(pictures) == 2
    torch.testing.assert_close(pictures[1], expected)


def test_a_folder_of_clips_is_scored_by_every_method(tmp_path: Path) -> None:
    for name, count in (("a", 5), ("b", 3), ("short", 2)):
        write_pictures(tmp_path / name, numbered_frames(count, width=32, height=32))
    clips = [tmp_path / name for name in ("a", "b", "short")]
    scores = score_folder(clips, Protocol(2, 2), {"blend": blend_bicubic, "grey": Recorder()}, CPU)
    assert [(score.clip, score.method, score.number) for score in scores] == [
        *((clip, method, number) for clip in "aab" for method in ("blend", "grey") for number in (0, 1))
    ]
    blend, grey = (
        summarise([score for score in scores if score.method == method]).average_db for method in ("blend", "grey")
    )
    assert blend > grey
    with pytest.raises(UsageError, match="3 frames"):
        score_folder(clips[2:], Protocol(2, 2), {"blend": blend_bicubic}, CPU)


def test_a_summary_tells_inputs_from_what_lies_between() -> None:
    scores = [FrameScore("c", "m", number, db) for number, db in ((0, 30.0), (1, 20.0), (2, 22.0), (0, 34.0))]
    summary = summarise(scores)
    assert (summary.input_db, summary.between_db, summary.average_db) == (32.0, 21.0, 26.5)
    assert summary.frames == 4
    assert math.isnan(summarise(scores[:1]).between_db)


def test_the_protocol_says_what_was_measured() -> None:
    text = str(Protocol(4, 8))
    for words in ("space x4", "time x8", "antialiased bicubic", "BT.601 Y", "k = 0 ... 7", "multiples of 16"):
        assert words in text


def test_scores_do_not_depend_on_gradients() -> None:
    with torch.enable_grad():
        scores = score_clip(torch.rand(3, 3, 16, 16), "c", Protocol(2, 2), {"m": restorer_from_model(tiny_video_inr())})
    assert all(np.isfinite(score.psnr_db) for score in scores)


def test_videos_and_folders_of_pictures_are_found_and_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_clip(tmp_path / "a" / "film.mkv", 3, codec="ffv1")
    write_pictures(tmp_path / "b" / "c", 4)
    (tmp_path / "b" / "notes.txt").write_text("no clip")
    assert find_clips(tmp_path) == [tmp_path / "a" / "film.mkv", tmp_path / "b" / "c"]
    for path, count in zip(find_clips(tmp_path), (3, 4), strict=True):
        frames = read_frames(path)
        assert frames.shape == (count, 48, 64, 3)
        assert frames.dtype == np.uint8
    expected = np.stack(list(numbered_frames(4)))
    np.testing.assert_array_equal(read_frames(tmp_path / "b" / "c"), expected)


def test_deep_pictures_are_read_as_bytes(tmp_path: Path) -> None:
    deep = np.arange(256, dtype=np.uint16).reshape(16, 16, 1).repeat(3, axis=2) * 257
    write_pictures(tmp_path / "deep", [deep, deep])
    np.testing.assert_array_equal(read_frames(tmp_path / "deep")[1], deep // 257)


def test_a_folder_without_clips_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no clips"):
        find_clips(tmp_path)
