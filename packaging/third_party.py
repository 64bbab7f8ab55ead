"""Write the list of what others made: libraries, training data of the weights, demo data, with their licences.

python packaging/third_party.py packaging/THIRD_PARTY.md

Names, versions and licences come from the metadata of the installed distributions, at the versions of constraints.txt.
Everything that pyproject.toml names must be installed, all extras and the build system too.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RESOURCES = ROOT / "resources" / "videoinr_resources"
PROGRAM = "program"
BUILD = "build"
MAX_LICENCE_CHARS = 80
_OSI = "License :: OSI Approved :: "
_BUNDLED = re.compile(
    r"(?P<folder>[\w.-]+)\.libs/(?:lib)?(?P<name>[A-Za-z][\w.+-]*?)(?:-[0-9a-f]{8,})?\.(?:so|dll|dylib)"
)
HEAD = """\
# What others made

Made by `packaging/third_party.py` from the metadata of the installed distributions (Linux x86-64, CPU build of torch);
do not edit. The licence is the one that a distribution names itself. Builds of torch for CUDA also bring NVIDIA's
libraries, under NVIDIA's own terms. The program itself is under the Apache License 2.0 ([LICENSE](../LICENSE)).
"""


@dataclass(frozen=True, order=True)
class Row:
    """A distribution: its canonical name, version and licence, and the parts of pyproject.toml that name it."""

    name: str
    version: str
    licence: str
    needed_for: tuple[str, ...]


def declared(project: dict[str, object]) -> dict[str, tuple[str, ...]]:
    """Return the distributions that pyproject.toml names, by canonical name, each with the parts that name it."""
    found: dict[str, list[str]] = {}
    for part, lines in _parts(project):
        for line in lines:
            found.setdefault(canonicalize_name(Requirement(line).name), []).append(part)
    return {name: tuple(parts) for name, parts in sorted(found.items())}


def _parts(project: dict[str, object]) -> Iterator[tuple[str, list[str]]]:
    about, build = project["project"], project["build-system"]
    if not isinstance(about, dict) or not isinstance(build, dict):
        raise TypeError("pyproject.toml has no [project] or no [build-system]")
    yield PROGRAM, about["dependencies"]
    yield from about["optional-dependencies"].items()
    yield BUILD, build["requires"]


def needed_by(names: Iterable[str]) -> set[str]:
    """Return the canonical names of what the distributions ``names`` need on this machine, directly or not."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        new = directly_needed_by(todo.pop()) - found
        found |= new
        todo += new
    return found


def directly_needed_by(name: str) -> set[str]:
    """Return the canonical names of what the distribution ``name`` itself needs on this machine."""
    requirements = map(Requirement, metadata.requires(name) or ())
    return {
        str(canonicalize_name(one.name))
        for one in requirements
        if one.marker is None or one.marker.evaluate({"extra": ""})
    }


def licence_of(about: metadata.PackageMetadata) -> str:
    """Return the licence that a distribution names: as an expression, a short text, or a classifier."""
    if expression := _field(about, "License-Expression"):
        return expression
    text = _field(about, "License")
    if text and text != "UNKNOWN" and "\n" not in text and len(text) <= MAX_LICENCE_CHARS:
        return text
    classes = [one.removeprefix(_OSI) for one in about.get_all("Classifier") or () if one.startswith(_OSI)]
    return ", ".join(classes) or "not stated in the metadata"


def _field(about: metadata.PackageMetadata, name: str) -> str:
    return str((about.get_all(name) or [""])[0]).strip()


def row_of(name: str, needed_for: tuple[str, ...]) -> Row:
    """Return the row of the installed distribution ``name``.

    Raises:
        SystemExit: it is not installed.
    """
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise SystemExit(f"{name} is not installed, and pyproject.toml names it. Install every extra first.") from None
    return Row(name, found.version.partition("+")[0], licence_of(found.metadata), needed_for)


def bundled_in(distribution: str) -> list[str]:
    """Return the names of the shared libraries of others that the wheel of ``distribution`` holds."""
    files = metadata.files(distribution) or ()
    return sorted({match["name"] for file in files if (match := _BUNDLED.match(file.as_posix()))}, key=str.lower)


def licence_of_ffmpeg() -> str:
    """Return what the FFmpeg in the installed wheel of PyAV says about its licence."""
    library = next(Path(str(file.locate())) for file in metadata.files("av") or () if "libavcodec" in file.name)
    # PyAV loads what the library needs.
    import av

    if not av.library_versions:
        raise SystemExit("PyAV has no FFmpeg.")
    ask = ctypes.CDLL(str(library)).avcodec_license
    ask.restype = ctypes.c_char_p
    return str(ask().decode())


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return a table of Markdown, and an empty line."""
    lines = [header, ("---",) * len(header), *rows]
    return [*("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines), ""]


def weights() -> Iterator[tuple[str, ...]]:
    """Yield a row for each file of weights: name, licence, hash, and what its card says about the training data."""
    for path in sorted((RESOURCES / "models").glob("*.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        data = [str(card["training"][key]) for key in ("data", "stills") if key in card["training"]]
        yield f"`{card['name']}.safetensors`", "as the program", f"`{card['sha256'][:16]}`", "; ".join(data)


def document() -> str:
    """Return the whole list."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        direct = declared(tomllib.load(file))
    indirect = needed_by(name for name, parts in direct.items() if PROGRAM in parts) - direct.keys()
    named = [row_of(name, parts) for name, parts in direct.items()]
    further = [row_of(name, (PROGRAM,)) for name in sorted(indirect)]
    return "\n".join(
        [
            HEAD,
            "## Named in pyproject.toml\n",
            *table(
                ("name", "version", "licence", "needed for"),
                ((row.name, row.version, row.licence, ", ".join(row.needed_for)) for row in named),
            ),
            "## Further libraries that those of the program need\n",
            *table(("name", "version", "licence"), ((row.name, row.version, row.licence) for row in further)),
            "## Libraries inside the wheel of PyAV\n",
            f"Its FFmpeg says of itself: {licence_of_ffmpeg()}. Beside it lie, each under its own licence",
            "(x264 and x265: GNU GPL, version 2 or later):\n",
            ", ".join(bundled_in("av")) + ".\n",
            "## Weights\n",
            *table(("file", "licence", "SHA-256 begins", "training data, as its card says"), weights()),
            "## Demo data\n",
            "`demo.mp4` is made of two photographs by danielbuechele and vultilion, CC BY 2.0, and is under the same",
            "licence: see [its note](../resources/videoinr_resources/demo/LICENCE.md).",
            "",
        ]
    )  # fmt: skip


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    Path(sys.argv[1]).write_text(document(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
