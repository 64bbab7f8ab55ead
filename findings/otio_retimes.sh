#!/bin/sh
# OpenTimelineIO 0.18.1: an EDL of slow motion asks for four times the footage it shows, and other formats lose the speed silently.
#
# A clip of two seconds at half speed takes one second of footage. otio-cmx3600-adapter 1.0.0 divides by the speed where
# it should multiply: it reads such an event of an EDL right, and writes it back with four seconds of footage, more than there may be,
# and speeds above 1 with too little; a conform fetches the wrong frames. The adapters for Final Cut Pro
# (otio-fcp-adapter, otio-fcpx-xml-adapter 1.0.0) and ALE (1.1.0) leave the effect out: two seconds at full speed,
# without a warning. Only OpenTimelineIO's own format keeps it.
#
# Output seen (2026-12-01, OpenTimelineIO 0.18.1), two seconds of an event, at 24 frames per second:
#   M2 012.0 as it was: 01:00:10:00 01:00:11:00 00:00:02:00 00:00:04:00   written: 01:00:10:00 01:00:14:00 00:00:02:00 00:00:04:00
#   M2 048.0 as it was: 01:00:10:00 01:00:14:00 00:00:02:00 00:00:04:00   written: 01:00:10:00 01:00:11:00 00:00:02:00 00:00:04:00
#   half speed through fcp_xml: 1, warnings: 0   through otio_json: 0.5, warnings: 0
#   the same file with and without it: fcp_xml True  fcpx_xml True  ale True
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q OpenTimelineIO==0.18.1 otio-cmx3600-adapter==1.0.0 otio-fcp-adapter==1.0.0 \
    otio-fcpx-xml-adapter==1.0.0 otio-ale-adapter==1.1.0
venv/bin/python - <<'PY'
import sys
import warnings

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

EDL = """TITLE: retimed

001  AX       V     C        01:00:00:00 01:00:02:00 00:00:00:00 00:00:02:00
002  AX       V     C        01:00:10:00 {out} 00:00:02:00 00:00:04:00
M2   AX       {fps}                01:00:10:00
"""


def event(text):
    return " ".join(next(line for line in text.splitlines() if line.startswith("002")).split()[4:])


def timeline(speed):
    media = otio.schema.ExternalReference("a.mov", TimeRange(RationalTime(0, 24), RationalTime(240, 24)))
    clip = otio.schema.Clip("a", media, TimeRange(RationalTime(24, 24), RationalTime(48, 24)))
    if speed != 1:
        clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=speed))
    track = otio.schema.Track("V1", kind="Video")
    track.append(clip)
    made = otio.schema.Timeline("t")
    made.tracks.append(track)
    return made


found = []
for out, fps in (("01:00:11:00", "012.0"), ("01:00:14:00", "048.0")):
    text = EDL.format(out=out, fps=fps)
    read = otio.adapters.read_from_string(text, "cmx_3600", rate=24)
    written = otio.adapters.write_to_string(read, "cmx_3600", rate=24)
    print(f"M2 {fps} as it was: {event(text)}   written: {event(written)}")
    found.append(event(written).split()[1])
kept = []
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    for name in ("fcp_xml", "otio_json"):
        back = otio.adapters.read_from_string(otio.adapters.write_to_string(timeline(0.5), name), name)
        effects = next(iter(back.find_clips())).effects
        kept.append(effects[0].time_scalar if len(effects) else 1)
    write = otio.adapters.write_to_string
    same = [write(timeline(0.5), name) == write(timeline(1), name) for name in ("fcp_xml", "fcpx_xml", "ale")]
count = len(said)
print(f"half speed through fcp_xml: {kept[0]}, warnings: {count}   through otio_json: {kept[1]}, warnings: {count}")
print("the same file with and without it: fcp_xml {}  fcpx_xml {}  ale {}".format(*same))
sys.exit(0 if found == ["01:00:14:00", "01:00:11:00"] and kept == [1, 0.5] and all(same) and not count else 1)
PY
