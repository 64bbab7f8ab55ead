"""Draw the program's icon: frames of a clip, and through them the one continuous curve that the program reads.

python packaging/make_icon.py OUT.svg
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

SIDE = 256.0
FRAME_X = (52.0, 128.0, 204.0)
FRAME_HALF_WIDTH, FRAME_HALF_HEIGHT, FRAME_SLANT = 19.0, 66.0, 20.0
BETWEEN_X = 166.0
"""Where the marked instant lies: between two frames, where no frame is."""

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256" width="256" height="256">
  <title>VideoINR Viewer</title>
  <defs>
    <linearGradient id="ground" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="#2b3a67"/>
      <stop offset="1" stop-color="#141b33"/>
    </linearGradient>
    <linearGradient id="frame" x1="0" y1="0" x2="1" y2="1">
      <stop offset="0" stop-color="#7fd6d0"/>
      <stop offset="1" stop-color="#3b8ea5"/>
    </linearGradient>
  </defs>
  <rect x="8" y="8" width="240" height="240" rx="52" fill="url(#ground)"/>
"""


def height_at(x: float) -> float:
    """The curve, y in pixels downwards."""
    return SIDE / 2 - 34.0 * math.sin((x - SIDE / 2) / SIDE * 2 * math.pi * 1.15)


def frame(x: float) -> str:
    """A frame seen from the side: its right edge lies further back."""
    left, right = x - FRAME_HALF_WIDTH, x + FRAME_HALF_WIDTH
    top, bottom = SIDE / 2 - FRAME_HALF_HEIGHT, SIDE / 2 + FRAME_HALF_HEIGHT
    tilt = FRAME_SLANT / 2
    corners = ((left, top - tilt), (right, top + tilt), (right, bottom - tilt), (left, bottom + tilt))
    points = " ".join(f"{px:g},{py:g}" for px, py in corners)
    return (
        f'  <polygon points="{points}" fill="url(#frame)" stroke="#c9f1ec" stroke-width="6" stroke-linejoin="round"/>\n'
    )


def curve(start: float, end: float, steps: int = 64) -> str:
    """The curve from ``start`` to ``end``, dark-edged so that it stands out on the frames."""
    xs = (start + (end - start) * step / steps for step in range(steps + 1))
    path = "M" + " L".join(f"{x:.2f} {height_at(x):.2f}" for x in xs)
    line = '  <path d="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linecap="round"/>\n'
    return line.format(path, "#141b33", 24) + line.format(path, "#ffb547", 13)


def marker(x: float) -> str:
    """The instant looked at."""
    return f'  <circle cx="{x:g}" cy="{height_at(x):.2f}" r="19" fill="#fff7e8" stroke="#141b33" stroke-width="7"/>\n'


def main() -> None:
    frames = "".join(frame(x) for x in FRAME_X)
    Path(sys.argv[1]).write_text(HEAD + frames + curve(26.0, 230.0) + marker(BETWEEN_X) + "</svg>\n")


if __name__ == "__main__":
    main()
