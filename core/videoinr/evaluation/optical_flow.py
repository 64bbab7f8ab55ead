"""Optical flow by Lucas and Kanade's method: iterated least squares on gradients, from coarse to fine.

The project's one estimator. It needs only torch, has no learned weights and no randomness, and gives the same flow on
every machine. tOF measures flicker with it (:data:`TOF`), ``motion.py`` the motion of evaluated clips, and
``training/data/screening.py`` that of training clips.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.evaluation.metrics import gaussian, luma
from videoinr.model.warp import unit_grid

TOF_WINDOW_SIGMA_PX = 3.0
TOF_COARSEST_SIDE_PX = 8
TOF_MAX_LEVELS = 6
TOF_ITERATIONS = 4
TOF_NOISE = 0.5 / 255
"""Standard deviation of the gradient's noise. Weaker gradients carry no information: the coarser level's flow stays."""

AGREES_PX, AGREES_SHARE = 1.0, 0.1
"""Flow to a frame and back may end this far from where it began: pixels, and as a share of the flow's length on top."""

Gradients = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(first, second warped to first; each [B, 1, H, W]) -> derivatives along x and y, each [B, 1, H, W]."""
Residual = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(first, warped, inside; each [B, 1, H, W]) -> first - warped, filtered as the gradients are. ``inside`` is 1 where
the warped position lies in the image, else 0."""
Window = Callable[[Tensor], Tensor]
"""[B, C, H, W] -> the weighted mean over each pixel's window, same shape."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LucasKanade:
    """Settings of the estimator.

    ``noise``: standard deviation of the gradient's noise, in levels per pixel. ``max_step_px``: bound of one
    Gauss-Newton step along x and along y. ``scale``: ratio of a level's size to the next coarser level's; None: the
    ratio of their sides, for pyramids that round odd sides. ``keep_better``: at each pixel of a level, keep the
    coarser level's flow where it fits the window better than the refined flow.
    """

    gradients: Gradients
    residual: Residual
    window: Window
    noise: float
    max_step_px: float
    iterations: int
    scale: float | None = None
    keep_better: bool = False

    def flow(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
        """Estimate flow between two image pyramids.

        Args:
            first: Levels float32 [B, 1, H, W], finest first.
            second: Levels of the same shapes.

        Returns:
            Flow float32 [B, 2, H, W], order (x, y), pixels of the finest level: second(p + flow(p)) = first(p).
        """
        count, _, height, width = first[-1].shape
        flow = torch.zeros((count, 2, height, width), device=first[-1].device)
        for one, other in zip(reversed(first), reversed(second), strict=True):
            coarse = self._resized(flow, one.shape[-2], one.shape[-1])
            flow = self._refined(one, other, coarse)
            if self.keep_better:
                flow = _better(self.window, one, other, coarse, flow)
        return flow

    def _resized(self, flow: Tensor, height: int, width: int) -> Tensor:
        """``flow`` on a grid of another size, in that grid's pixels."""
        if flow.shape[-2:] == (height, width):
            return flow
        scales = (width / flow.shape[-1], height / flow.shape[-2]) if self.scale is None else (self.scale, self.scale)
        ratios = flow.new_tensor(scales).view(1, 2, 1, 1)
        return F.interpolate(flow, (height, width), mode="bilinear", align_corners=False) * ratios

    def _refined(self, first: Tensor, second: Tensor, flow: Tensor) -> Tensor:
        """``flow`` after the Gauss-Newton steps of one level. Each step solves every window's 2 x 2 normal equations.

        The gradients are computed once per level, from ``second`` warped by the flow that the level starts with.
        """
        warped, inside = _warped(second, flow)
        dx, dy = self.gradients(first, warped)
        xx, xy, yy = self.window(torch.cat((dx * dx, dx * dy, dy * dy), 1)).chunk(3, 1)
        xx, yy = xx + self.noise**2, yy + self.noise**2
        determinant = xx * yy - xy * xy
        reciprocal = 1 / determinant if self.iterations > 1 else None  # Dividing once per level is faster.
        for iteration in range(self.iterations):
            if iteration:
                warped, inside = _warped(second, flow)
            error = self.residual(first, warped, inside)
            x, y = self.window(torch.cat((dx * error, dy * error), 1)).chunk(2, 1)
            solved = torch.cat((yy * x - xy * y, xx * y - xy * x), 1)
            step = solved / determinant if reciprocal is None else solved * reciprocal
            flow = flow + step.clamp(-self.max_step_px, self.max_step_px)
        return flow


