"""The policy of the render thread: for any view a picture at once, and then only better ones.

A view's pictures, worst to best: a *motion draft* (motion_drafts.py), a *draft*, the *full* picture. They lie on the
same pixels, and none replaces a better one of its instant (:attr:`~videoinr.types.RenderedRegion.rank`).

| situation                                               | rendered picture                                      |
|---------------------------------------------------------|-------------------------------------------------------|
| the source frame under the instant changed              | the source frame, to compare with; the window shows   |
|                                                         | it only while there is nothing else                   |
| full, or a draft that is finer than the source frames,  | that one: full or half density if that is expected    |
| is expected within DRAFT_SECS (moving: MOVING_SECS)     | within SMOOTH_SECS (60 Hz), else the finest           |
| otherwise: the pair is not encoded, it is the time of a | a motion draft; a quick one if the view is moving     |
| source frame, or a draft would be softer                |                                                       |
| the view moves over pairs faster than motion is found   | of a motion draft's kind: the source frame itself     |
| the gesture fell back from such pictures to motion      | motion drafts until it ends (gesture.py)              |
| drafts                                                  |                                                       |
| the view moves, and stays on a pair for DWELL_SECS      | the pair is encoded, unless that takes longer than    |
|                                                         | STEADY_SECS                                           |
| a moving view came to rest                              | an exact motion draft where encoding takes longer     |
|                                                         | than STEADY_SECS, then as follows                     |
| at rest, encoding takes longer than CROP_SECS, and the  | a draft from a crop of the frames (crop_preview.py),  |
| view shows a region of the clip                         | then whole frames                                     |
| encoding, and a request for the pair comes              | its motion draft, between two layers of the encoder   |
| at rest, encoded, full expected later than DRAFT_SECS   | a draft, if it is finer than the source; then full    |
| the screen shows the instant as well as that or better  | none                                                  |
| full is shown, no newer request for IDLE_SECS, and      | none; the next pairs are encoded (see prefetch.py)    |
| encoding takes no longer than AHEAD_SECS                |                                                       |

A moving view is at rest when no newer request came for :attr:`~videoinr.render.gesture.Gesture.rest_secs`. Playback is
a moving view. It keeps time because each request asks for the present instant; a slow machine lowers the density of the
pictures instead of delaying them.
"""

from __future__ import annotations

from collections import deque
from statistics import median_low

from videoinr.geometry import Grid, Rect
from videoinr.render.view import coarser
from videoinr.types import RegionQuery, RenderRequest

SMOOTH_SECS = 0.014
"""Time for a picture to follow a display of 60 Hz, painting included."""
DRAFT_SECS = 0.045
"""Time for a draft of a view at rest."""
MOVING_SECS = 0.03
"""Time for a draft of a moving view; as long as the inputs are apart, up to DRAFT_SECS, if they come more slowly. An
input may have to wait for the draft before its own; where drafts take longer, motion drafts follow the mouse better."""
COLD_SECS = 0.06
"""Time for the first picture of a density, if those after it are expected in time: a moving view waits once so long."""
DWELL_SECS = 0.06
"""How long a moving view must stay on a pair that is not encoded before its encoding starts."""
CROP_SECS = 0.15
"""If a pair takes longer to encode than this, the visible crop of its frames is encoded first."""
IDLE_SECS = 0.25
"""How long no request must come before pairs are encoded ahead."""
STEADY_SECS = 3.0
"""If a pair takes longer to encode than this, that begins only at rest, and a quick motion draft is followed by an
exact one. While a pair is encoded, motion drafts wait for a layer of the encoder to end."""
ENCODE_SECS_PER_PIXEL = 1.1e-5
"""The time of encoding until it is known: that of a slow laptop."""
FINER = 1.25
"""How many times finer than the source frames a draft must be to be shown in place of a motion draft."""
AHEAD_SECS = 8.0
"""Pairs that take longer are not encoded ahead: a layer of the encoder, which cannot be cancelled, takes too long."""
DRAFT_DIVISORS = (1, 2, 3, 4, 6, 8)
"""How many times coarser than the screen a draft's grid may be, each way."""
HALF = 2
REMEMBERED_PICTURES = 5
"""The speed is the median of this many pictures, so it follows a change after the third."""
LOYALTY = 1.25
"""A finer density than the last one must be this many times quicker than the limit: every change of density starts with
empty tile caches."""

_View = tuple[int, Grid, Rect]


class SpeedMeter:
    """Measures seconds per decoded pixel, as the median of the last few pictures: one outlier counts little.

    Args:
        secs_per_pixel: the value until the first picture. The default is a slow laptop's, so the first picture is a
            draft.
    """

    def __init__(self, secs_per_pixel: float = 2e-6) -> None:
        self.secs_per_pixel = secs_per_pixel
        self._last: deque[float] = deque(maxlen=REMEMBERED_PICTURES)

    @property
    def is_guess(self) -> bool:
        """Whether no picture was measured so far."""
        return not self._last

    def add(self, pixels: int, elapsed_secs: float) -> None:
        """Record that decoding ``pixels`` pixels took ``elapsed_secs`` seconds; below 1024 pixels it does not count."""
        # Tiny pictures measure the overhead of a call, not the speed.
        if pixels >= 1024:
            self._last.append(elapsed_secs / pixels)
            # The lower one of two: the first picture may have waited for a compiler.
            self.secs_per_pixel = median_low(self._last)

    def expected_secs(self, pixels: int) -> float:
        """Return the expected time for decoding ``pixels`` pixels, seconds."""
        return pixels * self.secs_per_pixel


