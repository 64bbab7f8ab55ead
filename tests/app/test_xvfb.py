"""The real program in a real window, used by mouse and keyboard, with a very slow engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.clicks import write_clicks
from helpers.clips import write_clip
from helpers.viewer_under_test import EXPORTED_FRAMES, EXPORTED_SIZE
from helpers.x_close import press_close_button
from helpers.x_program import PATIENCE_SECS, Program, drop
from videoinr.clip import open_clip
from videoinr.render.view import MAX_SCALE
from videoinr_viewer.picture.comparing import Compare

GOAL_MSECS, BOUND_MSECS = 50, 250
"""The longest gap of the event loop by the clock: the goal, and the bound that allows for a busy machine."""
CPU_BOUND_MSECS = 100
"""The most processor time of the GUI thread in a gap: 30 to 54 were seen at a load of 13."""

pytestmark = [
    pytest.mark.xvfb,
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed"),
    pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed"),
]


@pytest.fixture
def display() -> Iterator[str]:
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        # Without repetition of keys: on a busy machine a letter that is typed seems to be held down, and comes twice.
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-r"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as told:
        number = told.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture
def program(display: str, tmp_path: Path) -> Iterator[Program]:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"not read: the renderer makes the pictures")
    program = Program(display, tmp_path, clip=clip)
    yield program
    program.clean_up()


@pytest.fixture
def empty_program(display: str, tmp_path: Path) -> Iterator[Program]:
    """Return a program that shows its first page."""
    program = Program(display, tmp_path)
    yield program
    program.clean_up()


@pytest.fixture
def studio(display: str, tmp_path: Path) -> Iterator[Program]:
    """Return a program whose clip is a small file that real processes export."""
    width, height = EXPORTED_SIZE
    ramp = np.linspace(0, 255, width * height * 3).astype(np.uint8).reshape(height, width, 3)
    write_clip(tmp_path / "clip.mp4", (np.roll(ramp, 2 * number, 1) for number in range(EXPORTED_FRAMES)))
    program = Program(display, tmp_path, clip=tmp_path / "clip.mp4", mode="export")
    yield program
    program.clean_up()


@pytest.fixture
def theatre(display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """Return a program with a quick renderer, whose clip has sound, which goes into the null output."""
    monkeypatch.setenv("VIDEOINR_SOUND", "null")
    write_clicks(tmp_path / "clip.mp4", list(range(0, 2000, 40)), [10], end_msecs=2000, tone=0.1)
    program = Program(display, tmp_path, clip=tmp_path / "clip.mp4", mode="play")
    yield program
    program.clean_up()


def _shows_flow(view: str, state: dict[str, Any]) -> bool:
    return bool(state["flow"] == view)


def _compares(mode: Compare, state: dict[str, Any]) -> bool:
    return bool(state["compare"] == mode.value and state["complete"])


def test_a_complete_visit(empty_program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = empty_program
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"not read: the renderer makes the pictures")
    drop(program, clip)
    program.wait_for(lambda state: state.get("complete") is True, "the clip opens, and its full picture comes")
    drag_the_slider(program, secs=5.0)
    zoom_and_pan(program)
    press_keys(program)
    export(program, tmp_path / "out.mp4")
    program.focus("clip.mp4 — ")
    program.xdotool("key", "ctrl+k")
    program.wait_for(lambda state: state["palette"] is True, "the window is closed although the palette is open")
    quit_by_the_close_button(program)
    state = program.end()
    with capsys.disabled():
        print(
            f"\n  longest gap of the event loop: {state['longest_gap_msecs']} ms (goal {GOAL_MSECS}),",
            f"in processor time {state['longest_cpu_msecs']} ms",
            state["where"],
            state["pictures"],
        )
    assert state["code"] == 0
    assert program.process.returncode == 0
    assert state["threads"] == []
    assert state["closed"]
    assert (tmp_path / "viewer.toml").exists()
    log = (tmp_path / "log" / "viewer.log").read_text()
    assert not [line for line in log.splitlines() if " INFO " not in line], log
    assert state["pictures"]["draft"] + state["pictures"]["motion"] >= 10, state["pictures"]
    check_gaps(state)


def test_cached_play_with_sound(theatre: Program, capsys: pytest.CaptureFixture[str]) -> None:
    theatre.wait_for(lambda state: state.get("complete") is True, "the clip opens")
    theatre.focus("clip.mp4 — ")
    theatre.xdotool("key", "Home", "shift+Right", "o", "Home")
    theatre.wait_for(lambda state: state["covered"] == [25, 25], "the marked second is decoded while the window rests")
    theatre.xdotool("key", "space")
    theatre.wait_for(lambda state: state["heard"] and state["decoded"] > 100, "decoded pictures play with sound")
    assert theatre.state["note"] == "playing decoded pictures"
    theatre.xdotool("key", "shift+m")
    theatre.wait_for(lambda state: state["muted"] and not state["heard"], "Shift+M mutes")
    theatre.xdotool("key", "space")
    theatre.wait_for(lambda state: not state["playing"] and state["note"] == "", "Space pauses")
    quit_by_the_close_button(theatre)
    state = theatre.end()
    with capsys.disabled():
        print(
            f"\n  pictures later than the sound: {state['late_msecs']} ms; gap {state['longest_gap_msecs']} ms",
            state["where"],
        )
    assert state["code"] == 0
    assert state["threads"] == []
    assert state["pictures"]["full"] >= 100
    assert len(state["late_msecs"]) == 3
    assert all(-GOAL_MSECS < late < BOUND_MSECS for late in state["late_msecs"]), "they stay together"
    check_gaps(state)


def test_a_queue_of_real_exports(studio: Program, tmp_path: Path) -> None:
    studio.wait_for(lambda state: state.get("complete") is True, "the clip opens")
    good, bad = tmp_path / "good.mp4", tmp_path / "none" / "bad.mp4"
    export_by_queue(studio, good, bad)
    with open_clip(good) as clip:
        width, height = EXPORTED_SIZE
        assert (clip.info.width, clip.info.height, clip.info.frames) == (2 * width, 2 * height, 2 * EXPORTED_FRAMES)
    quit_by_the_close_button(studio)
    state = studio.end()
    assert (state["code"], state["threads"]) == (0, [])


def check_gaps(state: dict[str, Any]) -> None:
    """Check that the event loop never stood still for long. By the clock, that is true where a processor is free."""
    assert state["longest_cpu_msecs"] < CPU_BOUND_MSECS, state["where"]
    if os.getloadavg()[0] <= (os.cpu_count() or 1):
        assert state["longest_gap_msecs"] < BOUND_MSECS, state["where"]


def drag_the_slider(program: Program, *, secs: float) -> None:
    x, y = program.at("overview", 0.05, 0.68)
    _, _, width, _ = program.state["overview"]
    program.xdotool("mousemove", x, y, "mousedown", 1)
    start, way_px = time.monotonic(), 0.0
    while (passed := time.monotonic() - start) < secs:
        # First too fast for the engine, then slowly enough for pictures during the drag.
        way_px = min(way_px + (3.0 if passed < secs / 3 else 0.4), width * 0.85)
        program.xdotool("mousemove", x + round(way_px), y)
        time.sleep(0.01)
    program.xdotool("mouseup", 1)
    program.wait_for(lambda state: state.get("moved") is True, "the slider moves the time")
    program.wait_for(lambda state: state.get("complete") is True, "the full picture comes at rest")


def zoom_and_pan(program: Program) -> None:
    fitted, x, y = program.state["zoom"], *program.at("picture", 0.4, 0.4)
    program.xdotool("mousemove", x, y, "click", 4, "click", 4, "click", 4, "click", 4)
    program.wait_for(lambda state: abs(state["zoom"] - 2 * fitted) < 0.01, "four notches double the zoom")
    centre = program.state["centre"]
    program.xdotool("mousedown", 1)
    for moved in range(0, 120, 4):
        program.xdotool("mousemove", x + moved, y + moved // 2)
    program.xdotool("mouseup", 1)
    program.wait_for(lambda state: state["centre"][0] < centre[0] - 5, "dragging pans")
    program.wait_for(lambda state: state["complete"], "the drag is over")
    program.xdotool("mousemove", x, y)
    point, before = under(program, x, y), program.state["zoom"]
    program.xdotool("click", "--repeat", 30, "--delay", 5, 4)
    program.wait_for(lambda state: state["zoom"] == MAX_SCALE and state["complete"], "the wheel zooms to x32")
    assert before < MAX_SCALE / 4
    assert all(abs(one - other) < 0.1 for one, other in zip(under(program, x, y), point, strict=True))
    program.xdotool("key", "f")
    program.wait_for(lambda state: abs(state["zoom"] - fitted) < 0.01 and state["complete"], "F fits the picture")


def under(program: Program, x: int, y: int) -> tuple[float, float]:
    """Return the clip's point, (x, y) in its pixels, that lies under a pixel of the screen."""
    middle, zoom, centre = program.at("picture"), program.state["zoom"], program.state["centre"]
    return centre[0] + (x - middle[0]) / zoom, centre[1] + (y - middle[1]) / zoom


