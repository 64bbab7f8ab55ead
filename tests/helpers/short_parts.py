"""``python -m helpers.short_parts SECS_PER_FRAME ...`` is :mod:`helpers.held_frames` with parts of a few frames.

A slow encoder finishes none of the usual ones between two kills, so that nothing would be resumed.
"""

from __future__ import annotations

import runpy
import sys

from videoinr.exporting import parts

PART_FRAMES = 24

if __name__ == "__main__":
    parts._MOST = parts._LEAST = PART_FRAMES
    runpy.run_module("helpers.held_frames", run_name="__main__", alter_sys=False)
    sys.exit()
