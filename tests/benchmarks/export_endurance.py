"""Long runs of the export, too long for the tests: kills, a queue of 50 jobs, and memory over 20,000 frames.

    python -m benchmarks.export_endurance kills|queue|memory|all [--kills 20] [--codec NAME] [--frames 20000]

Run in ``tests/`` with the packages and ``tests/`` on PYTHONPATH. Prints one JSON line for each run; a run that finds a
fault ends with an AssertionError.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import videoinr
from helpers.clicks import readers, write_clicks
from helpers.clips import write_clip
from helpers.command_line import run, start
from helpers.job_queues import assert_finished, fill
from helpers.killed_exports import assert_same, kill_again_and_again
from helpers.tiny_model import save_tiny_model
from videoinr.types import ExportProgress

MSECS = 4000
CONSTANT = list(range(0, MSECS, 40))
VARIABLE = [time for time in CONSTANT if time % 200 in (0, 40) or 400 <= time < 600]
FLASHES_MSECS = (240, 640, 1640, 3040)
HELD, SLOW, SHORT = "helpers.held_frames", "helpers.slow_cli", "helpers.short_parts"
MIB = 2**20
MOST_FRAMES, MOST_PICTURES = 400, 180
"""A kill comes before so many frames are done more: of a video, parts stay (240 frames, or 24); of pictures, each."""


def kills(folder: Path, count: int, only: str | None = None) -> Iterator[dict[str, Any]]:
    """Kill each kind of export, or that of ``only``, ``count`` times and resume it; compare it with an unbroken one."""
    for name, codec, times, module in (
        ("out.mkv", "ffv1", CONSTANT, HELD), ("out.mp4", "libx264", VARIABLE, HELD),
        ("out.webm", "libvpx-vp9", CONSTANT, SHORT), ("frames", "png", VARIABLE, HELD),
        ("tiffs", "tiff", CONSTANT, HELD),
    ):  # fmt: skip
        if only not in (None, codec):
            continue
        place = folder / f"{codec}-kills"
        place.mkdir()
        clip = write_clicks(place / "clip.mkv", times, [times.index(time) for time in FLASHES_MSECS], end_msecs=MSECS)
        options = ("--codec", codec, "--scale", "1", "--fps", "1000")
        whole, out = place / f"whole-{name}", place / name
        assert run("0", "export", clip, whole, *options, module=module).exit_code == 0
        found = kill_again_and_again(
            [clip, out, *options], out, kills=count, seed=codec, secs_per_frame="0.001", module=module,
            most=MOST_PICTURES if codec in ("png", "tiff") else MOST_FRAMES,
        )  # fmt: skip
        assert found, "nothing outlived a kill, so that nothing was tested"
        last = run("0", "export", clip, out, *options, "--resume", module=module)
        assert last.exit_code == 0, last
        assert_same(out, whole)
        worst = 0.0
        for reader in readers() if out.is_file() else ():
            for secs in reader(out):
                worst = max(worst, float(np.abs(np.array(secs) * 1000 - FLASHES_MSECS).max()))
        assert worst <= 1
        rate = "variable" if times is VARIABLE else "constant"
        yield {"run": "kills", "codec": codec, "rate": rate, "kills": count, "done_before_the_last": found,
               "worst_sync_msecs": round(worst, 3)}  # fmt: skip


def queue(folder: Path, good: int = 45) -> Iterator[dict[str, Any]]:
    """Run 50 jobs, 5 of them bad; kill the queue and stop it with Ctrl+C, several times each."""
    jobs, outs, moments = folder / "queue", folder, random.Random("queue")
    clip = write_clicks(folder / "clip.mkv", list(range(0, 2000, 40)), [6], end_msecs=2000)
    bad = fill(jobs, clip, good=good, bad=5)
    stops = 0
    for stop in (signal.SIGKILL, signal.SIGINT) * 3:
        with start("0.01", "export", "--queue", jobs, "--json-progress", module=SLOW) as process:
            assert process.stdout is not None
            for _ in range(moments.randrange(20, 120)):
                process.stdout.readline()
            process.send_signal(stop)
            process.communicate(timeout=60)
            stops += 1
    left = len(list(jobs.glob("*.json")))
    assert 0 < left < good + bad
    outcome = run("0", "export", "--queue", jobs, "--json-progress", module=SLOW, timeout_secs=600)
    assert outcome.exit_code in (0, 1), outcome
    assert_finished(jobs, outs, good=good, bad=bad)
    yield {"run": "queue", "good": good, "bad": bad, "stops": stops, "left_before_the_last": left}


def memory(folder: Path, frames: int) -> Iterator[dict[str, Any]]:
    """Export ``frames`` frames by a real engine with a tiny model, and watch the process's memory."""
    clip, model = write_clip(folder / "long.mp4", frames // 4), save_tiny_model(folder)
    seen: list[int] = []
    started = time.monotonic()

    def progress(now: ExportProgress) -> None:
        if now.done % (frames // 40) == 0:
            seen.append(_resident_bytes())

    videoinr.export(
        clip, folder / "long-out.mp4", scale=1, fps=100, model=model, device="cpu", crf=40, progress=progress
    )
    early, late = max(seen[2:8]), max(seen[-6:])
    yield {"run": "memory", "frames": frames, "secs": round(time.monotonic() - started), "early_mib": early // MIB,
           "late_mib": late // MIB, "growth_mib": round((late - early) / MIB, 1)}  # fmt: skip
    assert late - early < 100 * 10**6


def _resident_bytes() -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", choices=["kills", "queue", "memory", "all"])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--codec", help="of kills: only this one")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
            "kills": lambda: kills(folder, chosen.kills, chosen.codec),
            "queue": lambda: queue(folder),
            "memory": lambda: memory(folder, chosen.frames),
        }
        for each, work in runs.items():
            if chosen.run in (each, "all"):
                for result in work():
                    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
