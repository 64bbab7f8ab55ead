#!/bin/sh
# otio-cmx3600-adapter 1.0.0 (OpenTimelineIO 0.18.1): an EDL of 29.97 in non-drop-frame timecode is written in drop-frame timecode.
#
# The recorded timecode is how a conform finds the footage: 01:00:00:00 and 01:00:00;00 are other frames of a tape or a file.
# The adapter reads both kinds right, and then writes all of 30000/1001 and 60000/1001 as drop-frame: whoever reads an
# EDL, changes it and writes it gets other labels for all events. There is no option for it; "FCM: NON-DROP FRAME" is
# left out, and nothing warns. (RationalTime itself does not know the kind; to_timecode(..., drop_frame=False) would.)
#
# Output seen (2026-11-30, otio-cmx3600-adapter 1.0.0, OpenTimelineIO 0.18.1), one event, as it was and as it is written:
#   non-drop: V C 01:00:00:00 01:00:04:00 01:00:00:00 01:00:04:00 -> V C 01:00:03;18 01:00:07;18 01:00:03;18 01:00:07;18
#   drop:     V C 01:00:00;00 01:00:04;00 01:00:00;00 01:00:04;00 -> V C 01:00:00;00 01:00:04;00 01:00:00;00 01:00:04;00
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q otio-cmx3600-adapter==1.0.0 opentimelineio==0.18.1
venv/bin/python - <<'PY'
import sys

import opentimelineio as otio

RATE = 30000 / 1001
HOUR = {"non-drop": "01:00:00:00 01:00:04:00", "drop": "01:00:00;00 01:00:04;00"}
found = {}
for kind, times in HOUR.items():
    event = f"V     C        {times} {times}"
    text = f"TITLE: T\nFCM: {kind.upper()} FRAME\n\n001  A001     {event}\n* FROM CLIP NAME: a.mov\n"
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=RATE)
    first = next(iter(timeline.find_clips())).source_range.start_time.value
    again = otio.adapters.write_to_string(timeline, "cmx_3600", rate=RATE)
    written = next(line for line in again.splitlines() if line.startswith("001")).split()[2:]
    words = event.split()
    print(f"{kind + ':':9s}", *words, "->", *written)
    found[kind] = first, written == words, "FCM" in again
sys.exit(0 if found == {"non-drop": (108000, False, False), "drop": (107892, True, False)} else 1)
PY
