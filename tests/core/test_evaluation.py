"""Evaluation: clips, windows, scores and their means, against values computed by hand."""

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
from videoinr.evaluation.clips import FrameScore, Method, blend_bicubic, method_from_model, score_clip
from videoinr.evaluation.footage import find_footage
from videoinr.evaluation.metrics import psnr, ssim
from videoinr.evaluation.optical_flow import flow_difference, optical_flow
from videoinr.evaluation.protocols import ADOBE, GOPRO, VID4, Protocol
from videoinr.evaluation.summary import summarise
from videoinr.geometry import Grid
from videoinr.images import downsample
from videoinr.model.features import PairFeatures

CPU = torch.device("cpu")


class Recorder:
    """A method that records its calls and returns grey frames."""

    def __init__(self) -> None:
        self.calls: list[tuple[Tensor, Grid, list[float]]] = []

    def __call__(self, low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        self.calls.append((low, grid, list(times)))
        return [torch.full((3, grid.height, grid.width), 0.5) for _ in times]


@pytest.mark.parametrize(("frames", "windows"), [(4, 0), (5, 1), (8, 1), (9, 2), (12, 2), (13, 3)])
def test_windows_start_every_t_frames(frames: int, windows: int) -> None:
    clip, record = torch.rand(frames, 3, 32, 48), Recorder()
    scores = score_clip(clip, "clip", Protocol(2, 4), {"grey": record})
    assert len(record.calls) == windows
    assert [score.number for score in scores] == [0, 1, 2, 3] * windows
    assert [score.frame for score in scores] == list(range(4 * windows))
    for window, (low, grid, times) in enumerate(record.calls):
        assert grid == Grid(48, 32)
        assert times == [0, 0.25, 0.5, 0.75]
        expected = downsample(clip[[4 * window, 4 * window + 4]], height=16, width=24)
        torch.testing.assert_close(low, expected)
    for index, score in enumerate(scores):
        grey = torch.full((3, 32, 48), 0.5)
        assert (score.psnr_db, score.ssim) == pytest.approx((psnr(grey, clip[index]), ssim(grey, clip[index])))


def test_the_channel_selects_luma_or_rgb() -> None:
    clip, grey = torch.rand(2, 3, 16, 16), torch.full((3, 16, 16), 0.5)
    (score,) = score_clip(clip, "c", Protocol(1, 1, "rgb"), {"grey": Recorder()})
    assert (score.psnr_db, score.ssim) == pytest.approx((psnr(grey, clip[0], "rgb"), ssim(grey, clip[0], "rgb")))


def test_frames_are_cropped_from_the_top_left() -> None:
    clip, record = torch.rand(3, 3, 39, 50), Recorder()
    score_clip(clip, "clip", Protocol(1, 2), {"grey": record})
    low, grid, _ = record.calls[0]
    assert grid == Grid(48, 32)
    assert torch.equal(low, clip[[0, 2], :, :32, :48])


def truth_of(clip: Tensor) -> Method:
    """Return a method that returns the clip's own frames."""
    frames = iter(clip)
    return lambda low, grid, times: [next(frames) for _ in times]


def test_a_perfect_method_has_perfect_scores() -> None:
    clip = torch.rand(5, 3, 16, 16)
    scores = score_clip(clip, "clip", Protocol(4, 2, flicker=True), {"truth": truth_of(clip)})
    assert {score.psnr_db for score in scores} == {math.inf}
    assert [score.ssim for score in scores] == pytest.approx([1] * 4)
    assert [score.flow_error_px for score in scores] == [None, 0, 0, 0]


def test_tof_is_measured_from_frame_to_frame_across_windows() -> None:
    random = torch.Generator().manual_seed(0)
    wide = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 20, generator=random), (48, 80), mode="bicubic")[
        0
    ].clamp(0, 1)
    clip = torch.stack([wide[:, :32, 2 * number : 2 * number + 48] for number in range(5)])
    still = lambda low, grid, times: [low[0] for _ in times]  # noqa: E731 - repeats each input until the next one
    scores = score_clip(clip, "c", Protocol(1, 2, flicker=True), {"still": still, "truth": truth_of(clip)})
    shown = [clip[0], clip[0], clip[2], clip[2]]
    for score in scores[:2] + scores[4:6]:
        if score.frame:
            flows = [optical_flow(each[score.frame - 1], each[score.frame]) for each in (shown, clip)]
            assert score.flow_error_px == pytest.approx(flow_difference(*flows), abs=1e-6)
    by_frame = [score.flow_error_px for score in scores if score.method == "still"]
    assert by_frame[0] is None
    # Repeated inputs miss two pixels of motion per step, and the jump to the next input has two too many.
    assert by_frame[1:] == pytest.approx([2, 2, 2], abs=0.5)
    assert all(score.flow_error_px in (0, None) for score in scores if score.method == "truth")


