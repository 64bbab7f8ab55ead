"""Load: eight hours of scripted work in twenty minutes, 200 opens and closes, 50 queued exports.

    python tests/benchmarks/load.py [--minutes 20] [--opens 200] [--exports 50] [--seed 1]

It drives the real window with the real engine (model lite, offscreen) by random actions on three small clips, opens and
closes clips through the Python API, and runs a queue of exports. Each of the three parts is a process of its own. After
each simulated hour it opens the first clip anew, with the options of the start, and prints the resident memory, threads
(Python's / all), open handles, child processes with their memory, and the time from a click to the full picture in that
hour. Growth is the median slope of the memory from the second hour on. The last lines
are always the summary; it names a part that died or hung, too. The exit code is 1 if anything failed, if the memory
grew by more than 1 % an hour, or if threads, handles or processes were left behind.
"""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("app", "core", "resources", "tests")]

GROWTH_PERCENT = 1.0
SPARE_SECS = 600
"""How long a part may take beyond its plan before it is ended and called hung."""


def slope_percent(values: list[float]) -> float:
    """Return the median slope of ``values`` between any two of them, in percent of the first a step."""
    slopes = [
        (later - earlier) / (second - first)
        for (first, earlier), (second, later) in itertools.combinations(enumerate(values), 2)
    ]
    return statistics.median(slopes) / values[0] * 100 if slopes else 0.0


def how_it_ended(code: int) -> str:
    """Return in words how a process with the exit code ``code`` of ``subprocess`` ended."""
    if code >= 0:
        return f"ended with exit code {code} and without a result"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def supervised(command: list[str], result: Path, limit_secs: float) -> list[str]:
    """Run one part as a process; return what went wrong in it, also if it dies or hangs."""
    process = subprocess.Popen(command, start_new_session=True)
    try:
        code = process.wait(limit_secs)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # faulthandler prints the stacks of all threads
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
        return [f"hung: it was ended after {limit_secs:.0f} s"]
    finally:
        if process.poll() is None:
            process.kill()
    try:
        return [str(each) for each in json.loads(result.read_text())]
    except (OSError, ValueError):
        return [how_it_ended(code)]


def run_part(arguments: argparse.Namespace) -> int:
    """Run the part that ``arguments`` name in this process, and write what went wrong to the result file."""
    faulthandler.enable()
    wrong = ["it did not come to an end"]
    try:
        from benchmarks import load_parts

        clips = load_parts.make_clips(arguments.folder)
        if arguments.part == "window":
            wrong = load_parts.work_in_window(clips, arguments.minutes, arguments.seed)
        elif arguments.part == "opens":
            wrong = load_parts.open_and_close(clips, arguments.opens)
        else:
            wrong = load_parts.export_queue(clips, arguments.exports, arguments.folder / "queue")
    except BaseException as error:
        traceback.print_exc()
        wrong = [f"{type(error).__name__}: {error}"]
    arguments.result.write_text(json.dumps(wrong))
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--opens", type=int, default=200)
    parser.add_argument("--exports", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    for hidden in ("--part", "--folder", "--result"):
        parser.add_argument(hidden, type=str if hidden == "--part" else Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        return run_part(arguments)
    # Seconds that each part is planned to take; none of a part that is left out.
    plan = {"window": arguments.minutes * 60, "opens": arguments.opens * 2.0, "exports": arguments.exports * 20.0}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="videoinr-load-") as folder:
        for part, secs in plan.items():
            if secs:
                own = Path(folder, part)
                own.mkdir()
                result = Path(folder, f"{part}.json")
                command = [sys.executable, __file__, *sys.argv[1:], "--part", part]
                command += ["--folder", str(own), "--result", str(result)]
                wrong += [f"{part}: {each}" for each in supervised(command, result, secs + SPARE_SECS)]
    print(f"faults: {len(wrong)}", *wrong, sep="\n  ", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
