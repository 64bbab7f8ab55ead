"""What lies over the picture: the names of what is compared, the pixel values, the minimap."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QRectF, Slot
from PySide6.QtWidgets import QLabel, QWidget

from videoinr.playing.plan import Shutter
from videoinr.render.messages import Opened
from videoinr.timeline import Timeline
from videoinr.types import Quality, RenderedRegion
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.picture.comparison import Comparison
from videoinr_viewer.picture.loupe import Loupe
from videoinr_viewer.picture.minimap import Minimap
from videoinr_viewer.picture.picture_item import PictureItem
from videoinr_viewer.picture.pixel_values import PixelValues, values_at
from videoinr_viewer.picture.readout import MARGIN_PX, Readout
from videoinr_viewer.style.language import tr


class Overlays(QObject):
    """The overlays of the picture's widget ``view``, whose child ``painted`` shows ``item``."""

    def __init__(self, view: QWidget, painted: QWidget, item: PictureItem, comparison: Comparison) -> None:
        super().__init__(view)
        self._view, self._item, self._comparison = view, item, comparison
        self._timeline: Timeline | None = None
        self._model_name = ""
        self._mouse: QPoint | None = None
        self._point = (0.0, 0.0)
        self._wants_values, self._is_corrected = True, False
        self.badge, self.second_badge = (QLabel(view) for _ in range(2))
        for label in (self.badge, self.second_badge):
            label.setObjectName("badge")
            label.hide()
        self.badge.move(MARGIN_PX, MARGIN_PX)
        self.readout, self.minimap = Readout(view), Minimap(view)
        self.loupe, self._holds_loupe = Loupe(view, painted), False
        comparison.changed.connect(self.update_badge)

    def open(self, opened: Opened) -> None:
        """Take a newly opened clip."""
        self._timeline, self._model_name = opened.timeline, opened.model_name
        self.minimap.open(opened.info.width, opened.info.height)

    def look(self) -> None:
        """Follow the view of the item."""
        panes = self._item.panes()
        if panes:
            inverted, _ = panes[0].physical.inverted()
            width, height = self._item.size
            self.minimap.look(inverted.mapRect(panes[0].box) & QRectF(0, 0, width, height))
        self._refresh_values()
        self._place_second()

    def show_region(self, region: RenderedRegion) -> None:
        """Take a region that was added to the picture."""
        if region.quality is Quality.SOURCE:
            self.minimap.show_source(region)
        self._refresh_values()

    def point_at(self, mouse: QPoint | None, point: tuple[float, float]) -> None:
        """Show the values at ``point`` of the clip, where the mouse is; None: it is not over the picture."""
        self._mouse, self._point = mouse, point
        self._refresh_values()

    def set_values(self, wanted: bool) -> None:
        """Show the values of the pixel under the mouse, or not."""
        self._wants_values = wanted
        self._refresh_values()

    @Slot(bool)
    def hold_loupe(self, holds: bool) -> None:
        """Show the loupe around the mouse, or none; where the mouse is elsewhere, around the middle of the view."""
        self._holds_loupe = holds
        self._refresh_values()

    def set_minimap(self, wanted: bool) -> None:
        """Show a minimap while the view is zoomed, or not."""
        self.minimap.wanted = wanted
        self.look()

    @Slot(object)
    def show_shutter(self, shutter: Shutter) -> None:
        """Say beside a reference that comes from the clip's frames when the rolling shutter is corrected without it."""
        self._is_corrected = shutter.readout is not None
        self.update_badge()

    @Slot()
    def update_badge(self) -> None:
        """Say which parts of the picture are what."""
        mode = self._comparison.mode
        reference = self._note_recorded(
            reference_name(self._comparison.kind, self._comparison.reference_name), self._comparison.kind
        )
        if self._comparison.is_awaited:
            reference = tr("{name}: being computed…", name=reference)
        # Two models need two names.
        is_model = self._comparison.kind is Reference.MODEL
        decoded = reference_name(Reference.MODEL, self._model_name) if is_model else "VideoINR"
        first, second = {
            Compare.OFF: ("", ""),
            Compare.WIPE: (f"{reference}  |  {decoded}", ""),
            Compare.WIPE_FOLLOWS: (f"{reference}  |  {decoded}", ""),
            Compare.SIDE_BY_SIDE: (reference, decoded),
            Compare.DIFFERENCE: (
                tr("Difference from: {reference}, ×{gain}", reference=reference, gain=self._comparison.gain), "",
            ),
            Compare.BLINK: (reference if self._item.blinks else decoded, ""),
        }[mode]  # fmt: skip
        if self._item.source_only:
            first, second = self._note_recorded(tr("Source"), Reference.NEAREST), ""
        for label, text in ((self.badge, first), (self.second_badge, second)):
            label.setText(text)
            label.adjustSize()
            label.setVisible(bool(text))
        self._place_second()

    def _note_recorded(self, name: str, reference: Reference) -> str:
        """Return ``name``, with the words that it shows lines as they were recorded where the picture does not."""
        is_recorded = reference in (Reference.NEAREST, Reference.BICUBIC, Reference.BLEND)
        if self._is_corrected and is_recorded:
            return tr("{name}, rolling shutter not corrected", name=name)
        return name

    def _place_second(self) -> None:
        self.second_badge.move(self._view.width() // 2 + MARGIN_PX, MARGIN_PX)

    def _refresh_values(self) -> None:
        wanted = self._wants_values and self._mouse is not None
        values = values_at(self._item.stack, self._item.size, self._point) if self._mouse is not None else None
        self.readout.show_values(values if wanted else None, self._timeline, self._mouse or QPoint())
        if self._holds_loupe and self._timeline is not None:
            self.loupe.show_at(*self._under_loupe(values))
        else:
            self.loupe.hide()

    def _under_loupe(self, values: PixelValues | None) -> tuple[QPoint, PixelValues | None]:
        panes = self._item.panes()
        if self._mouse is not None or not panes:
            return self._mouse or QPoint(), values
        middle, (inverted, _) = panes[0].box.center(), panes[0].physical.inverted()
        point, ratio = inverted.map(middle), self._view.devicePixelRatioF()
        found = values_at(self._item.stack, self._item.size, (point.x(), point.y()))
        return QPoint(int(middle.x() / ratio), int(middle.y() / ratio)), found


def reference_name(reference: Reference, own_name: str = "") -> str:
    """Return the name of ``reference`` for the user; ``own_name``: that of a reference file, or of another model."""
    return {
        Reference.NEAREST: tr("Source"),
        Reference.BICUBIC: tr("Source, bicubic"),
        Reference.BLEND: tr("Blend of both frames"),
        Reference.FILE: own_name,
        Reference.MODEL: tr("Model {name}", name=own_name),
    }[reference]
