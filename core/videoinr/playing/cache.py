"""The play cache: decoded pictures ready to be shown, bounded in bytes, first in memory, then in a folder on disk.

It knows the plan of playback and the playhead, and so which picture is wanted next and which can be spared most: one
that the plan does not show (the oldest first), then the one that playback reaches last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from videoinr.closing import Closeable
from videoinr.playing.picture_folder import PictureFolder
from videoinr.playing.plan import PictureKey, PlayPlan
from videoinr.types import RegionQuery, RenderedRegion

AT_ONCE = 64
"""So many kept pictures are looked up in a new plan at once; more of them later, by :meth:`PlayCache.next_wanted`."""
READ_AHEAD = 12
"""So many pictures before the playhead are read back from the disk in time."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pictures ``first`` ... ``last`` of a plan are there. ``on_disk``: they have to be read before they are shown."""

    first: int
    last: int
    on_disk: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which pictures of a plan are there.

    Attributes:
        stretches: in order; they do not overlap.
        done: how many of the wanted pictures there are.
        wanted: how many pictures the cache shall hold of the plan.
    """

    stretches: tuple[Stretch, ...] = ()
    done: int = 0
    wanted: int = 0


class _Held:
    """One picture. ``region`` has no pixels while the picture is on disk alone; ``file`` is its number there."""

    def __init__(self, region: RenderedRegion, places: tuple[int, ...]) -> None:
        self.nbytes, self.places = region.nbytes, places
        self.region: RenderedRegion | None = region
        self.without_pixels = replace(region, rgbx=np.empty((0, 0, 4), np.uint8))
        self.file: int | None = None


class PlayCache(Closeable):
    """Keeps decoded pictures. Any thread may call any method; all but ``fetch``, ``put`` and ``close`` return at once.

    Args:
        memory_bytes: the most that pictures in memory may take.
        folder: where further pictures go; None: nowhere.

    Attributes:
        on_change: called when another picture is there, or another plan, on whatever thread.
    """

    def __init__(self, memory_bytes: int, folder: PictureFolder | None = None) -> None:
        self._memory_bytes, self._folder = memory_bytes, folder
        self.on_change: Callable[[], None] = lambda: None
        self._lock, self._moving = threading.Condition(), threading.Lock()
        self._held: dict[PictureKey, _Held] = {}
        self._places: dict[int, PictureKey] = {}
        self._is_placed = True
        self._plan: PlayPlan | None = None
        self._at, self._direction, self._plays = 0, 1, False
        self._last: int | None = None
        self._in_memory = self._on_disk = 0
        self._is_given_up = self._is_closed = False
        self._reader: threading.Thread | None = None

    # ---- the plan ----

    @property
    def plan(self) -> PlayPlan | None:
        """What playback will show."""
        return self._plan

    def set_plan(self, plan: PlayPlan | None, index: int = 0, direction: int = 1) -> None:
        """Want the pictures of ``plan`` from now on, from picture ``index`` on. The others stay while there is room.

        Args:
            plan: what playback will show; None: nothing.
            index: the picture at the playhead.
            direction: 1 if playback runs forwards, -1 if it runs backwards.
        """
        with self._lock:
            self._at, self._direction, self._plays = index, direction, False
            if plan != self._plan:
                self._plan, self._is_given_up, self._is_placed = plan, False, False
                self._places, self._last = {}, None
                for held in self._held.values():
                    held.places = ()
            is_quick = len(self._held) <= AT_ONCE and not (self._held and plan is not None and plan.is_journey)
        if is_quick:
            self._place()
        self.on_change()

    def move(self, index: int, direction: int = 1, *, plays: bool = False) -> None:
        """Note that the playhead is at picture ``index``. ``plays``: it moves on by itself."""
        with self._lock:
            self._at, self._direction, self._plays = index, direction, plays
            self._read_ahead()

    def next_wanted(self, source: str) -> RegionQuery | None:
        """Return the picture to render next, the nearest one ahead of the playhead; None if all are there.

        While it plays, that one would come too late: what follows the last picture is next, from the same frames.

        ``source``: what the caller renders; a plan for anything else is not for it.
        """
        if not self._is_placed:
            self._place()
            self.on_change()
        with self._lock:
            plan = self._plan
            if plan is None or plan.source != source or self._is_given_up:
                return None
            wanted = self._wanted()
            if self._plays and self._last in wanted:
                start = wanted.index(self._last)
                wanted = wanted[start:] + wanted[:start]
            for index in wanted:
                if index not in self._places and (key := plan.key(index)) not in self._held:
                    return key.query
            return None

    def give_up(self) -> None:
        """Want no picture until there is another plan: one could not be rendered."""
        with self._lock:
            self._is_given_up = True

    def coverage(self) -> Coverage:
        """Return which pictures of the plan are there."""
        with self._lock:
            if self._plan is None:
                return Coverage()
            held = {place: one.region is None for one in self._held.values() for place in one.places}
            wanted = self._wanted()
            return Coverage(tuple(_stretches(held)), sum(index in held for index in wanted), len(wanted))

    def _place(self) -> None:
        """Look the kept pictures up in the plan. That takes a while if they are many, and nobody waits for the lock."""
        with self._lock:
            plan, keys = self._plan, list(self._held)
        places = {} if plan is None else {key: plan.places(key) for key in keys}
        with self._lock:
            if plan is not self._plan:
                return
            for key, found in places.items():
                if key in self._held:
                    self._held[key].places = found
                    self._places.update(dict.fromkeys(found, key))
            self._is_placed = True
            self._read_ahead()

    def _wanted(self) -> list[int]:
        """Return the pictures that the cache shall hold, in the order in which playback reaches them."""
        assert self._plan is not None
        count, nbytes = self._plan.count, self._plan.picture_bytes
        if nbytes > self._memory_bytes:
            return []
        room = max(self._memory_bytes, 0 if self._folder is None else self._folder.max_bytes)
        most = min(count, room // nbytes, count if self._plan.most is None else self._plan.most)
        return [(self._at + step * self._direction) % count for step in range(most)]

    # ---- pictures ----

    def get(self, query: RegionQuery) -> RenderedRegion | None:
        """Return the picture of ``query`` for the plan's source, if it is in memory."""
        with self._lock:
            held = None if self._plan is None else self._held.get(PictureKey(self._plan.source, query))
            return None if held is None else held.region

    def fetch(self, source: str, query: RegionQuery) -> RenderedRegion | None:
        """Return the picture of ``query``, from the disk if need be; None if it is not there."""
        key = PictureKey(source, query)
        with self._lock:
            held = self._held.get(key)
            if held is None or held.region is not None:
                return None if held is None else held.region
        return self._load(key, held)

    def put(self, source: str, region: RenderedRegion) -> None:
        """Keep ``region``, a full picture that was decoded from ``source``. May write other pictures to the disk."""
        key, plan = PictureKey(source, region.query), self._plan
        places = () if plan is None else plan.places(key)
        with self._lock:
            if self._is_closed or key in self._held or region.nbytes > self._memory_bytes:
                return
            # Where there is another plan by now, all pictures are looked up in it anyhow.
            held = _Held(region, places if plan is self._plan else ())
            self._is_placed = self._is_placed and plan is self._plan
            self._held[key] = held
            self._in_memory += held.nbytes
            if held.places:
                self._places.update(dict.fromkeys(held.places, key))
                self._last = held.places[0]
        with self._moving:
            self._make_room()
        self.on_change()

    def close(self) -> None:
        """Drop all pictures, remove the folder and end the reader."""
        with self._lock:
            self._is_closed, self._plan = True, None
            self._held.clear()
            self._places.clear()
            self._lock.notify_all()
        if self._reader is not None:
            self._reader.join()
        with self._moving:
            if self._folder is not None:
                self._folder.close()

    # ---- room ----

    def _make_room(self, nbytes: int = 0) -> None:
        """Move pictures out of memory, to the disk where they are worth it, until there is room for ``nbytes`` more."""
        while (found := self._spared(nbytes)) is not None:
            key, held, to_disk = found
            file = held.file
            if file is None and to_disk and self._folder is not None and held.region is not None:
                file = self._folder.write(held.region.rgbx)
            with self._lock:
                self._move_out(key, held, file)

    def _spared(self, nbytes: int) -> tuple[PictureKey, _Held, bool] | None:
        """Return the picture that must leave memory, if one must, and whether it shall go to the disk."""
        with self._lock:
            if self._in_memory + nbytes <= self._memory_bytes or self._is_closed or not self._in_memory:
                return None
            key = max((key for key, held in self._held.items() if held.region is not None), key=self._lateness)
            return key, self._held[key], self._held[key].file is None and self._has_disk_for(key)

    def _has_disk_for(self, key: PictureKey) -> bool:
        """Return whether there is room on the disk for ``key``, removing pictures that can be spared more."""
        nbytes, budget = self._held[key].nbytes, 0 if self._folder is None else self._folder.max_bytes
        while self._on_disk + nbytes > budget:
            stored = [other for other, held in self._held.items() if held.file is not None]
            worst = max(stored, key=self._lateness, default=key)
            if self._lateness(worst) <= self._lateness(key):
                return False
            self._forget_file(worst)
        return True

    def _move_out(self, key: PictureKey, held: _Held, file: int | None) -> None:
        if self._held.get(key) is not held or held.region is None:
            return
        if held.file is None and file is not None:
            held.file = file
            self._on_disk += held.nbytes
        held.region = None
        self._in_memory -= held.nbytes
        if held.file is None:
            self._drop(key)

    def _forget_file(self, key: PictureKey) -> None:
        held = self._held[key]
        if held.file is not None and self._folder is not None:
            self._folder.remove(held.file)
            self._on_disk -= held.nbytes
            held.file = None
        if held.region is None:
            self._drop(key)

    def _drop(self, key: PictureKey) -> None:
        held = self._held.pop(key)
        for place in held.places:
            self._places.pop(place, None)

    def _lateness(self, key: PictureKey) -> int:
        """Return how many pictures playback shows before ``key``; more than all of them if it is not in the plan."""
        places, plan = self._held[key].places, self._plan
        if not places or plan is None:
            return 1 << 62
        return min((place - self._at) * self._direction % plan.count for place in places)

    # ---- reading back ----

    def _read_ahead(self) -> None:
        if self._folder is None or self._is_closed or not any(self._to_read()):
            return
        if self._reader is None:
            self._reader = threading.Thread(target=self._read, name="videoinr-play-reader", daemon=True)
            self._reader.start()
        self._lock.notify_all()

    def _to_read(self) -> Iterator[PictureKey]:
        """Yield the next pictures that are on the disk alone, as far as memory has room for them."""
        if self._plan is None:
            return
        room = self._memory_bytes // self._plan.picture_bytes
        for index in self._wanted()[: min(READ_AHEAD, room)]:
            key = self._places.get(index)
            if key is not None and self._held[key].region is None:
                yield key

    def _read(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._is_closed or any(self._to_read()))
                if self._is_closed:
                    return
                key = next(self._to_read())
                held = self._held[key]
            self._load(key, held)

    def _load(self, key: PictureKey, held: _Held) -> RenderedRegion | None:
        """Read a picture back into memory; forget it where that is impossible."""
        with self._moving:
            if held.region is None:
                self._make_room(held.nbytes)
            file, rect = held.file, key.query.rect
            if held.region is not None or file is None or self._folder is None:
                return held.region
            pixels = self._folder.read(file, rect.height, rect.width)
            with self._lock:
                if self._held.get(key) is not held:
                    return None
                if pixels is None:
                    self._forget_file(key)
                    return None
                region = held.region = replace(held.without_pixels, rgbx=pixels)
                self._in_memory += held.nbytes
                return region


def _stretches(on_disk_by_place: dict[int, bool]) -> Iterable[Stretch]:
    """Yield the runs of places that follow each other and are all in memory, or all on disk."""
    found: Stretch | None = None
    for place in sorted(on_disk_by_place):
        on_disk = on_disk_by_place[place]
        if found is not None and (place, on_disk) == (found.last + 1, found.on_disk):
            found = replace(found, last=place)
        else:
            if found is not None:
                yield found
            found = Stretch(place, place, on_disk)
    if found is not None:
        yield found
