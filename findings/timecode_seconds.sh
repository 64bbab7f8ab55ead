#!/bin/sh
# timecode 1.5.1: at 29.97 and 23.976 frames per second, seconds become timecode as if there were 30 and 24.
#
# Drop-frame timecode leaves numbers out so that it stays with the clock: an hour is 01:00:00;00. Timecode(29.97,
# start_seconds=3600) is 01:00:03;17, 107 frames late, and the attribute float ("the seconds as float") of
# 01:00:00;00 is 3,596.4, so that a cut that goes to seconds and to a file is 3.6 s off after an hour. 23.976 is as wrong. The two ways
# agree with each other; to_realtime is right. start_seconds=1 is 00:00:00:23 at 24, one frame before the second, since
# the first frame counts as 1.
#
# Output seen (2026-11-30, timecode 1.5.1):
#   rate    seconds  start_seconds  frames   frames in that time
#   24            1  00:00:00:23        24        24.0
#   24         3600  00:59:59:23     86400     86400.0
#   23.976     3600  00:59:59:23     86400     86313.7
#   29.97      3600  01:00:03;17    108000    107892.1
#   59.94      3600  01:00:03;35    216000    215784.2
#   01:00:00;00 at 29.97: float 3596.4, to_realtime 01:00:00
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q timecode==1.5.1
venv/bin/python - <<'PY'
import sys
from fractions import Fraction

from timecode import Timecode

RATES = {"24": Fraction(24), "23.976": Fraction(24000, 1001), "29.97": Fraction(30000, 1001), "59.94": Fraction(60000, 1001)}
print("rate    seconds  start_seconds  frames   frames in that time")
found = {}
for rate, secs in (("24", 1), ("24", 3600), ("23.976", 3600), ("29.97", 3600), ("59.94", 3600)):
    time = Timecode(rate, start_seconds=secs)
    found[rate, secs] = str(time), time.frames
    print(f"{rate:7s} {secs:7d}  {time!s:13s} {time.frames:7d} {float(secs * RATES[rate]):11.1f}")
hour = Timecode("29.97", "01:00:00;00")
print(f"01:00:00;00 at 29.97: float {hour.float:.1f}, to_realtime {str(hour.to_realtime())[:8]}")
expected = {
    ("24", 1): ("00:00:00:23", 24), ("24", 3600): ("00:59:59:23", 86400), ("23.976", 3600): ("00:59:59:23", 86400),
    ("29.97", 3600): ("01:00:03;17", 108000), ("59.94", 3600): ("01:00:03;35", 216000),
}
sys.exit(0 if found == expected and round(hour.float, 1) == 3596.4 else 1)
PY