class Pacer:
    """Chooses the density of the first picture and the order of the work, from the times measured so far.

    A view (pair, grid and rect) that was decoded before is decoded faster at another instant, because features that
    do not depend on time are cached. So cold pictures (first of their view) and warm ones are measured separately.
    """

    def __init__(self) -> None:
        self._cold, self._warm = SpeedMeter(), SpeedMeter()
        self._encode_secs: float | None = None
        self.motion_secs = 0.0
        """How long the last motion draft took whose motion had to be found first."""
        self._seen: deque[_View] = deque(maxlen=16)
        self._last_view: _View | None = None
        self._last_divisor = 1

    def forget_clip(self) -> None:
        """Forget what depends on the clip: its encoding time and its views. The speed of decoding is kept."""
        self._encode_secs, self._last_view, self.motion_secs = None, None, 0.0
        self._seen.clear()

    def forget_encoding(self) -> None:
        """Forget the encoding time: frames of another size are encoded from now on."""
        self._encode_secs = None

    def note_encoding(self, elapsed_secs: float) -> None:
        """Record that encoding a pair took ``elapsed_secs``."""
        self._encode_secs = elapsed_secs

    def note_picture(self, query: RegionQuery, elapsed_secs: float) -> None:
        """Record that decoding the pixels of ``query`` took ``elapsed_secs`` seconds."""
        view = _view_of(query)
        meter = self._warm if view in self._seen else self._cold
        meter.add(query.rect.area, elapsed_secs)
        if view not in self._seen:
            self._seen.append(view)

    @property
    def dwell_secs(self) -> float:
        """How long a moving view must stay on a pair before the pair is encoded."""
        return 0.0 if self.encodes_at_once else DWELL_SECS

    @property
    def encodes_at_once(self) -> bool:
        """Whether a pair is encoded before a motion draft of it would be of use."""
        return self._encode_secs is not None and self._encode_secs <= DRAFT_SECS

    def encodes_at_rest_only(self, clip: Grid) -> bool:
        """Return whether encoding frames of the size ``clip`` takes too long for a moving view."""
        expected_secs = ENCODE_SECS_PER_PIXEL * clip.rect.area if self._encode_secs is None else self._encode_secs
        return expected_secs > STEADY_SECS

    @property
    def encodes_crop_first(self) -> bool:
        """Whether a zoomed view gets a draft from a crop before whole frames are encoded."""
        return self._encode_secs is not None and self._encode_secs > CROP_SECS

    @property
    def encodes_ahead(self) -> bool:
        """Whether pairs may be encoded before a request asks for them."""
        return self._encode_secs is None or self._encode_secs <= AHEAD_SECS

    def divisor_for(self, request: RenderRequest, interval_secs: float = 0.0) -> int:
        """Return how many times coarser than the screen the first picture of ``request`` is; 1 means full at once.

        Args:
            request: the request.
            interval_secs: how far apart the requests of the present gesture come.
        """
        view = _view_of(request.query)
        stays, self._last_view = view == self._last_view, view
        self._last_divisor = self._divisor(request, interval_secs, stays=stays)
        return self._last_divisor

    def _divisor(self, request: RenderRequest, interval_secs: float, *, stays: bool) -> int:
        secs = min(max(MOVING_SECS, interval_secs), DRAFT_SECS) if request.moving else DRAFT_SECS
        expected = {divisor: self._expected_secs(request.query, divisor, stays=stays) for divisor in DRAFT_DIVISORS}
        smooth = (divisor for divisor in (1, HALF) if expected[divisor] <= self._limit(divisor, SMOOTH_SECS))
        quick = (divisor for divisor in DRAFT_DIVISORS if expected[divisor] <= self._limit(divisor, secs))
        if not request.moving and expected[1] <= DRAFT_SECS:
            return 1
        return next(smooth, None) or next(quick, DRAFT_DIVISORS[-1])

    def _expected_secs(self, query: RegionQuery, divisor: int, *, stays: bool) -> float:
        """Return the time that a picture of this density will take, or those after it if it is the first of many."""
        picture = coarser(query, divisor) if divisor > 1 else query
        warm_secs, cold_secs = (meter.expected_secs(picture.rect.area) for meter in (self._warm, self._cold))
        if self._warm.is_guess:
            return cold_secs
        # A view that stays while time moves is cold once; a view that changes is cold every time.
        is_warm = _view_of(picture) in self._seen or (stays and cold_secs <= COLD_SECS)
        return warm_secs if is_warm else cold_secs

    def _limit(self, divisor: int, secs: float) -> float:
        return secs / LOYALTY if divisor < self._last_divisor else secs


def _view_of(query: RegionQuery) -> _View:
    return query.instant.pair, query.grid, query.rect
