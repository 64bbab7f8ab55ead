"""Playback with sound: its time is the player's, and the window never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from helpers.clicks import write_clicks
from helpers.slow_renderer import SlowRenderer
from helpers.stage import Stage
from helpers.waiting import wait_until
from videoinr.playing.sound_output import NullOutput
from videoinr.types import AudioInfo
from videoinr_viewer.player import Player
from videoinr_viewer.playing import sound as sound_module
from videoinr_viewer.playing.sound import Sound, default_output
from videoinr_viewer.session import Session

FRAME = Fraction(1, 25)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of frames with a quiet tone."""
    path = tmp_path_factory.mktemp("sound") / "clip.mov"
    return write_clicks(path, list(range(0, 2000, 40)), [5], end_msecs=2000, sound="pcm_s16le", tone=0.1)


class Theatre:
    """A session, a player and its sound, with one clock, which the test advances."""

    def __init__(self, clip: Path) -> None:
        self.now_ns = 10**9
        self.session = Session()
        self.session.set_screen((640, 480), 0.0)
        self.session.open(clip)
        opened = SlowRenderer(clip).opened
        info = replace(opened.info, audio=(AudioInfo("pcm_s16le", 1, 48000),))
        self.session.clip_opened(replace(opened, info=info))
        self.output = NullOutput(lambda: self.now_ns)
        self.player = Player(self.session, clock_ns=lambda: self.now_ns)
        self.player._timer.setInterval(10**6)
        self.sound = Sound(self.session, self.player, lambda: self.output, clock_ns=lambda: self.now_ns)
        self.sound._pump.setInterval(10**6)

    def run(self, secs: float) -> None:
        self.now_ns += round(secs * 1e9)
        self.sound._pass_on()
        self.player.tick()

    def wait_until_heard(self) -> None:
        def is_heard() -> bool:
            self.run(0.005)
            return self.sound.is_heard

        wait_until(is_heard)

    def has_sound_ready(self) -> bool:
        return self.sound._feed is not None and self.sound._feed.is_ready

    def heard_secs(self) -> Fraction:
        """Return what the output plays now, without the player's smooth clock."""
        heard = self.sound.output_secs
        assert heard is not None
        return heard


@pytest.fixture
def theatre(qtbot: QtBot, clip: Path) -> Iterator[Theatre]:
    theatre = Theatre(clip)
    yield theatre
    theatre.player.pause()
    theatre.sound.close()
    assert not [one for one in threading.enumerate() if one.name == "videoinr-sound"]


@pytest.mark.parametrize("speed", [Fraction(1), Fraction(1, 4)])
def test_pictures_and_sound_stay_within_20_ms_of_each_other(theatre: Theatre, speed: Fraction) -> None:
    theatre.player.set_speed(speed)
    theatre.player.toggle()
    theatre.wait_until_heard()
    drifts, shown = [], theatre.session.view.time_secs // FRAME
    for _ in range(700):
        theatre.run(0.0151)
        wait_until(theatre.has_sound_ready)
        frame = theatre.session.view.time_secs // FRAME
        if frame != shown:
            shown = frame
            late = (theatre.heard_secs() - frame * FRAME) % 2
            drifts.append(float(min(late, 2 - late) / speed))
    assert len(drifts) > 50
    assert max(drifts) <= 0.02


def test_a_seek_and_a_wrap_start_the_sound_anew(theatre: Theatre) -> None:
    theatre.player.toggle()
    theatre.wait_until_heard()
    theatre.run(0.1)
    theatre.session.seek(Fraction(3, 2))
    theatre.run(0.01)
    assert not theatre.sound.is_heard
    assert float(theatre.session.view.time_secs) == pytest.approx(1.51, abs=1e-6), "the user's seek counts"
    theatre.wait_until_heard()
    assert abs(float(theatre.heard_secs() - theatre.session.view.time_secs)) < 0.006
    for _ in range(60):
        theatre.run(0.01)
        wait_until(theatre.has_sound_ready)
    assert theatre.session.view.time_secs < 1, "the sound leads over the end of the loop"
    assert abs(float(theatre.heard_secs() - theatre.session.view.time_secs)) < 0.02


