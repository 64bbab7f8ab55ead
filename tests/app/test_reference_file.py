"""Comparing with a second file: at exact times, pixel by pixel, with live PSNR and SSIM."""

from __future__ import annotations

import math
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PySide6.QtWidgets import QFileDialog

from helpers.clips import write_clip
from helpers.slow_renderer import gradient
from helpers.stage import Stage
from videoinr.cancel import NEVER
from videoinr.errors import Cancelled, ClipError
from videoinr.geometry import Grid, Rect
from videoinr.types import Instant, RegionQuery, RenderedRegion
from videoinr_viewer.clip_access.reference_file import ReferenceFile
from videoinr_viewer.picture.comparing import Compare, Frames, Reference, reference_pixels

RATE = Fraction(50)
"""Of the reference, twice the clip's."""
NEAR = 6
"""How much the reference is darker in red than the decoded picture, levels."""


def reference_frame(index: int, grid: Grid) -> NDArray[np.uint8]:
    instant = Instant(index // 2, Fraction(index % 2, 2))
    pixels = gradient(RegionQuery(instant, grid, grid.rect), instant.position / 50)[..., :3].copy()
    pixels[..., 0] -= np.minimum(pixels[..., 0], NEAR)
    return pixels


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lossless reference of twice the size and twice the rate."""
    path = tmp_path_factory.mktemp("reference") / "twice.mkv"
    frames = [reference_frame(index, Grid(320, 180)) for index in range(30)]
    return write_clip(path, frames, codec="ffv1", pix_fmt="bgr0", fps=RATE)


def choose(stage: Stage, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args, **_kw: (str(path), ""))
    stage.viewer.window.actions_by_id["against-file"].trigger()


def complete(stage: Stage) -> RenderedRegion:
    view = stage.viewer.window.frame_view
    stage.wait_until_complete()
    stage.wait_for(lambda: view.comparison.kind is Reference.FILE and view.comparison.is_complete)
    full = view.full_for(stage.viewer.session.last_query)
    assert full is not None
    return full


def test_frames_are_those_of_the_exact_time(twice: Path) -> None:
    file = ReferenceFile(twice, Grid(160, 90))
    exact = file.at(Fraction(7, 50))
    assert (exact.index, exact.early_secs) == (7, Fraction(0))
    assert np.array_equal(exact.rgbx[..., :3], reference_frame(7, Grid(320, 180)))
    later = file.at(Fraction(7, 50) + Fraction(1, 200))
    assert (later.index, later.early_secs) == (7, Fraction(1, 200))
    after = file.at(Fraction(9))
    assert after.index == 29
    file.close()
    with pytest.raises(Cancelled):
        file.at(Fraction(0), NEVER)


def test_times_that_a_container_rounds_still_meet(twice: Path) -> None:
    """A container of whole milliseconds may put a frame up to one later than the same moment of the clip."""
    file = ReferenceFile(twice, Grid(160, 90))
    rounded = file.at(Fraction(7, 50) - Fraction(3, 5000))
    assert (rounded.index, rounded.early_secs) == (7, -Fraction(3, 5000))
    assert file.at(Fraction(7, 50) - Fraction(1, 500)).index == 6
    file.close()


def test_a_reference_of_another_shape_is_refused(twice: Path) -> None:
    file = ReferenceFile(twice, Grid(100, 100))
    with pytest.raises(ClipError, match="another shape") as caught:
        file.open()
    assert caught.value.hint
    file.close()


def test_the_reference_is_shown_and_scored(stage: Stage, twice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, window = stage.viewer.session, stage.viewer.window
    session.zoom_to(2)
    session.seek(Fraction(7, 50))
    choose(stage, twice, monkeypatch)
    full = complete(stage)
    item = window.frame_view.item
    assert window.frame_view.compare is Compare.WIPE
    assert window.actions_by_id["against-file"].isChecked()
    assert item.reference is not None
    wanted = reference_frame(7, Grid(320, 180))[full.query.rect.slices]
    assert np.array_equal(item.reference.rgbx[..., :3], wanted)
    error = (full.rgbx[..., :3].astype(float) - wanted) @ np.array([65.481, 128.553, 24.966]) / 255
    psnr = 10 * math.log10(255**2 / (error**2).mean())
    text, tip = window.status.score.text(), window.status.score.toolTip()
    assert text.startswith((f"{psnr:.2f} dB · SSIM 0.9", f"{psnr:.2f} dB · SSIM 1.000"))
    assert tip.endswith("against frame 7 of twice.mkv, at this time")
    assert window.frame_view.overlays.badge.text().startswith("twice.mkv  |")


def test_the_score_follows_time_and_zoom(stage: Stage, twice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, window = stage.viewer.session, stage.viewer.window
    choose(stage, twice, monkeypatch)
    session.zoom_to(2)
    session.seek(Fraction(1, 10) + Fraction(1, 200))
    complete(stage)
    assert "frame 5 of twice.mkv, which starts 5.0 ms earlier" in window.status.score.toolTip()
    assert window.status.score.text().endswith("(frame 5.0 ms early)")
    session.zoom_to(3)
    complete(stage)
    assert window.status.score.toolTip().endswith("resampled to the pixels in view")
    window.actions_by_id["against-pixels"].trigger()
    stage.wait_for(lambda: window.status.score.text() == "")


def test_a_file_that_cannot_be_used_changes_nothing(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    window = stage.viewer.window
    choose(stage, tmp_path / "text.mp4", monkeypatch)
    stage.wait_for(window.messages.isVisible)
    assert window.frame_view.comparison.kind is Reference.NEAREST
    assert window.actions_by_id["against-pixels"].isChecked()
    assert not window.actions_by_id["against-file"].isChecked()


def test_another_clip_ends_the_comparison_with_the_file(
    stage: Stage, twice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(stage, twice, monkeypatch)
    complete(stage)
    stage.viewer.session.open(stage.made[-1].path.with_name("other.mp4"))
    stage.wait_for(lambda: len(stage.made) == 2)
    stage.wait_until_complete()
    assert stage.viewer.window.frame_view.comparison.kind is Reference.NEAREST
    assert stage.viewer.window.frame_view.comparison.file_name == ""


@pytest.mark.parametrize("divisor", [2, 3.3])
def test_a_larger_reference_is_averaged_down(divisor: float) -> None:
    grid = Grid(round(88 / divisor), round(66 / divisor))
    query = RegionQuery(Instant(0, Fraction(0)), grid, Rect(2, 3, grid.width - 5, grid.height - 6))
    # torch's antialiased bicubic has another free parameter (-0.5), so only smooth content is the same.
    smooth = np.tile(np.linspace(20, 230, 88, dtype=np.float32).astype(np.uint8)[None, :, None], (66, 1, 4))
    made = reference_pixels(Frames(smooth), query, Reference.FILE)
    low = F.interpolate(
        torch.from_numpy(smooth).permute(2, 0, 1)[None].float(), (grid.height, grid.width), mode="bicubic",
        antialias=True,
    )[0].permute(1, 2, 0).numpy()  # fmt: skip
    assert np.abs(made.astype(float) - low[query.rect.slices])[..., :3].max() <= 1.5
    flat = np.full((66, 88, 4), 77, np.uint8)
    assert (reference_pixels(Frames(flat), query, Reference.FILE)[..., :3] == 77).all()


def test_a_file_is_opened_though_other_pictures_are_compared_meanwhile(stage: Stage, twice: Path) -> None:
    comparison = stage.viewer.window.frame_view.comparison
    stage.viewer.session.seek(Fraction(1, 5))
    stage.wait_until_complete()
    comparison.set_mode(Compare.DIFFERENCE)
    stage.wait_for(lambda: comparison.is_complete)
    begun, go_on = threading.Event(), threading.Event()

    def last() -> None:
        begun.set()
        go_on.wait(20)

    comparison._worker.submit(last)
    assert begun.wait(20)
    comparison.set_file(twice)
    comparison.change_gain(1)  # Its job takes the place of the one that waits.
    go_on.set()
    stage.wait_for(lambda: comparison.kind is Reference.FILE and comparison.is_complete)
    assert comparison.file_path == twice
