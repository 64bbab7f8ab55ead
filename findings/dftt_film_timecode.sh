#!/bin/sh
# dftt-timecode 1.0.0: at 23.976 frames per second all timecode is drop-frame, which does not exist, also with drop_frame=False.
#
# Drop-frame timecode is defined for multiples of 30000/1001 alone; film at 24000/1001 counts 24 frames to each second of
# its timecode. The library's documentation names 29.97, 59.94 and 119.88 too, yet it drops frame numbers at 23.976: its hour is
# 86,314 frames, where all other programs count 86,400 (3.6 s more). The usual notation 01:00:00:00 is refused unless
# its kind is given; then it is taken, and returned with a semicolon. The package timecode is right.
#
# Output seen (2026-11-30, dftt-timecode 1.0.0, timecode 1.5.1), the frame that 01:00:00:00 means:
#   24.000: dftt-timecode  86400 as 01:00:00:00   timecode  86400
#   23.976: dftt-timecode  86314 as 01:00:00;00   timecode  86400
#   29.970: dftt-timecode 108000 as 01:00:00:00   timecode 108000
#   "01:00:00:00" without its kind at 23.976: DFTTTimecodeInitializationError
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q dftt-timecode==1.0.0 timecode==1.5.1
venv/bin/python - <<'PY' 2>/dev/null
import sys

from dftt_timecode import DfttTimecode
from timecode import Timecode

HOUR = "01:00:00:00"
found = {}
for rate in (24, 23.976, 29.97):
    hour = DfttTimecode(HOUR, "smpte", fps=rate, drop_frame=False)
    other = Timecode(str(rate), HOUR, force_non_drop_frame=rate == 29.97).frame_number
    found[rate] = hour.framecount, other
    print(f"{rate:.3f}: dftt-timecode {hour.framecount:6d} as {hour.timecode_output('smpte')}   timecode {other:6d}")
try:
    DfttTimecode(HOUR, fps=23.976, drop_frame=False)
    refused = ""
except Exception as error:
    refused = type(error).__name__
print(f'"{HOUR}" without its kind at 23.976: {refused or "taken"}')
sys.exit(0 if found == {24: (86400, 86400), 23.976: (86314, 86400), 29.97: (108000, 108000)} and refused else 1)
PY
