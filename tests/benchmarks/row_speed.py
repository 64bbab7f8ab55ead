"""Time pairs in a row, with the reading and the upload of their frames, in several builds in turn.

``PYTHONPATH=core:tests python3 -m benchmarks.row_speed OLD NEW --models lite --sizes 1920x1080 3840x2160``: OLD and NEW
are checkouts (git worktrees). Prints a line of JSON for each round, build, model and size: the median of a pair in ms,
forwards and backwards, and the most memory of the GPU in MiB. Frames are noise in memory unless ``--clip`` names a
video, whose decoding then counts, too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.builds import environment


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="+", type=Path)
    parser.add_argument("--models", nargs="+", default=["lite"])
    parser.add_argument("--sizes", nargs="+", default=["1920x1080", "3840x2160"], help="of the frames in memory")
    parser.add_argument("--clip", type=Path, help="a video instead")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--pairs", default=10, type=int, help="timed in each direction, after four others")
    parser.add_argument("--rounds", default=2, type=int)
    return parser.parse_args()


def main() -> None:
    """Run all builds in turn."""
    asked = options()
    sizes = [str(asked.clip.resolve())] if asked.clip else asked.sizes
    runs = ((k, build, model, size) for k in range(asked.rounds) for model in asked.models for size in sizes
            for build in asked.builds)  # fmt: skip
    for number, build, model, source in runs:
        # This file's own folder last: an old build lacks this script.
        env = environment(build.resolve())
        env["PYTHONPATH"] += f":{Path(__file__).parents[1]}"
        command = [
            sys.executable,
            str(Path(__file__).resolve()),
            "--child",
            model,
            source,
            asked.device,
            str(asked.pairs),
        ]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        print(json.dumps({"round": number, "build": str(build), "model": model, "source": source}
                         | json.loads(done.stdout.splitlines()[-1])), flush=True)  # fmt: skip


def child(model: str, source: str, device: str, pairs: str) -> None:
    """Time one build, model and clip in this process, and print the figures."""
    import torch

    from videoinr.clip.memory_clip import open_frames
    from videoinr.render.engine import open_engine
    from videoinr.types import AcrossCuts

    count = int(pairs)
    clip: Any = Path(source) if Path(source).exists() else open_frames(noise(source, count + 7), fps=Fraction(25))
    with open_engine(clip, model=model, device=device, across_cuts=AcrossCuts.DECODE) as engine:
        assert engine.clip.timeline.pair_count > count + 4, "the clip is too short"
        row = range(1, count + 5)
        found = {"forwards_ms": timed(engine, row), "backwards_ms": timed(engine, row[::-1])}
        most = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
        print(json.dumps(found | {"most_mib": most >> 20}))


def noise(size: str, count: int) -> Any:
    """Frames of coarse noise that moves: uint8 [count, H, W, 3]."""
    width, height = map(int, size.split("x"))
    small = np.random.default_rng(0).integers(0, 255, (height // 8 + 1, width // 8 + 2 * count, 3), np.uint8)
    wide = small.repeat(8, 0).repeat(8, 1)
    return np.stack([wide[:height, 4 * k : 4 * k + width] for k in range(count)])


def timed(engine: Any, row: Iterable[int]) -> float:
    """Encode the pairs ``row`` one after the other; return the median of all but the first four, ms.

    The first ones compile kernels and make the recordings.
    """
    import torch

    from videoinr.cancel import NEVER
    from videoinr.types import Instant

    took = []
    for pair in row:
        start = time.perf_counter()
        engine.encode(pair, NEVER)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        took.append(1000 * (time.perf_counter() - start))
        engine.keep_only(Instant(pair, Fraction(0)))
    return round(statistics.median(took[4:]), 2)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
