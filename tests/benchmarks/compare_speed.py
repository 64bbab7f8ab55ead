"""Measure two builds of the program in turn, in one run, and print the ratio of their medians.

    git worktree add /tmp/old COMMIT
    python tests/benchmarks/compare_speed.py --old /tmp/old [--new .] [--rounds 3] [--device cpu|cuda] [--no-window]

Each round runs, once for each build (the order alternates): `videoinr bench` on `lite` and `base` (320x180, decoded to
960x540), `videoinr-viewer --bench` on the demo clip (offscreen, 1280x720, `lite`), and ten starts of
`videoinr --version` and of `import videoinr`. A ratio below 1 means that the new build is faster. Run the script on
a quiet machine: it asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.builds import environment

STARTS = 10
BENCH = ["bench", "--model", "lite", "--model", "base", "--lr", "320x180", "--out", "960x540", "--json"]
ENDINGS = ("_secs", "_msecs")
SKIPPED = ("ceilings", "plain", "floor_secs", "steps", "behind", "longest_msecs", "p99_msecs")
"""Figures that say nothing of a build (what the machine can do), or that repeat others."""


def _output(build: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], env=environment(build), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{command} of {build} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def _seconds(build: Path, *command: str) -> float:
    started = time.perf_counter()
    _output(build, *command)
    return time.perf_counter() - started


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """The times in a JSON value, by a path in which a list's entries are called by their names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in SKIPPED:
                yield from _leaves(inner, f"{path} {key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            name = next((str(inner[key]) for key in ("model", "name", "speed") if key in inner), str(index))
            yield from _leaves(inner, f"{path} {name}")
    elif isinstance(value, int | float) and path.endswith(ENDINGS):
        yield path, float(value)


def _measure(build: Path, *, device: str, window: bool) -> dict[str, float]:
    figures = {"start: videoinr --version secs": median(
        _seconds(build, "-m", "videoinr.cli", "--version") for _ in range(STARTS)
    )}  # fmt: skip
    figures["start: import videoinr secs"] = median(_seconds(build, "-c", "import videoinr") for _ in range(STARTS))
    figures |= _leaves(json.loads(_output(build, "-m", "videoinr.cli", *BENCH, "--device", device)))
    if window:
        demo = str(build / "resources" / "videoinr_resources" / "demo" / "demo.mp4")
        said = _output(build, "-m", "videoinr_viewer.main", "--bench", demo, "--size", "1280x720", "--device", device,
                       "--json")  # fmt: skip
        figures |= _leaves(json.loads(said), "window")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--old", type=Path, required=True)
    parser.add_argument("--new", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-window", action="store_true")
    chosen = parser.parse_args()
    builds = {"old": chosen.old.resolve(), "new": chosen.new.resolve()}
    figures: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in builds}
    for turn in range(chosen.rounds):
        for name in sorted(builds, reverse=turn % 2 == 0):
            measured = _measure(builds[name], device=chosen.device, window=not chosen.no_window)
            for key, value in measured.items():
                figures[name][key].append(value)
            print(f"round {turn + 1} of {chosen.rounds}: {name} measured", file=sys.stderr, flush=True)
    print(f"{'median of ' + str(chosen.rounds) + ' rounds':66} {'old':>10} {'new':>10} {'new/old':>8}")
    for key in figures["old"]:
        if key in figures["new"]:
            old, new = (median(figures[name][key]) for name in ("old", "new"))
            print(f"{key:66} {old:10.4g} {new:10.4g} {new / old if old else float('nan'):8.3f}")


if __name__ == "__main__":
    main()
