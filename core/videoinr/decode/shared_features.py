"""The finest features of single frames, computed once for the two pairs that share a frame."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Tensor

from videoinr.model.encoders.row_bands import LEAST_ELEMENTS

_Compute = Callable[[Tensor], Tensor]
"""Maps N frames [N, 3, h, w] to their features [N, C, h, w]."""


class SharedFeatures:
    """Keeps the features of the frames of the last pair, and of those beside it: the next pair shares some of them.

    On a CPU the numbers are those of both frames together: oneDNN adds the products of a pixel in an order that does
    not depend on the number of maps. Maps that are too small for oneDNN are not shared (row_bands.py).
    """

    def __init__(self, compute: _Compute, max_bytes: int) -> None:
        """Keep nothing yet.

        Args:
            compute: the encoder's :meth:`~videoinr.model.encoders.motion_prior.MotionPriorEncoder.frame_features`.
            max_bytes: the most that is kept.
        """
        self._compute, self._max_bytes = compute, max_bytes
        self._kept: dict[tuple[int, int, int], Tensor] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of the kept features."""
        return sum(one.nbytes for one in self._kept.values())

    def clear(self) -> None:
        """Drop everything."""
        self._kept.clear()

    def of_pair(self, first: int, second: int, beside: Collection[int | None] = ()) -> _Compute:
        """Return a function that computes the features of both frames of a pair, at any size of them.

        Args:
            first, second: the frames' names: their numbers in the clip.
            beside: other frames, whose features stay if they are kept.
        """
        self._kept = {name: one for name, one in self._kept.items() if name[0] in (first, second, *beside)}
        return lambda frames: self._features((first, second), frames)

    def _features(self, names: tuple[int, int], frames: Tensor) -> Tensor:
        """Return the features of ``frames`` [2, 3, h, w]: [2, C, h, w]."""
        height, width = frames.shape[-2:]
        if 3 * height * width <= LEAST_ELEMENTS:
            return self._compute(frames)
        keys = [(name, height, width) for name in names]
        held = [self._kept.get(key) for key in keys]
        if all(one is None for one in held):
            both = self._compute(frames)  # One call is faster than two.
        else:
            parts = [self._compute(frames[k : k + 1]) if one is None else one for k, one in enumerate(held)]
            both = torch.cat(parts)
        missing = [k for k, one in enumerate(held) if one is None]
        if self.nbytes + both[:1].nbytes * len(missing) > self._max_bytes:
            # The frames beside the pair make room: at their own size they are needed again only if a row turns back.
            others = [key for key in self._kept if key[1:] == (height, width) and key not in keys]
            for key in others:
                del self._kept[key]
        if self.nbytes + both[:1].nbytes * len(missing) <= self._max_bytes:
            # Copies: a view would keep both frames in memory.
            self._kept.update({keys[k]: both[k : k + 1].clone(memory_format=torch.channels_last) for k in missing})
        return both
