"""Hides the names and paths of the user's files in texts that others may read: the log and the report."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import traceback
from pathlib import Path
from urllib.parse import quote

PATH, NAME = "<path>", "<name>"
LOG_NAMES = "VIDEOINR_LOG_NAMES"
"""The variable of the environment that, as 1, leaves names and paths in the log."""
_MIN_STEM_CHARS = 3
_ENDINGS = (
    "3gp|apng|avi|bmp|dpx|exr|flac|flv|gif|jpe?g|jxl|m2ts|m3u8?|m4[av]|mkv|mov|mp3|mp4|mpe?g|mts|mxf|ogg|ogv|opus|pgm|png|"
    "ppm|pt|safetensors|tga|tiff?|ts|vinr|wav|webm|webp|wmv|y4m|yuv"
)
_ROOT = r"(?:file://|~?/(?=[^\s/])|[A-Za-z]:[\\/]|\\\\(?=\w))"
_QUOTED = re.compile(rf"""(?P<mark>["'])(?:b?{_ROOT})[^\n]*?(?P=mark)(?!\w)""")
_BARE = re.compile(rf"""(?<![\w./\\>]){_ROOT}[^\n"'<>|]*?(?=: |[)\]}},;]*(?:\n|$)|["'<>|])""")
_FILE = re.compile(rf"""[^\s"'<>|:=(\[/\\]+\.(?:{_ENDINGS})(?!\w)""", re.IGNORECASE)


class HiddenNames:
    """Knows the files that were opened, and replaces them and anything that looks like a path. Safe in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exact: set[str] = set()
        self._stems: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def remember(self, path: Path) -> None:
        """Hide from now on the path, the name and the stem of ``path``, and the path of its folder."""
        whole = {str(path), str(path.absolute()), str(path.absolute().parent)}
        exact = {text for text in whole if len(Path(text).parts) > 1} | ({path.name} if path.suffix else set())
        stems = {text for text in (path.name, path.stem) if len(text) >= _MIN_STEM_CHARS}
        with self._lock:
            if exact <= self._exact and stems <= self._stems:
                return
            self._exact |= {form for text in exact for form in _forms(text)}
            self._stems |= {form for text in stems for form in _forms(text)}
            self._pattern = self._compiled()

    def hide(self, text: str) -> str:
        """Return ``text`` with ``<path>`` and ``<name>`` in place of paths and of the names of files."""
        with self._lock:
            pattern = self._pattern
        if pattern is not None:
            text = pattern.sub(NAME, text)
        for looks_so, mark in ((_QUOTED, PATH), (_BARE, PATH), (_FILE, NAME)):
            text = looks_so.sub(mark, text)
        return text

    def _compiled(self) -> re.Pattern[str]:
        exact = "|".join(map(re.escape, sorted(self._exact, key=len, reverse=True)))
        stems = "|".join(map(re.escape, sorted(self._stems, key=len, reverse=True)))
        # A stem may be a common word: it is left alone inside the names of modules and inside longer words.
        parts = [exact, rf"(?<![\w./])(?:{stems})(?![A-Za-z]|\.py)" if stems else ""]
        return re.compile("|".join(part for part in parts if part) or "(?!)")


hidden_names = HiddenNames()
"""The files that this process opened."""


def traceback_without_folders(error: BaseException) -> str:
    """Return the traceback of ``error`` in which files of the program are named from their package on."""
    return without_program_folders("".join(traceback.format_exception(error)).rstrip("\n"))


def without_program_folders(text: str) -> str:
    """Return ``text`` in which the lines of tracebacks name the files of the program from their package on."""
    for root in sorted({str(Path(root).resolve()) for root in sys.path if root}, key=len, reverse=True):
        text = text.replace(f'File "{root}{os.sep}', 'File "')
    return text


def _forms(text: str) -> set[str]:
    """Return ``text`` as it looks in a message, in JSON, in a repr of text or bytes, and in a URL."""
    raw = os.fsencode(text)
    return {text, json.dumps(text)[1:-1], repr(text)[1:-1], repr(raw)[2:-1], quote(raw)}
