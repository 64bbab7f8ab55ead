#!/bin/sh
# otio-fcpx-xml-adapter 1.0.0 (OpenTimelineIO 0.18.1): FCPXML of the rates of NTSC is read as 23, 29 or 59 frames per second.
#
# Final Cut Pro writes a frame's duration as 1001/30000s and so on. The reader cuts the rate to an integer, and counts all in
# frames of it: of a clip of 60 frames at 29.97 there are 58 left, of 29 per second, which last 2 ms less; its frame 108,000
# is number 104,504. No cut lies on a frame any more, and nothing warns. The writer knows 29.97 and 23.98, but for the exact
# rates (24000/1001), 23.976 and 48 it leaves frameDuration empty, which its own reader refuses.
#
# Output seen (2026-11-30, otio-fcpx-xml-adapter 1.0.0, OpenTimelineIO 0.18.1), a clip of 60 frames from frame 108000 on:
#   1/30s:       from frame 108000, 60 frames, 30 frames per second
#   1001/30000s: from frame 104504, 58 frames, 29 frames per second
#   1001/24000s: from frame 103603, 57 frames, 23 frames per second
#   frameDuration as written: 25: 1/25s  29.97: 1001/30000s  30000/1001: nothing  24000/1001: nothing  23.976: nothing
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q otio-fcpx-xml-adapter==1.0.0 opentimelineio==0.18.1
venv/bin/python - <<'PY'
import re
import sys
from fractions import Fraction

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

FROM, FRAMES = 108_000, 60


def fcpxml(frame_duration):
    """FCPXML as editing programs write it: all times are whole frames."""
    step = Fraction(frame_duration.rstrip("s"))
    start, length = f"{FROM * step}s", f"{FRAMES * step}s"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.8">
  <resources>
    <format id="r1" frameDuration="{frame_duration}"/>
    <asset id="r2" name="a" src="file:///a.mov" format="r1" start="{start}" duration="{length}" hasVideo="1"/>
  </resources>
  <project name="p"><sequence duration="{length}" format="r1"><spine>
    <clip name="a" offset="0s" start="{start}" duration="{length}"><video offset="0s" ref="r2" duration="{length}"/></clip>
  </spine></sequence></project>
</fcpxml>"""


def written(rate):
    timeline, track = otio.schema.Timeline("t"), otio.schema.Track("v", kind="Video")
    timeline.tracks.append(track)
    whole = TimeRange(RationalTime(0, rate), RationalTime(FRAMES, rate))
    media = otio.schema.ExternalReference(target_url="file:///a.mov", available_range=whole)
    track.append(otio.schema.Clip("a", media_reference=media, source_range=whole))
    text = otio.adapters.write_to_string(timeline, "fcpx_xml")
    return re.search(r'frameDuration="([^"]*)"', text)[1] or "nothing"


found = {}
for duration in ("1/30s", "1001/30000s", "1001/24000s"):
    read = otio.adapters.read_from_string(fcpxml(duration), "fcpx_xml")
    timeline = read if isinstance(read, otio.schema.Timeline) else next(iter(read))
    taken = next(iter(timeline.find_clips())).source_range
    found[duration] = taken.start_time.value, taken.duration.value, taken.duration.rate
    first, frames, rate = found[duration]
    print(f"{duration + ':':12s} from frame {first:g}, {frames:g} frames, {rate:g} frames per second")
names = {"25": 25, "29.97": 29.97, "30000/1001": 30000 / 1001, "24000/1001": 24000 / 1001, "23.976": 23.976}
made = {name: written(rate) for name, rate in names.items()}
print("frameDuration as written:", "  ".join(f"{name}: {text}" for name, text in made.items()))
rates = [rate for *_, rate in found.values()]
sys.exit(0 if rates == [30, 29, 23] and found["1/30s"][1] == FRAMES and made["30000/1001"] == "nothing" else 1)
PY
