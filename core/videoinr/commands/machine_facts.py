"""What the doctor asks the system: memory, fonts, folders and decoders."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
from pathlib import Path

DECODERS = (
    "h264",
    "hevc",
    "av1",
    "vp9",
    "vp8",
    "mpeg4",
    "mpeg2video",
    "prores",
    "dnxhd",
    "ffv1",
    "mjpeg",
    "png",
    "gif",
)
"""The codecs of usual clips and pictures, by FFmpeg's names."""
APPLICATION = "videoinr-viewer"


def missing_decoders() -> tuple[str, ...]:
    """Return those of DECODERS that the installed PyAV cannot decode."""
    import av

    missing = []
    for name in DECODERS:
        try:
            av.codec.Codec(name, "r")
        except ValueError:  # av.codec.UnknownCodecError
            missing.append(name)
    return tuple(missing)


def memory_bytes() -> tuple[int, int] | None:
    """Return the memory that is available and all memory of this computer; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        found = {name: int(value.split()[0]) << 10 for name, _, value in (line.partition(":") for line in lines)}
        return found["MemAvailable"], found["MemTotal"]
    except (OSError, ValueError, KeyError, IndexError):
        return None


def font_count() -> int | None:
    """Return how many fonts Qt will find on Linux; None elsewhere, and without the library that knows."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libfontconfig.so.1")
        get = library.FcConfigGetFonts
    except (OSError, AttributeError):
        return None
    library.FcInit()
    get.restype, get.argtypes = ctypes.POINTER(ctypes.c_int), (ctypes.c_void_p, ctypes.c_int)
    fonts = get(None, 0)  # The fonts of the system; the structure begins with their number.
    return int(fonts[0]) if fonts else 0


def folders() -> tuple[tuple[str, Path], ...]:
    """Return (purpose, folder) of all that the program writes by itself."""
    import platformdirs

    return (
        ("settings", platformdirs.user_config_path(APPLICATION, appauthor=False)),
        ("log", platformdirs.user_log_path(APPLICATION, appauthor=False)),
        ("unsaved work", platformdirs.user_state_path(APPLICATION, appauthor=False)),
        ("pictures for playback", platformdirs.user_cache_path(APPLICATION, appauthor=False)),
    )


def write_problem(folder: Path) -> str:
    """Return why ``folder`` cannot be written to, or nothing. Folders created for the test are removed."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(os.urandom(4096))
            file.flush()
        return ""
    except OSError as error:
        return error.strerror or str(error)
    finally:
        with contextlib.suppress(OSError):
            for path in missing:
                path.rmdir()
