"""Judges the pairs of a clip, one by one and on demand: motion within a scene, a cut, or a repeated frame.

A pair is judged from its own two frames and, where these are suspicious, from at most REACH_PAIRS pairs on either side,
so that no clip has to be read through before its first picture. The verdict depends on the clip alone, not on what was
read before. Verdicts are kept for the life of the process under the clip's identity.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median

from cachetools import LRUCache

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip import cuts
from videoinr.clip.base import Clip
from videoinr.errors import ClipError
from videoinr.types import PairKind

SUSPICIOUS_LEVELS = 8.0
"""A cut changes luma by more than this in the mean, or the palette by more than SUSPICIOUS_PALETTE."""
SUSPICIOUS_PALETTE = 0.25
CUT_CHANGE = 0.5
"""Least scene change of a cut (see cuts.py)."""
SUDDEN_CHANGE, SUDDEN_RATIO = 0.4, 5.0
"""The same where luma changes this many times as much as in the pairs around."""
ALIKE_MATCH = 0.8
"""Frames that match as well as this show one scene, whatever their brightness."""
CUT_MARGIN, LEVELS_RATIO = 0.15, 1.2
"""By how much a cut's scene change exceeds the median of the pairs around it, which are alike in violent motion, and by
what factor luma changes more."""
NEIGHBOURS = 2
"""Number of pairs on either side that a cut is compared with."""
FADE_RATIO = 2.0
"""A cut to or from a flat frame changes luma by this many times as much as the pairs beside it."""
FLASH_FRAMES = 3
"""A flash lasts at most this many frames; the scene before it is the scene after it."""
FLASH_LEVELS = 20.0
"""A flash is brighter than the scene by this much, in the mean."""
WHITE_LEVELS, WHITE_SHARE = 240.0, 0.2
"""A flash that hides the scene makes this share of the frame as bright as this."""

MOST_REPEATS = 4
"""Longer runs of equal pairs are a scene at rest, across which nothing moves."""
REPEAT_SHARE = 0.25
"""Repeats change by less than this share of the motion that follows them: a slow scene has no repeats."""
CODED_LEVELS, CODED_MOST_LEVELS = 0.25, 12.0
"""Coding changes a repeated frame by no more than this, in the mean and anywhere; motion on both sides is larger."""
CODED_MOST_SHARE, CODED_REACH = 0.5, 3
"""The same anywhere in the frame, as a share of the motion; and how many pairs away, at most, motion is looked for."""

_KEPT_PROXIES = 24
_KEPT_CLIPS = 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """A pair's kind, and the frames between which its motion runs; for a repeat, the distinct frames around it."""

    kind: PairKind
    first: int
    second: int


_VERDICTS: LRUCache[str, dict[int, Verdict]] = LRUCache(_KEPT_CLIPS)
_LOCK = threading.Lock()


