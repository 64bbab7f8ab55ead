"""Questions about the open clip that the render thread answers beside the pictures, while no request waits.

An inquiry is frozen and holds all that its answer needs. It is answered in steps, and pictures are made between them.
Of each kind the newest one counts: it replaces one that waits and cancels one that is being answered.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from videoinr.cancel import CancelToken
from videoinr.geometry import Grid, rect_on_grid
from videoinr.render.inspected import Place
from videoinr.render.renderer import Renderer
from videoinr.types import Instant, RegionQuery

FLOW_PX = 2**16
"""The most pixels at which the motion of a view is decoded: some hundredths of a second on a CPU."""


class Inquiry(ABC):
    """One question. Its type is its kind."""

    follows_view: ClassVar[bool] = False
    """Whether it is so quick, once the pair is encoded, that it is also answered between the pictures of a drag."""

    @property
    @abstractmethod
    def next_instant(self) -> Instant:
        """The instant that the next step looks at."""

    @abstractmethod
    def step(self, renderer: Renderer, token: CancelToken) -> tuple[object, Inquiry | None]:
        """Do the next step.

        Args:
            renderer: the renderer of the open clip.
            token: cancels the step, which then begins anew later.

        Returns:
            The answer, a frozen value, and the rest of the inquiry; None after the last step.

        Raises:
            Cancelled: ``token`` was cancelled.
            VideoInrError: the clip or the device failed; the inquiry ends.
        """


@dataclass(frozen=True)
class FlowInquiry(Inquiry):
    """Which way do the pixels of ``query`` move? The answer is a FlowField."""

    query: RegionQuery
    follows_view: ClassVar[bool] = True

    @property
    def next_instant(self) -> Instant:
        """The instant of the query."""
        return self.query.instant

    def step(self, renderer: Renderer, token: CancelToken) -> tuple[object, Inquiry | None]:
        """Decode the flow."""
        return renderer.inspector.flow(self.query, token), None


@dataclass(frozen=True)
class BlendInquiry(Inquiry):
    """With which weights are both warped frames mixed at the pixels of ``query``? The answer is a BlendMask."""

    query: RegionQuery

    @property
    def next_instant(self) -> Instant:
        """The instant of the query."""
        return self.query.instant

    def step(self, renderer: Renderer, token: CancelToken) -> tuple[object, Inquiry | None]:
        """Decode the weights."""
        return renderer.inspector.blend_mask(self.query, token), None


@dataclass(frozen=True)
class TrajectoryInquiry(Inquiry):
    """Which way does the point at ``place`` (clip pixels) at ``instant`` go? The answer is a Trajectory."""

    instant: Instant
    place: Place

    @property
    def next_instant(self) -> Instant:
        """When the point is there."""
        return self.instant

    def step(self, renderer: Renderer, token: CancelToken) -> tuple[object, Inquiry | None]:
        """Follow the point."""
        return renderer.inspector.trajectory(self.instant, self.place, token), None


@dataclass(frozen=True)
class DoubtInquiry(Inquiry):
    """Where is the motion around ``instant`` doubtful? The answer is a Doubt."""

    instant: Instant

    @property
    def next_instant(self) -> Instant:
        """The instant."""
        return self.instant

    def step(self, renderer: Renderer, token: CancelToken) -> tuple[object, Inquiry | None]:
        """Measure the pair."""
        return renderer.inspector.doubt(self.instant, token), None


def flow_query(query: RegionQuery, clip: Grid) -> RegionQuery:
    """Return the pixels at which the motion of the view ``query`` is decoded.

    It is the clip's own grid, or that of the view if it is coarser, divided by powers of two until the view has at most
    FLOW_PX pixels.
    """
    grid = clip if clip.width <= query.grid.width else query.grid
    rect, divisor = rect_on_grid(query.rect, query.grid, grid), 1
    while rect.area > FLOW_PX:
        divisor *= 2
        coarse = Grid(-(-grid.width // divisor), -(-grid.height // divisor))
        rect = rect_on_grid(query.rect, query.grid, coarse)
    return RegionQuery(query.instant, grid if divisor == 1 else coarse, rect)
