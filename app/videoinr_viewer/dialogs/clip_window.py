"""The window about the open clip: everything that ``videoinr probe`` prints, its warnings, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QSpinBox,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from videoinr.errors import VideoInrError
from videoinr.render.messages import Opened
from videoinr.types import AcrossCuts
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.dialogs.side_dialog import SideDialog
from videoinr_viewer.style.language import decimal, tr, tr_engine, tr_error
from videoinr_viewer.style.text import format_device
from videoinr_viewer.style.theme import Tone, set_tone

BACKGROUNDS = ("black", "grey", "white", "checkerboard")
DEINTERLACING = ("auto", "on", "off")


class _Wrapped(QStyledItemDelegate):
    """Asks for the height of the wrapped text: a tree wraps it, but makes room for what would be a single line."""

    def __init__(self, tree: QTreeWidget) -> None:
        super().__init__(tree)
        self._tree = tree

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size of the cell ``index`` in a column as wide as it is now."""
        room = QStyleOptionViewItem(option)
        if index.column():
            room.rect = QRect(0, 0, self._tree.columnWidth(index.column()), 1)
        return super().sizeHint(room, index)


class ClipWindow(SideDialog):
    """A window beside the main one; it follows the open clip."""

    reading_wanted = Signal(object)
    """Reading: how the user wants the clip to be read."""

    def __init__(self, choice: ReadingChoice, parent: QWidget) -> None:
        super().__init__(parent)
        self._choice = choice
        self.setWindowTitle(tr("Clip"))
        self.facts = QTreeWidget()
        self.facts.setAccessibleName(tr("Properties of the clip"))
        self.facts.setHeaderHidden(True)
        self.facts.setRootIsDecorated(False)
        self.facts.setColumnCount(2)
        self.facts.setWordWrap(True)
        self.facts.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.facts.setItemDelegate(_Wrapped(self.facts))
        # Qt keeps the heights of the rows, which follow from the width of the values.
        self.facts.header().sectionResized.connect(self.facts.scheduleDelayedItemsLayout)
        self.stream = QSpinBox()
        self.stream.setRange(-1, 99)
        self.stream.lineEdit().setTextMargins(6, 0, 0, 0)
        self.stream.setSpecialValueText(tr("as a player would choose"))
        self.background, self.deinterlace, self.across_cuts = QComboBox(), QComboBox(), QComboBox()
        self.background.setEditable(True)
        for name, text in _backgrounds():
            self.background.addItem(text, name)
        self.background.setToolTip(tr("Behind transparent pixels: a name, or a colour such as #2060ff"))
        for combo, entries in ((self.deinterlace, _deinterlacing()), (self.across_cuts, _across_cuts())):
            for value, text in entries:
                combo.addItem(text, value)
        self.apply = QPushButton(tr("&Read the clip so"), autoDefault=False)
        self.problem = QLabel(wordWrap=True)
        self._lay_out()
        self.apply.clicked.connect(self._apply)
        self.show_choice()

    def _lay_out(self) -> None:
        group = QGroupBox(tr("Reading"))
        form = QFormLayout(group)
        form.addRow(tr("&Video stream"), self.stream)
        form.addRow(tr("&Background"), self.background)
        form.addRow(tr("&Deinterlacing"), self.deinterlace)
        form.addRow(tr("Across &cuts"), self.across_cuts)
        form.addRow(self.problem)
        form.addRow(self.apply)
        self.problem.hide()
        layout = QVBoxLayout(self)
        layout.addWidget(self.facts, 1)
        layout.addWidget(group)
        layout.addWidget(self.close_box())
        self.wanted_px = QSize(520, 640)

    def show_clip(self, opened: Opened) -> None:
        """Show the properties of the clip ``opened``, and how it is read."""
        # Imported here: the start of the program does without the readers.
        from videoinr.clip.describe import facts_of

        self.facts.clear()
        for name, value in facts_of(opened.info).items():
            self._add(title_of(name), fact_in_words(name, value))
        self._add(tr("model"), opened.model_name)
        self._add(tr("device"), format_device(opened.device_name))
        self.show_choice()

    @Slot(str)
    def add_warning(self, sentences: str) -> None:
        """Show what was met in reading the clip since it was opened."""
        self._add(tr("warnings"), sentences)

    @Slot()
    def show_choice(self) -> None:
        """Show how the clip is read."""
        reading = self._choice.current
        self.stream.setValue(-1 if reading.stream is None else reading.stream)
        place = self.background.findData(reading.background)
        self.background.setCurrentText(self.background.itemText(place) if place >= 0 else reading.background)
        self.deinterlace.setCurrentIndex(self.deinterlace.findData(reading.deinterlace))
        self.across_cuts.setCurrentIndex(self.across_cuts.findData(reading.across_cuts.value))
        self.problem.hide()

    @property
    def reading(self) -> Reading:
        """What the fields describe."""
        return replace(
            self._choice.current,
            stream=None if self.stream.value() < 0 else self.stream.value(),
            background=self._typed_background(),
            deinterlace=str(self.deinterlace.currentData()),
            across_cuts=AcrossCuts(self.across_cuts.currentData()),
        )

    def _typed_background(self) -> str:
        """Return the name of a background by its word in the language of the window, or what is typed as it is."""
        typed = self.background.currentText().strip()
        return next((name for name, text in _backgrounds() if typed.casefold() == text.casefold()), typed)

    @Slot()
    def _apply(self) -> None:
        reading = self.reading
        try:
            reading.options()
        except VideoInrError as error:
            set_tone(self.problem, Tone.BAD)
            self.problem.setText(tr_error(error))
            self.problem.show()
            return
        self.problem.hide()
        self.reading_wanted.emit(reading)

    def _add(self, name: str, value: str) -> None:
        item = QTreeWidgetItem(self.facts, [name, value])
        item.setToolTip(1, value)
        item.setTextAlignment(0, Qt.AlignmentFlag.AlignTop)


