"""Contrast of text on its background in both themes, computed as WCAG 2 does: 4.5 : 1, and 3 : 1 for disabled text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QProxyStyle,
    QSlider,
    QStyle,
    QStyleHintReturn,
    QStyleOption,
    QTreeWidget,
    QWidget,
)

from helpers.stage import Stage
from videoinr_viewer.dialogs.side_dialog import SideDialog
from videoinr_viewer.style.fonts import USUAL_PX
from videoinr_viewer.style.screen_room import FRAME_PX
from videoinr_viewer.style.theme import DARK_TEXTS, LIGHT_TEXTS, Tone, palette, set_tone, style_sheet
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.timeline.time_field import FONT_PX, TimeField

Role, Group = QPalette.ColorRole, QPalette.ColorGroup
THEMES = pytest.mark.parametrize("is_dark", [True, False], ids=["dark", "light"])
SURFACES = (Role.Window, Role.Base, Role.Button)
PAIRS = (
    *((Role.WindowText, surface) for surface in (*SURFACES, Role.Dark, Role.Midlight)),
    *((Role.PlaceholderText, surface) for surface in (Role.Window, Role.Dark, Role.Base)),
    (Role.Text, Role.Base), (Role.ButtonText, Role.Button), (Role.ButtonText, Role.Midlight),
    (Role.HighlightedText, Role.Highlight), (Role.ToolTipText, Role.ToolTipBase), (Role.Link, Role.Dark),
)  # fmt: skip


def luminance(colour: QColor) -> float:
    parts = [
        side / 12.92 if side <= 0.04045 else ((side + 0.055) / 1.055) ** 2.4
        for side in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: QColor, other: QColor) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_texts_of_other_sizes_follow_a_large_system_font(qapp: QApplication) -> None:
    before = qapp.font()
    large = QFont(before)
    large.setPixelSize(2 * USUAL_PX)
    try:
        qapp.setFont(large)
        assert [px for px in sizes(style_sheet(is_dark=True)) if px <= 2 * USUAL_PX] == []
        field = TimeField()
        assert field.font().pixelSize() == 2 * FONT_PX
        assert field.width() > field.fontMetrics().horizontalAdvance("00:00.000")
    finally:
        qapp.setFont(before)
    assert min(sizes(style_sheet(is_dark=True))) > USUAL_PX


def sizes(sheet: str) -> list[int]:
    return [int(px) for px in re.findall(r"font-size: (\d+)px", sheet)]


def test_contrast_of_black_on_white() -> None:
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21)


@THEMES
def test_text_is_readable(is_dark: bool) -> None:
    colours = palette(is_dark=is_dark)
    for text, surface in PAIRS:
        assert contrast(colours.color(text), colours.color(surface)) >= 4.5, (text, surface)
    texts = DARK_TEXTS if is_dark else LIGHT_TEXTS
    for name in (texts.WARM, texts.BAD):
        assert contrast(QColor(name), colours.color(Role.Window)) >= 4.5, name


@THEMES
def test_disabled_text_can_be_seen(is_dark: bool) -> None:
    colours = palette(is_dark=is_dark)
    for surface in (*SURFACES, Role.Midlight):
        for role in (Role.WindowText, Role.Text, Role.ButtonText):
            assert contrast(colours.color(Group.Disabled, role), colours.color(surface)) >= 3, (role, surface)


@THEMES
def test_every_rule_for_disabled_text_uses_the_disabled_colour(is_dark: bool) -> None:
    colour = (DARK_TEXTS if is_dark else LIGHT_TEXTS).DISABLED
    rules = re.findall(r"([^{}]*:disabled[^{}]*)\{([^{}]*)\}", style_sheet(is_dark=is_dark))
    assert rules
    for selector, body in rules:
        for name in re.findall(r"(?<![-\w])color:\s*([^;]+);", body):
            assert name == colour, selector


@THEMES
def test_a_disabled_entry_of_a_menu_can_be_seen(stage: Stage, is_dark: bool) -> None:
    """The pixels of the text, as they are drawn; antialiasing makes them fainter than their colour."""
    stage.viewer.window.menus.theme_wanted.emit(Theme.DARK if is_dark else Theme.LIGHT)
    stage.wait_for(lambda: not stage.viewer.themes.is_changing)
    menu = QMenu(stage.viewer.window.menuBar())
    menu.addAction("MMMMMMMM").setEnabled(False)
    menu.show()
    shot = menu.grab().toImage()
    surface = palette(is_dark=is_dark).color(Role.Window)
    seen = max(
        contrast(shot.pixelColor(x, y), surface)
        for x in range(8, shot.width() - 8)
        for y in range(8, shot.height() - 8)
    )
    menu.close()
    assert seen >= 3


def test_a_tone_colours_a_text_in_the_theme(stage: Stage) -> None:
    label = QLabel("beyond", stage.viewer.window.centralWidget())
    label.ensurePolished()
    set_tone(label, Tone.WARM)
    assert label.palette().color(label.foregroundRole()) == QColor(DARK_TEXTS.WARM)
    set_tone(label, Tone.PLAIN)
    assert label.palette().color(label.foregroundRole()) != QColor(DARK_TEXTS.WARM)


@THEMES
def test_sliders_and_headers_have_the_colours_of_the_window(stage: Stage, is_dark: bool) -> None:
    stage.viewer.themes.choose(Theme.DARK if is_dark else Theme.LIGHT)
    stage.wait_for(lambda: not stage.viewer.themes.is_changing)
    parent = stage.viewer.window.centralWidget()
    slider, header = QSlider(Qt.Orientation.Horizontal, parent), QTreeWidget(parent).header()
    slider.resize(200, 24)
    header.resize(200, 24)
    shot, colours = slider.grab().toImage(), palette(is_dark=is_dark)
    assert shot.pixelColor(6, 12) == colours.color(Role.Highlight), "the handle"
    assert shot.pixelColor(150, 12) == colours.color(Role.Mid), "the groove"
    assert header.grab().toImage().pixelColor(90, 4) == colours.color(Role.Window)


class Counter(QObject):
    """Counts the events of a changed style or palette that it filters."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange)
        return False


