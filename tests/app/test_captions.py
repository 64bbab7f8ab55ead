"""Saved and copied pictures say what they are: as texts in the file, and below the picture if that is wanted."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QImage

from helpers.stage import Stage
from videoinr.types import RenderedRegion
from videoinr_viewer.picture.qimages import qimage_from_rgbx


def saved(stage: Stage, path: Path) -> QImage:
    done: list[Path] = []
    stage.viewer.window.taker.saved.connect(done.append)
    stage.viewer.window.taker.save(path)
    stage.wait_for(lambda: done == [path])
    return QImage(str(path))


@pytest.fixture
def here(stage: Stage) -> Stage:
    stage.viewer.session.seek(Fraction(131, 100))
    stage.viewer.session.zoom_to(4)
    return stage


def test_the_file_says_clip_time_scale_and_model(here: Stage, tmp_path: Path) -> None:
    taken: list[RenderedRegion] = []
    here.viewer.window.taker.take(taken.append)
    image = saved(here, tmp_path / "a.png")
    texts = {name: image.text(name) for name in ("Clip", "Time", "Frame", "Scale", "Model")}
    assert texts == {
        "Clip": "gradient.mp4",
        "Time": "131/100 s",
        "Frame": "32 + 3/4",
        "Scale": "4",
        "Model": "gradient",
    }
    assert image.text("Description") == "gradient.mp4, 0:01.310 (frame 32 + 0.750), ×4, model gradient"
    assert (image.width(), image.height()) == taken[0].rgbx.shape[1::-1], "not a pixel more"


def test_the_words_stand_below_the_picture_and_hide_nothing(here: Stage, tmp_path: Path) -> None:
    taken: list[RenderedRegion] = []
    here.viewer.window.actions_by_id["burn-in"].trigger()
    here.viewer.window.taker.take(taken.append)
    image = saved(here, tmp_path / "b.png").convertToFormat(QImage.Format.Format_RGB32)
    plain = qimage_from_rgbx(taken[0].rgbx).convertToFormat(QImage.Format.Format_RGB32)
    assert image.height() > plain.height()
    assert image.copy(plain.rect()) == plain
    strip = image.copy(0, plain.height(), plain.width(), image.height() - plain.height())
    brightest = max(strip.pixelColor(x, y).lightness() for x in range(strip.width()) for y in range(strip.height()))
    assert brightest > 150
    assert image.text("Clip") == "gradient.mp4"


def test_a_copy_carries_the_same(here: Stage) -> None:
    here.viewer.window.actions_by_id["copy-picture"].trigger()
    here.wait_for(lambda: QGuiApplication.clipboard().image().text("Model") == "gradient")