class PairKinds:
    """The kinds of the pairs of one open clip. Uses the clip: one thread at a time may call it.

    Args:
        clip: the open clip; it stays the caller's to close. What it says itself about cuts counts more than the frames.
    """

    def __init__(self, clip: Clip) -> None:
        self._clip, self._edits = clip, dict(clip.cut_edits)
        self._pairs = clip.timeline.last_frame
        self._token = NEVER
        self._proxies: LRUCache[int, cuts.Proxy] = LRUCache(_KEPT_PROXIES)
        with _LOCK:
            self._verdicts = _VERDICTS.setdefault(clip.identity, {})

    def known(self, pair: int) -> PairKind | None:
        """Return the kind of ``pair`` if it has been judged; reads nothing."""
        verdict = self._verdicts.get(pair)
        return None if verdict is None else self._edited(pair, verdict).kind

    def kind(self, pair: int, token: CancelToken = NEVER) -> PairKind:
        """Return the kind of ``pair``, 0 ... pair_count - 1.

        Args:
            pair: the pair's index.
            token: cancels the reading of frames.

        Raises:
            Cancelled: ``token`` was cancelled.
            ClipError, UsageError: a frame of the pair cannot be read, or there is no such pair.
        """
        self._token = token
        return self._verdict(pair).kind

    def distinct_frames(self, pair: int) -> tuple[int, int]:
        """Return the indices of the distinct frames between which the motion of ``pair`` runs; raises as kind."""
        verdict = self._verdict(pair)
        return verdict.first, verdict.second

    def cut_pairs(self) -> Iterator[int]:
        """Judge the whole clip and yield the pairs with a cut, in order; raises as kind."""
        return (pair for pair in range(self._pairs) if self.kind(pair) is PairKind.CUT)

    # ---- inside ----

    def _verdict(self, pair: int) -> Verdict:
        verdict = self._verdicts.get(pair)
        if verdict is None:
            verdict = self._verdicts[pair] = self._judge(pair)
        return self._edited(pair, verdict)

    def _edited(self, pair: int, verdict: Verdict) -> Verdict:
        """Return ``verdict`` as the clip's edits change it: it holds for every opening of the clip, they do not."""
        if not self._edits:
            return verdict
        plain = Verdict(PairKind.MOTION, pair, pair + 1)
        if self._edits.get(pair) and 0 <= pair < self._pairs:
            return replace(plain, kind=PairKind.CUT)
        if verdict.kind is PairKind.CUT:
            return plain if pair in self._edits else verdict
        # No motion runs across a cut, also not that which repeated frames interrupt.
        is_parted = any(self._edits.get(between) for between in range(verdict.first, verdict.second))
        return plain if is_parted else verdict

    def _judge(self, pair: int) -> Verdict:
        motion = Verdict(PairKind.MOTION, pair, pair + 1)
        if not 0 <= pair < self._pairs:
            return motion  # The only pair of a clip of one frame; reading any other one fails.
        for frame in (pair, pair + 1):
            self._proxy(frame)  # An error here is an error of the pair; other frames may be unreadable.
        if self._is_cut(pair):
            return Verdict(PairKind.CUT, pair, pair + 1)
        first = last = pair
        while first > 0 and pair - first <= MOST_REPEATS and self._is_same(first - 1):
            first -= 1
        while last < self._pairs and last - first <= MOST_REPEATS and self._is_same(last):
            last += 1
        # Frames first ... last are the same; the motion that they interrupt runs on to the frame after them.
        is_run = 0 < last - first <= MOST_REPEATS and last < self._pairs
        return Verdict(PairKind.REPEAT, first, last + 1) if is_run and self._moves_on(first, last) else motion

    def _moves_on(self, first: int, last: int) -> bool:
        """Return whether the scene of the equal frames ``first`` ... ``last`` moves on to the next frame."""
        if not self._has(last + 1) or self._is_cut(last):
            return False
        moved = cuts.change_levels(self._proxy(last), self._proxy(last + 1))
        stayed = max(cuts.change_levels(self._proxy(frame), self._proxy(frame + 1)) for frame in range(first, last))
        return stayed <= REPEAT_SHARE * moved

    def _is_same(self, pair: int) -> bool:
        """Return whether the frames of ``pair`` are the same, but for what coding changed."""
        if not (self._has(pair) and self._has(pair + 1)):
            return False
        mean, most = self._changes(pair)
        if most < cuts.SAME_LEVELS:
            return True
        if mean > CODED_LEVELS or most > CODED_MOST_LEVELS:
            return False
        return all(
            mean <= REPEAT_SHARE * moved and most <= CODED_MOST_SHARE * moved_most
            for moved, moved_most in (self._motion_beside(pair, -1), self._motion_beside(pair, 1))
        )

    def _motion_beside(self, pair: int, way: int) -> tuple[float, float]:
        """Return the largest mean change and the largest change anywhere in the next pairs of the scene, one way."""
        mean, most = 0.0, 0.0
        for near in range(pair + way, pair + way * (CODED_REACH + 1), way):
            if not (self._has(near) and self._has(near + 1)) or self._is_cut(near):
                break
            mean, most = (max(both) for both in zip((mean, most), self._changes(near), strict=True))
        return mean, most

    def _changes(self, pair: int) -> tuple[float, float]:
        """Return the mean change of luma in ``pair``, and the largest one anywhere in the frame, levels."""
        first, second = self._proxy(pair), self._proxy(pair + 1)
        return cuts.change_levels(first, second), cuts.most_change_levels(first, second)

    def _is_cut(self, pair: int) -> bool:
        known = self._verdicts.get(pair)
        if known is not None:
            return known.kind is PairKind.CUT
        first, second = self._proxy(pair), self._proxy(pair + 1)
        levels = cuts.change_levels(first, second)
        if levels < SUSPICIOUS_LEVELS and cuts.palette_change(first, second) < SUSPICIOUS_PALETTE:
            return False
        change = cuts.scene_change(first, second)
        if change < SUDDEN_CHANGE or cuts.match(first, second) >= ALIKE_MATCH:
            return False
        usual_change, usual_levels = self._usual(pair)
        least = SUDDEN_CHANGE if levels >= SUDDEN_RATIO * max(usual_levels, 1.0) else CUT_CHANGE
        if change < max(least, usual_change + CUT_MARGIN) or levels < LEVELS_RATIO * usual_levels:
            return False
        return not self._is_fade(pair) and not self._is_flash(pair)

    def _usual(self, pair: int) -> tuple[float, float]:
        """Return the median scene change and the median change in levels of the pairs around ``pair``.

        Pairs almost without change, such as repeats, do not count. Both values are 0 if there are no others.
        """
        around = [pair + step for step in range(-NEIGHBOURS, NEIGHBOURS + 1) if step]
        both = [
            (self._proxy(near), self._proxy(near + 1))
            for near in around
            if self._has(near) and self._has(near + 1) and self._changes(near)[0] > CODED_LEVELS
        ]
        if not both:
            return 0.0, 0.0
        return median(cuts.scene_change(*pair) for pair in both), median(cuts.change_levels(*pair) for pair in both)

    def _is_fade(self, pair: int) -> bool:
        """Return whether ``pair`` is a step of a fade to or from a flat frame: the pairs beside it change as much."""
        first, second = self._proxy(pair), self._proxy(pair + 1)
        if not first.is_flat and not second.is_flat:
            return False
        around = [near for near in (pair - 1, pair + 1) if self._has(near) and self._has(near + 1)]
        steps = [cuts.change_levels(self._proxy(near), self._proxy(near + 1)) for near in around]
        return cuts.change_levels(first, second) < FADE_RATIO * max(steps, default=0.0)

    def _is_flash(self, pair: int) -> bool:
        """Return whether ``pair`` is the start or the end of a flash: the scene before it comes back after it."""
        starts = ((pair, pair + 1, pair + 1 + later) for later in range(1, FLASH_FRAMES + 1))
        ends = ((pair - earlier, pair, pair + 1) for earlier in range(1, FLASH_FRAMES + 1))
        return any(self._is_flash_between(*frames) for frames in (*starts, *ends))

    def _is_flash_between(self, before: int, flash: int, after: int) -> bool:
        if not (self._has(before) and self._has(after)):
            return False
        scene = max(self._proxy(frame).luma.mean() for frame in (before, after))
        is_bright = self._proxy(flash).luma.mean() >= scene + FLASH_LEVELS
        if not is_bright or not self._shows_scene_or_white(before, flash):
            return False
        return cuts.scene_change(self._proxy(before), self._proxy(after)) < CUT_CHANGE

    def _shows_scene_or_white(self, scene: int, flash: int) -> bool:
        is_white = (self._proxy(flash).luma >= WHITE_LEVELS).mean() >= WHITE_SHARE
        return bool(is_white) or cuts.match(self._proxy(scene), self._proxy(flash)) >= cuts.FLAT_MATCH

    def _has(self, frame: int) -> bool:
        """Return whether ``frame`` exists and can be read. One that cannot is treated as the end of the clip."""
        if not 0 <= frame <= self._pairs:
            return False
        try:
            self._proxy(frame)
        except ClipError:
            return False
        return True

    def _proxy(self, frame: int) -> cuts.Proxy:
        proxy = self._proxies.get(frame)
        if proxy is None:
            proxy = self._proxies[frame] = cuts.proxy_of(self._clip.frame(frame, self._token))
        return proxy
