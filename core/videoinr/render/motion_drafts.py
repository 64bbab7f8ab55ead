"""Motion drafts: both source frames of a pair, warped along the motion of a small copy of them, and blended.

    frames of the pair -> proxy (decode/proxy_motion.py), once for all requests of the pair
    the proxy's motion at the phase + frames, shrunk to the grid where it is coarser -> pixels (decode/frame_warp.py)

A draft is as sharp as the source frames and knows how things move, and its cost hardly depends on the frames' size. At
the time of a source frame it is that frame itself. A model whose pictures are not made of warped frames has no motion
to offer; there the frames are blended as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.cancel import CancelToken
from videoinr.clip import Clip
from videoinr.decode.frame_warp import FrameWarper, plane_size
from videoinr.decode.proxy_motion import MotionMaps, PairMotion, find_motion
from videoinr.devices import MIB, ComputeProfile, short_of_memory
from videoinr.geometry import Grid
from videoinr.images import shrink, uint8_from_pixels
from videoinr.model.representation import Representation
from videoinr.render.bounded_cache import BoundedCache
from videoinr.render.footing import Footing
from videoinr.types import PairKey, RegionQuery

_MOST_BYTES = 64 * MIB
"""The most that the motion of pairs may take, and the same for their frames."""


class MotionDrafts:
    """Draws motion drafts of one clip, and keeps the motion of the last pairs and their frames."""

    def __init__(
        self, clip: Clip, model: Representation, profile: ComputeProfile,
        bend: Callable[[Footing], tuple[Tensor, Grid] | None] = lambda footing: None,
    ) -> None:  # fmt: skip
        """Make an empty cache.

        Args:
            clip: the open clip, which stays the caller's.
            model: the model, on the profile's device.
            profile: the device; its ``feature_bytes`` bound the caches here, too, to an eighth each.
            bend: says how the paths between a footing's frames bend, [1, 4, h, w] of whole frames, and of which size
                these were, if it is known: drafts and pictures of one pair then show the same motion.
        """
        self._clip, self._model, self._profile, self._bend = clip, model, profile, bend
        budget = min(_MOST_BYTES, profile.feature_bytes // 8)
        self._motions = BoundedCache[PairKey, PairMotion](budget)
        self._quick = BoundedCache[PairKey, PairMotion](budget)
        self._planes = BoundedCache[tuple[int, Grid], Tensor](budget)
        self._warper = FrameWarper(profile)

    def close(self) -> None:
        """End the threads, and free the memory."""
        self._warper.close()
        self._motions.clear()
        self._quick.clear()
        self._planes.clear()

    def is_ready(self, key: PairKey, footing: Footing) -> bool:
        """Return whether :meth:`draw` needs to find no motion for ``footing``, whose name in the caches is ``key``."""
        is_found = key in self._motions or key in self._quick
        return footing.phase in (0, 1) or not self._model.warps_frames or is_found

    def draw(
        self, key: PairKey, footing: Footing, query: RegionQuery, token: CancelToken, *, quick: bool = False
    ) -> Tensor:
        """Draw the pixels of ``query``.

        Args:
            key: the footing's name in the caches.
            footing: the frames and the phase between them.
            query: the grid and the rectangle; its phase is the footing's.
            token: cancels the work between frames, steps and tiles.
            quick: find the motion in a third of the time, less exactly, unless it was found exactly before; and on a
                CPU warp a whole picture on half of a grid that is at least four times as fine as the frames.

        Returns:
            uint8 [rect.height, rect.width, 4], RGBX, on the device.

        Raises:
            Cancelled: ``token`` was cancelled.
            ClipError, DeviceError: a frame cannot be read, or the memory does not suffice.
        """
        size = plane_size(self._clip.info.grid, query.grid)
        with short_of_memory(self._profile, "for a draft"):
            if query.lines is None and footing.phase in (0, 1):
                index = footing.second if footing.phase else footing.first
                return self._warper.frame(self._plane(index, size, token), query, token)
            motion = self._motion(key, footing, token, quick=quick)
            maps = None if motion is None else self._maps_at(motion, footing, query)
            token.check()
            first, second = (self._plane(index, size, token) for index in (footing.first, footing.second))
            coarse = _half(query, self._clip.info.grid) if quick and self._profile.device.type == "cpu" else None
            if coarse is None:
                return self._warper.between(first, second, maps, query, token)
            return _doubled(self._warper.between(first, second, maps, coarse, token), query.grid)

    def _maps_at(self, motion: PairMotion, footing: Footing, query: RegionQuery) -> MotionMaps:
        """Return the motion at the footing's phase, or at that of each line of the proxy if ``query`` names lines."""
        lines, found = query.lines, self._bend(footing)
        maps = motion.at(float(footing.phase)) if lines is None else motion.at_lines(lines, query.grid)
        if found is None:
            return maps
        bend, size = found
        times = bend.new_tensor([[[[float(footing.phase)]]]])
        if lines is not None:
            along = 2 if lines.is_sideways else 1
            whole = query.grid.width if lines.is_sideways else query.grid.height
            spread = bend.new_tensor(lines.spread(whole, maps.flow.shape[along]))
            times = spread.view(1, 1, -1, 1) if lines.is_sideways else spread.view(1, -1, 1, 1)
        return maps.bent(bend, size, times)

    def way_px(self, key: PairKey, footing: Footing, grid: Grid, token: CancelToken) -> float | None:
        """Return how far things move between the footing's frames, pixels of ``grid``: all but one pixel in a thousand.

        None if the model has no motion to offer; raises as :meth:`draw`.
        """
        with short_of_memory(self._profile, "to find the motion"):
            motion = self._motion(key, footing, token, quick=False)
        if motion is None:
            return None
        flow = motion.at(0.5).flow
        height, width = flow.shape[1:3]
        scale = flow.new_tensor([grid.width / width, grid.height / height])
        ways = ((flow[..., 2:] - flow[..., :2]) * scale).norm(dim=-1).reshape(-1)
        return float(ways.kthvalue(max(1, round(0.999 * len(ways)))).values)

    def prepare(self, key: PairKey, footing: Footing, token: CancelToken) -> None:
        """Find the motion for quick drafts of ``footing``, unless it was found; raises as :meth:`draw`."""
        if not self.is_ready(key, footing):
            self._motion(key, footing, token, quick=True)

    def _motion(self, key: PairKey, footing: Footing, token: CancelToken, *, quick: bool) -> PairMotion | None:
        """Return the motion between the footing's frames; None if the model has none to offer."""
        if not self._model.warps_frames:
            return None
        motion = self._motions.get(key) or (self._quick.get(key) if quick else None)
        if motion is None:
            size = self._clip.info.grid
            planes = torch.stack([self._plane(index, size, token) for index in (footing.first, footing.second)])
            token.check()
            motion = find_motion(self._model, planes, size, half=self._profile.half_encoder, quick=quick)
            (self._quick if quick else self._motions).put(key, motion)
        return motion

    def _plane(self, index: int, size: Grid, token: CancelToken) -> Tensor:
        """Return frame ``index``, shrunk to ``size``: uint8 [3, size.height, size.width] on the device."""
        plane = self._planes.get((index, size))
        if plane is not None:
            return plane
        pixels = self._clip.frame(index, token)
        token.check()
        # The clip keeps its frames itself: what needs no work is not kept twice.
        is_kept = pixels.dtype == np.uint8 and size == self._clip.info.grid and self._profile.device.type == "cpu"
        # torch warns of read-only arrays, so they are copied.
        whole = torch.from_numpy(np.require(uint8_from_pixels(pixels), requirements=("C", "W")))
        plane = shrink(whole.to(self._profile.device).permute(2, 0, 1)[None], size)[0]
        if not is_kept:
            self._planes.put((index, size), plane)
        return plane


def _half(query: RegionQuery, clip: Grid) -> RegionQuery | None:
    """Return a whole picture's query on half its grid, where that still has two pixels for one of the clip's; or None.

    There a picture is as close to the full one (within 0.05 dB), and takes a quarter of the time.
    """
    grid = query.grid
    is_whole = query.rect == grid.rect and query.lines is None
    is_even = grid.width % 2 == 0 and grid.height % 2 == 0  # So no side of the half grid is empty.
    is_fine = grid.width >= 4 * clip.width and grid.height >= 4 * clip.height
    if not (is_whole and is_even and is_fine):
        return None
    half = Grid(grid.width // 2, grid.height // 2)
    return RegionQuery(query.instant, half, half.rect)


def _doubled(rgbx: Tensor, grid: Grid) -> Tensor:
    """Enlarge a picture, uint8 [h, w, 4], to ``grid``, bicubically: torch enlarges bytes much faster than floats."""
    planes = rgbx[..., :3].permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)
    large = F.interpolate(planes, (grid.height, grid.width), mode="bicubic", align_corners=False)
    out = torch.full((grid.height, grid.width, 4), 255, dtype=torch.uint8)
    out[..., :3] = large[0].permute(1, 2, 0)
    return out
