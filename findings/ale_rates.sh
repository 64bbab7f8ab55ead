#!/bin/sh
# otio-ale-adapter 1.1.0 (OpenTimelineIO 0.18.1): clips of 25 frames per second are written at 24, and an ALE of 29.97 cannot be read back.
#
# An Avid Log Exchange lists each clip's start and end in timecode of one rate. The writer takes 24 unless it is told another, also
# for a timeline of 25: starts are cut to 24ths of a second, and two clips that begin one frame apart have the same. Told
# 29.97 or 23.976, as ALE headers have it, it counts in 29.97, not in 30000/1001: after an hour each start is one frame
# early, each duration one frame short, and the reader of the same package refuses the file ("Inconsistent Start, End,
# Duration"). Only fps=30000/1001, which no header has, works.
#
# Output seen (2026-11-30), two clips one frame apart, 50 frames long:
#   rate of clips  first frame  fps=       first clip in the file               read back
#   25             107900       None       01:11:56:00 01:11:58:00 00:00:02:00  103584, 103584
#   29.97          107892       29.97      00:59:59;29 01:00:01;19 00:00:01;19  ALEParseError
#   29.97          107892       30000/1001 01:00:00;00 01:00:01;20 00:00:01;20  107892, 107893
#   23.976         107892       23.976     01:14:55:11 01:14:57:13 00:00:02:01  ALEParseError
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q otio-ale-adapter==1.1.0 OpenTimelineIO==0.18.1
venv/bin/python - <<'PY'
import sys

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

NTSC, FILM = 30000 / 1001, 24000 / 1001


def timeline(rate, first):
    track = otio.schema.Track("V1", kind="Video")
    for start in (first, first + 1):
        shown = TimeRange(RationalTime(start, rate), RationalTime(50, rate))
        media = otio.schema.ExternalReference("a.mov", TimeRange(RationalTime(0, rate), RationalTime(200000, rate)))
        track.append(otio.schema.Clip(f"from {start}", media, shown))
    made = otio.schema.Timeline("t")
    made.tracks.append(track)
    return made


print("rate of clips  first frame  fps=       first clip in the file               read back")
found = []
CASES = ((25, 107900, None, "25"), (NTSC, 107892, 29.97, "29.97"), (NTSC, 107892, NTSC, "29.97"), (FILM, 107892, 23.976, "23.976"))
for rate, first, fps, name in CASES:
    text = otio.adapters.write_to_string(timeline(rate, first), "ale", fps=fps)
    line = next(line for line in text.splitlines() if f"from {first}" in line).split("\t")[-3:]
    try:
        listed = otio.adapters.read_from_string(text, "ale")  # Held: its clips live no longer than it does.
        clips = [one for one in listed if isinstance(one, otio.schema.Clip)]
        back = ", ".join(f"{one.source_range.start_time.value:g}" for one in clips)
    except Exception as error:
        back = type(error).__name__
    print(f"{name:14s} {first:<12d} {'30000/1001' if fps == NTSC else str(fps):10s} {' '.join(line)}  {back}")
    found.append((line[0], back))
expected = [
    ("01:11:56:00", "103584, 103584"), ("00:59:59;29", "ALEParseError"), ("01:00:00;00", "107892, 107893"),
    ("01:14:55:11", "ALEParseError"),
]
sys.exit(0 if found == expected else 1)
PY
