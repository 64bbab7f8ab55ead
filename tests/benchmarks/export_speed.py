"""Measure the export of two builds in turn, in one run, and the stages of the new build's export alone.

    git worktree add /tmp/old COMMIT
    python tests/benchmarks/export_speed.py --old /tmp/old [--new .] [--device cuda|cpu] [--frames 640] [--rounds 3]
        [--size 1920x1080] [--model lite] [--effort fast] [--limit 110] [--json FILE]

Each round exports the demo clip, at a rate that gives ``--frames`` frames, to H.264 without sound, once with each build
(the order alternates), in a process of its own. The first export of each build is short and not counted: it compiles
kernels. Then ``videoinr bench --export`` of the new build measures each stage alone, and the share of the slowest
one. No round is begun that would end after ``--limit`` seconds; one is always made. The script asserts nothing.

Times of an export: "export" is from the first progress line, before the first frame, to the line that says that the
file is finished; "process" also has the start of Python, torch and the engine; "processor" is the processor time of all
threads of the process, which is comparable on a machine that others use too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from statistics import median
from threading import Timer
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.builds import environment

DEMO = Path("resources", "videoinr_resources", "demo", "demo.mp4")
CLIP_SECS = Fraction(8, 3)
WARM_FRAMES = 32
PATIENCE_SECS = 300.0
KINDS = ("export", "process", "processor")


def _has_option(build: Path, name: str) -> bool:
    return name in (build / "core" / "videoinr" / "commands" / "export.py").read_text(encoding="utf-8")


def export_once(build: Path, chosen: argparse.Namespace, frames: int, folder: Path) -> dict[str, float]:
    """Export ``frames`` frames with ``build``. Return the seconds, by the names in KINDS."""
    out = folder / "out.mp4"
    command = [
        sys.executable, "-m", "videoinr.cli", "export", str(chosen.new / DEMO), str(out), "--json-progress",
        "--fps", str(frames / CLIP_SECS), "--size", chosen.size, "--model", chosen.model, "--device", chosen.device,
        *(["--sound", "none"] if _has_option(build, "--sound") else []),
        *(["--effort", chosen.effort] if _has_option(build, "--effort") else []),
    ]  # fmt: skip
    reached: dict[str, float] = {}
    with (folder / "errors").open("w+", encoding="utf-8") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment(build), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        watchdog = Timer(PATIENCE_SECS, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                event = json.loads(line)
                reached.setdefault(event["event"], time.perf_counter())
                if event["event"] == "finished" and event["frames"] != frames:
                    raise SystemExit(f"{build} wrote {event['frames']} frames instead of {frames}.")
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            watchdog.cancel()
            if process.returncode is None:
                process.kill()
                process.wait()
        ended = time.perf_counter()
        if process.returncode or "finished" not in reached:
            errors.seek(0)
            raise SystemExit(f"{command} of {build} ended with {process.returncode}:\n{errors.read()}")
    size = out.stat().st_size
    out.unlink()
    return {
        "export": reached["finished"] - reached["progress"],
        "process": ended - started,
        "processor": used.ru_utime + used.ru_stime,
        "bytes": float(size),
    }


def measure_stages(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return what ``videoinr bench --export`` of the new build says."""
    command = [
        sys.executable, "-m", "videoinr.cli", "bench", str(chosen.new / DEMO), "--export", "--json",
        "--frames", str(chosen.frames), "--out", chosen.size, "--model", chosen.model, "--device", chosen.device,
        "--effort", chosen.effort,
    ]  # fmt: skip
    done = subprocess.run(
        command, env=environment(chosen.new), capture_output=True, text=True, check=False, timeout=PATIENCE_SECS
    )
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _show_stages(found: dict[str, Any]) -> None:
    frames = found["frames"]
    print(
        f"\nThe stages of the new build alone: {found['device']}, {frames} frames, {found['clip']} to {found['grid']}"
    )
    rows = {**found["stage_secs"], "sum": found["sum_secs"], "the export to its last frame": found["whole_secs"]}
    for name, secs in {**rows, "the export to the finished file": found["total_secs"]}.items():
        rate = f"{frames / secs:9.1f}" if secs else "        -"
        print(f"{name:34} {secs:9.3f} s {1000 * secs / frames:9.2f} ms a frame {rate} frames a second")
    print(f"slowest: {found['slowest']}; its time alone is {found['slowest_share']:.1%} of the export's")
    print(f"read, encode and decode alone are {found['pictures_share']:.1%} of the export's")


def _show_ratios(seen: dict[str, list[dict[str, float]]], frames: int) -> None:
    count = len(seen["new"])
    title = f"medians of {count} rounds, seconds"
    print(f"\n{title:28} {'old':>9} {'new':>9} {'old/new':>8} {'old f/s':>8} {'new f/s':>8}")
    for kind in KINDS:
        old, new = (median(each[kind] for each in seen[name]) for name in ("old", "new"))
        print(f"{kind:28} {old:9.3f} {new:9.3f} {old / new:8.3f} {frames / old:8.1f} {frames / new:8.1f}")
    for kind in KINDS:
        each = [f"{old[kind]:.2f}/{new[kind]:.2f}" for old, new in zip(seen["old"], seen["new"], strict=True)]
        print(f"each round, {kind}: {'  '.join(each)}")
    old, new = (median(each["bytes"] for each in seen[name]) for name in ("old", "new"))
    print(f"bytes of the file: old {old:.0f}, new {new:.0f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--old", type=Path, required=True)
    parser.add_argument("--new", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--frames", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--model", default="lite")
    parser.add_argument("--effort", default="medium")
    parser.add_argument("--limit", type=float, default=110.0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    chosen.old, chosen.new = chosen.old.resolve(), chosen.new.resolve()
    return chosen


def main() -> None:
    started, chosen = time.perf_counter(), _arguments()
    builds = {"old": chosen.old, "new": chosen.new}
    seen: dict[str, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="videoinr-export-speed-") as name:
        folder = Path(name)
        for build in builds.values():
            export_once(build, chosen, min(WARM_FRAMES, chosen.frames), folder)
        before, longest = time.perf_counter(), 0.0
        print(f"warm after {before - started:.1f} s", file=sys.stderr, flush=True)
        stages: dict[str, Any] | None = None
        for turn in range(chosen.rounds):
            begun = time.perf_counter()
            if turn and begun - started + longest > chosen.limit:
                break
            for label in sorted(builds, reverse=turn % 2 == 0):
                seen[label].append(export_once(builds[label], chosen, chosen.frames, folder))
            longest = max(longest, time.perf_counter() - begun)
            print(f"round {turn + 1} after {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
            if stages is None:
                # Before the other rounds: these may be left out.
                stages = measure_stages(chosen)
                _show_stages(stages)
                sys.stdout.flush()
    _show_ratios(seen, chosen.frames)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.2f}, {time.perf_counter() - started:.0f} s in all")
    if chosen.json:
        chosen.json.write_text(json.dumps({"stages": stages, "rounds": seen}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
