"""Opens every dialog of the window on the screen of the offscreen platform, and prints its boxes as JSON lines.

The argument is the language. Each line: the name of the dialog, its box and that of the screen, and the boxes of those
of its buttons and labels that are not in an area that scrolls: (x, y, width, height), those of widgets in the dialog.
Then the texts that have a mnemonic, and the kinds of the widgets that the keyboard reaches and a screen reader cannot
name, and where Tab goes, see :func:`tab_order`. The last line has the texts of each menu,
and the nameless widgets of the window itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

# The engine has loaded both by the time a clip is open, the slow renderer has not.
import av  # noqa: F401
import torch  # noqa: F401
from PySide6.QtCore import QEventLoop, QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QKeySequenceEdit,
    QLabel,
    QMenu,
    QMenuBar,
    QPushButton,
    QWidget,
)

from helpers.slow_frames import SlowFrames
from helpers.slow_renderer import opener
from videoinr_viewer.dialogs import relink
from videoinr_viewer.dialogs.errors import CrashReport
from videoinr_viewer.dialogs.question import agrees
from videoinr_viewer.export.log_window import LogWindow
from videoinr_viewer.project.media import Located
from videoinr_viewer.start.program import make_app
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.language import tr, use_language
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.viewer import Viewer

ACTIONS = (
    "export", "export-queue", "clip-window", "retime", "annotations", "settings", "change-shortcuts", "keys", "palette",
    "rolling-shutter",
)  # fmt: skip
LONG = Path("/home/somebody/Videos/A long holiday in the mountains of another country, the second day, uncut.mp4")
PATIENCE_MSECS = 20_000


def box(rect: QRect) -> tuple[int, int, int, int]:
    return rect.x(), rect.y(), rect.width(), rect.height()


def until(condition: Callable[[], bool]) -> None:
    loop, timer = QEventLoop(), QTimer(interval=10)
    timer.timeout.connect(lambda: loop.quit() if condition() else None)
    timer.start()
    QTimer.singleShot(PATIENCE_MSECS, loop, loop.quit)
    loop.exec()


def scrolls(widget: QObject) -> bool:
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDialog):
        if isinstance(parent, QAbstractScrollArea):
            return True
        parent = parent.parent()
    return False


def shown() -> Iterator[QDialog]:
    return (one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible())


def mnemonic_texts(dialog: QDialog) -> list[str]:
    labels = [one.text() for one in dialog.findChildren(QLabel) if one.isVisible() and one.buddy()]
    buttons = [one.text() for one in dialog.findChildren(QAbstractButton) if one.isVisible()]
    return [text for text in labels + buttons if "&" in text.replace("&&", "")]


def unnamed(window: QWidget) -> list[str]:
    """Return the kinds of the widgets that take the focus and have no accessible name; fields name their own parts."""
    found = []
    for one in window.findChildren(QWidget):
        if not (one.isVisible() and one.focusPolicy() & Qt.FocusPolicy.TabFocus):
            continue
        interface = QAccessible.queryAccessibleInterface(one)
        is_part = isinstance(one.parent(), QAbstractSpinBox | QComboBox | QKeySequenceEdit | QAbstractScrollArea)
        if not is_part and interface is not None and not _is_told(one, interface):
            found.append(type(one).__name__)
    return found


def _is_told(widget: QWidget, interface: QAccessibleInterface) -> bool:
    if not isinstance(widget, QComboBox):
        return bool(interface.text(QAccessible.Text.Name))
    # On Linux Qt gives the chosen text as the name of such a box: its label, or its description, says what it is.
    labels = [other for other, relation in interface.relations() if relation & QAccessible.RelationFlag.Label]
    return bool(labels or interface.text(QAccessible.Text.Description))


def tab_order(dialog: QDialog) -> list[tuple[bool, int, int]]:
    """Return the fields in the order of Tab: whether each is in an area that scrolls, its middle row, its left edge."""
    found, one = list[tuple[bool, int, int]](), dialog.nextInFocusChain()
    while one is not None and one is not dialog:
        takes = one.isVisible() and one.isEnabled() and one.focusPolicy() & Qt.FocusPolicy.TabFocus
        if takes and one.focusProxy() is None and not isinstance(one, QAbstractScrollArea):
            middle = one.mapTo(dialog, one.rect().center())
            found.append((scrolls(one), middle.y(), middle.x() - one.width() // 2))
        one = one.nextInFocusChain()
    return found


def menus_of(bar: QMenuBar) -> Iterator[list[str]]:
    """Yield the texts of the bar with the buttons below it, and of each menu in it."""
    buttons = (one for one in bar.window().findChildren(QAbstractButton) if one.window() is bar.window())
    yield [action.text() for action in bar.actions()] + [button.text() for button in buttons]
    for menu in bar.findChildren(QMenu):
        if menu.title():
            yield [action.text() for action in menu.actions()]


def look(name: str) -> None:
    """Print and hide the dialog that is open."""
    until(lambda: any(True for _ in shown()))
    QApplication.processEvents()
    for dialog in shown():
        boxes = {}
        for kind in (QPushButton, QLabel):
            found: list[QWidget] = [one for one in dialog.findChildren(kind) if one.isVisible() and not scrolls(one)]
            inside = (QRect(one.mapTo(dialog, QPoint()), one.size()) for one in found)
            boxes[kind.__name__] = [box(rect) for rect in inside]
        screen = box(dialog.screen().availableGeometry())
        said = {"mnemonics": mnemonic_texts(dialog), "unnamed": unnamed(dialog), "order": tab_order(dialog)}
        outside = {"box": box(dialog.geometry()), "screen": screen}
        print(json.dumps({"name": name, **outside, **boxes, **said}), flush=True)
        dialog.close()


def ask(name: str, question: Callable[[], object]) -> None:
    """Ask a ``question``, print its box and refuse it."""
    QTimer.singleShot(0, QApplication.instance() or QObject(), lambda: look(name))
    question()


def main() -> None:
    app = make_app()
    use_language(app, sys.argv[1])
    viewer = Viewer(app, opener([]), settings=Settings(), theme=Theme.DARK, open_frames=partial(SlowFrames, frames=50))
    viewer.show((640, 400))
    window = viewer.window
    viewer.session.open(LONG)
    until(lambda: viewer.session.clip is not None and window.frame_view.full_for(viewer.session.last_query) is not None)
    for name in ACTIONS:
        window.actions_by_id[name].trigger()
        look(name)
    assert window.exports.dialog is not None
    assert window.side_windows.clip is not None
    window.side_windows.clip.background.setCurrentText("no such colour")
    window.side_windows.clip.show()
    window.side_windows.clip.apply.click()
    look("clip-window, a field is wrong")
    window.actions_by_id["camera-keyframe"].trigger()
    window.actions_by_id["annotations"].trigger()
    look("annotations with a camera")
    window.exports.dialog.show()
    window.exports.dialog._show_failed(f"There is not enough room for {LONG}: 12.5 GB are needed.", "Free some space.")
    look("export, failed")
    window.exports.dialog._show_form()
    window.exports.dialog.form.rate.setCurrentText("no such rate")
    window.exports.dialog.show()
    look("export, a field is wrong")
    log = LogWindow(window)
    log.offer(LONG.name, LONG)
    look("log")
    ask("replace", lambda: agrees(window, tr("Export"), tr("{name} already exists. Replace it?", name=LONG.name),
                                  verb=tr("Replace")))  # fmt: skip
    ask("keep a part", lambda: window.exports.dialog and window.exports.dialog._wants_to_keep(12))
    located = Located(LONG, is_same=False)
    ask("relink", lambda: relink.ask(window, LONG.name, located, LONG.parent))
    crash = CrashReport(window, Path("/home/somebody/.local/state/videoinr/log/viewer.log"))
    crash.show("ValueError: a description of about one line that says what is wrong with the value")
    look("crash")
    print(json.dumps({"menus": list(menus_of(window.menuBar())), "unnamed": unnamed(window)}))
    window.exports.asks = False
    window.close()


if __name__ == "__main__":
    main()
