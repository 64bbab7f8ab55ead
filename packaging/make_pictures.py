"""Make the manual's pictures of the window anew, by its own screenshot command, on the demo clip.

    python packaging/make_pictures.py [NAME ...]      the pictures of these names; none: those that are stale
    python packaging/make_pictures.py --all
    python packaging/make_pictures.py --stale         only tell which are stale

A picture is stale when what it shows has changed: the command that makes it, the demo clip, the style, the titles of
the menus, the entries that the command chooses, or the texts of the files that draw it. Their hash stands in
pictures.json beside the pictures, and a test compares it. Code or weights that draw otherwise with the same texts are
not noticed.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "packaging" / "manual" / "pictures"
WINDOW = ROOT / "app" / "videoinr_viewer"
RESOURCES = ROOT / "resources" / "videoinr_resources"
SIZE = "880x600"
DEMO = RESOURCES / "demo" / "demo.mp4"
SHOWN_BY_ALL = ("demo/demo.mp4", "style/viewer.qss")


@dataclass(frozen=True)
class Picture:
    """A picture of the window.

    ``does``: ids of the actions that are done first. ``drawn_by``: the files of the window whose texts it shows, beside
    those of every picture. ``options``: further ones of the screenshot command. ``empty``: no clip is opened.
    """

    name: str
    does: tuple[str, ...] = ()
    drawn_by: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    empty: bool = False

    def command(self, clip: Path, out: Path) -> list[str]:
        """Return the command that makes the picture of ``clip``."""
        view = [] if self.empty else [str(clip), "--at", "0.54"]
        does = [word for name in self.does for word in ("--do", name)]
        theme = [] if "--theme" in self.options else ["--theme", "light"]
        options = ["--size", SIZE, "--language", "en", *theme, *self.options]
        return [sys.executable, "-m", "videoinr_viewer.main", *view, *does, *options, "--screenshot", str(out)]


_ZOOMED = ("--zoom", "4", "--centre", "190,80")
_FLOW = ("inspection/inspections.py", "inspection/legend.py")
PICTURES = (
    Picture("window", options=_ZOOMED),
    Picture("empty", drawn_by=("panels/empty_state.py",), empty=True),
    Picture("zoomed", options=("--zoom", "8", "--centre", "205,70")),
    Picture("export", ("export",), ("export/dialog.py", "export/form.py")),
    Picture("wipe", ("compare-wipe",), ("picture/comparison.py",), _ZOOMED),
    Picture("side-by-side", ("against-bicubic", "compare-side-by-side"), ("picture/comparison.py",), _ZOOMED),
    Picture("difference", ("against-blend", "compare-difference"), ("picture/comparison.py",), _ZOOMED),
    Picture("motion-colours", ("flow-colours",), _FLOW),
    Picture("motion-arrows", ("flow-arrows",), _FLOW),
    Picture("trajectory", ("trajectory",), _FLOW, _ZOOMED),
    Picture("unsure", ("unsure",), _FLOW),
    Picture("slice", ("slice",), ("inspection/slice_dock.py",)),
    Picture("clip-information", ("clip-window",), ("dialogs/clip_window.py",)),
    Picture("dark", options=(*_ZOOMED, "--theme", "dark")),
)


def fingerprint(picture: Picture) -> str:
    """Return the hash of what ``picture`` shows, as far as it is known without drawing it."""
    command = [word for word in picture.command(Path("clip"), Path("out"))[1:] if word != "clip"]
    parts = [command, *(_hash(RESOURCES / name) for name in SHOWN_BY_ALL), list(_menus_and_entries(picture.does))]
    parts += [list(_texts(WINDOW / file)) for file in picture.drawn_by]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def stale() -> list[Picture]:
    """Return the pictures that are missing, or that show something that has changed since."""
    known = _known()
    return [one for one in PICTURES if not path_of(one).exists() or known.get(one.name) != fingerprint(one)]


def path_of(picture: Picture) -> Path:
    """Return where ``picture`` lies."""
    return FOLDER / f"{picture.name}.jpg"


def make(picture: Picture) -> None:
    """Make ``picture``, and keep the hash of what it shows."""
    print(picture.name, flush=True)
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {"QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"}
    environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / root) for root in ("app", "core", "resources"))
    with tempfile.TemporaryDirectory() as folder:  # The windows name the clip's folder.
        environment["XDG_CONFIG_HOME"] = folder  # Not with the settings of whoever makes them: muted, recent clips.
        clip = shutil.copy(DEMO, folder)
        command = picture.command(Path(clip), path_of(picture))
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(f"The picture {picture.name} could not be made (exit code {done.returncode}).")
    hashes = {one.name: known for one in PICTURES if (known := _known().get(one.name))}
    hashes[picture.name] = fingerprint(picture)
    (FOLDER / "pictures.json").write_text(json.dumps(hashes, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _known() -> dict[str, str]:
    path = FOLDER / "pictures.json"
    found: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _texts(file: Path) -> Iterator[str]:
    """Yield the texts that a file of the window shows, in their order."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if _calls(node, "tr") and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)


def _menus_and_entries(ids: Sequence[str]) -> Iterator[str]:
    """Yield the titles of the menus, and the texts of the actions ``ids`` where the table writes them out."""
    files = [file for name in ("action_row.py", "actions.py") if (file := WINDOW / name).exists()]
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))):
        if isinstance(node, ast.ClassDef) and node.name == "Menu":
            yield from (str(one.value) for one in ast.walk(node) if isinstance(one, ast.Constant))
        if _calls(node, "Row"):
            name, _menu, text = node.args[:3]
            if isinstance(name, ast.Constant) and isinstance(text, ast.Constant) and name.value in ids:
                yield str(text.value)


def _calls(node: ast.AST, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def main() -> None:
    names = sys.argv[1:]
    if names == ["--stale"]:
        print(*(one.name for one in stale()))
        return
    wanted = PICTURES if names == ["--all"] else [one for one in PICTURES if one.name in names] if names else stale()
    if names and not wanted:
        raise SystemExit(f"There are no such pictures; there are {', '.join(one.name for one in PICTURES)}.")
    for picture in wanted:
        make(picture)


if __name__ == "__main__":
    main()