def title_of(name: str) -> str:
    """Return the title of a property that ``probe`` calls ``name``."""
    return {
        "path": tr("file"), "stream": tr("video stream"), "width": tr("width"), "height": tr("height"),
        "pixel_aspect": tr("pixel aspect"), "rotation": tr("rotation"), "fps": tr("frames per second"),
        "frames": tr("frames"), "duration_secs": tr("duration, seconds"), "vfr": tr("variable rate"),
        "timecode": tr("timecode of the first frame"),
        "codec": tr("codec"), "pix_fmt": tr("pixel format"), "bit_depth": tr("bit depth"), "colour": tr("colour"),
        "audio": tr("sound"), "interlaced": tr("interlaced"), "warnings": tr("warnings"),
        "matrix": tr("matrix"), "range": tr("range"), "primaries": tr("primaries"), "transfer": tr("transfer"),
        "guessed": tr("guessed"), "channels": tr("channels"), "sample_rate_hz": tr("sample rate, Hz"),
    }.get(name, name.replace("_", " "))  # fmt: skip


def fact_in_words(name: str, value: object) -> str:
    """Return the value of the property that ``probe`` calls ``name`` as a user reads it, with its unit."""
    if name == "fps":
        rate = Fraction(str(value))
        return str(rate) if rate.denominator == 1 else f"{decimal(f'{float(rate):.6g}')} ({rate})"
    if value is None or (name == "audio" and not value):
        return tr("not present")
    if name == "warnings" and isinstance(value, list):
        return in_words([tr_engine(str(sentence)) for sentence in value])
    return f"{value}°" if name == "rotation" else in_words(value)


def in_words(value: object) -> str:
    """Return a value of a clip's description as a user reads it."""
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, float):
        return decimal(f"{value:.6g}")
    if isinstance(value, dict):
        guessed = value.get("guessed", [])
        shown = {name: one for name, one in value.items() if name != "guessed" and one not in ([], None, "")}
        return ", ".join(
            f"{title_of(name)} {in_words(one)}" + (f" ({tr('guessed')})" if name in guessed else "")
            for name, one in shown.items()
        )
    if isinstance(value, list):
        return "\n".join(in_words(one) for one in value) or tr("none")
    return str(value)


def _backgrounds() -> list[tuple[str, str]]:
    """Return each background with its word in the language of the window."""
    texts = (tr("black"), tr("grey"), tr("white"), tr("checkerboard"))
    return list(zip(BACKGROUNDS, texts, strict=True))


def _deinterlacing() -> Iterable[tuple[str, str]]:
    texts = (tr("frames that are said to be interlaced"), tr("all frames"), tr("none"))
    return zip(DEINTERLACING, texts, strict=True)


def _across_cuts() -> Iterable[tuple[str, str]]:
    return (
        (AcrossCuts.HOLD.value, tr("hold the nearer frame")),
        (AcrossCuts.BLEND.value, tr("blend both frames")),
        (AcrossCuts.DECODE.value, tr("decode a mixture")),
    )
