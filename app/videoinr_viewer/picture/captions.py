"""What a saved picture is: kept in the file as text, and written below the picture if the user wants that."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from videoinr import __version__
from videoinr.render.messages import Opened
from videoinr.render.view import scale_from_zoom
from videoinr.types import RenderedRegion, ViewState
from videoinr_viewer.style.language import decimal, tr
from videoinr_viewer.style.painting import painting
from videoinr_viewer.style.text import format_instant, format_time

PAPER, INK = QColor("#141517"), QColor("#e4e5e7")
LEAST_TEXT_PX, TEXT_SHARE = 13, 1 / 45
"""Height of the words below a picture: a share of its height, and at least so many pixels."""


@dataclass(frozen=True)
class Caption:
    """The words about one picture: ``words`` for people, ``facts`` by the names of their texts in the file."""

    words: str
    facts: tuple[tuple[str, str], ...]


def caption_of(opened: Opened, view: ViewState, region: RenderedRegion) -> Caption:
    """Return what ``region`` is: the visible part of the clip ``opened``, decoded for ``view``."""
    instant, rect, grid = region.query.instant, region.query.rect, region.query.grid
    scale = scale_from_zoom(view.zoom)
    time_secs = opened.timeline.time_from_instant(instant)
    words = tr(
        "{clip}, {time} ({frame}), ×{scale}, model {model}", clip=opened.info.path.name, time=format_time(time_secs),
        frame=format_instant(instant), scale=decimal(f"{scale:.4g}"), model=opened.model_name,
    )  # fmt: skip
    # In the file, names and numbers are the same in every language.
    facts = (
        ("Software", f"VideoINR Viewer {__version__}"),
        ("Description", words),
        ("Clip", opened.info.path.name),
        ("Time", f"{time_secs} s"),
        ("Frame", f"{instant.pair} + {instant.phase}"),
        ("Scale", f"{scale:.6g}"),
        ("Region", f"{rect.width}x{rect.height}+{rect.x}+{rect.y} of {grid.width}x{grid.height}"),
        ("Model", opened.model_name),
    )
    return Caption(words, facts)


def captioned(image: QImage, caption: Caption, *, burns_in: bool) -> QImage:
    """Return ``image`` with the facts as its texts; with ``burns_in`` the words stand on a strip below it."""
    made = _with_strip(image, caption.words) if burns_in else image.copy()
    for name, text in caption.facts:
        made.setText(name, text)
    return made


def _with_strip(image: QImage, words: str) -> QImage:
    """Return ``image`` with a strip below, so that no pixel is hidden."""
    side = max(LEAST_TEXT_PX, round(image.height() * TEXT_SHARE))
    strip = 2 * side
    made = QImage(image.width(), image.height() + strip, QImage.Format.Format_RGB888)
    made.fill(PAPER)
    with painting(QPainter(made)) as painter:
        painter.drawImage(0, 0, image)
        font = painter.font()
        font.setPixelSize(side)
        painter.setFont(font)
        room = QRect(side // 2, image.height(), image.width() - side, strip)
        # Words that are too long for the picture are made smaller, not cut off.
        width = painter.fontMetrics().horizontalAdvance(words)
        if width > room.width() > 0:
            font.setPixelSize(max(6, side * room.width() // width))
            painter.setFont(font)
        painter.setPen(INK)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
    return made
