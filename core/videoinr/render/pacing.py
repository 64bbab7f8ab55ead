"""Draft while moving, full at rest: the policy is the table below, fed with the measured speed.

| situation                                             | what is rendered                                      |
|-------------------------------------------------------|-------------------------------------------------------|
| the source frame under the instant changed            | that frame, as it is, at once                         |
| the pair is not encoded, the view is moving, and      | nothing more until it dwells on the pair DWELL_SECS   |
| encoding takes longer than DRAFT_SECS                 |                                                       |
| the pair is not encoded, that takes longer than       | first a draft from the part that is shown, encoded by |
| CROP_SECS, and the view shows a part of the clip      | itself; whole frames once the view rests (crop_preview.py)    |
| the view rests, and full is expected within DRAFT_SECS| full at once                                          |
| full or half density is expected within SMOOTH_SECS   | the finer one that is: 60 Hz                          |
| otherwise                                             | the finest draft expected within DRAFT_SECS: 10 Hz    |
| the screen shows this instant finer than that draft   | no draft                                              |
| nothing newer for REST_SECS                           | full (at once when the request was not moving)        |
| full is shown, nothing newer for IDLE_SECS, and       | the pairs ahead are encoded (see prefetch.py)         |
| encoding takes no longer than AHEAD_SECS              |                                                       |

Playback is a view that moves: it keeps time because each request asks for the present moment, and what cannot be had
in time is had at a lower density.
"""

from __future__ import annotations

from collections import deque
from statistics import median_low

from videoinr.geometry import Grid, Rect
from videoinr.render.view import coarser
from videoinr.types import RegionQuery, RenderRequest

SMOOTH_SECS = 0.014
"""A picture must be expected within this time to follow a display of 60 Hz, painting included."""
DRAFT_SECS = 0.045
"""A draft must be expected within this time. An input may have to wait for the draft before its own, so dragging
answers within twice of it, and redraws at 10 Hz or more with room to spare."""
REST_SECS = 0.09
"""A view that moved is at rest when nothing newer came for this long; then the full picture is decoded."""
DWELL_SECS = 0.06
"""How long a moving view must stay on a pair that is not encoded before its encoding starts."""
CROP_SECS = 0.15
"""Where a pair takes longer to encode, the part of it that is shown is encoded first."""
IDLE_SECS = 0.25
"""How long nothing must be asked for before pairs are encoded ahead."""
AHEAD_SECS = 8.0
"""A pair that takes longer is not encoded ahead: its layers, between which it can be cancelled, last too long."""
DRAFT_DIVISORS = (1, 2, 3, 4, 6, 8)
"""By how much a draft's grid may be coarser than the screen, each way."""
HALF = 2
REMEMBERED_PICTURES = 5
"""From so many the speed is known; it follows a change after the third."""
LOYALTY = 1.25
"""How much longer than allowed the density used last may take: every change of density starts with cold tiles."""

_View = tuple[int, Grid, Rect]


class SpeedMeter:
    """Seconds per decoded pixel: the middle one of the last few pictures, so that one that had to wait counts little.

    ``secs_per_pixel``: a guess, until the first picture. The built-in one is a slow laptop: the first picture is then a
    draft.
    """

    def __init__(self, secs_per_pixel: float = 2e-6) -> None:
        self.secs_per_pixel = secs_per_pixel
        self._last: deque[float] = deque(maxlen=REMEMBERED_PICTURES)

    @property
    def is_guess(self) -> bool:
        """Whether nothing was measured so far."""
        return not self._last

    def add(self, pixels: int, elapsed_secs: float) -> None:
        """Take in that ``pixels`` pixels took ``elapsed_secs``."""
        # Tiny pictures measure the overhead of a call, not the speed.
        if pixels >= 1024:
            self._last.append(elapsed_secs / pixels)
            # Of two the lower: the first picture of all may have had to wait for a compiler.
            self.secs_per_pixel = median_low(self._last)

    def expected_secs(self, pixels: int) -> float:
        """How long ``pixels`` pixels will take."""
        return pixels * self.secs_per_pixel


class Pacer:
    """Chooses what comes first, from how long things took so far.

    A view (pair, grid and rect) that was decoded before is decoded faster at another time, because what does not
    depend on time is kept; so cold and warm pictures are measured apart.
    """

    def __init__(self) -> None:
        self._cold, self._warm = SpeedMeter(), SpeedMeter()
        self._encode_secs: float | None = None
        self._seen: deque[_View] = deque(maxlen=16)
        self._last_view: _View | None = None
        self._last_divisor = 1

    def forget_clip(self) -> None:
        """Another clip: its pairs take another time, and none of its views was seen. The machine is the same."""
        self._encode_secs, self._last_view = None, None
        self._seen.clear()

    def note_encoding(self, elapsed_secs: float) -> None:
        """A pair was encoded."""
        self._encode_secs = elapsed_secs

    def note_picture(self, query: RegionQuery, elapsed_secs: float) -> None:
        """``query`` was decoded."""
        view = _view_of(query)
        meter = self._warm if view in self._seen else self._cold
        meter.add(query.rect.area, elapsed_secs)
        if view not in self._seen:
            self._seen.append(view)

    @property
    def dwell_secs(self) -> float:
        """How long a moving view stays on a pair before it is encoded."""
        is_quick = self._encode_secs is not None and self._encode_secs <= DRAFT_SECS
        return 0.0 if is_quick else DWELL_SECS

    @property
    def encodes_crop_first(self) -> bool:
        """Whether a zoomed view should not wait for whole frames to be encoded."""
        return self._encode_secs is not None and self._encode_secs > CROP_SECS

    @property
    def encodes_ahead(self) -> bool:
        """Whether pairs may be encoded that nobody asked for."""
        return self._encode_secs is None or self._encode_secs <= AHEAD_SECS

    def divisor_for(self, request: RenderRequest) -> int:
        """How much coarser than the screen the first picture of ``request`` should be; 1 means full at once."""
        view = _view_of(request.query)
        # A view that stays while time moves pays the price of a cold picture once; one that changes pays every time.
        meter = self._warm if view == self._last_view and not self._warm.is_guess else self._cold
        self._last_view = view
        self._last_divisor = self._divisor(request, meter)
        return self._last_divisor

    def _divisor(self, request: RenderRequest, meter: SpeedMeter) -> int:
        expected = {divisor: meter.expected_secs(_area(request.query, divisor)) for divisor in DRAFT_DIVISORS}
        smooth = (divisor for divisor in (1, HALF) if expected[divisor] <= self._limit(divisor, SMOOTH_SECS))
        quick = (divisor for divisor in DRAFT_DIVISORS if expected[divisor] <= self._limit(divisor, DRAFT_SECS))
        if not request.moving and expected[1] <= DRAFT_SECS:
            return 1
        return next(smooth, None) or next(quick, DRAFT_DIVISORS[-1])

    def _limit(self, divisor: int, secs: float) -> float:
        return secs * LOYALTY if divisor == self._last_divisor else secs


def _view_of(query: RegionQuery) -> _View:
    return query.instant.pair, query.grid, query.rect


def _area(query: RegionQuery, divisor: int) -> int:
    return coarser(query, divisor).rect.area if divisor > 1 else query.rect.area
