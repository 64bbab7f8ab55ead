"""The size at which frames are encoded for the newest request of the window."""

from __future__ import annotations

from fractions import Fraction

from videoinr.geometry import Grid
from videoinr.render.levels import encoded_size
from videoinr.render.pacing import Pacer
from videoinr.render.renderer import Renderer


class CurrentLevel:
    """Remembers the grid of the newest request. Lives on the render thread."""

    def __init__(self, renderer: Renderer, pacer: Pacer) -> None:
        """Begin with the clip's own size.

        Args:
            renderer: encodes the pairs.
            pacer: forgets the time of encoding at another size.
        """
        self._renderer, self._pacer = renderer, pacer
        self.grid = renderer.opened.info.grid

    @property
    def size(self) -> Grid:
        """The size of the frames."""
        return encoded_size(self._renderer.opened.info.grid, self.grid)

    def note(self, grid: Grid) -> None:
        """Record the grid of a request."""
        before, self.grid = self.size, grid
        if self.size != before:
            self._pacer.forget_encoding()

    def is_encoded(self, pair: int, phase: Fraction = Fraction(0)) -> bool:
        """Return whether the instant (``pair``, ``phase``) is encoded at this size; reads no frame."""
        return self._renderer.is_encoded(pair, phase, self.grid)