def press_keys(program: Program) -> None:
    program.xdotool("key", "Home", "Right", "Right", "i", "End", "Left", "o")
    program.wait_for(lambda state: state["marks"] == [True, True], "I and O set the marks")
    program.xdotool("key", "c")
    program.wait_for(lambda state: state["compare"] == "wipe", "C compares")
    program.xdotool("key", "Escape")
    program.wait_for(lambda state: state["compare"] == "off", "Escape ends the comparison")
    for number, mode in enumerate((Compare.WIPE, Compare.SIDE_BY_SIDE, Compare.DIFFERENCE, Compare.BLINK), 1):
        program.xdotool("key", f"ctrl+{number}")
        program.wait_for(partial(_compares, mode), "each way to compare has its key, and shows its pictures")
    program.xdotool("key", "ctrl+0")
    program.wait_for(partial(_compares, Compare.OFF), "Ctrl+0 ends the comparison")
    program.xdotool("keydown", "Tab")
    program.wait_for(lambda state: state["source_only"] is True, "holding Tab shows the source")
    program.xdotool("keyup", "Tab")
    program.wait_for(lambda state: state["source_only"] is False, "releasing Tab shows the picture again")
    for view in ("colours", "arrows", "off"):
        program.xdotool("key", "v")
        program.wait_for(partial(_shows_flow, view), "V goes through the views of the motion")
    program.xdotool("keydown", "z")
    program.wait_for(lambda state: state["loupe"] is True, "holding Z shows the loupe")
    program.xdotool("keyup", "z")
    program.wait_for(lambda state: state["loupe"] is False, "releasing Z hides it")
    program.xdotool("key", "x")
    program.wait_for(lambda state: state["slice"] is True, "X slices, column by column")
    program.xdotool("key", "Escape")
    program.wait_for(lambda state: state["slice"] is False, "Escape ends the slice")
    program.xdotool("key", "question")
    program.wait_for(lambda state: state["keys"] is True, "? shows the key sheet")
    program.focus("^Keyboard shortcuts$")
    program.xdotool("key", "Escape")
    program.wait_for(lambda state: state["keys"] is False, "Escape closes the key sheet")


