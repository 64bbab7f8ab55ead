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


BAND_PX = 2**15
"""Without gradients a CPU compares the candidates of so many pixels at a time: for each pixel it reads the features of
both frames at every candidate, some 3 kB."""


def plain_propagated(
    first: Tensor, second: Tensor, flow: Tensor, distances: Sequence[int],
    sample: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> Tensor:  # fmt: skip
    """Choose flows as :func:`videoinr.model.ops.propagated` does; ``sample`` is the one of that module."""
    height, width = flow.shape[2:]
    most = max(distances)
    padded = F.pad(flow, (most, most, most, most), mode="replicate")
    in_bands = flow.device.type == "cpu" and not torch.is_grad_enabled() and not torch.compiler.is_compiling()
    step = max(1, BAND_PX // (len(flow) * width)) if in_bands else height
    if step >= height:
        return _chosen(first, second, padded, distances, sample, (0, height))
    bands = [(top, min(height, top + step)) for top in range(0, height, step)]
    return torch.cat([_chosen(first, second, padded, distances, sample, band) for band in bands], 2)


def _chosen(
    first: Tensor, second: Tensor, padded: Tensor, distances: Sequence[int],
    sample: Callable[[Tensor, Tensor, Tensor], Tensor], band: tuple[int, int],
) -> Tensor:  # fmt: skip
    """Choose the flows of the rows ``band`` (first, last + 1); ``padded``: the flow with a border, max(distances)."""
    most = max(distances)
    height, width = (side - 2 * most for side in padded.shape[2:])
    # The mean of the errors reads rows above and below the band.
    top, bottom = max(0, band[0] - ERROR_WINDOW // 2), min(height, band[1] + ERROR_WINDOW // 2)
    offsets = [(0, 0), *((dy, dx) for r in distances for dy, dx in ((-r, 0), (r, 0), (0, -r), (0, r)))]
    views = (padded[:, :, most + top + dy : most + bottom + dy, most + dx :][:, :, :, :width] for dy, dx in offsets)
    candidates = torch.stack(list(views), 1)
    with torch.no_grad():
        x = candidates[:, :, ::2] + torch.arange(width, device=padded.device)
        y = candidates[:, :, 1::2] + torch.arange(top, bottom, device=padded.device)[:, None]
        # All candidates are rows of one large map, which takes one kernel launch and not one per candidate.
        seen = [
            sample(image.permute(0, 2, 3, 1), x[:, :, way].flatten(1, 2), y[:, :, way].flatten(1, 2))
            for way, image in enumerate((first, second))
        ]
        error = (seen[0].float() - seen[1].float()).abs().mean(-1).view(len(padded), -1, bottom - top, width)
        error = F.avg_pool2d(error, ERROR_WINDOW, 1, ERROR_WINDOW // 2, count_include_pad=False)
        rows = slice(band[0] - top, band[1] - top)
        best = torch.cat((error[:, :1, rows], NEIGHBOUR_MARGIN * error[:, 1:, rows]), 1).argmin(1)
    return candidates[..., rows, :].gather(1, best[:, None, None].expand(-1, 1, 4, -1, -1))[:, 0]
