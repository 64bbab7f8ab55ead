"""Variants of protocols: 8-bit scoring, definitions of center, and inputs coded by a real encoder."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from helpers.clips import write_footage
from helpers.command_line import Outcome, run_here
from helpers.shots import texture
from helpers.tiny_model import save_tiny_model
from videoinr.errors import UsageError
from videoinr.evaluation.clips import FrameScore, degraded, open_windows, score_clip
from videoinr.evaluation.coded import GOP_FRAMES, CodedInputs, _encode, coded_clip, coded_inputs
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.run import Run
from videoinr.evaluation.seams import seams_of_clip
from videoinr.geometry import Grid

CPU = torch.device("cpu")
Array = NDArray[np.float64]


def clip(count: int, *, height: int = 96, width: int = 128) -> Tensor:
    """Return a pan over a made texture, [count, 3, height, width], 8-bit values."""
    frames = [texture(11)[50 : 50 + height, 40 + 2 * k : 40 + 2 * k + width] for k in range(count)]
    return torch.from_numpy(np.stack(frames).round()).permute(0, 3, 1, 2) / 255


def luma(rgb: Array) -> Array:
    """Return BT.601 luma of 8-bit levels [3, h, w], as the field computes it: 16 + (65.481 R + ...) / 255."""
    weighted: Array = np.einsum("c,chw->hw", np.array([65.481, 128.553, 24.966]), rgb)
    return 16 + weighted / 255


def test_8_bit_scores_are_those_of_rounded_pictures() -> None:
    truth = clip(2, height=32, width=48)
    random = torch.rand(3, 32, 48, generator=torch.Generator().manual_seed(2))
    made = truth[0] + 0.02 * (random - 0.5)

    def noisy(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        return [made]

    (plain,), (rounded,) = (
        score_clip(truth, "c", Protocol(1, 1, scoring=scoring), {"m": noisy}) for scoring in ("float", "8bit")
    )
    levels = np.rint(np.clip(made.double().numpy(), 0, 1) * 255)
    true = truth[0].double().numpy() * 255
    expected = 10 * math.log10(255**2 / np.square(luma(levels) - luma(true)).mean())
    assert rounded.psnr_db == pytest.approx(expected, abs=1e-3)
    exact = 10 * math.log10(255**2 / np.square(luma(np.clip(made.double().numpy(), 0, 1) * 255) - luma(true)).mean())
    assert plain.psnr_db == pytest.approx(exact, abs=1e-3)
    assert plain.psnr_db != pytest.approx(rounded.psnr_db, abs=1e-3)
    structural_similarity = pytest.importorskip("skimage.metrics").structural_similarity
    by_others = structural_similarity(
        luma(levels), luma(true), data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        full=True,
    )[1]  # fmt: skip
    assert rounded.ssim == pytest.approx(by_others[5:-5, 5:-5].mean(), abs=1e-5)
    assert "rounded to 8 bits" in str(Protocol(1, 1, scoring="8bit"))
    assert "not rounded" in str(Protocol(1, 1))


@pytest.mark.parametrize(("center", "expected"), [("v3", (30 + 22 + 34 + 26) / 4), ("bf-stvsr", (22 + 26) / 2)])
def test_center_has_two_definitions(center: Any, expected: float) -> None:
    values = [30.0, 20.0, 22.0, 24.0, 34.0, 21.0, 26.0, 23.0]
    scores = [FrameScore("c", "m", k, k % 4, db, 0.5, None, 1.0) for k, db in enumerate(values)]
    run = Run(Protocol(4, 4, center=center), scores, {})
    assert run.summary("m").center.psnr_db == pytest.approx(expected)
    assert ("T/2 alone" in run.protocol.rules) == (center == "bf-stvsr")


@pytest.mark.parametrize(
    ("text", "encoder", "crf"), [("h264:28", "libx264", 28), ("HEVC:0", "libx265", 0), (" vp9:63 ", "libvpx-vp9", 63)]
)
def test_codings_are_read(text: str, encoder: str, crf: int) -> None:
    assert coded_inputs(text) == CodedInputs(encoder, crf)


@pytest.mark.parametrize(
    "text",
    ["", "h264", "h264:", "h264:52", "h264:-1", "h264:2.5", "h264:٣", "nothing:3", ":28", "ffv1:3", "h264:" + "9" * 99],
)
def test_other_codings_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        coded_inputs(text)


def decoded(frames: Tensor, crf: int, *, count: int | None = None) -> list[Tensor]:
    with coded_clip(lambda number: frames[number], count or len(frames), CodedInputs("libx264", crf), CPU) as read:
        return [read(number) for number in range(count or len(frames))]


def independently_decoded(frames: Tensor, crf: int) -> list[Array]:
    """Return frames coded by x264 through planes and files of the test's own; levels [3, h, w]."""
    kr, kb = 0.2126, 0.0722
    matrix = np.array([[kr, 1 - kr - kb, kb]] * 3)
    matrix[1] = (np.array([0, 0, 1]) - matrix[0]) / (2 * (1 - kb))
    matrix[2] = (np.array([1, 0, 0]) - matrix[0]) / (2 * (1 - kr))
    packets, encoder = [], av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = frames.shape[2:]
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 30), Fraction(30)
    encoder.options = {"crf": str(crf), "preset": "medium", "g": "250"}
    for number, frame in enumerate(frames.double().numpy() * 255):
        y, u, v = np.einsum("ij,jhw->ihw", matrix, frame)
        halves = [plane.reshape(plane.shape[0] // 2, 2, -1, 2).mean((1, 3)) for plane in (u, v)]
        planes = [16 + y * 219 / 255, *(128 + plane * 224 / 255 for plane in halves)]
        width = frames.shape[3]
        flat = np.concatenate([plane.ravel() for plane in planes]).round().astype(np.uint8).reshape(-1, width)
        picture = av.VideoFrame.from_ndarray(flat, "yuv420p")
        picture.pts = number
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    decoder, out = av.CodecContext.create("h264", "r"), []
    inverse = np.linalg.inv(matrix)
    for packet in [*packets, None]:
        for picture in decoder.decode(packet):
            flat, height = picture.to_ndarray().astype(float), frames.shape[2]
            colours = flat[height:].reshape(2, height // 2, -1).repeat(2, 1).repeat(2, 2)
            ycc = np.stack([(flat[:height] - 16) * 255 / 219, *((each - 128) * 255 / 224 for each in colours)])
            out.append(np.clip(np.einsum("ij,jhw->ihw", inverse, ycc), 0, 255))
    return out


@pytest.mark.parametrize(("crf", "alike"), [(18, 0.4), (33, 0.7)])
def test_coded_frames_are_those_of_an_independent_computation(crf: int, alike: float) -> None:
    frames = clip(9)
    for number, (mine, other) in enumerate(zip(decoded(frames, crf), independently_decoded(frames, crf), strict=True)):
        true = luma(frames[number].double().numpy() * 255)
        errors = [luma(levels) - true for levels in (mine.double().numpy() * 255, other)]
        power = [10 * math.log10(255**2 / np.square(error).mean()) for error in errors]
        assert power[0] == pytest.approx(power[1], abs=0.6)
        # The artefacts themselves are the same, not only their size; small ones drown in the rounding of colours.
        assert np.corrcoef(errors[0].ravel(), errors[1].ravel())[0, 1] > alike


def test_each_frame_is_asked_for_once_in_order_and_key_frames_are_250_apart(tmp_path: Path) -> None:
    asked = list[int]()
    small = clip(1, height=16, width=32)[0]

    def frame(number: int) -> Tensor:
        asked.append(number)
        return small

    _encode(tmp_path / "c.mkv", frame, GOP_FRAMES + 10, CodedInputs("libx264", 30))
    assert asked == list(range(GOP_FRAMES + 10))
    with av.open(tmp_path / "c.mkv") as file:
        keys = [packet.pts for packet in file.demux(video=0) if packet.is_keyframe and packet.pts is not None]
    assert len(keys) == 2
    assert keys[0] == 0


@pytest.mark.parametrize(("height", "width"), [(96, 128), (33, 47)])
def test_methods_see_the_coded_frames_and_are_compared_with_the_truth(height: int, width: int) -> None:
    frames = clip(9, height=height // 16 * 16 * 2, width=width // 16 * 16 * 2 + 10)
    protocol = Protocol(2, 4, coding=CodedInputs("libx264", 30))
    # Of each frame alone, as the program does it: sums in another order may round to another level.
    shrunk = torch.cat([degraded(frame[None, ..., : width // 16 * 16 * 2], 2) for frame in frames])
    expected = decoded(shrunk, 30)
    with open_windows(frames, protocol) as window_at:
        truth, low = window_at(4)
    assert torch.equal(truth, frames[4:, :, :, : width // 16 * 16 * 2])
    # Not equal: x264 may encode the same frames otherwise the second time (findings/x264_varies.sh).
    again = torch.stack([expected[4], expected[8]])
    assert (low - again).abs().mean() < 0.75 * (again - shrunk[[4, 8]]).abs().mean()
    assert (low - shrunk[[4, 8]]).abs().mean() > 0.5 / 255
    scores = score_clip(frames, "c", protocol, {"first": lambda low, grid, times: [frames[0][..., : grid.width]] * 4})
    assert scores[0].psnr_db > 150  # The truth is not coded; some processors sum luma of other strides otherwise.
    seams, _ = seams_of_clip(
        frames, "c", protocol, lambda low, grid, times: [low[0].repeat(1, 2, 2), low[1].repeat(1, 2, 2)]
    )
    assert seams[0].step == 0  # The coded frame at a seam is the same in both pairs.


def test_worse_quality_is_worse() -> None:
    frames = clip(6, height=64, width=96)
    errors = [float((torch.stack(decoded(frames, crf)) - frames).square().mean()) for crf in (5, 18, 28, 40)]
    assert errors == sorted(errors)
    assert errors[0] < 1e-3 < 40 * errors[3]


def evaluate(footage: Path, *more: object) -> Outcome:
    return run_here("evaluate", "--data", footage, "--device", "cpu", *more)


def test_the_command_takes_variants(tmp_path: Path) -> None:
    footage, model = write_footage(tmp_path / "footage"), save_tiny_model(tmp_path)
    usual = ("--model", model, "--scale", 2, "--json")
    plain, rounded, coded = (
        json.loads(evaluate(footage, *usual, *more).stdout)["runs"][0]
        for more in ((), ("--scoring", "8bit", "--center", "bf-stvsr"), ("--coding", "h264:35"))
    )
    assert "not rounded" in plain["protocol"]
    for words in ("rounded to 8 bits", "T/2 alone"):
        assert words in rounded["protocol"]
    assert "coded as a whole clip by libx264 at constant quality 35" in coded["protocol"]
    means = [run["results"]["bicubic-blend"]["mean"] for run in (plain, rounded, coded)]
    assert means[0]["average"] != means[1]["average"]
    assert means[1]["center"] == means[1]["middle"]
    assert means[0]["center"]["frames"] == 2 * means[1]["center"]["frames"]
    assert means[2]["average"]["psnr_db"] < means[0]["average"]["psnr_db"] - 0.1
    shown = evaluate(footage, "--model", model, "--center", "bf-stvsr", "--markdown")
    assert "PSNR-Y center" in shown.stdout
    refused = evaluate(footage, "--model", model, "--coding", "h264:99")
    assert refused.exit_code == 2
    assert "has no quality 99" in refused.stderr
