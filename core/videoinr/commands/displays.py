"""Whether windows can be shown on the display that the environment names. No Qt.

Where they cannot, Qt ends the process by an abort, with a stack and no message that a user could act on.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from pathlib import Path

_X, _WAYLAND = "xcb", "wayland"
_NONE = "There is no screen to show a window on. Set DISPLAY or use videoinr-viewer --screenshot."


def connects_to_x(display: str) -> bool:
    """Return whether an X server answers at ``display`` and lets this process in; True where that is not known."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # commands/window_libraries.py says which libraries are missing.
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(os.fsencode(display), None))
    try:
        return not xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)


def connects_to_wayland(path: str) -> bool:
    """Return whether the socket ``path`` of a compositor is there."""
    return Path(path).is_socket()


def display_problem(
    environment: Mapping[str, str],
    platform: str,
    *,
    connects: Mapping[str, Callable[[str], bool]] | None = None,
) -> str:
    """Return why no window can be shown, in a sentence or two; empty if one can, or if that is not known.

    Args:
        environment: the variables of the process; they say which kinds of display Qt tries.
        platform: as :data:`sys.platform`.
        connects: tells for "xcb" and "wayland" whether the display of that name can be reached.
    """
    if platform in ("win32", "darwin"):
        return ""
    ways = connects or {_X: connects_to_x, _WAYLAND: connects_to_wayland}
    displays = {_X: environment.get("DISPLAY", ""), _WAYLAND: _wayland_socket(environment)}
    if chosen := environment.get("QT_QPA_PLATFORM", ""):
        kinds = [name.partition(":")[0].partition("-")[0] for name in chosen.split(";")]
        if not {*kinds} <= {*displays}:
            return ""  # Such as offscreen, which needs no display.
        displays = {kind: displays[kind] for kind in kinds}
    named = {kind: display for kind, display in displays.items() if display}
    if not named:
        return _NONE
    if environment.get("WAYLAND_SOCKET") or any(ways[kind](display) for kind, display in named.items()):
        return ""
    return (
        f"The screen at {' or '.join(named.values())} cannot be reached, so there is nothing to show a window on. "
        "Set DISPLAY to one that can, or use videoinr-viewer --screenshot."
    )


def _wayland_socket(environment: Mapping[str, str]) -> str:
    name = environment.get("WAYLAND_DISPLAY", "")
    return str(Path(environment.get("XDG_RUNTIME_DIR", ""), name)) if name else ""
