"""The files that ship with the program: icons, demo clip, weights, languages, style, manual. :func:`path` has them."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """Where the resource ``name`` lies, such as ``demo/demo.mp4``; folders have names too.

    ``name`` is relative to this package, with forward slashes. Raises FileNotFoundError, which lists the names that
    exist, when there is no such resource.
    """
    found = (_ROOT / name).resolve()
    if not found.is_relative_to(_ROOT) or not found.exists():
        raise FileNotFoundError(f"there is no resource {name!r}; there are {', '.join(_names())}")
    return found


def _names() -> list[str]:
    files = (file.relative_to(_ROOT) for file in _ROOT.rglob("*") if file.is_file())
    return sorted(file.as_posix() for file in files if file.suffix not in (".py", ".pyc"))