def test_backwards_muted_held_and_paused_it_is_silent(theatre: Theatre) -> None:
    theatre.player.toggle()
    theatre.wait_until_heard()
    theatre.player.hold(True)
    assert not theatre.sound.is_heard
    theatre.player.hold(False)
    theatre.wait_until_heard()
    theatre.sound.toggle_mute()
    assert not theatre.sound.is_heard
    theatre.run(0.1)
    assert theatre.session.view.time_secs >= Fraction(1, 10), "the clock goes on without it"
    theatre.sound.change_volume(-3)
    assert not theatre.sound.is_muted
    assert theatre.sound.volume == 70
    theatre.wait_until_heard()
    assert theatre.output.volume == pytest.approx(0.7)
    theatre.player.shuttle(-1)
    assert not theatre.sound.is_heard
    theatre.player.shuttle(1)
    theatre.wait_until_heard()
    theatre.player.pause()
    assert not theatre.sound.is_heard


def test_without_looping_it_ends_with_the_stretch(theatre: Theatre) -> None:
    theatre.session.seek(Fraction(1))
    theatre.session.mark_out()
    theatre.session.seek(Fraction(0))
    theatre.player.set_loops(False)
    theatre.player.toggle()
    theatre.wait_until_heard()

    def has_stopped() -> bool:
        theatre.run(0.01)
        return not theatre.player.is_playing

    wait_until(has_stopped)
    assert theatre.session.view.time_secs == 1


def test_a_file_that_is_gone_plays_silently(qtbot: QtBot, tmp_path: Path) -> None:
    theatre = Theatre(tmp_path / "gone.mov")
    theatre.player.toggle()
    for _ in range(10):
        theatre.run(0.02)
    assert theatre.session.view.time_secs == Fraction(1, 5)
    theatre.player.pause()
    theatre.sound.close()


# ---- what the window says ----


def test_the_environment_chooses_the_null_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEOINR_SOUND", "null")
    assert isinstance(default_output(), NullOutput)


def test_without_the_library_the_tool_tip_says_so(
    stage_of: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIDEOINR_SOUND", raising=False)
    monkeypatch.setattr(sound_module, "find_spec", lambda _name: None)
    stage = stage_of()
    action = stage.viewer.window.actions_by_id["mute"]
    assert action.toolTip() == "Mute (Shift+M)\nSound needs the package PySide6-Addons."
    assert not action.isEnabled(), "a press would change nothing"
    stage.viewer.window.actions_by_id["quieter"].trigger()
    assert not action.isEnabled()
    assert default_output() is None


def test_the_actions_mute_and_change_the_volume(
    stage_of: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEOINR_SOUND", "null")
    stage = stage_of()
    actions, sound = stage.viewer.window.actions_by_id, stage.viewer.sound
    assert actions["mute"].toolTip() == "Mute (Shift+M)\nvolume 100%"
    assert actions["mute"].isEnabled()
    actions["quieter"].trigger()
    actions["mute"].trigger()
    assert (sound.volume, sound.is_muted) == (90, True)
    assert actions["mute"].isChecked()
    assert actions["mute"].toolTip() == "Mute (Shift+M)\nvolume 90%"
    actions["louder"].trigger()
    assert not sound.is_muted
    assert not actions["mute"].isChecked()


def test_a_computer_without_an_output_is_told(qtbot: QtBot, clip: Path) -> None:
    theatre = Theatre(clip)
    silent = Sound(theatre.session, theatre.player, lambda: None)
    silent.has_output = True
    theatre.player.toggle()
    assert not silent.has_output
    assert silent.why_silent in ("This computer has no sound output.", "Sound needs the package PySide6-Addons.")
    theatre.player.pause()
    theatre.sound.close()
