"""Paints one group of the key sheet: its title, and a line for each action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from cachetools import LRUCache
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from videoinr_viewer.style.painting import painting

Keys = Sequence[tuple[str, str]]
"""(keys, text of the action) for each line."""
_GAP_PX, _LINE_PX, _TITLE_PX = 18, 5, 4
_LEAST_TEXT_PX = 180
_KNOWN = 8
"""The heights of so many widths are kept."""
_AT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_AT_WRAPPED = int(_AT) | int(Qt.TextFlag.TextWordWrap)


class KeyGroup(QWidget):
    """Shows ``keys`` under ``title``; the texts begin ``keys_px`` from the left.

    It paints its lines itself: a label of rich text for each group took 15 ms of layout, and a label for each text as
    much of style sheet. Screen readers get the lines as the description. Where it is narrow, long texts are broken.
    """

    def __init__(self, title: str, keys: Keys, keys_px: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._title, self._keys, self._keys_px = title, keys, keys_px
        self._known: LRUCache[tuple[int, str], list[int]] = LRUCache(_KNOWN)
        self.setAccessibleName(title)
        self.setAccessibleDescription("\n".join(f"{key}: {text}" for key, text in keys))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def line_count(self) -> int:
        """How many lines there are, with the title."""
        return 1 + len(self._keys)

    def sizeHint(self) -> QSize:
        """Return the size of all lines, none of them broken."""
        metrics, title = self.fontMetrics(), QFontMetrics(bold(self.font()))
        texts_px = max((metrics.horizontalAdvance(text) for _, text in self._keys), default=0)
        width = max(self._keys_px + texts_px, title.horizontalAdvance(self._title))
        return QSize(width + 1, self._line_px * (1 + len(self._keys)) + _TITLE_PX)

    def hasHeightForWidth(self) -> bool:
        """Return True: broken lines are higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all lines in ``width`` pixels."""
        return self._line_px + _TITLE_PX + sum(self._heights(width))

    def _heights(self, width: int) -> list[int]:
        """Return the height of each line: the same ones as before in the same font, since a layout asks many times."""
        wanted = (width, self.font().key())
        if wanted not in self._known:
            self._known[wanted] = self._measured(width)
        return self._known[wanted]

    def _measured(self, width: int) -> list[int]:
        metrics, room = self.fontMetrics(), QRect(0, 0, max(1, width - self._keys_px), 10**4)
        boxes = (metrics.boundingRect(room, _AT_WRAPPED, text) for _, text in self._keys)
        return [max(metrics.height(), box.height()) + _LINE_PX for box in boxes]

    def minimumSizeHint(self) -> QSize:
        """Return the size with room for a few words in a line."""
        size = self.sizeHint()
        return QSize(min(size.width(), self._keys_px + _LEAST_TEXT_PX), size.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint title and lines in the colours of the theme."""
        line, width = self._line_px, self.width()
        plain, strong = self.font(), bold(self.font())
        with painting(QPainter(self)) as painter:
            painter.setPen(self.palette().windowText().color())
            painter.setFont(strong)
            painter.drawText(0, 0, width, line, _AT, self._title)
            heights = self._heights(width)
            tops = [line + _TITLE_PX + y for y in accumulate(heights, initial=0)]
            for top, (key, _) in zip(tops, self._keys, strict=False):
                painter.drawText(0, top, self._keys_px, line, _AT, key)
            painter.setFont(plain)
            for top, height, (_, text) in zip(tops, heights, self._keys, strict=False):
                painter.drawText(self._keys_px, top, width - self._keys_px, height, _AT_WRAPPED, text)

    @property
    def _line_px(self) -> int:
        return self.fontMetrics().height() + _LINE_PX


def bold(font: QFont) -> QFont:
    """Return ``font`` in bold."""
    strong = QFont(font)
    strong.setBold(True)
    return strong


def width_of_keys(font: QFont, groups: Iterable[Keys]) -> int:
    """Return where the texts begin beside the widest keys of ``groups``, pixels."""
    metrics = QFontMetrics(bold(font))
    return max((metrics.horizontalAdvance(key) for keys in groups for key, _ in keys), default=0) + _GAP_PX
