"""The long form of the mutation test: reads 400 mutated inputs with each reader and prints how they ended.

    python tests/benchmarks/mutate.py [--count 400] [--seed 1] [READER ...]

Readers: clips, pictures, cards, weights, recipes, checkpoints, settings, project. The inputs are made from valid ones
and the seed; nothing is kept. The exit code is 1 if a reading crashed, took longer than 10 s, or ended with an
error that the program did not foresee.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("app", "core", "resources", "tests")]

from helpers.mutations import READER_NAMES, mutated_inputs, readings  # noqa: E402

OUTCOMES = ("read", "refused", "unforeseen", "hang", "crash")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", default=READER_NAMES, metavar="READER")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(f"{'reader':<12} {'inputs':>6}  " + "  ".join(f"{name:>10}" for name in OUTCOMES) + "   slowest  largest")
    faults = 0
    for reader in arguments.readers:
        with tempfile.TemporaryDirectory(prefix="videoinr-mutate-") as folder:
            paths = mutated_inputs(reader, Path(folder, reader), arguments.count, arguments.seed)
            found = list(readings(reader, paths))
        counts = Counter(each.outcome for each in found)
        slowest, largest = max(each.secs for each in found), max(each.mebibytes for each in found)
        row = "  ".join(f"{counts[name]:>10}" for name in OUTCOMES)
        print(f"{reader:<12} {len(found):>6}  {row}  {slowest:6.1f} s  {largest} MiB", flush=True)
        for each in found:
            if each.is_fault:
                faults += 1
                print(f"  {each.outcome} ({each.code}): {each.name}\n{each.words}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