def test_every_output_frame_is_passed_to_the_callback() -> None:
    seen: list[tuple[str, int, float]] = []
    clip = torch.rand(5, 3, 16, 16)
    score_clip(
        clip,
        "c",
        Protocol(2, 2),
        {"grey": Recorder(), "blend": blend_bicubic},
        on_picture=lambda method, frame, picture: seen.append((method, frame, float(picture.std()))),
    )
    assert [each[:2] for each in seen] == [
        (method, k + s) for s in (0, 2) for method in ("grey", "blend") for k in (0, 1)
    ]
    assert [spread > 0 for _, _, spread in seen] == [False, False, True, True] * 2


def test_a_model_encodes_each_pair_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, low, encodings = tiny_video_inr(), torch.rand(2, 3, 6, 8), list[int]()
    encode = model.encode

    def counted(frames: Tensor) -> PairFeatures:
        encodings.append(len(frames))
        return encode(frames)

    monkeypatch.setattr(model, "encode", counted)
    with torch.inference_mode():
        pictures = method_from_model(model)(low, Grid(16, 12), [0, 0.5, 0.75])
        assert encodings == [1]
        for t, picture in zip((0, 0.5, 0.75), pictures, strict=True):
            expected = model.render(encode(low[None]), Grid(16, 12), [torch.tensor([float(t)])])[0][0].clamp(0, 1)
            torch.testing.assert_close(picture, expected)


def test_times_are_decoded_in_halves_when_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    model, low, times = tiny_video_inr(), torch.rand(2, 3, 6, 8), [k / 8 for k in range(8)]
    with torch.inference_mode():
        expected = method_from_model(model)(low, Grid(16, 12), times)
        render, asked = model.render, []

        def starved(features: object, grid: Grid, moments: Sequence[Tensor]) -> list[Tensor]:
            asked.append(len(moments))
            if len(moments) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return render(features, grid, moments)  # type: ignore[arg-type]

        monkeypatch.setattr(model, "render", starved)
        pictures = method_from_model(model)(low, Grid(16, 12), times)
    assert asked == [8, 4, 2, 2, 4, 2, 2]
    assert all(torch.equal(a, b) for a, b in zip(pictures, expected, strict=True))


def test_scores_do_not_depend_on_gradients() -> None:
    with torch.enable_grad():
        scores = score_clip(torch.rand(3, 3, 16, 16), "c", Protocol(2, 2), {"m": method_from_model(tiny_video_inr())})
    assert all(np.isfinite(score.psnr_db) for score in scores)


def score(number: int, psnr_db: float, *, flow: float | None = None, secs: float = 1.0) -> FrameScore:
    return FrameScore("c", "m", number, number, psnr_db, psnr_db / 100, flow, secs)


def test_a_summary_has_means_of_each_kind_of_frame() -> None:
    scores = [
        score(k, db, flow=f, secs=k) for k, db, f in ((0, 30.0, None), (1, 20.0, 1.0), (2, 22.0, 2.0), (3, 24.0, 6.0))
    ]
    summary = summarise([*scores, score(0, 34.0, flow=3.0, secs=9)], 4)
    kinds = {
        name: round(getattr(summary, name).psnr_db, 3) for name in ("input", "between", "middle", "others", "center")
    }
    assert kinds == {"input": 32, "between": 22, "middle": 22, "others": 22, "center": 28.667}
    assert summary.average.psnr_db == 26
    assert summary.average.ssim == pytest.approx(0.26)
    assert (summary.average.flow_error_px, summary.input.flow_error_px, summary.others.flow_error_px) == (3, 3, 3.5)
    assert (summary.average.frames, summary.middle.frames, summary.center.frames) == (5, 1, 3)
    assert summary.secs_per_frame == 2  # The median ignores a slow first window.