def test_a_change_of_the_theme_styles_each_widget_few_times_and_decodes_nothing(stage: Stage) -> None:
    stage.wait_until_complete()
    viewer, counter, requests = stage.viewer, Counter(), len(stage.requests)
    viewer.themes.choose(Theme.DARK)
    stage.wait_for(lambda: not viewer.themes.is_changing)
    viewer.window.status.scale.installEventFilter(counter)
    viewer.themes.choose(Theme.LIGHT)
    stage.wait_for(lambda: not viewer.themes.is_changing)
    assert 0 < counter.count <= 6, "a sheet in place of another one: 12"
    shown = counter.count
    viewer.themes.choose(Theme.LIGHT)
    assert counter.count == shown, "nothing changes"
    QApplication.processEvents()
    assert len(stage.requests) == requests


def sheets(dialogs: Sequence[QWidget]) -> list[str]:
    return [one.styleSheet() for one in dialogs]


def test_a_change_of_the_theme_styles_one_part_or_dialog_in_each_turn_of_the_event_loop(stage: Stage) -> None:
    """All of them in one go took 0.1 s."""
    stage.wait_until_complete()
    viewer, window = stage.viewer, stage.viewer.window
    viewer.themes.choose(Theme.DARK)
    for name in ("clip-window", "annotations", "settings", "keys"):
        window.actions_by_id[name].trigger()
    stage.wait_for(lambda: not viewer.themes.is_changing)
    dialogs = [one for one in window.children() if isinstance(one, SideDialog)]
    dialogs[1].hide()
    parts = [one for one in window.children() if isinstance(one, QWidget)]
    shown = [one for one in parts if one.isVisible() and not one.isWindow()]
    dark, light = style_sheet(is_dark=True), style_sheet(is_dark=False)
    assert len(dialogs) == 4
    assert set(sheets(parts)) == {dark}
    viewer.themes.choose(Theme.LIGHT)
    viewer.themes._next_turn.stop()
    order = [one for one in parts if one.styleSheet() == light]
    assert len(order) == 1
    assert [one.updatesEnabled() for one in parts] == [one in order for one in parts], "each changes in one go"
    while viewer.themes.is_changing:
        viewer.themes._dress_next()
        viewer.themes._next_turn.stop()
        (new,) = (one for one in parts if one.styleSheet() == light and one not in order)
        order.append(new)
    assert set(order[: len(shown)]) == set(shown), "what is in sight first, the window before its dialogs"
    assert [one for one in order[len(shown) :] if one.isVisible()] == order[len(shown) : len(shown) + 3]
    assert all(one.updatesEnabled() for one in parts)


