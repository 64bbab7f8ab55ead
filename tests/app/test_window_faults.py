"""Faults of the machine as the whole program meets them: disks, folders, fonts. ARCHITECTURE has the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.slow_renderer import SlowRenderer
from helpers.stage import Stage
from videoinr.types import Instant, RenderedRegion
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.theme_choice import Theme

HOMES = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")


def environment(home: Path, **others: str) -> dict[str, str]:
    """Return variables for a program whose every folder lies in ``home``."""
    here = {name: value for name, value in os.environ.items() if name not in HOMES}
    roots = os.pathsep.join(sys.path)
    return {**here, "HOME": str(home), "PYTHONPATH": roots, "QT_QPA_PLATFORM": "offscreen", **others}


def visit(home: Path, *arguments: object) -> tuple[dict[str, object], str]:
    """Run helpers.visit with the folders in ``home``; return what it printed, and its stderr."""
    command = [sys.executable, "-W", "error", "-m", "helpers.visit", *map(str, arguments)]
    done = subprocess.run(
        command, env=environment(home), capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A file that stands for a clip; the renderer does not read it."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a clip " * 100)
    return path


def assert_calm(stderr: str) -> None:
    for word in ("Traceback", "Logging error", "Error:"):
        assert word not in stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
def test_a_home_that_cannot_be_written_to_costs_settings_and_notes_only(tmp_path: Path, clip: Path) -> None:
    home = tmp_path / "file" / "home"  # No folder can be made in a file, not even by root.
    (tmp_path / "file").write_text("no folder")
    told, stderr = visit(home, clip)
    assert told == {"code": 0, "said": [], "is_done": True}
    assert_calm(stderr)
    assert "the state of the window could not be kept" in stderr, "the log goes to the terminal"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "file"]


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of file sizes")
def test_a_full_disk_leaves_the_settings_as_they_were(tmp_path: Path, clip: Path) -> None:
    settings = tmp_path / "home" / ".config" / "videoinr-viewer" / "viewer.ini"
    settings.parent.mkdir(parents=True)
    Settings(recent=[tmp_path / "other.mp4"], theme=Theme.DARK).save(settings)  # The visit chooses the light one.
    before = settings.read_bytes()
    told, stderr = visit(tmp_path / "home", "--full-disk", clip)
    assert told == {"code": 0, "said": [], "is_done": True}
    assert_calm(stderr)
    assert settings.read_bytes() == before
    log = tmp_path / "home" / ".local" / "state" / "videoinr-viewer" / "log" / "viewer.log"
    assert log.stat().st_size == 0, "nothing could be written"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have fonts")
def test_without_fonts_the_window_opens_and_the_terminal_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "fonts.conf").write_text("<?xml version='1.0'?><fontconfig></fontconfig>")
    out = tmp_path / "out.png"
    done = subprocess.run(
        [sys.executable, "-m", "videoinr_viewer.main", "--screenshot", str(out)],
        env=environment(tmp_path, FONTCONFIG_FILE=str(tmp_path / "fonts.conf")), capture_output=True, text=True,
        timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "No fonts are installed" in done.stderr
    assert "apt-get install fonts-dejavu-core" in done.stderr
    assert "Traceback" not in done.stderr
    assert out.stat().st_size > 1000


def test_a_slow_disk_never_stops_the_window(stage_of: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    arrived, may_read = threading.Event(), threading.Event()
    source = SlowRenderer.source

    def slow(self: SlowRenderer, instant: Instant) -> RenderedRegion:
        arrived.set()
        assert may_read.wait(60)
        return source(self, instant)

    stage = stage_of()
    stage.open()
    stage.wait_until_complete()
    monkeypatch.setattr(SlowRenderer, "source", slow)
    session, window = stage.viewer.session, stage.viewer.window
    session.seek(session.clip.timeline.duration_secs / 2)  # type: ignore[union-attr]
    stage.wait_for(arrived.is_set)
    # The disk gives nothing. All that needs no frame works.
    session.zoom_to(4)
    session.mark_in()
    window.annotations.add_segment()
    window.actions_by_id["keys"].trigger()
    stage.viewer.player.toggle()
    stage.viewer.player.toggle()
    assert session.view.zoom == 4
    assert len(window.annotations.segments) == 1
    assert not stage.is_complete()
    may_read.set()
    stage.wait_until_complete()
