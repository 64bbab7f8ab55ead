"""The actions of the menu "Time and camera"."""

from __future__ import annotations

from collections.abc import Callable

from videoinr.journey.camera import Easing
from videoinr_viewer.action_row import Menu, Row, Targets
from videoinr_viewer.journey.planner import ANGLES

EASINGS = {
    Easing.SMOOTH: "The camera starts and stops &gently",
    Easing.LINEAR: "The camera moves &evenly",
    Easing.HOLD: "The camera rests and &jumps",
}
"""What the menu says about the way from a keyframe to the next."""


def _easing(easing: Easing) -> Callable[[Targets], object]:
    return lambda t: t.planner.set_easing(easing)


def _shutter(angle: int) -> Callable[[Targets], object]:
    return lambda t: t.planner.set_shutter(angle)


ROWS: tuple[Row, ...] = (
    Row("retime", Menu.JOURNEY, "&Retime curve…", ("R",), lambda t: t.side_windows.show_retime()),
    Row(
        "journey-play", Menu.JOURNEY, "Play &along curve and camera path", ("Ctrl+R",),
        lambda t: t.journey_play.toggle(), checkable=True, group_ends=True,
        tip="Without sound where there is a retime curve",
    ),
    *(
        Row(
            f"shutter-{angle}", Menu.JOURNEY, f"Shutter {angle}°" if angle else "&No shutter", (f"Ctrl+Alt+{index}",),
            _shutter(angle), checkable=True, checked=not angle, choice="shutter", group_ends=angle == ANGLES[-1],
        )
        for index, angle in enumerate(ANGLES)
    ),
    Row(
        "shutter-region", Menu.JOURNEY, "&Shutter of a region…", ("Ctrl+Alt+R",),
        lambda t: t.side_windows.show_shutter(for_region=True), tip="Another exposure in a part of the picture",
    ),
    Row(
        "rolling-shutter", Menu.JOURNEY, "Rolling sh&utter…", ("Ctrl+Shift+R",),
        lambda t: t.side_windows.show_shutter(), group_ends=True,
        tip="Corrects what leans because the camera read a frame row by row",
    ),
    Row(
        "camera-keyframe", Menu.JOURNEY, "A &camera keyframe here, or none", ("Y",),
        lambda t: t.planner.toggle_keyframe(),
    ),
    *(
        Row(
            f"camera-{easing.value}", Menu.JOURNEY, text, (f"Ctrl+Alt+{index}",), _easing(easing), checkable=True,
            choice="easing", group_ends=easing is Easing.HOLD,
            tip="From the last keyframe before the present time to the next one",
        )
        for index, (easing, text) in enumerate(EASINGS.items(), len(ANGLES))
    ),
    Row(
        "camera-list", Menu.JOURNEY, "&List of keyframes…", ("Ctrl+Shift+Y",),
        lambda t: t.side_windows.show_annotations(),
    ),
    Row("camera-clear", Menu.JOURNEY, "Remove the camera &path", ("Shift+Y",), lambda t: t.planner.clear_camera()),
)  # fmt: skip
