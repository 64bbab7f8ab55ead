"""The long form of the mutation test: reads 10,000 mutated inputs with each reader and prints how they ended.

    python tests/benchmarks/mutate.py [--count 10000] [--seed 1] [--secs SECS] [READER ...]

Readers: clips, pictures, cards, weights, recipes, checkpoints, settings, project. The inputs are made from valid ones
and the seed, BATCH at a time; nothing is kept. With --secs a reader gets at most so many seconds. The exit code is 1
if a reading crashed, took longer than 10 s of processor time, or ended with an error that the program did not foresee.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("app", "core", "resources", "tests")]

from helpers.mutations import READER_NAMES, Reading, mutated_inputs, readings  # noqa: E402

OUTCOMES = ("read", "refused", "unforeseen", "hang", "crash")
BATCH = 500
"""Inputs that lie on the disk at a time. Each batch has a seed of its own, made from the first."""


def found_by(reader: str, count: int, seed: int, most_secs: float) -> Iterator[Reading]:
    """Read up to ``count`` mutated inputs."""
    end = time.monotonic() + most_secs
    for start in range(0, count, BATCH):
        if time.monotonic() > end:
            return
        with tempfile.TemporaryDirectory(prefix="videoinr-mutate-") as folder:
            paths = mutated_inputs(reader, Path(folder, reader), min(BATCH, count - start), seed + start)
            yield from readings({reader: paths})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", default=READER_NAMES, metavar="READER")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--secs", type=float, default=math.inf)
    arguments = parser.parse_args()
    print(f"{'reader':<12} {'inputs':>6}  " + "  ".join(f"{name:>10}" for name in OUTCOMES) + "   slowest  largest")
    faults = 0
    for reader in arguments.readers:
        counts, slowest, largest = Counter[str](), 0.0, 0
        for each in found_by(reader, arguments.count, arguments.seed, arguments.secs):
            counts[each.outcome] += 1
            slowest, largest = max(slowest, each.secs), max(largest, each.mebibytes)
            if each.is_fault:
                faults += 1
                print(f"  {each.outcome} ({each.code}): {each.name}\n{each.words}", file=sys.stderr)
        row = "  ".join(f"{counts[name]:>10}" for name in OUTCOMES)
        print(f"{reader:<12} {counts.total():>6}  {row}  {slowest:6.1f} s  {largest} MiB", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
