#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): the GIF demuxer's options min_delay and default_delay have no effect.
#
# FFmpeg documents min_delay (default 2 hundredths of a second): shorter delays are replaced by default_delay (10), as
# browsers do. A GIF whose delays are 1/100 s plays at 100 frames a second all the same, with any value of the options.
#
# Output seen (2026-11-28, PyAV 18.1.0, Pillow 12.0.0):
#   no options: [0, 1, 2, 3]   min_delay 2: [0, 1, 2, 3]   min_delay 5: [0, 1, 2, 3]
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 pillow==12.0.0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import sys

import av
from PIL import Image

pictures = [Image.new("RGB", (64, 48), (60 + 30 * number,) * 3) for number in range(4)]
pictures[0].save("a.gif", save_all=True, append_images=pictures[1:], duration=10, loop=0)


def times(**options):
    with av.open("a.gif", options=options) as container:
        return [packet.pts for packet in container.demux(video=0) if packet.size]


found = [times(), times(min_delay="2", default_delay="10"), times(min_delay="5", default_delay="50")]
print("no options:", found[0], "  min_delay 2:", found[1], "  min_delay 5:", found[2])
sys.exit(0 if all(each == [0, 1, 2, 3] for each in found) else 1)
PY
