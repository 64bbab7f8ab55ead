"""Time the pictures of a view as the window gets them: from a click to the motion draft, the draft and the full one."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from videoinr.geometry import Grid
from videoinr.render.hand_over import HandOver
from videoinr.render.messages import Failure, Opened
from videoinr.render.pacing import Pacer
from videoinr.render.renderer import Renderer
from videoinr.render.request_handler import RequestHandler
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest

_PHASE = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Rung:
    """A picture of the ladder (render/pacing.py).

    ``name``: motion, draft or full. ``secs``: median time from the click to the picture. ``samples``: how many pixels
    were really computed (a motion draft: read from the source frames), WxH.
    """

    name: str
    secs: float
    samples: str


@dataclass(eq=False)
class _Watch:
    """Notes when the pictures of one click come; a :class:`~videoinr.render.renderer.RenderListener`."""

    clicked_secs: float = 0.0
    came: list[tuple[Quality, float, Grid]] = field(default_factory=list)

    def click(self) -> None:
        """Start the clock."""
        self.clicked_secs = time.perf_counter()
        self.came.clear()

    def rendered(self, region: RenderedRegion) -> None:
        """Note a picture."""
        secs = time.perf_counter() - self.clicked_secs
        self.came.append((region.quality, secs, region.samples or region.query.grid))

    def clip_opened(self, opened: Opened) -> None:
        """Ignore."""

    def busy(self, is_busy: bool) -> None:
        """Ignore."""

    def encoding(self, words: str) -> None:
        """Ignore."""

    def told(self, answer: object) -> None:
        """Ignore."""

    def warned(self, sentences: tuple[str, ...]) -> None:
        """Ignore."""

    def failed(self, failure: Failure) -> None:
        """Ignore: the handler raises what fails."""


def measure_ladder(renderer: Renderer, grid: Grid, *, repeats: int) -> tuple[Rung, ...]:
    """Time a click on the middle of one pair after the other.

    If the clip has more than one pair, the first is a warm-up and not counted: from it the pacing learns the speed.

    Args:
        renderer: The engine, which has seen no pair.
        grid: The output grid, shown as a whole.
        repeats: The number of pairs that medians are taken over.

    Returns:
        The pictures in the order in which they are shown. A picture that the pacing left out is missing.
    """
    watch = _Watch()
    handler = RequestHandler(renderer, watch, Pacer(), HandOver())
    times, samples = defaultdict[Quality, list[float]](list), dict[Quality, Grid]()
    pairs = min(repeats + 1, renderer.opened.timeline.pair_count)
    for pair in range(pairs):
        watch.click()
        handler.answer(RenderRequest(RegionQuery(Instant(pair, _PHASE), grid, grid.rect), moving=False))
        if pair or pairs == 1:
            for quality, secs, size in watch.came:
                times[quality].append(secs)
                samples[quality] = size
    shown = (quality for quality in (Quality.MOTION, Quality.DRAFT, Quality.FULL) if quality in times)
    return tuple(Rung(each.value, statistics.median(times[each]), str(samples[each])) for each in shown)
