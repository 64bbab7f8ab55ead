#!/bin/sh
# pycaption 2.3.14: TTML captions in SMPTE times of 29.97 or 23.976 frames per second come out 3.6 s early after an hour.
#
# With ttp:timeBase="smpte" and no drop-frame, 01:00:00:00 is frame 108,000 of 29.97 per second, which comes after 3,603.6 s:
# TTML gives the formula, and programmes of broadcasters start at that hour. pycaption reads frameRate and its multiplier,
# but applies them to the frames of the last second alone and takes the rest for hours and minutes of a clock. It reads
# SCC of the same timecode right, so captions that exist in both formats come at two times. ttconv follows TTML. Drop-frame
# times differ by at most a tenth of a second.
#
# Output seen (2026-11-30, pycaption 2.3.14, ttconv 1.2.3), the second at which a caption of 01:00:00:00 starts:
#   TTML, 30 frames:               pycaption 3600.00   ttconv 3600.00
#   TTML, 30 x 1000/1001 frames:   pycaption 3600.00   ttconv 3603.60
#   TTML, 24 x 1000/1001 frames:   pycaption 3600.00   ttconv 3603.60
#   SCC, 29.97 frames:             pycaption 3603.90, with the 9 frames that its commands take
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q pycaption==2.3.14 ttconv==1.2.3 lxml==6.1.3
venv/bin/python -W ignore - <<'PY'
import sys
import xml.etree.ElementTree as ElementTree

import pycaption
from ttconv.imsc import reader

TTML = """<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xml:lang="en"
 ttp:timeBase="smpte" ttp:dropMode="nonDrop" ttp:frameRate="{}" ttp:frameRateMultiplier="{}">
 <body><div><p begin="01:00:00:00" end="01:00:02:00">Hello</p></div></body></tt>"""
SCC = """Scenarist_SCC V1.0

01:00:00:00\t9420 9420 94ae 94ae 9470 9470 c8e5 ecec ef80 942f 942f

01:00:05:00\t942c 942c
"""


def start(captions):
    return captions.get_captions(captions.get_languages()[0])[0].start / 1e6


found = {}
for rate, multiplier in ((30, "1 1"), (30, "1000 1001"), (24, "1000 1001")):
    text = TTML.format(rate, multiplier)
    model = reader.to_model(ElementTree.ElementTree(ElementTree.fromstring(text)))
    begin = next(float(part.get_begin()) for part in model.get_body().dfs_iterator() if part.get_begin())
    found[rate, multiplier] = round(start(pycaption.DFXPReader().read(text)), 2), round(begin, 2)
    words = f"TTML, {rate}{' x 1000/1001' if multiplier != '1 1' else ''} frames:"
    print(f"{words:30s} pycaption {found[rate, multiplier][0]:.2f}   ttconv {found[rate, multiplier][1]:.2f}")
of_scc = start(pycaption.SCCReader().read(SCC))
print(f"{'SCC, 29.97 frames:':30s} pycaption {of_scc:.2f}, with the 9 frames that its commands take")
expected = {(30, "1 1"): (3600, 3600), (30, "1000 1001"): (3600, 3603.6), (24, "1000 1001"): (3600, 3603.6)}
sys.exit(0 if found == expected and of_scc > 3603.6 else 1)
PY
