"""Caches F_s of the rectangles decoded last on a GPU: whole rectangles, where a CPU keeps tiles (spatial_tiles.py)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import TYPE_CHECKING

from videoinr.devices import MIB
from videoinr.geometry import Grid, Rect
from videoinr.types import PairKey

if TYPE_CHECKING:
    from videoinr.model.kernels.decode import Field

FieldName = tuple[PairKey, Grid]
"""The pair whose F_s it is, and the grid on which it is evaluated."""

IDLE_BYTES = 1280 * MIB
"""Fields of other names than the current one are kept as long as all fields together take at most this."""


class FieldCache:
    """F_s of rectangles, at most ``max_bytes`` of them; the least recently used is evicted first."""

    def __init__(self, max_bytes: int) -> None:
        """Make an empty cache."""
        self.max_bytes = max_bytes
        self._fields: OrderedDict[tuple[FieldName, Rect], Field] = OrderedDict()

    @property
    def held_bytes(self) -> int:
        """Bytes of all fields."""
        return sum(field.values.nbytes for field in self._fields.values())

    def covering(self, name: FieldName, rect: Rect) -> Field | None:
        """Return the most recently used field of ``name`` that contains all of ``rect``."""
        for (its_name, box), field in reversed(self._fields.items()):
            if its_name == name and box.contains(rect):
                self._fields.move_to_end((its_name, box))
                return field
        return None

    def make_room(self, name: FieldName, box: Rect, nbytes: int) -> None:
        """Evict what must go before F_s of ``box`` of ``name`` is evaluated, which takes ``nbytes``."""
        for known in [known for known in self._fields if known[0] == name and box.contains(known[1])]:
            del self._fields[known]
        for known in [known for known in self._fields if known[0] != name]:
            if self.held_bytes + nbytes > min(IDLE_BYTES, self.max_bytes):
                del self._fields[known]
        while self._fields and self.held_bytes + nbytes > self.max_bytes:
            self._fields.popitem(last=False)

    def put(self, name: FieldName, field: Field) -> None:
        """Keep ``field``; call :meth:`make_room` first."""
        self._fields[name, field.box] = field

    def keep_only(self, keys: Collection[PairKey]) -> None:
        """Drop the fields of all pairs but ``keys``."""
        for known in [known for known in self._fields if known[0][0] not in keys]:
            del self._fields[known]

    def clear(self) -> None:
        """Drop all fields."""
        self._fields.clear()