def test_dialogs_of_every_kind_have_the_theme(stage: Stage) -> None:
    viewer, window = stage.viewer, stage.viewer.window
    viewer.themes.choose(Theme.DARK)
    viewer.themes.choose(Theme.LIGHT)
    stage.wait_for(lambda: not viewer.themes.is_changing)
    light = style_sheet(is_dark=False)
    form = SideDialog(window)
    assert form.styleSheet() == light, "before its fields are made: so they have their sizes"
    box = QMessageBox(window)
    box.ensurePolished()
    assert box.styleSheet() == light, "what somebody else made, when it is first shown"
    assert SideDialog(form).styleSheet() == "", "it is styled with the dialog that it belongs to"
    viewer.themes.choose(Theme.DARK)
    late = SideDialog(window)
    form.deleteLater()
    QCoreApplication.sendPostedEvents(form, QEvent.Type.DeferredDelete.value)
    stage.wait_for(lambda: box.styleSheet() == style_sheet(is_dark=True))
    assert late.styleSheet() == style_sheet(is_dark=True)


class WithIcons(QProxyStyle):
    """A style whose buttons of dialogs have icons, as on most desktops."""

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        data: QStyleHintReturn | None = None,
    ) -> int:
        if hint is QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons:
            return 1
        return super().styleHint(hint, option, widget, data)


def side_dialog(window: QWidget) -> QDialogButtonBox:
    return SideDialog(window).close_box()


def dialog_of_a_dialog(window: QWidget) -> QDialogButtonBox:
    return SideDialog(SideDialog(window)).close_box()


def question(window: QWidget) -> QDialogButtonBox:
    message = QMessageBox(window)
    message.addButton(QMessageBox.StandardButton.Cancel)
    message.ensurePolished()
    found = message.findChild(QDialogButtonBox)
    assert isinstance(found, QDialogButtonBox)
    return found


def question_of_a_dialog(window: QWidget) -> QDialogButtonBox:
    return question(SideDialog(window))


@pytest.mark.parametrize("make", [side_dialog, dialog_of_a_dialog, question, question_of_a_dialog])
def test_the_buttons_of_dialogs_have_no_icons_of_the_system(
    stage: Stage, qapp: QApplication, make: Callable[[QWidget], QDialogButtonBox]
) -> None:
    # Black on dark they cannot be seen.
    qapp.setStyle(WithIcons())
    try:
        bare = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        assert not bare.buttons()[0].icon().isNull()
        box = make(stage.viewer.window)
        assert [button.icon().isNull() for button in box.buttons()] == [True]
    finally:
        qapp.setStyle("Fusion")


@pytest.mark.parametrize("text", ["&Tempo", "T&on"])
def test_a_label_with_a_mnemonic_is_not_cut(stage: Stage, text: str) -> None:
    dialog = SideDialog(stage.viewer.window)
    form = QFormLayout(dialog)
    form.addRow(text, QLineEdit(dialog))
    dialog.show()
    (label,) = dialog.findChildren(QLabel)
    # The underlined letter is drawn by itself, so it stands no closer to the next one.
    font = QFont(label.font())
    font.setKerning(False)
    assert label.contentsRect().width() >= QFontMetrics(font).horizontalAdvance(text.replace("&", ""))


def test_a_file_dialog_fits_the_screen(stage: Stage, tmp_path: Path) -> None:
    """Qt's own, which desktops without a file dialog show, asks for the height of thirty files."""
    (tmp_path / "a.vinr").touch()
    dialog = QFileDialog(stage.viewer.window, "Save", str(tmp_path / "b.vinr"), "Projects (*.vinr)")
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.show()
    stage.qtbot.waitExposed(dialog)
    room = stage.viewer.window.screen().availableSize() - FRAME_PX
    assert dialog.height() <= room.height()
    assert dialog.maximumSize() == room
    dialog.done(0)
    dialog.deleteLater()
