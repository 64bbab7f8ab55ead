"""What the export dialog offers before the export: presets and a sample."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from helpers import stub_export
from helpers.stage import Stage
from videoinr.exporting.presets import PRESETS
from videoinr_viewer.export.dialog import ExportDialog


@pytest.fixture
def shown(stage_of: Callable[..., Stage], tmp_path: Path) -> tuple[Stage, ExportDialog]:
    """Return a stage whose export dialog is open; its export process is a stub."""
    stage = stage_of(export_command=[sys.executable, stub_export.__file__, "ok"])
    stage.open(str(tmp_path / "my clip.mp4"))
    stage.wait_until_complete()
    stage.viewer.window.exports.show()
    stage.wait_for(lambda: stage.viewer.window.exports.dialog is not None)
    dialog = stage.viewer.window.exports.dialog
    assert dialog is not None
    return stage, dialog


def test_a_preset_sets_format_codec_quality_and_sound(shown: tuple[Stage, ExportDialog]) -> None:
    _, dialog = shown
    form = dialog.form
    for preset in PRESETS:
        form.preset.setCurrentIndex(form.preset.findText(preset.title))
        job = form.job
        assert (job.codec, job.sound) == (preset.codec, preset.sound)
        assert preset.crf is None or job.crf == preset.crf
        assert job.out.name == f"my clip-videoinr{preset.ending}"
        assert form.preset.currentData() is preset
        assert dialog.start.isEnabled(), form.summary.text()
    form.sound.setCurrentIndex(0)
    assert form.preset.currentIndex() == 0, "the user's own choice"


def test_a_sample_starts_at_the_time_that_the_window_shows(shown: tuple[Stage, ExportDialog], tmp_path: Path) -> None:
    stage, dialog = shown
    dialog.form.path.setText(str(tmp_path / "out.mp4"))
    stage.viewer.session.seek(Fraction(1, 2))
    stage.wait_for(lambda: dialog.form.now_secs == Fraction(1, 2))
    dialog.sample.click()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert dialog.title.text() == "Done"
    arguments = json.loads((tmp_path / "out.arguments.json").read_text())
    assert arguments[:6] == ["export", "--json-progress", "--sample", "2", "--sample-at", "1/2"]


def test_an_estimate_is_told(shown: tuple[Stage, ExportDialog], tmp_path: Path) -> None:
    stage, dialog = shown
    dialog.form.path.setText(str(tmp_path / "out.mp4"))
    dialog.estimate.click()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert dialog.title.text() == "Estimate"
    assert dialog.status.text().splitlines() == [
        "Time: about 2 min (2 min to 3 min).", "Size: about 35 MB (28 MB to 45 MB), without sound.",
        "Memory: about 1.6 GB.", "Measured on 18 frames.",
    ]  # fmt: skip
    assert not (tmp_path / "out.mp4").exists()
    dialog.again.click()
    assert dialog.start.isVisible()