def export(program: Program, out: Path) -> None:
    program.focus("clip.mp4 — ")
    program.xdotool("key", "ctrl+e")
    program.wait_for(lambda state: state.get("export") == "form" and "start" in state, "Ctrl+E shows the form")
    program.focus("^Export$")
    program.xdotool("mousemove", *program.at("path"), "click", 1, "key", "ctrl+a", "type", str(out))
    program.xdotool("mousemove", *program.at("start"), "click", 1)
    program.wait_for(lambda state: state["export"] == "Done", "the export ends")
    assert out.exists()


def export_by_queue(program: Program, good: Path, bad: Path) -> None:
    for number, out in enumerate((bad, good), 1):
        program.focus("clip.mp4 — ")
        program.xdotool("key", "ctrl+e")
        program.wait_for(_shows_the_form, "Ctrl+E shows the form again")
        program.focus("^Export$")
        program.xdotool("mousemove", *program.at("path"), "click", 1, "key", "ctrl+a", "type", str(out))
        program.xdotool("mousemove", *program.at("enqueue"), "click", 1)
        program.wait_for(partial(_has_jobs, number), "the job is in the queue")
    program.focus("clip.mp4 — ")
    program.xdotool("key", "ctrl+shift+e")
    program.wait_for(lambda state: "run" in state, "Ctrl+Shift+E shows the queue")
    program.focus("^Export queue$")
    program.xdotool("mousemove", *program.at("run"), "click", 1)
    program.wait_for(
        lambda state: sorted(state["queue"]) == ["done", "failed"] and not state["queue_runs"] and state["reasons"],
        "the queue goes on after a bad job, and ends",
        patience_secs=3 * PATIENCE_SECS,
    )
    assert good.exists()
    assert len(program.state["reasons"]) == 1
    assert "There is no folder" in program.state["reasons"][0]


