"""Install a wheel by itself, away from the source tree, and use it.

    python packaging/check_wheel.py dist/videoinr_viewer-VERSION-py3-none-any.whl

The scratch environment sees the other packages of the environment that runs this, and nothing of the project but
the wheel. At the end it is uninstalled. Ends with the first thing that is wrong, in words.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"videoinr_viewer", "videoinr", "videoinr_resources"}
FOR_DESKTOPS = (
    "applications/videoinr-viewer.desktop",
    "icons/hicolor/scalable/apps/videoinr-viewer.svg",
    "metainfo/videoinr-viewer.metainfo.xml",
    "mime/packages/videoinr-viewer.xml",
)
KINDS = {".safetensors": "model weights", ".svg": "icons", ".mp4": "the demo clip"}
LOADED = """
import sys
from importlib.metadata import entry_points
from pathlib import Path
home = Path(sys.prefix).resolve()
for name, group in (("videoinr", "console_scripts"), ("videoinr-viewer", "gui_scripts")):
    (point,) = entry_points(group=group, name=name)
    function = point.load()
    where = Path(sys.modules[function.__module__].__file__).resolve()
    if not where.is_relative_to(home):
        raise SystemExit(f"{name} comes from {where}, not from the wheel")
    print(f"{name}: {point.value}")
"""


def check_contents(wheel: Path) -> None:
    """Check that the wheel holds the packages, the licence and every resource of the source tree, and nothing else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    stray = {top for top in tops - PACKAGES if not top.endswith((".dist-info", ".data"))}
    if stray or not tops >= PACKAGES:
        raise SystemExit(f"the wheel holds {sorted(tops)}")
    files = (file for file in (ROOT / "resources").rglob("*") if file.is_file() and file.suffix != ".pyc")
    lost = {file.relative_to(ROOT / "resources").as_posix() for file in files} - names
    lost |= {"videoinr/py.typed"} - names
    if lost:
        raise SystemExit(f"the wheel lacks {sorted(lost)}")
    for suffix, what in KINDS.items():
        if not any(name.endswith(suffix) for name in names):
            raise SystemExit(f"the wheel lacks {what} (*{suffix})")
    for ending in (".dist-info/licenses/LICENSE", *(f".data/data/share/{name}" for name in FOR_DESKTOPS)):
        if not any(name.endswith(ending) for name in names):
            raise SystemExit(f"the wheel lacks *{ending}")


def installed(wheel: Path, scratch: Path) -> tuple[Path, set[Path]]:
    """Make an environment at ``scratch`` with the wheel in it; its folder of programs, and the files before."""
    venv.create(scratch, with_pip=True)
    before = files_in(scratch)
    run(scratch / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", wheel, scratch=scratch)
    # A .pth line adds a folder without reading that folder's own .pth files: so the editable install, which is
    # one of those, stays out of sight.
    others_of(scratch).write_text(sysconfig.get_path("purelib") + "\n")
    return scratch / "bin", before


def others_of(scratch: Path) -> Path:
    """The file that makes the environment see the packages of the one that runs this."""
    site = sysconfig.get_path("purelib", "venv", {"base": str(scratch), "platbase": str(scratch)})
    return Path(site, "dependencies.pth")


def files_in(folder: Path) -> set[Path]:
    """The files of an environment, without what Python compiled."""
    return {file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"}


def check_uninstalling(scratch: Path, programs: Path, before: set[Path], users: set[Path]) -> None:
    """Check that uninstalling removes all that was installed since ``before``, and leaves the files of the user."""
    others_of(scratch).unlink()
    run(programs / "python", "-m", "pip", "uninstall", "--quiet", "--yes", "videoinr-viewer", scratch=scratch)
    after = files_in(scratch)
    if after != before | users:
        raise SystemExit(f"after uninstalling, these differ: {sorted(map(str, after ^ (before | users)))[:5]}")


def run(*command: str | Path, scratch: Path) -> str:
    """What ``command`` prints; ends the check if it fails."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    clean["QT_QPA_PLATFORM"] = "offscreen"
    done = subprocess.run(
        command, cwd=scratch, env=clean, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def main() -> None:
    wheel = Path(sys.argv[1]).resolve()
    check_contents(wheel)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder).resolve()
        programs, before = installed(wheel, scratch)
        print(run(programs / "python", "-c", LOADED, scratch=scratch))
        print(run(programs / "videoinr", "--version", scratch=scratch))
        find = "import videoinr_resources; print(videoinr_resources.path('demo/demo.mp4'))"
        demo = run(programs / "python", "-c", find, scratch=scratch)
        face = "import videoinr; print('videoinr.' + videoinr.open.__name__, videoinr.__version__)"
        print(run(programs / "python", "-c", face, scratch=scratch))
        picture = scratch / "picture.png"
        run(programs / "videoinr", "decode", demo, "--time", "0.54", "-o", picture, scratch=scratch)
        if picture.read_bytes()[:4] != b"\x89PNG":
            raise SystemExit("the installed program decoded no picture")
        check_uninstalling(scratch, programs, before, users={picture})
    print(f"{wheel.name} works by itself: {wheel.stat().st_size / 1e6:.1f} MB, weights, icons and clip inside")


if __name__ == "__main__":
    main()