def test_an_odd_t_has_no_middle_and_json_has_no_infinity() -> None:
    summary = summarise([score(0, math.inf), score(1, 20.0), score(2, 22.0)], 3)
    assert math.isnan(summary.middle.psnr_db)
    assert (summary.others.psnr_db, summary.average.psnr_db) == (21, math.inf)
    plain = summary.to_dict()
    assert plain["middle"] == {"frames": 0, "psnr_db": None, "ssim": None, "flow_error_px": None, "lpips": None}
    assert plain["average"]["psnr_db"] is None
    assert plain["others"]["psnr_db"] == 21


def test_a_protocol_is_described_in_words() -> None:
    text = str(Protocol(4, 8))
    for words in (
        "clips",
        "space x4",
        "time x8",
        "antialiased bicubic",
        "BT.601 Y",
        "T = 8",
        "multiples of 16",
        "11 x 11",
    ):
        assert words in text
    assert "tOF" not in text
    assert "tOF" in str(Protocol(4, 8, flicker=True))
    assert "on RGB" in str(Protocol(4, 8, "rgb", standard=GOPRO))


def test_standard_sets_are_recognised() -> None:
    assert VID4.remarks({"calendar": 41, "city": 34, "foliage": 49, "walk": 47})[0].endswith(
        "171 frames: the set itself."
    )
    assert VID4.remarks({"calendar": 41, "city": 34, "foliage": 49})[0].endswith("NOT the standard set.")
    assert "found 11 clips of 33 frames: the set" in GOPRO.remarks({str(number): 3 for number in range(11)})[0]
    assert "17 clips; found 1 clip of 9 frames: NOT" in ADOBE.remarks({"a": 9})[0]
    assert (VID4.time_scales, GOPRO.time_scales, ADOBE.time_scales) == ((2,), (8,), (8,))


def test_videos_and_folders_of_pictures_are_found_and_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_clip(tmp_path / "a" / "video.mkv", 3, codec="ffv1", pix_fmt="bgr0")
    write_pictures(tmp_path / "b" / "c", 4)
    (tmp_path / "b" / "notes.txt").write_text("no clip")
    found = find_footage(tmp_path)
    assert [clip.name for clip in found] == ["a/video.mkv", "b/c"]
    for clip, count in zip(found, (3, 4), strict=True):
        with clip.open(CPU) as frames:
            assert len(frames) == count
            for index, expected in enumerate(numbered_frames(count)):
                np.testing.assert_array_equal(frames[index].mul(255).permute(1, 2, 0).round().byte(), expected)
    assert [clip.name for clip in find_footage(tmp_path / "b" / "c")] == ["c"]


def test_16_bit_frames_keep_their_depth(tmp_path: Path) -> None:
    deep = np.arange(256, dtype=np.uint16).reshape(16, 16, 1).repeat(3, axis=2) * 200 + 7
    write_pictures(tmp_path / "deep", [deep, deep])
    with find_footage(tmp_path)[0].open(CPU) as frames:
        np.testing.assert_array_equal(frames[1].mul(65535).permute(1, 2, 0).round().numpy(), deep)


@pytest.mark.parametrize("degraded", ["BIx4", "BDx4", "LR", "lr_x4", "LQ"])
def test_beside_the_true_frames_degraded_copies_are_no_clips(tmp_path: Path, degraded: str) -> None:
    for kind in ("GT", degraded):
        write_pictures(tmp_path / kind / "city", 2)
    assert [clip.name for clip in find_footage(tmp_path)] == ["GT/city"]
    # Alone, or beside folders of other names, they are what the user wants to measure.
    assert [clip.name for clip in find_footage(tmp_path / degraded)] == ["city"]
    (tmp_path / "GT").rename(tmp_path / "birds")
    assert [clip.name for clip in find_footage(tmp_path)] == sorted((f"{degraded}/city", "birds/city"))


def test_of_gopros_layout_only_the_sharp_frames_are_taken(tmp_path: Path) -> None:
    for kind in ("sharp", "blur", "blur_gamma"):
        write_pictures(tmp_path / "GOPR0384_11_00" / kind, 2)
    (clip,) = find_footage(tmp_path)
    assert (clip.name, clip.path.name) == ("GOPR0384_11_00", "sharp")
    write_pictures(tmp_path / "other" / "blur", 2)
    assert len(find_footage(tmp_path / "other")) == 1  # Without a folder `sharp` beside it, `blur` is an ordinary name.
