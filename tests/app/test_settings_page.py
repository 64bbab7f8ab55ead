"""The page of the settings: what is chosen there counts at once and is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox

from helpers.stage import Stage
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.dialogs.settings_dialog import SettingsDialog
from videoinr_viewer.start.program import apply_settings
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.style.time_form import TimeForm


def page_of(stage: Stage) -> SettingsDialog:
    stage.viewer.window.actions_by_id["settings"].trigger()
    page = stage.viewer.window.settings_page.dialog
    assert page is not None
    return page


def choose(box: QComboBox, value: object) -> None:
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def test_every_choice_counts_and_is_kept(stage: Stage) -> None:
    settings, page, opened = stage.viewer.settings, page_of(stage), len(stage.made)
    saved: list[Settings] = []
    stage.viewer.window.settings_page.changed.connect(lambda: saved.append(settings))
    choose(page.theme, Theme.LIGHT)
    assert (settings.theme, stage.viewer.themes.chosen) == (Theme.LIGHT, Theme.LIGHT)
    checked = [one for one in stage.viewer.window.menus._themes.actions() if one.isChecked()]
    assert [one.data() for one in checked] == [Theme.LIGHT]
    choose(page.language, "de")
    assert settings.language == "de"
    page.mute.click()
    page.volume.setValue(40)
    sound = stage.viewer.sound
    assert (settings.muted, settings.volume) == (sound.is_muted, sound.volume) == (True, 40)
    page.calm.click()
    assert (settings.reduced_motion, stage.viewer.window.smooth_zoom.is_on) == (False, True)
    choose(page.times, TimeForm.FRAMES)
    assert (settings.times, stage.viewer.window.time_field.text()) == (TimeForm.FRAMES, "frame 0")
    choose(page.device, "cpu")
    stage.wait_for(lambda: len(stage.made) == opened + 1 and stage.is_complete())
    assert settings.device == stage.viewer.reading.current.device == "cpu"
    choose(page.memory, 1024)
    stage.wait_for(lambda: len(stage.made) == opened + 2 and stage.is_complete())
    assert (settings.memory_mib, stage.viewer.reading.memory_bytes) == (1024, 1 << 30)
    assert len(saved) >= 5


def test_keys_change_the_sound_that_is_kept(stage_of: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEOINR_SOUND", "null")
    stage = stage_of()
    stage.viewer.window.actions_by_id["quieter"].trigger()
    stage.viewer.window.actions_by_id["mute"].trigger()
    assert (stage.viewer.settings.muted, stage.viewer.settings.volume) == (True, 90)
    page = page_of(stage)
    assert (page.mute.isChecked(), page.volume.value()) == (True, 90)


def test_the_next_start_has_them(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(settings=Settings(muted=True, volume=20, memory_mib=700))
    assert (stage.viewer.sound.is_muted, stage.viewer.sound.volume) == (True, 20)
    assert stage.viewer.window.actions_by_id["mute"].isChecked()
    assert page_of(stage).memory.currentData() == 700, "a size that the list does not offer"


def test_device_and_memory_are_those_of_the_settings_unless_the_command_line_says_so() -> None:
    settings = Settings(device="cuda:1", memory_mib=512)
    plain, asked = ReadingChoice(Reading()), ReadingChoice(Reading(device="cpu"))
    for choice in (plain, asked):
        apply_settings(settings, choice)
    assert (plain.current.device, plain.proven.device, plain.memory_bytes) == ("cuda:1", "cuda:1", 512 << 20)
    assert asked.current.device == "cpu"


def test_the_page_of_the_shortcuts_is_a_click_away(stage: Stage, tmp_path: Path) -> None:
    page_of(stage).keys.click()
    shortcuts = stage.viewer.window.help.shortcuts
    assert shortcuts is not None
    assert shortcuts.isVisible()
    stage.viewer.settings.save(tmp_path / "viewer.toml")
    assert Settings.load(tmp_path / "viewer.toml") == stage.viewer.settings
