"""Propagation of flows to neighbours in plain torch; ops.py chooses between it and a kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

ERROR_WINDOW = 5
"""Side of the window over which a candidate flow's error is averaged, pixels of its level."""
NEIGHBOUR_MARGIN = 1.1
"""Factor on the error of a neighbour's flow, so that a point without texture keeps its own flow."""


def plain_propagated(
    first: Tensor, second: Tensor, flow: Tensor, distances: Sequence[int],
    sample: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> Tensor:  # fmt: skip
    """Choose flows as :func:`videoinr.model.ops.propagated` does; ``sample`` is the one of that module."""
    height, width = flow.shape[2:]
    most = max(distances)
    padded = F.pad(flow, (most, most, most, most), mode="replicate")
    offsets = [(0, 0), *((dy, dx) for r in distances for dy, dx in ((-r, 0), (r, 0), (0, -r), (0, r)))]
    views = (padded[:, :, most + dy :, most + dx :][:, :, :height, :width] for dy, dx in offsets)
    candidates = torch.stack(list(views), 1)
    with torch.no_grad():
        x = candidates[:, :, ::2] + torch.arange(width, device=flow.device)
        y = candidates[:, :, 1::2] + torch.arange(height, device=flow.device)[:, None]
        # All candidates are rows of one large map, which takes one kernel launch and not one per candidate.
        seen = [
            sample(image.permute(0, 2, 3, 1), x[:, :, way].flatten(1, 2), y[:, :, way].flatten(1, 2))
            for way, image in enumerate((first, second))
        ]
        error = (seen[0].float() - seen[1].float()).abs().mean(-1).view(len(flow), -1, height, width)
        error = F.avg_pool2d(error, ERROR_WINDOW, 1, ERROR_WINDOW // 2, count_include_pad=False)
        best = torch.cat((error[:, :1], NEIGHBOUR_MARGIN * error[:, 1:]), 1).argmin(1)
    return candidates.gather(1, best[:, None, None].expand(-1, 1, 4, -1, -1))[:, 0]
