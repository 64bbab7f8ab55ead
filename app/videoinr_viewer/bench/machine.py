"""Reads the age and the memory of this process, and describes the machine."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path

import PySide6
from PySide6.QtGui import QGuiApplication

from videoinr_viewer.bench.figures import Machine

_IMPORTED_AT = time.monotonic()


def process_age_secs() -> float:
    """Return the seconds since this process started, to a hundredth; not on Linux: since the import of this module."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started_secs = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started_secs
    except (OSError, AttributeError):
        return time.monotonic() - _IMPORTED_AT


def memory_bytes() -> int | None:
    """Return the size of the resident set, or None where it can't be read."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def peak_memory_bytes() -> int | None:
    """Return the largest size of the resident set so far, or None on Windows."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def this_machine() -> Machine:
    """Describe the machine and the software."""
    return Machine(
        platform=platform.platform(terse=True),
        cores=os.cpu_count() or 1,
        openmp_threads=os.environ.get("OMP_NUM_THREADS", "default"),
        python=platform.python_version(),
        qt=PySide6.__version__,
        qt_platform=QGuiApplication.platformName(),
    )