def flow_difference(first: Tensor, second: Tensor) -> float:
    """Mean over pixels of \\|dx\\| + \\|dy\\| between two flows [2, H, W], pixels: tOF of TecoGAN (Chu et al. 2020)."""
    return float((first - second).abs().sum(0).mean())


def optical_flow(first: Tensor, second: Tensor) -> Tensor:
    """Estimate the flow between two images with the settings of tOF.

    Args:
        first: RGB float32 [3, H, W] in 0 ... 1.
        second: RGB of the same shape.

    Returns:
        Flow float32 [2, H, W], order (x, y), pixels: second(p + flow(p)) = first(p).
    """
    pyramid = _pyramid(torch.stack((luma(first), luma(second)))[:, None])
    return TOF.flow([level[:1] for level in pyramid], [level[1:] for level in pyramid])[0]


def agreeing_flow(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Estimate the flow between two images in both directions, and where the two flows agree.

    Where they disagree, the flow is wrong, or the pixel is hidden in the second image.

    Args:
        first: RGB float32 [3, H, W] in 0 ... 1.
        second: RGB of the same shape.

    Returns:
        Flow float32 [2, H, W] as of :func:`optical_flow`, and a mask bool [H, W].
    """
    pyramid = _pyramid(torch.stack((luma(first), luma(second)))[:, None])
    both = TOF.flow(pyramid, [level.flip(0) for level in pyramid])
    forward, backward = both[:1], both[1:]
    returned, inside = _warped(backward.transpose(0, 1), forward.expand(2, -1, -1, -1))
    distance = (forward + returned.transpose(0, 1)).norm(dim=1)
    agrees = (distance < AGREES_PX + AGREES_SHARE * forward.norm(dim=1)) & (inside[:1, 0] > 0)
    return forward[0], agrees[0]


def _pyramid(images: Tensor) -> list[Tensor]:
    """[2, 1, H, W] and its antialiased halves, finest first, down to a short side of about 8 pixels."""
    levels = [images.float()]
    count = min(TOF_MAX_LEVELS, 1 + int(math.log2(max(1, min(images.shape[-2:]) / TOF_COARSEST_SIDE_PX))))
    for _ in range(count - 1):
        height, width = ((side + 1) // 2 for side in levels[-1].shape[-2:])
        levels.append(F.interpolate(levels[-1], (height, width), mode="bilinear", antialias=True))
    return levels


def _better(window: Window, first: Tensor, second: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """At each pixel, the flow with the smaller squared error in its window.

    A step that is too long must not be carried to the finer levels.
    """
    errors = [window((first - _warped(second, flow)[0]).square()) for flow in (one, other)]
    return torch.where(errors[1] <= errors[0], other, one)


def _central_differences(first: Tensor, warped: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences of ``first`` [B, 1, H, W] along x and y, border replicated."""
    padded = F.pad(first, (1, 1, 1, 1), mode="replicate")
    dx = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    dy = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return dx, dy


def _masked_difference(first: Tensor, warped: Tensor, inside: Tensor) -> Tensor:
    return (first - warped) * inside


def _gaussian_window(maps: Tensor) -> Tensor:
    """Gaussian mean of [B, C, H, W] over each pixel's window, border replicated."""
    radius = math.ceil(2.5 * TOF_WINDOW_SIGMA_PX)
    weights = gaussian(TOF_WINDOW_SIGMA_PX, radius).to(maps.device, maps.dtype)
    flat = maps.flatten(0, 1)[:, None]
    rows = F.conv2d(F.pad(flat, (0, 0, radius, radius), mode="replicate"), weights.view(1, 1, -1, 1))
    both = F.conv2d(F.pad(rows, (radius, radius, 0, 0), mode="replicate"), weights.view(1, 1, 1, -1))
    return both.view(maps.shape)


def _warped(image: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """[B, 1, H, W] sampled bilinearly at p + flow, border extended, and a mask: 1 where p + flow is inside, else 0."""
    height, width = image.shape[-2:]
    x = torch.arange(width, device=flow.device) + flow[:, 0]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    grid = unit_grid(x, y, height=height, width=width)
    warped = F.grid_sample(image, grid, padding_mode="border", align_corners=False)
    return warped, (grid.abs() <= 1).all(-1)[:, None].float()


TOF = LucasKanade(
    gradients=_central_differences,
    residual=_masked_difference,
    window=_gaussian_window,
    noise=TOF_NOISE,
    # A linear model of the image holds over about one pixel.
    max_step_px=1.0,
    iterations=TOF_ITERATIONS,
    keep_better=True,
)
"""Settings of tOF. Both flows that it compares come from the same settings, which matters more than the last tenth of
a pixel of accuracy."""
