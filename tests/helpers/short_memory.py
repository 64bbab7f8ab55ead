"""A process whose address space is limited: what the command line does with too little memory, or with just enough.

    python -m helpers.short_memory CLIP FOLDER ROOM_MIB:MEMORY:REGION ...

For each setting it runs ``videoinr decode`` in this process with ``--memory MEMORY``; the process may take ROOM_MIB
more than it had before (any: no limit). LOW-HIGH is a range of rooms, which is bisected until one is found in which the
command succeeds with halved bands: in a larger one nothing is halved, in a smaller one the command fails. How much
address space an allocator takes differs between machines and runs; such rooms are some 55 MiB apart. One run that takes
more than the others leads the search astray, so it is begun anew, TRIES times in all. It prints a line of JSON for each
setting.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from fractions import Fraction
from pathlib import Path

import torch

from helpers.clips import numbered_frames, write_clip
from helpers.command_line import Outcome, run_here
from videoinr.model.encoders.motion_prior_bands import BandLimits

MIB = 2**20
LEAST_STEP_MIB, TRIES = 10, 3
_halvings: list[int] = []


def taken_bytes() -> int:
    """Return the address space of this process."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmSize:"))
    return 1024 * int(line.split()[1])


def decode(clip: Path, out: Path, memory: str, region: str) -> Outcome:
    """Run the command."""
    time = Fraction(1, 20)
    return run_here("decode", clip, "-o", out, "--time", time, "--scale", 1, "--region", region, "--device", "cpu",
                    "--memory", memory)  # fmt: skip


def main() -> None:
    """Run all settings."""
    # Each thread takes address space, and libraries start one for each core.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    torch.set_num_threads(2)
    clip, folder = Path(sys.argv[1]), Path(sys.argv[2])
    small = write_clip(folder / "small.mkv", numbered_frames(3, width=96, height=64))
    decode(small, folder / "small.png", "64M", "0,0,96,64")  # Loads libraries and starts threads.
    halved = BandLimits.halved

    def count(limits: BandLimits) -> BandLimits:
        _halvings.append(limits.work)
        return halved(limits)

    BandLimits.halved = count  # type: ignore[method-assign, assignment]
    base = taken_bytes()
    for setting in sys.argv[3:]:
        rooms, memory, region = setting.split(":")
        low, high = ends(rooms)
        tries = TRIES
        while True:
            room = (low + high) // 2
            _halvings.clear()
            if room:
                resource.setrlimit(resource.RLIMIT_AS, (base + room * MIB, resource.RLIM_INFINITY))
            try:
                outcome = decode(clip, folder / f"{rooms}.png", memory, region)
            finally:
                resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            if low == high or (outcome.exit_code == 0 and _halvings):
                break
            low, high = (low, room) if outcome.exit_code == 0 else (room, high)
            if high - low < LEAST_STEP_MIB:
                tries, (low, high) = tries - 1, ends(rooms)
                if not tries:
                    break
        told = {"code": outcome.exit_code, "said": outcome.stderr, "halvings": len(_halvings), "room": room}
        print(json.dumps(told), flush=True)


def ends(rooms: str) -> tuple[int, int]:
    """Return the ends of a range of rooms in MiB, or one room twice; 0 is no limit."""
    if rooms == "any":
        return 0, 0
    low, _, high = rooms.partition("-")
    return int(low), int(high or low)


if __name__ == "__main__":
    main()
