"""The true flow of windows made of photographs, from mid-time to the first frame and to the last."""

from __future__ import annotations

import torch
from torch import Tensor

from videoinr.training.data.still_motion import Motion, blob, lattice

EDGE = 0.1
"""Pixels whose foreground opacity lies between this and 1 minus this mix two motions, so their flow is not known."""


def true_flow(back: Motion, front: Motion, outline: Tensor, present: Tensor, *, side: int, patch: int) -> Tensor:
    """Compute the true flow at mid-time.

    Args:
        back: The motion of the background.
        front: The motion of the foreground.
        outline: The foreground's outline, [B, BLOB_CHANCES] as :func:`blob` takes it.
        present: Whether there is a foreground, bool [B].
        side: Side of the targets, pixels.
        patch: Side of the LR inputs, pixels.

    Returns:
        [B, 6, patch, patch]. Channels 0 to 3, like a motion prior: the flow (x, y) to the first frame, then to the
        last, LR pixels. Channels 4 and 5: 1 where the flow to the first frame, or to the last, is known, because the
        point is visible in that frame too; 0 elsewhere.
    """
    middle = torch.full_like(present, 0.5, dtype=torch.float32)[:, None]
    covers = present[:, None, None, None]
    before = front.points(middle, side, patch)
    cover = blob(before, outline, side)[:, 0, 0] * covers[:, 0]
    is_front, is_back = cover > 1 - EDGE, cover < EDGE
    points = lattice(side, patch, middle)
    flows, known = [], []
    for end in (0.0, 1.0):
        time = torch.full_like(middle, end)
        to_front = front.inverse(before, time)
        to_back = back.inverse(back.points(middle, side, patch), time)
        behind = blob(front.at(to_back, time), outline, side)[:, 0, 0] * covers[:, 0]
        where = torch.where(is_front[..., None], to_front[:, 0], to_back[:, 0])
        seen = is_front | (is_back & (behind < EDGE))
        known.append((seen & (where.abs().amax(-1) < side / 2)).float())
        flows.append((where - points) * (patch / side))
    return torch.cat([*(flow.permute(0, 3, 1, 2) for flow in flows), torch.stack(known, 1)], 1)
