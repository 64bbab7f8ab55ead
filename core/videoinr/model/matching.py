"""Exhaustive matching: finds motion of which nothing is left at the levels where a coarse-to-fine search starts.

At the coarsest levels of the search small or finely textured things have vanished. The search finds no motion for them
there, and each finer step only corrects what it is given. On a level of some 50 lines, all motions of a few pixels can
be compared in a small part of the time that encoding takes, on the frames themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.model.ops import is_on_cpu, warp

WINDOW = 13
"""Side of the window over which the frames are compared, pixels of the level."""
MARGIN = 1.3
"""Factor on a flow's error before it takes another's place: much looks alike by chance."""
LEAST_GAIN = 0.5 / 255
"""What the error must be less by besides: half a grey level, which noise and interpolation change it by."""
MOST_SHARE = 6
"""A match is at most this part of the shorter side away from mid-time. Farther, much looks alike by chance."""
_LEAST_SEEN = 0.3
"""Least share of a window that lies in both frames."""


def matched(frames: Tensor, flow: Tensor, radius: int) -> Tensor:
    """Return the motion that makes the windows around each point most alike in both frames.

    Args:
        frames: Both frames at the size of the level, float32 [B, 2, 3, h, w] in 0 ... 1.
        flow: The flow (x, y) from mid-time to the first frame, then to the second, [B, 4, h, w], pixels: the result
            where no motion leaves enough of a window in both frames.
        radius: Most whole pixels from mid-time to either frame, along each axis. A match is a straight, even motion:
            its flow to the second frame is that to the first with the opposite sign.

    Returns:
        The flow, [B, 4, h, w], without gradients.
    """
    height, width = flow.shape[2:]
    radius = min(radius, min(height, width) // MOST_SHARE)
    if radius < 1:
        return flow.detach()
    with _exactly(frames):
        match, is_seen = _best_match(frames, radius)
        return torch.where(is_seen[:, None], torch.cat((match, -match), 1).to(flow.dtype), flow)


def is_clearly_better(frames: Tensor, flow: Tensor, *, than: Tensor) -> Tensor:
    """Return where ``flow`` makes the windows around a point clearly more alike in both frames than another flow does.

    Args:
        frames: As for :func:`matched`.
        flow: [B, 4, h, w], pixels.
        than: The other flow.

    Returns:
        bool [B, 1, h, w].
    """
    with _exactly(frames):
        return _error(frames, flow) * MARGIN + LEAST_GAIN < _error(frames, than)


@contextmanager
def _exactly(frames: Tensor) -> Iterator[None]:
    """Compute without gradients, and in float32 inside the encoder's half precision."""
    with torch.no_grad(), torch.autocast(frames.device.type, enabled=False):
        yield


def _error(frames: Tensor, flow: Tensor) -> Tensor:
    """Return how much the windows around each point differ along ``flow``: [B, 1, h, w]."""
    seen = [warp(frames[:, number], flow[:, 2 * number : 2 * number + 2]) for number in (0, 1)]
    down, across = (_windows(frames, side) for side in flow.shape[2:])
    difference = (seen[0] - seen[1]).abs().mean(1, keepdim=True)
    return down @ difference @ across / (down.sum(1)[:, None] * across.sum(1))


def _best_match(frames: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """Return the flow (x, y) to the first frame of the best match, [B, 2, h, w], and where there is any, [B, h, w]."""
    height, width = frames.shape[-2:]
    moves = torch.arange(-radius, radius + 1, device=frames.device)
    columns = [
        F.pad(frames[:, number], (radius,) * 4).index_select(3, _moved(way * moves, radius, width))
        for number, way in ((0, 1), (1, -1))
    ]
    # A GPU compares all motions at once, in few launches; a CPU those of one move along y, which fit into its cache.
    groups = torch.split(moves, 1 if is_on_cpu(frames) else len(moves))
    found = [_best_along_x(columns, downwards, moves, (height, width)) for downwards in groups]
    errors, x = (torch.cat(maps, 1) for maps in zip(*found, strict=True))
    best = errors.min(1)
    x = x.gather(1, best.indices[:, None])[:, 0]
    return torch.stack((moves[x], moves[best.indices]), 1), best.values.isfinite()


def _best_along_x(
    columns: list[Tensor], downwards: Tensor, moves: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """For some moves along y, find the best move along x.

    Args:
        columns: Both frames with a border of zeros, moved to either side along x: [B, 3, h + 2 * radius, moves * w].
        downwards: Moves along y of the first frame; those of the second have the opposite sign.
        moves: All moves along one axis, -radius ... radius.
        size: (h, w).

    Returns:
        The least mean error for each move along y, infinite where too little of the window is seen in both frames, and
        the number of its move along x, both [B, downwards, h, w].
    """
    (height, width), radius = size, len(moves) // 2
    first, second = (
        one.index_select(2, _moved(way * downwards, radius, height)) for one, way in zip(columns, (1, -1), strict=True)
    )
    rows, points = (_is_in_both(*one).to(first.dtype) for one in ((downwards, height), (moves, width)))
    difference = (first - second).abs_().mean(1).view(len(first), len(downwards), height, len(moves), width)
    difference *= rows[:, :, None, None] * points
    # Sums over windows as products with band matrices: torch's pooling took ten times as long on a CPU.
    down, across = (_windows(first, side) for side in size)
    total = down @ (difference @ across).flatten(3)
    share = (rows @ down)[:, :, None, None] * (points @ across)
    is_seen = share > _LEAST_SEEN * down.sum(1)[:, None, None] * across.sum(1)
    least = torch.where(is_seen, total.view_as(difference) / share.clamp(min=1), torch.inf).min(3)
    return least.values, least.indices


def _moved(moves: Tensor, radius: int, side: int) -> Tensor:
    """Return where each point of 0 ... side - 1 lies after each move, in a map with a border of ``radius``."""
    points = torch.arange(radius, radius + side, device=moves.device)
    return (moves[:, None] + points).flatten()


def _is_in_both(moves: Tensor, side: int) -> Tensor:
    """Return for which points of 0 ... side - 1 both ends of a move lie inside: bool [moves, side]."""
    points = torch.arange(side, device=moves.device)
    reach = moves.abs()[:, None]
    return (points >= reach) & (points < side - reach)


def _windows(like: Tensor, side: int) -> Tensor:
    """Return the matrix [side, side] that sums over the window of each point along an axis."""
    points = torch.arange(side, device=like.device)
    return ((points[:, None] - points).abs() <= WINDOW // 2).to(like.dtype)
