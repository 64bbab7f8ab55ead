"""A plain torch implementation of the paper's three heads: the reference for this program's times.

It works as the released code does: for every output pixel it reads all inputs at full width, concatenates them and
evaluates the whole head. Nothing is projected in advance or kept between instants. Chunks of rows bound the memory.
Frame synthesis follows section 3.5: F_s is computed on the whole grid, and that map is warped.
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
"""If a whole picture would take longer than this, only some of its rows are measured."""
_CHUNK_PX = 2**16
"""Pixels of a chunk. Larger chunks are hardly faster; smaller ones are slower, as torch's threads share a chunk."""
_PROBE_SHARE = 1 / 32


@dataclass(frozen=True, eq=False)
class Heads:
    """SpatialINR [latent, offset], TemporalINR [F_s, latent, t] and decoder [F_s x 2, latent x 2, t]."""

    spatial: SirenHead
    temporal: SirenHead
    decoder: SirenHead

    @classmethod
    def make(cls, config: ModelConfig, device: torch.device) -> Heads:
        """Make heads of ``config``'s sizes with random weights. The latent is the encoder's feature and both frames."""
        latent, field = config.encoder.feature_channels + 6, config.spatial_channels
        heads = (
            SirenHead((latent, 2), config.spatial_hidden, field),
            SirenHead((field, latent, 1), config.temporal_hidden, 4),
            SirenHead((field, field, latent, latent, 1), config.decoder_hidden, 3),
        )
        return cls(*(head.to(device).requires_grad_(False) for head in heads))


@dataclass(frozen=True, slots=True)
class PlainResult:
    """``secs``: the time of one instant on ``grid``, measured on ``measured`` (WxH) and scaled by the pixel count."""

    clip: str
    grid: str
    secs: float
    measured: str

    @property
    def is_scaled(self) -> bool:
        """Whether only some of the rows were measured."""
        return self.measured != self.grid


def measure_plain(
    clip: Grid, grid: Grid, device: torch.device, *, repeats: int, limit_secs: float | None = None
) -> PlainResult:
    """Time the paper's heads (section 4.1) on random features of ``clip``'s size, decoded to ``grid``.

    Returns the median of ``repeats`` runs. If one run would take longer than ``limit_secs`` (None: :data:`LIMIT_SECS`),
    it is limited to the rows that take that long, and to a few rows at least.
    """
    limit_secs = LIMIT_SECS if limit_secs is None else limit_secs
    with torch.inference_mode():
        heads = Heads.make(PAPER, device)
        latent = torch.randn((1, PAPER.encoder.feature_channels + 6, clip.height, clip.width), device=device)

    def run(rows: int) -> float:
        rect = Rect(0, 0, grid.width, rows)
        return secs(lambda: render_plainly(heads, latent, grid, rect, t=1 / 3))

    probed = max(1, round(grid.height * _PROBE_SHARE))
    run(probed)
    secs_per_row = run(probed) / probed
    rows = min(grid.height, max(probed, int(limit_secs / secs_per_row)))
    runs = max(1, min(repeats, int(limit_secs / (rows * secs_per_row))))
    measured = statistics.median(run(rows) for _ in range(runs))
    return PlainResult(str(clip), str(grid), measured * grid.height / rows, f"{grid.width}x{rows}")


@torch.inference_mode()
def render_plainly(heads: Heads, latent: Tensor, grid: Grid, rect: Rect, *, t: float) -> Tensor:
    """Decode ``latent`` [1, C, H, W] at ``t`` to RGB [rect.height, rect.width, 3], with F_s on ``rect`` only."""
    bands = list(_bands(rect))
    field = torch.cat([_spatial(heads.spatial, latent, _points(latent, grid, band)) for band in bands], 1)
    rows = []
    for band in bands:
        points, here = _points(latent, grid, band), field[:, band.y - rect.y : band.bottom - rect.y]
        flow = _plainly(heads.temporal, here, _at(latent, points, torch.zeros_like(here[..., :2])), t=t)
        rows.append(_colour(heads.decoder, latent, field, rect, points, flow, t=t)[0])
    return torch.cat(rows)


def _spatial(head: SirenHead, latent: Tensor, points: Points) -> Tensor:
    """Return F_s [1, h, w, channels] by eq. 2, from the nearest latent feature and the offset to it."""
    offsets = points.offsets()
    return _plainly(head, _at(latent, points, torch.zeros_like(offsets), mode="nearest"), offsets)


def _colour(
    head: SirenHead, latent: Tensor, field: Tensor, rect: Rect, points: Points, flow: Tensor, *, t: float
) -> Tensor:
    """Return RGB [1, h, w, 3] by eq. 6 and section 3.4: all features are read at x + M, in both directions."""
    ways = (flow[..., :2], flow[..., 2:])
    image = field.permute(0, 3, 1, 2)
    fields = []
    for way in ways:
        x, y = points.shifted_on_grid(way)
        fields.append(_read(image, x - rect.x, y - rect.y))
    return _plainly(head, *fields, *(_at(latent, points, way) for way in ways), t=t)


def _plainly(head: SirenHead, *inputs: Tensor, t: float | None = None) -> Tensor:
    """Concatenate ``inputs`` [1, h, w, C] and ``t``, and evaluate the whole head."""
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
    """Sample ``image`` [1, C, H, W] at x, y, each [1, h, w]: [1, h, w, C], border extended."""
    where = unit_grid(x, y, height=image.shape[2], width=image.shape[3])
    return F.grid_sample(image, where, mode=mode, padding_mode="border", align_corners=False).permute(0, 2, 3, 1)


def _points(latent: Tensor, grid: Grid, rect: Rect) -> Points:
    return Points.make(rect, grid, latent_hw=(latent.shape[2], latent.shape[3]), device=latent.device)


def _bands(rect: Rect) -> Iterator[Rect]:
    """Split ``rect`` into bands of whole rows."""
    rows = max(1, _CHUNK_PX // rect.width)
    for top in range(rect.y, rect.bottom, rows):
        yield Rect(rect.x, top, rect.width, min(rows, rect.bottom - top))
