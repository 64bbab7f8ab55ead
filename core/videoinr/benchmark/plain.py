"""The paper's three heads evaluated plainly in torch: the yardstick that our own times are set against.

Plainly, as the released code does it: for every output pixel all inputs are read at full width, laid side by side and
put through the whole head; nothing is projected ahead, nothing is kept from one instant to the next. Memory is bounded
by chunks of rows. Frame synthesis as in section 3.5: F_s on the whole grid, and that map is warped.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.benchmark.clock import secs
from videoinr.geometry import Grid, Rect
from videoinr.model.config import PAPER, ModelConfig
from videoinr.model.points import Points
from videoinr.model.siren import OMEGA, SirenHead
from videoinr.model.warp import unit_grid

LIMIT_SECS = 10.0
"""What would take longer is measured on a part of the picture."""
_CHUNK_PX = 2**16
"""More is hardly faster, less is slower: torch shares a chunk among its threads."""
_PROBE_SHARE = 1 / 32


@dataclass(frozen=True, eq=False)
class Heads:
    """SpatialINR [latent, offset], TemporalINR [F_s, latent, t] and decoder [F_s x 2, latent x 2, t]."""

    spatial: SirenHead
    temporal: SirenHead
    decoder: SirenHead

    @classmethod
    def make(cls, config: ModelConfig, device: torch.device) -> Heads:
        """Of ``config``'s sizes, with random weights; the latent is the encoder's feature and both frames."""
        latent, field = config.encoder.feature_channels + 6, config.spatial_channels
        heads = (
            SirenHead((latent, 2), config.spatial_hidden, field),
            SirenHead((field, latent, 1), config.temporal_hidden, 4),
            SirenHead((field, field, latent, latent, 1), config.decoder_hidden, 3),
        )
        return cls(*(head.to(device).requires_grad_(False) for head in heads))


@dataclass(frozen=True, slots=True)
class PlainResult:
    """``secs``: of one instant on all of ``grid``, measured on ``measured`` pixels of it and scaled by their number."""

    clip: str
    grid: str
    secs: float
    measured: str

    @property
    def is_scaled(self) -> bool:
        """Whether only a part was measured."""
        return self.measured != self.grid


def measure_plain(clip: Grid, grid: Grid, device: torch.device, *, repeats: int) -> PlainResult:
    """Time the heads of the paper (section 4.1) on random features of ``clip``'s size, decoded to ``grid``.

    The median of ``repeats``; where that would take over :data:`LIMIT_SECS`, one run, of as many rows as fit into it.
    """
    with torch.inference_mode():
        heads = Heads.make(PAPER, device)
        latent = torch.randn((1, PAPER.encoder.feature_channels + 6, clip.height, clip.width), device=device)

    def run(rows: int) -> float:
        rect = Rect(0, 0, grid.width, rows)
        return secs(lambda: render_plainly(heads, latent, grid, rect, t=1 / 3))

    probed = max(1, round(grid.height * _PROBE_SHARE))
    run(probed)
    secs_per_row = run(probed) / probed
    rows = min(grid.height, max(probed, int(LIMIT_SECS / secs_per_row)))
    runs = max(1, min(repeats, int(LIMIT_SECS / (rows * secs_per_row))))
    measured = statistics.median(run(rows) for _ in range(runs))
    return PlainResult(str(clip), str(grid), measured * grid.height / rows, f"{grid.width}x{rows}")


@torch.inference_mode()
def render_plainly(heads: Heads, latent: Tensor, grid: Grid, rect: Rect, *, t: float) -> Tensor:
    """RGB [rect.height, rect.width, 3] of ``latent`` [1, C, H, W] at ``t``; the edges of ``rect`` are a picture's."""
    bands = list(_bands(rect))
    field = torch.cat([_spatial(heads.spatial, latent, _points(latent, grid, band)) for band in bands], 1)
    rows = []
    for band in bands:
        points, here = _points(latent, grid, band), field[:, band.y - rect.y : band.bottom - rect.y]
        flow = _plainly(heads.temporal, here, _at(latent, points, torch.zeros_like(here[..., :2])), t=t)
        rows.append(_colour(heads.decoder, latent, field, rect, points, flow, t=t)[0])
    return torch.cat(rows)


def _spatial(head: SirenHead, latent: Tensor, points: Points) -> Tensor:
    """Eq. 2: the nearest feature and the way to it -> F_s, [1, h, w, channels]."""
    offsets = points.offsets()
    return _plainly(head, _at(latent, points, torch.zeros_like(offsets), mode="nearest"), offsets)


def _colour(
    head: SirenHead, latent: Tensor, field: Tensor, rect: Rect, points: Points, flow: Tensor, *, t: float
) -> Tensor:
    """Eq. 6 and section 3.4: everything at x + M, both ways -> [1, h, w, 3]."""
    ways = (flow[..., :2], flow[..., 2:])
    image = field.permute(0, 3, 1, 2)
    fields = []
    for way in ways:
        x, y = points.shifted_on_grid(way)
        fields.append(_read(image, x - rect.x, y - rect.y))
    return _plainly(head, *fields, *(_at(latent, points, way) for way in ways), t=t)


def _plainly(head: SirenHead, *inputs: Tensor, t: float | None = None) -> Tensor:
    """All ``inputs`` [1, h, w, C] side by side, and ``t``, through the whole head."""
    if t is not None:
        inputs = (*inputs, torch.full_like(inputs[0][..., :1], t))
    x = torch.sin(OMEGA * head.first(torch.cat(inputs, -1)))
    for layer in head.hidden:
        x = torch.sin(OMEGA * layer(x))
    out: Tensor = head.last(x)
    return out


def _at(latent: Tensor, points: Points, way: Tensor, *, mode: str = "bilinear") -> Tensor:
    return _read(latent, *points.shifted(way), mode=mode)


def _read(image: Tensor, x: Tensor, y: Tensor, *, mode: str = "bilinear") -> Tensor:
    """[1, C, H, W] at x, y, each [1, h, w] -> [1, h, w, C]; borders extended."""
    where = unit_grid(x, y, height=image.shape[2], width=image.shape[3])
    return F.grid_sample(image, where, mode=mode, padding_mode="border", align_corners=False).permute(0, 2, 3, 1)


def _points(latent: Tensor, grid: Grid, rect: Rect) -> Points:
    return Points.make(rect, grid, latent_hw=(latent.shape[2], latent.shape[3]), device=latent.device)


def _bands(rect: Rect) -> Iterator[Rect]:
    """``rect`` in bands of whole rows."""
    rows = max(1, _CHUNK_PX // rect.width)
    for top in range(rect.y, rect.bottom, rows):
        yield Rect(rect.x, top, rect.width, min(rows, rect.bottom - top))
