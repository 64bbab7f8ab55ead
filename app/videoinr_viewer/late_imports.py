"""Which modules the start of the program does without; the window imports them after its first full picture."""

from __future__ import annotations

from videoinr_viewer.export.launcher import DIALOG_MODULE
from videoinr_viewer.export.queue_window import QUEUE_MODULES
from videoinr_viewer.inspection.slicing import DOCK_MODULE
from videoinr_viewer.playing.sound import output_modules

LATE_MODULES = (
    "videoinr.exporting.job_file", "videoinr.exporting.estimate", "videoinr.exporting.outputs",
    "videoinr.clip.describe", "videoinr.clip.cut_edits", "videoinr.playing.sound_feed", "videoinr.playing.sound_run",
    *output_modules(), DIALOG_MODULE, "videoinr_viewer.dialogs.clip_window",
    "videoinr_viewer.dialogs.annotations_dialog", "videoinr_viewer.dialogs.shortcuts_dialog",
    "videoinr_viewer.journey.retime_dialog", DOCK_MODULE, "videoinr_viewer.dialogs.settings_dialog", *QUEUE_MODULES,
)  # fmt: skip
"""What an action needs that the start does without: imported in short turns once the first full picture is there."""
LATE_NAMESPACES = ("PySide6.QtCore", "PySide6.QtGui", "PySide6.QtWidgets")
"""pyqtgraph and superqt name all that is in them."""
LATE_LIBRARIES = {
    "PySide6": tuple(
        f"{folder}*Qt{six}{name}.*" for name in ("OpenGL", "OpenGLWidgets", "Svg", "Test", "Multimedia")
        for folder, six in (("", ""), ("", "6"), ("Qt/lib/", "6"))
    ),
    "pydantic_core": ("*",),
}  # fmt: skip
"""The shared libraries that these modules load."""
