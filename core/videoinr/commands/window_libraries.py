"""The system libraries that Qt's windows need on Linux: which of them are missing, by name. No Qt.

Without one of them, an import of Qt fails, or Qt ends the process with no message that a user could act on.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Mapping

QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
"""Libraries that any window needs, and the packages of Debian and Ubuntu that hold them."""
X11_LIBRARIES = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""The same for windows on an X server."""


def can_be_loaded(name: str) -> bool:
    """Return whether the system finds the library ``name`` and everything that it needs itself."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def missing_libraries(
    environment: Mapping[str, str], *, platform: str = sys.platform, loads: Callable[[str], bool] = can_be_loaded
) -> dict[str, str]:
    """Return the missing libraries that a window needs here, each with its package of Debian and Ubuntu.

    Args:
        environment: the variables of the process; they say which kind of window Qt opens.
        platform: as :data:`sys.platform`. Only Linux takes these libraries from the system.
        loads: whether a library can be loaded.
    """
    if not platform.startswith("linux"):
        return {}
    needed = {**QT_LIBRARIES, **(X11_LIBRARIES if _uses_x11(environment) else {})}
    return {name: package for name, package in needed.items() if not loads(name)}


def in_words(missing: Mapping[str, str]) -> str:
    """Return a sentence about ``missing`` libraries, and what to do."""
    names, packages = ", ".join(missing), " ".join(missing.values())
    return f"Qt needs system libraries that are missing: {names}. On Debian and Ubuntu: apt-get install {packages}"


def _uses_x11(environment: Mapping[str, str]) -> bool:
    if chosen := environment.get("QT_QPA_PLATFORM", ""):
        return chosen.startswith("xcb")
    return bool(environment.get("DISPLAY")) and not environment.get("WAYLAND_DISPLAY")
