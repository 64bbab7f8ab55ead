"""Which files and modules of the environment become part of the frozen program.

Left out is what the program never loads: headers, tools and tests of torch, Qt's modules for QML, development and
embedded screens. And the libraries of windows (X11, fonts, GLib): those of the user's system fit its display server,
fonts and drivers, and the program names those that are missing (``videoinr.commands.window_libraries``).
"""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path

EXCLUDED_MODULES = [
    "IPython", "PIL", "PySide6.QtDesigner", "PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtTest", "matplotlib", "onnx",
    "onnxscript", "pip", "pyqtgraph.examples", "pyqtgraph.jupyter", "pyqtgraph.opengl", "pytest", "scipy", "setuptools",
    "tkinter", "triton",
]  # fmt: skip
UNUSED = (
    "torch/include/*",
    "torch/share/*",
    "torch/test/*",
    "torch/*.pyi",
    "torch/*.a",
    "PySide6/Qt/qml/*",
    "PySide6/Qt/plugins/egldeviceintegrations/*",
    "PySide6/Qt/plugins/generic/*",
    "PySide6/Qt/plugins/networkinformation/*",
    "PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboardplugin.so",
    "PySide6/Qt/plugins/platforms/libqeglfs.so",
    "PySide6/Qt/plugins/platforms/libqlinuxfb.so",
    "PySide6/Qt/plugins/platforms/libqminimal*.so",
    "PySide6/Qt/plugins/platforms/libqvkkhrdisplay.so",
    "PySide6/Qt/plugins/platforms/libqvnc.so",
    "PySide6/Qt/plugins/imageformats/libqpdf.so",
    "PySide6/Qt/plugins/tls/*",
    "PySide6/Qt/lib/libQt6EglFS*",
    "PySide6/Qt/lib/libQt6EglFs*",
    "PySide6/Qt/lib/libQt6Pdf*",
    "PySide6/Qt/lib/libQt6Qml*",
    "PySide6/Qt/lib/libQt6Quick*",
    "PySide6/Qt/lib/libQt6VirtualKeyboard*",
)
"""Files of the frozen program, relative to its folder of libraries; ``*`` also stands for folders."""
_MODULES = Path(os.__file__).parent
"""Python's own modules. Not its prefix: that of a system's Python is ``/usr``, where all libraries are. Nor sysconfig's
"platstdlib": in a virtual environment, that is a folder without them."""
PYTHONS_OWN = ("libpython", "libffi", "libssl", "libcrypto", "libz.", "libbz2", "liblzma", "libsqlite3", "libexpat",
               "libmpdec", "libuuid")  # fmt: skip
"""Libraries that Python's own modules need, which go along wherever they come from."""


def is_wanted(destination: str, source: str, packages: Path) -> bool:
    """Return whether a file belongs into the frozen program.

    Args:
        destination: its path relative to the folder of libraries, with forward slashes.
        source: where it lies now.
        packages: the folder of the environment's packages.
    """
    if any(fnmatch(destination, pattern) for pattern in UNUSED):
        return False
    path = Path(source)
    if path.is_relative_to(packages) or path.is_relative_to(_MODULES) or ".so" not in path.name:
        return True
    return path.name.startswith(PYTHONS_OWN) or path.name == "native.so"
