"""``python -m helpers.short_parts SECS_PER_FRAME ...`` is :mod:`helpers.held_frames` with parts of a few frames.

A slow encoder finishes none of the usual ones between two kills, so that nothing would be resumed.
"""

from __future__ import annotations

from helpers import held_frames
from videoinr.exporting import parts

PART_FRAMES = 24


def main() -> None:
    """Run the command line with such parts."""
    parts._MOST = parts._LEAST = PART_FRAMES
    held_frames.main()


if __name__ == "__main__":
    main()
