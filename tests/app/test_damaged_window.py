"""A hundred damaged clips in the window with the real engine: each gives a picture or an error, and none hangs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from helpers import faulty_helper
from helpers.clips import write_clip, write_pictures
from helpers.damage import damaged_variants
from helpers.stage import Stage
from helpers.tiny_model import save_tiny_model
from videoinr.isolation import helper_process, helpers
from videoinr.render.engine import open_engine
from videoinr.render.messages import Failure
from videoinr.render.renderer import Renderer
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.viewer import Viewer

VARIANTS = 100
HANG_MSECS = 10_000


@pytest.fixture
def stage(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Stage]:
    model = str(save_tiny_model(tmp_path))

    def open_renderer(path: Path) -> Renderer:
        return open_engine(path, model=model, device="cpu")

    viewer = Viewer(qapp, open_renderer, settings=Settings(), theme=Theme.LIGHT)
    # Small, for speed: the damage is in the files.
    viewer.show((500, 400))
    yield Stage(qtbot, viewer, [])
    viewer.window.exports.asks = False
    viewer.window.close()
    assert viewer.is_shut_down


@pytest.mark.long
def test_every_damaged_clip_gives_a_picture_or_an_error_message(stage: Stage, tmp_path: Path) -> None:
    folder, session = tmp_path / "clips", stage.viewer.session
    folder.mkdir()
    sources = [
        write_clip(folder / "clip.mp4", 6),
        write_clip(folder / "clip.mkv", 6),
        write_clip(folder / "clip.ts", 6),
        write_clip(folder / "clip.webm", 6, codec="libvpx-vp9"),
        *write_pictures(folder / "pictures", 1),
    ]
    failures: list[Failure] = []
    stage.viewer.bridge.failure.connect(failures.append)
    ends: Counter[str] = Counter()
    for variant in damaged_variants(sources, folder / "variants", VARIANTS, seed=5):
        failures.clear()
        session.open(variant)
        stage.qtbot.waitUntil(lambda: bool(failures) or stage.is_complete(), timeout=HANG_MSECS)
        ends["failed" if failures else "shown"] += 1
        for failure in failures:
            assert "unexpected error" not in failure.message, (variant, failure)
            assert "Traceback" not in failure.message + failure.hint
    assert sum(ends.values()) == VARIANTS
    # Both outcomes must occur.
    assert min(ends["failed"], ends["shown"]) > VARIANTS // 10


def test_a_file_that_ends_the_process_that_reads_it_costs_only_itself(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = helpers.Helpers()
    monkeypatch.setenv(helpers.SWITCH, "1")
    monkeypatch.setattr(helper_process, "SERVER", faulty_helper.__name__)
    monkeypatch.setattr(helpers, "HELPERS", own)
    good, bad = write_clip(tmp_path / "good.mp4", 6), write_clip(tmp_path / "exits.mp4", 6)
    failures: list[Failure] = []
    stage.viewer.bridge.failure.connect(failures.append)
    stage.viewer.session.open(good)
    stage.wait_until_complete()
    stage.viewer.session.open(bad)
    stage.wait_for(lambda: bool(failures))
    assert "“exits.mp4” ended the process that reads it" in failures[0].message
    assert "Everything else goes on" in failures[0].hint
    assert stage.viewer.session.clip is not None
    assert stage.viewer.session.clip.info.path == good
    stage.wait_until_complete()
    stage.viewer.session.open(good)
    stage.wait_until_complete()
    assert len(failures) == 1
    own.close()
