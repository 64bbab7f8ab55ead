"""The report for a description of a problem: what the doctor found, the settings and the end of the log, as plain text.

It holds no names and no paths of files.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from videoinr.text.hidden_names import hidden_names, without_program_folders
from videoinr.text.plain import printable

if TYPE_CHECKING:
    from videoinr.doctor import Report

LOG_LINES, CRASH_LINES = 60, 40
_TAIL_BYTES = 64 << 10
_SETTINGS_BYTES = 1 << 20
_SETTINGS = (
    "version", "theme", "language", "device", "memory_mib", "muted", "volume", "recent_actions",
    "shortcuts",
)  # fmt: skip
"""The settings that hold no path."""


def problem_report(report: Report, *, settings: Path, log_folder: Path) -> str:
    """Return the report as lines of text.

    Args:
        report: what the doctor found.
        settings: the file of the window's settings; it need not exist.
        log_folder: where the window's viewer.log and crash.log lie; they need not exist.
    """
    now = datetime.now(UTC)
    found = [
        f"VideoINR Viewer, report of {now:%Y-%m-%d %H:%M} UTC. It names no files.",
        *section("Problems", report.problems or ["none"]),
        *section("Versions", _named(report.versions)),
        *section(
            "Machine", [f"processors: {os.cpu_count()}", f"memory: {_memory()}", f"screen: {report.screen_in_words}"]
        ),
        *section("Devices, fastest first", map(_device, report.devices)),
        *section("Implementations on the first device", _named(report.ways)),
        *section("Video encoders", map(_encoder, report.encoders)),
        *section("Models", [f"{one.model} on {one.device}: {one.problem or 'works'}" for one in report.models]),
        *section("Missing system libraries", [name for name, _ in report.missing_libraries] or ["none"]),
        *section("Missing decoders", report.missing_decoders or ["none"]),
    ]  # fmt: skip
    logged = [
        *section("End of the log", _last_lines(log_folder / "viewer.log", LOG_LINES)),
        *section("Last crash of the process", _last_lines(log_folder / "crash.log", CRASH_LINES)),
    ]
    chosen = section("Settings", _settings(settings))
    return "\n".join([*map(hidden_names.hide, found), *chosen, *map(hidden_names.hide, logged)]) + "\n"


def section(title: str, lines: Iterable[str]) -> Sequence[str]:
    """Return a section of the report: a title, and ``lines`` set off from it."""
    return ("", title, *(f"  {line}" for line in lines))


def _named(values: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}: {value}" for name, value in values]


def _encoder(result: tuple[str, bool]) -> str:
    name, works = result
    return f"{name}: {'works' if works else 'does not work'}"


def _device(name: str) -> str:
    if not name.startswith("cuda"):
        return name
    import torch

    return f"{name}: {torch.cuda.get_device_name(name)}"


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return "unknown"
    return f"{total / (1 << 30):.1f} GiB"


def _settings(path: Path) -> list[str]:
    def read() -> list[str]:
        with path.open("rb") as file:
            content = file.read(_SETTINGS_BYTES)
        try:
            values = tomllib.loads(content.decode())
        except (ValueError, RecursionError):
            return ["damaged"]
        return [printable(f"{name} = {values[name]!r}") for name in _SETTINGS if name in values]

    return _read_or_say(read)


def _last_lines(path: Path, count: int) -> list[str]:
    def read() -> list[str]:
        with path.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES)
            file.seek(start)
            lines = without_program_folders(file.read(_TAIL_BYTES).decode(errors="replace")).splitlines()
            written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        # The first line may have lost its beginning, and with it what shows that a path is one.
        last = lines[1 if start else 0 :][-count:]
        return [f"last written {written:%Y-%m-%d %H:%M} UTC", *map(printable, last)] if last else []

    return _read_or_say(read)


def _read_or_say(read: Callable[[], list[str]]) -> list[str]:
    try:
        return read() or ["nothing"]
    except FileNotFoundError:
        return ["no file"]
    except OSError as error:
        return [f"cannot be read: {error.strerror}"]