def _shows_the_form(state: dict[str, Any]) -> bool:
    return state.get("export") == "form" and "enqueue" in state


def _has_jobs(count: int, state: dict[str, Any]) -> bool:
    return len(state.get("queue", [])) == count


def quit_by_the_close_button(program: Program) -> None:
    # Without a window manager there is no close button; this sends the message of the button.
    press_close_button(program.environment["DISPLAY"], int(program.window("clip.mp4 — ")))


def test_work_is_restored_after_the_program_was_killed(program: Program, display: str, tmp_path: Path) -> None:
    program.wait_for(lambda state: "segments" in state, "the clip opens")
    program.focus("clip.mp4 — ")
    program.xdotool("key", "Right", "Right", "i", "Right", "Right", "o", "Return")
    program.wait_for(lambda state: state["segments"] == ["Segment 1"], "Return adds the marked segment")
    program.xdotool("key", "ctrl+k")
    program.wait_for(lambda state: state["palette"] is True, "Ctrl+K shows the palette")
    program.focus("^Find a command$")
    program.xdotool("type", "split")
    program.xdotool("key", "Escape")
    program.wait_for(lambda state: state["palette"] is False, "Escape closes the palette")
    program.focus("clip.mp4")
    program.xdotool("key", "Left", "b")
    program.wait_for(lambda state: len(state["segments"]) == 2, "B splits the segment")
    save_the_project(program, tmp_path / "work.vinr")
    program.xdotool("key", "ctrl+z")
    program.wait_for(lambda state: state["segments"] == ["Segment 1"], "Ctrl+Z undoes the split")
    program.xdotool("key", "ctrl+shift+z")
    program.wait_for(lambda state: len(state["segments"]) == 2, "Ctrl+Shift+Z splits it again")
    program.xdotool("key", "alt+Right", "b")
    program.wait_for(lambda state: len(state["segments"]) == 3, "B splits the second part")
    expected = {name: program.state[name] for name in ("segments", "marks", "time", "project")}
    wait_for_state(tmp_path / "unsaved", segments=3)
    program.process.kill()
    program.process.wait()
    assert "work.vinr" in (tmp_path / "viewer.toml").read_text("utf-8"), "settings need no clean end either"
    again = Program(display, tmp_path)
    try:
        again.wait_for(lambda state: "restore" in state, "the next start offers the work")
        again.xdotool("mousemove", *again.at("restore"), "click", 1)
        again.wait_for(lambda state: len(state.get("segments", [])) == 3, "Restore opens the clip with its segments")
        assert {name: again.state[name] for name in expected} == expected
        wait_for_state(tmp_path / "unsaved", segments=3)
        assert len(json.loads((tmp_path / "work.vinr").read_text("utf-8"))["segments"]) == 2, "as it was saved"
    finally:
        again.clean_up()


def save_the_project(program: Program, path: Path) -> None:
    program.xdotool("key", "ctrl+s")
    program.xdotool("search", "--sync", "--onlyvisible", "--name", "^Save the project$")
    program.focus("^Save the project$")
    program.xdotool("key", "ctrl+a", "type", str(path))
    program.xdotool("key", "Return")
    program.wait_for(lambda state: state.get("project") == path.name, "Ctrl+S saves the project under the typed name")
    program.focus("work.vinr — ")


def wait_for_state(folder: Path, *, segments: int) -> None:
    """Wait until there is one saved state, with so many segments."""
    end = time.monotonic() + PATIENCE_SECS
    while time.monotonic() < end:
        found = [json.loads(path.read_text("utf-8"))["segments"] for path in folder.glob("*.vinr")]
        if [len(one) for one in found] == [segments]:
            return
        time.sleep(0.05)
    pytest.fail(f"no state with {segments} segments in {folder}")
