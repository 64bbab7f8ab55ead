"""Run the fast tests with the lowest and the newest versions of every dependency that pyproject.toml allows.

    python packaging/matrix.py lowest newest [--python python3.12] [--pin torch==2.13.0] [--keep]

Makes an environment for each, by pip and its index, without the pins of constraints.txt. It prints the versions that
were installed and the last line of pytest; it ends with 1 if a test fails anywhere. An environment takes 1 to 6 GB,
by the build of torch that pip finds; --pin holds a dependency at one version (say, the only one with a small build).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("pytest", "pytest-qt", "pytest-timeout", "pytest-xdist", "pytest-benchmark", "pytest-cov", "hypothesis",
         "scikit-image")  # fmt: skip
FAST_TESTS = (
    "core/test_api.py", "core/test_clip.py", "core/test_clip_pictures.py", "core/test_clip_times.py",
    "core/test_cli.py",
    "core/test_colour.py", "core/test_engine.py", "core/test_exit_codes.py", "core/test_export_job.py",
    "core/test_export_sinks.py", "core/test_export_sound.py", "core/test_metrics.py", "core/test_motion_prior.py",
    "core/test_native.py", "core/test_open_options.py", "core/test_probe.py", "core/test_siren.py",
    "core/test_text_parsing.py", "core/test_tiled_decoder.py", "core/test_training_files.py",
    "core/test_training_loop.py",
    "core/test_video_inr.py", "core/test_warp.py", "core/test_weights.py", "core/test_writing.py",
    "app/test_actions.py", "app/test_language.py", "app/test_picture.py", "app/test_screenshot.py",
)  # fmt: skip
"""Each reader, writer, model and panel, where another version of a library would show; some minutes in all."""
INSTALL_SECS, TEST_SECS = 3600, 1800


@dataclass(frozen=True)
class Outcome:
    """What came of one environment. ``versions``: of the direct dependencies."""

    which: str
    python: str
    versions: tuple[str, ...]
    summary: str
    passed: bool


def bounds(requirements: Sequence[str], which: str, pins: Sequence[str] = ()) -> list[str]:
    """Return the requirements for ``which``: "lowest" pins each to its lower bound, "newest" leaves them as they are.

    Args:
        requirements: as pyproject.toml has them.
        which: "lowest" or "newest".
        pins: ``NAME==VERSION`` each, in the place of the requirement of that name.

    Raises:
        SystemExit: a requirement has no lower bound.
    """
    pinned = {_plain(one.partition("==")[0]): one for one in pins}
    chosen = list(requirements) if which == "newest" else [_lowest(line) for line in requirements]
    return [pinned.get(_plain(re.split(r"[<>=!~ ]", line)[0]), line) for line in chosen]


def _lowest(line: str) -> str:
    found = re.match(r"([A-Za-z0-9._-]+)\s*>=\s*([0-9.]+)", line)
    if found is None:
        raise SystemExit(f"{line} has no lower bound.")
    return f"{found[1]}=={found[2]}"


def declared() -> list[str]:
    """Return what the program needs, as pyproject.toml has it."""
    needed: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    return needed


def tried(which: str, python: str, folder: Path, pins: Sequence[str] = ()) -> Outcome:
    """Make an environment in ``folder`` and run the fast tests in it."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_CONSTRAINT")}
    venv = folder / f"{which}-{Path(python).name}"
    subprocess.run([python, "-m", "venv", "--clear", venv], check=True, timeout=300)
    inside = [str(venv / "bin" / "python"), "-m"]
    wanted = bounds(declared(), which, pins)
    log = folder / f"{venv.name}.log"
    with log.open("w") as written:
        command = [*inside, "pip", "install", "--upgrade", "pip"]
        subprocess.run(command, check=False, env=environment, stdout=written, stderr=written, timeout=INSTALL_SECS)
        command = [*inside, "pip", "install", *wanted, *TOOLS]
        done = subprocess.run(
            command, check=False, env=environment, stdout=written, stderr=written, timeout=INSTALL_SECS
        )
    if done.returncode:
        return Outcome(which, python, (), f"pip found no such versions: see {log}", passed=False)
    versions = tuple(_installed(inside, wanted))
    environment |= {
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("app", "core", "resources")),
        "QT_QPA_PLATFORM": "offscreen", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    # Warnings of old and new versions are the libraries' own; behaviour is what is tested here.
    options = ["-q", "-p", "no:cacheprovider", "-W", "default", "--timeout", "300", "-n", "0"]
    command = [*inside, "pytest", *options, *(str(ROOT / "tests" / name) for name in FAST_TESTS)]
    with log.open("a") as written:
        done = subprocess.run(
            command, check=False, env=environment, cwd=ROOT, stdout=written, stderr=written, timeout=TEST_SECS
        )
    last = log.read_text("utf-8", errors="replace").rstrip().splitlines()[-1].strip("= ")
    summary = last if done.returncode >= 0 else f"ended by signal {-done.returncode}: see {log}"
    return Outcome(which, python, versions, summary, passed=done.returncode == 0)


def _installed(inside: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    names = {_plain(re.split(r"[<>=!~ ]", line)[0]) for line in wanted}
    command = [*inside, "pip", "list", "--format", "freeze"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout.splitlines()
    return (line for line in listed if _plain(line.partition("==")[0]) in names)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Try each combination, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="+", choices=("lowest", "newest"))
    parser.add_argument("--python", action="append", help="an interpreter, this one by default; may be repeated")
    parser.add_argument("--pin", action="append", default=[], help="NAME==VERSION of a dependency; may be repeated")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "matrix", help="of environments and logs")
    parser.add_argument("--keep", action="store_true", help="keep the environments")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for python in options.python or [sys.executable]:
        for which in options.which:
            outcomes.append(outcome := tried(which, python, options.folder.resolve(), options.pin))
            print(f"{outcome.which}, {outcome.python}: {outcome.summary}\n  {' '.join(outcome.versions)}", flush=True)
            if not options.keep:
                shutil.rmtree(options.folder / f"{which}-{Path(python).name}", ignore_errors=True)
    sys.exit(not all(outcome.passed for outcome in outcomes))


if __name__ == "__main__":
    main()
