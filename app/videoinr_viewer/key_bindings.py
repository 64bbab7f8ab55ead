"""The shortcuts of the actions: those of the table, and those that the user chose instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence

RESERVED = ("Tab", "Shift+Tab", "Z")
"""Held Tab shows the source, and held Z the loupe; no action can have them."""
MOST_KEYS = 3
Choices = Mapping[str, Sequence[str]]
"""Shortcuts by the id of their action, in Qt's portable words; none at all is a choice too."""


class KeyBindings(QObject):
    """Gives ``actions`` their shortcuts. ``defaults``: those of the table. No two actions share one."""

    changed = Signal(dict)
    """What the user chose: shortcuts by the id of the action, where they differ from the defaults."""

    def __init__(self, actions: Mapping[str, QAction], defaults: Choices, parent: QObject) -> None:
        super().__init__(parent)
        self.actions = actions
        self._defaults = {name: tuple(map(portable, keys)) for name, keys in defaults.items()}
        self._now = dict(self._defaults)

    @property
    def choices(self) -> dict[str, list[str]]:
        """The shortcuts that differ from the defaults."""
        return {name: list(keys) for name, keys in self._now.items() if keys != self._defaults[name]}

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the shortcuts of an action, in Qt's portable words."""
        return self._now[name]

    def is_default(self, name: str) -> bool:
        """Return whether an action has the shortcuts of the table."""
        return self._now[name] == self._defaults[name]

    def owner(self, key: str, *, besides: str = "") -> str | None:
        """Return the id of the action that has the shortcut ``key``, other than ``besides``; None if it is free."""
        return next((name for name, keys in self._now.items() if key in keys and name != besides), None)

    def load(self, choices: Choices) -> None:
        """Take over saved choices. Unknown actions and keys, and keys that two of them claim, are left out."""
        self._now = dict(self._defaults)
        for name in choices:
            if name in self._now:
                self._now[name] = ()
        for name, keys in choices.items():
            free = [key for key in map(portable, keys) if is_usable(key) and self.owner(key) is None]
            if name in self._now:
                self._now[name] = tuple(dict.fromkeys(free))[:MOST_KEYS]
        for name in self._now:
            self._show(name)

    def add(self, name: str, key: str) -> None:
        """Give an action one more shortcut, and take it from the action that had it."""
        if not is_usable(key) or key in self._now[name]:
            return
        if (other := self.owner(key)) is not None:
            self._set(other, tuple(one for one in self._now[other] if one != key))
        self._set(name, (*self._now[name], key)[-MOST_KEYS:])
        self.changed.emit(self.choices)

    def clear(self, name: str) -> None:
        """Leave an action without a shortcut."""
        self._set(name, ())
        self.changed.emit(self.choices)

    def reset(self, name: str) -> None:
        """Give an action the shortcuts of the table again, but those that another action has now."""
        self._set(name, tuple(key for key in self._defaults[name] if self.owner(key, besides=name) is None))
        self.changed.emit(self.choices)

    def reset_all(self) -> None:
        """Give all actions the shortcuts of the table."""
        self.load({})
        self.changed.emit({})

    def _set(self, name: str, keys: tuple[str, ...]) -> None:
        self._now[name] = keys
        self._show(name)

    def _show(self, name: str) -> None:
        action, keys = self.actions[name], self._now[name]
        action.setShortcuts([QKeySequence(key, QKeySequence.SequenceFormat.PortableText) for key in keys])
        text = plain(action)
        named = f"{text} ({native(keys[0])})" if keys else text
        # What the tip says below the first line does not depend on the keys.
        _, line_end, rest = action.toolTip().partition("\n")
        action.setToolTip(f"{named}{line_end}{rest}")


def plain(action: QAction) -> str:
    """Return the text of an action without the mark of its key, without dots, and without the step of undo."""
    return action.iconText().replace("&", "").rstrip("…")


def portable(key: str) -> str:
    """Return a shortcut in Qt's portable words; empty if it is none."""
    return QKeySequence(key, QKeySequence.SequenceFormat.PortableText).toString(
        QKeySequence.SequenceFormat.PortableText
    )


def native(key: str) -> str:
    """Return a shortcut in portable words as the system writes it."""
    return QKeySequence(key, QKeySequence.SequenceFormat.PortableText).toString(QKeySequence.SequenceFormat.NativeText)


def is_usable(key: str) -> bool:
    """Return whether ``key``, in portable words, is one key that an action can have."""
    return bool(key) and QKeySequence(key).count() == 1 and key not in RESERVED
