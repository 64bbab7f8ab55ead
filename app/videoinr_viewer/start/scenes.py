"""The scenes of a gallery: every panel and every mode of the window, and the steps that show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from videoinr_viewer.action_row import Menu
from videoinr_viewer.project.autosave import Offer
from videoinr_viewer.project.unsaved import LeftBehind
from videoinr_viewer.start.queue_scene import QueueScene
from videoinr_viewer.viewer import Viewer

Act = Callable[[Viewer], object]
FIRST_SECS, SECOND_SECS, THIRD_SECS = Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)
"""Seconds of a clip of a second or more, where segments and bookmarks are noted."""


@dataclass(frozen=True)
class Scene:
    """One picture. ``acts`` are done one after the other; ``undo`` takes back what a reset of the view does not.

    ``widget``: what is saved, if it is neither the dialog that is open nor the window.
    """

    name: str
    acts: tuple[Act, ...] = ()
    undo: Act = lambda _viewer: None
    widget: Callable[[Viewer], QWidget] | None = None


def _do(*names: str) -> Act:
    def act(viewer: Viewer) -> None:
        for name in names:
            viewer.window.actions_by_id[name].trigger()

    return act


def _at(time_secs: Fraction) -> Act:
    return lambda viewer: viewer.session.seek(time_secs)


def _menu(index: int) -> Callable[[Viewer], QWidget]:
    def widget(viewer: Viewer) -> QWidget:
        menu = viewer.window.menuBar().actions()[index].menu()
        assert isinstance(menu, QMenu)
        menu.aboutToShow.emit()
        menu.ensurePolished()
        menu.resize(menu.sizeHint())
        return menu

    return widget


def _drop(viewer: Viewer) -> None:
    viewer.window.drop.highlight.show_for([Path("Holiday in the mountains.mp4")])


def _offer(viewer: Viewer) -> None:
    viewer.window.restore_bar.show_offers((_left("Holiday in the mountains.mp4", 3),))


def _offer_several(viewer: Viewer) -> None:
    viewer.window.restore_bar.show_offers((_left("Holiday in the mountains.mp4", 3), _left("pan.mp4", 0)))


def _left(clip: str, segments: int) -> Offer:
    return Offer(LeftBehind(Path("left.vinr"), datetime(2026, 1, 31, 12, 30)), clip, segments, 2)


def _fail(viewer: Viewer) -> None:
    viewer.window.messages.show_error(
        "“Holiday in the mountains.mp4” holds no frames.", "The recording may have been cut off. Copy it again."
    )


def _read_out(secs: Fraction) -> Act:
    return lambda viewer: viewer.window.planner.set_readout(secs)


def _close_offer(viewer: Viewer) -> None:
    viewer.window.restore_bar.show_offers(())


_QUEUE = QueueScene()
_MENUS = tuple(Scene(f"menu-{menu.name.lower()}", widget=_menu(index)) for index, menu in enumerate(Menu))
WITHOUT_CLIP = (
    Scene("first-page"),
    Scene("error", (_fail,)),
    Scene("restore", (_offer,), _close_offer),
    Scene("restore-several", (_offer_several,), _close_offer),
    Scene("drop", (_drop,), lambda viewer: viewer.window.drop.highlight.hide()),
    Scene("palette-without-clip", (_do("palette"),)),
    *(Scene(f"{scene.name}-without-clip", widget=scene.widget) for scene in _MENUS),
)
_NOTES: tuple[Act, ...] = (
    _at(FIRST_SECS), _do("mark-in"), _at(SECOND_SECS), _do("mark-out", "add-segment", "bookmark"), _at(THIRD_SECS),
    _do("bookmark"), _at(FIRST_SECS), _do("cut-here"),
)  # fmt: skip
"""A marked segment, two bookmarks and a cut; the last of it opens the clip anew."""
WITH_CLIP = (
    Scene("fitted"),
    Scene("zoom-x4", (_do("zoom-400"),)),
    Scene("zoom-x32-grid", (_do("zoom-3200", "pixel-grid"),), _do("pixel-grid")),
    Scene("checkerboard", (_do("checkerboard", "zoom-out", "zoom-out"),), _do("checkerboard")),
    Scene("wipe", (_do("compare-wipe"),)),
    Scene("wipe-bicubic-x4", (_do("zoom-400", "against-bicubic"),), _do("against-pixels")),
    Scene("side-by-side", (_do("compare-side-by-side"),)),
    Scene("side-by-side-blend", (_do("compare-side-by-side", "against-blend"),), _do("against-pixels")),
    Scene("wipe-model-x4", (_do("zoom-400", "against-model"),), _do("against-pixels")),
    Scene("difference", (_do("compare-difference"),)),
    Scene("blink", (_do("compare-blink"),)),
    Scene("source", (lambda viewer: viewer.window.frame_view.set_source_only(True),)),
    Scene("loupe", (lambda viewer: viewer.window.frame_view.overlays.hold_loupe(True),)),
    Scene("motion-colours", (_do("flow-colours"),)),
    Scene("motion-arrows-x4", (_do("zoom-400", "flow-arrows"),)),
    Scene("trajectory", (_do("trajectory"),), _do("leave")),
    Scene("unsure", (_do("unsure"),), _do("unsure")),
    Scene("blend-mask", (_do("blend-mask"),), _do("blend-mask")),
    Scene("all-overlays-x2", (_do("zoom-200", "flow-colours", "unsure", "blend-mask"),), _do("unsure", "blend-mask")),
    Scene("slice", (_do("slice"),), _do("leave")),
    Scene("full-screen", (_do("full-screen"),), _do("leave")),
    Scene("error-over-clip", (_fail,)),
    Scene("restore-over-clip", (_offer,), _close_offer),
    Scene("drop-over-clip", (_drop,), lambda viewer: viewer.window.drop.highlight.hide()),
    Scene("export", (_do("export"),)),
    Scene("export-queue", (_QUEUE.show, _QUEUE.choose_failed), _QUEUE.clear),
    Scene("clip", (_do("clip-window"),)),
    Scene("palette", (_do("palette"),)),
    Scene("keys", (_do("keys"),)),
    Scene("shortcuts", (_do("change-shortcuts"),)),
    Scene("settings", (_do("settings"),)),
    *_MENUS,
    Scene("notes", _NOTES),
    Scene("retime", (_do("retime"),)),
    Scene("rolling-shutter", (_do("rolling-shutter"), _read_out(Fraction(1, 60))), _read_out(Fraction(0))),
    Scene(
        "shutter-region",
        (_do("zoom-400"), lambda viewer: viewer.window.planner.take_region(), _do("fit", "shutter-region")),
        lambda viewer: viewer.window.planner.set_shutter_region(None),
    ),
    Scene("notes-magnified", (_do("timeline-in", "timeline-in"),), _do("timeline-whole")),
    Scene("segments", (_do("annotations"),)),
)
