"""What a file remembers may be gone: device, model, theme, language. The clip opens, and a notice says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.slow_renderer import SlowRenderer
from helpers.stage import Stage
from videoinr.devices import available_devices, pick_device
from videoinr.errors import ClipError, UnknownDeviceError, VideoInrError
from videoinr.model.weights import load_model
from videoinr.render.messages import Opened
from videoinr_viewer.clip_access.fall_back import open_as_remembered
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.main_window import WindowOptions
from videoinr_viewer.picture.start_view import StartView
from videoinr_viewer.start.program import apply_settings
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.theme_choice import Theme

GONE = Reading(model="no such model", device="cuda:99", background="grey")


class Told(SlowRenderer):
    """A renderer whose clip has warnings."""

    notices: tuple[str, ...] = ()

    @property
    def opened(self) -> Opened:
        opened = super().opened
        return replace(opened, info=replace(opened.info, warnings=(*self.notices, *opened.info.warnings)))


def attempt(reading: Reading, notices: tuple[str, ...]) -> Told:
    """Look for model and device as the engine does."""
    if reading.model is not None:
        load_model(reading.model)
    pick_device(reading.device)
    renderer = Told()
    renderer.notices = notices
    return renderer


def test_what_is_remembered_and_gone_is_replaced_and_named() -> None:
    choice = ReadingChoice(Reading())
    choice.choose(GONE, is_remembered=True)
    notices = open_as_remembered(choice, attempt).opened.info.warnings
    assert ["no such model" in notices[0], "cuda:99" in notices[1]] == [True, True]
    choice.prove()
    assert choice.current == choice.proven == Reading(background="grey"), "exports and menus take the same"
    assert available_devices()


@pytest.mark.parametrize("first", [Reading(device="cuda:99"), Reading(model="no such model")])
def test_what_the_command_line_names_must_be_there(first: Reading) -> None:
    choice = ReadingChoice(first)
    choice.choose(first, is_remembered=True)  # A project may name the same.
    with pytest.raises(VideoInrError):
        open_as_remembered(choice, attempt)
    choice.prove()
    assert choice.current == first


def test_what_the_user_chooses_now_must_be_there() -> None:
    choice = ReadingChoice(Reading())
    choice.choose(Reading(device="cuda:99"))
    with pytest.raises(UnknownDeviceError):
        open_as_remembered(choice, attempt)


def test_a_clip_that_cannot_be_opened_is_tried_once() -> None:
    tries = []

    def fail(reading: Reading, _notices: tuple[str, ...]) -> Told:
        tries.append(reading)
        raise ClipError("This is no video.")

    choice = ReadingChoice(Reading())
    choice.choose(GONE, is_remembered=True)
    with pytest.raises(ClipError):
        open_as_remembered(choice, fail)
    assert tries == [GONE]


def test_the_window_opens_the_clip_without_the_saved_device(stage_of: Callable[..., Stage]) -> None:
    settings, reading = Settings(device="cuda:99"), ReadingChoice(Reading())
    apply_settings(settings, reading)
    stage = stage_of(settings=settings, options=WindowOptions(reading))
    stage.viewer.loop._open_renderer = lambda _path: open_as_remembered(reading, attempt)
    stage.open()
    bar = stage.viewer.window.messages
    stage.wait_for(bar.isVisible)
    assert "cuda:99" in bar.text.text()
    assert (reading.current.device, reading.proven.device) == (None, None)
    assert settings.device == "cuda:99", "the device may be there again tomorrow"
    stage.viewer.window.actions_by_id["settings"].trigger()
    page = stage.viewer.window.settings_page.dialog
    assert page is not None
    assert page.device.currentText() == "cuda:99 (not there)"
    assert not stage.viewer.window.history.stack.canUndo()


def test_unknown_themes_and_languages_are_named_at_the_start(tmp_path: Path, stage_of: Callable[..., Stage]) -> None:
    path = tmp_path / "viewer.toml"
    path.write_text('theme = "pink{}"\nlanguage = "xx"\n')
    settings = Settings.load(path)
    assert (settings.theme, settings.language) == (Theme.SYSTEM, None)
    stage = stage_of(settings=settings)
    bar = stage.viewer.window.messages
    for _ in range(2):  # At the start, and when the first clip is open.
        assert bar.isVisible()
        assert '"pink{}"' in bar.text.text()
        assert '"xx"' in bar.text.text()
        stage.open()
    stage.viewer.session.open(Path("next.mp4"), StartView())
    stage.wait_for(lambda: len(stage.made) >= 2)  # An opening that the next one overtook makes none.
    stage.wait_until_complete()
    stage.wait_for(lambda: not bar.isVisible())
