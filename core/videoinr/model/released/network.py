"""The released network: Zooming SlowMo and three SIRENs, tied together as its authors' code ties them.

Where it leaves the paper (and :class:`~videoinr.model.video_inr.VideoINR`):

- SpatialINR is also told t and both frames, so F_s holds for one instant only: F_s(x, t);
- both frames are enlarged four times, bilinearly, before anything reads them;
- the decoder answers with RGB itself;
- the lattices are those of :mod:`videoinr.model.released.lattice`.

The heads' first linear maps are applied to the latent feature once per pair, as in siren.py: reading is linear here
too, and the bias joins after it. The enlarged frames have but six channels, so those are read as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from videoinr.geometry import Grid, Rect
from videoinr.model.encoders.zooming_slowmo import SIZE_MULTIPLE, ZoomingSlowMoEncoder
from videoinr.model.ops import sample
from videoinr.model.points import Points
from videoinr.model.released.config import ReleasedConfig
from videoinr.model.released.lattice import Lattice, LatticeAxis, on_map
from videoinr.model.siren import SirenHead

ENLARGED = 4
_BAND_PX = 2**17
"""Pixels that :meth:`ReleasedVideoINR.render` evaluates at a time."""

FieldSampler = Callable[[Points, Tensor], Tensor]
"""(points, flow [B, h, w, 2] in latent pixels) -> F_s(x + flow, t), borders extended, [B, h, w, spatial_channels]."""


@dataclass(frozen=True, eq=False)
class ReleasedFeatures:
    """What is known of a pair once it is encoded. Channels last, float32; H and W filled up unless ``corrected``.

    ``frames``: [B, 2, 3, h, w] as given. ``enlarged``: [B, 4H, 4W, 6]. ``spatial`` [B, H, W, S], ``temporal``
    [B, H, W, T], ``colour_first`` and ``colour_second`` [B, H, W, D]: the heads' first maps of the latent feature.
    """

    frames: Tensor
    enlarged: Tensor
    spatial: Tensor
    temporal: Tensor
    colour_first: Tensor
    colour_second: Tensor
    corrected: bool

    @property
    def nbytes(self) -> int:
        """Memory it holds, bytes."""
        values = (getattr(self, field.name) for field in fields(self))
        return sum(value.nbytes for value in values if isinstance(value, Tensor))

    def at(self, grid: Grid, t: Tensor) -> ReleasedMoment:
        """The pair at ``t`` ([B or 1, 1, 1, 1], 0 ... 1) on ``grid``: what F_s holds for."""
        axes = (
            LatticeAxis.make(pixels, clip_size=clip_size, size=size, corrected=self.corrected)
            for pixels, clip_size, size in zip(
                (grid.width, grid.height), self.frames.shape[:2:-1], self.spatial.shape[2:0:-1], strict=True
            )
        )
        return ReleasedMoment(self, t, Lattice(*axes))


@dataclass(frozen=True, eq=False)
class ReleasedMoment:
    """A pair at one instant on one grid."""

    features: ReleasedFeatures
    t: Tensor
    lattice: Lattice

    @property
    def grid(self) -> Grid:
        """The pixels F_s is evaluated on: those asked for, and those of what the clip was filled up with."""
        return Grid(self.lattice.columns.pixels, self.lattice.rows.pixels)

    @property
    def latent_hw(self) -> tuple[int, int]:
        """Height and width of the latent feature."""
        return self.features.spatial.shape[1], self.features.spatial.shape[2]

    def points(self, rect: Rect) -> Points:
        """The pixels ``rect`` of :attr:`grid`. Their indices count here; where they lie, the lattice says."""
        return Points.make(rect, self.grid, latent_hw=self.latent_hw, device=self.features.spatial.device)


class ReleasedVideoINR(nn.Module):
    """Encoder, SpatialINR, TemporalINR and decoder of the released checkpoint (442 tensors, 434 of them in use)."""

    def __init__(self, config: ReleasedConfig) -> None:
        super().__init__()
        self.config = config
        sizes, feature, field = config.sizes, config.encoder.feature_channels, config.spatial_channels
        self.encoder = ZoomingSlowMoEncoder(config.encoder)
        self.spatial_head = SirenHead((feature, 6, 2, 1), sizes.spatial_hidden, field)
        self.temporal_head = SirenHead((field, feature, 6, 1), sizes.temporal_hidden, 4)
        self.decoder_head = SirenHead((field, field, feature, feature, 6, 6, 1), sizes.decoder_hidden, 3)

    def encode(self, frames: Tensor, *, half: bool = False) -> ReleasedFeatures:
        """Frames [B, 2, 3, H, W] in 0 ... 1, any H and W -> all that decoding needs of the pair.

        ``half`` is VideoINR's, and changes nothing here: what is reproduced was computed in float32.
        """
        height, width = frames.shape[-2:]
        fill = (0, 0) if self.config.corrected else (-width % SIZE_MULTIPLE, -height % SIZE_MULTIPLE)
        filled = F.pad(frames.float(), (0, fill[0], 0, fill[1]))
        latent = self.encoder(filled).float().permute(0, 2, 3, 1)
        enlarged = F.interpolate(filled.flatten(1, 2), scale_factor=ENLARGED, mode="bilinear", align_corners=False)
        return ReleasedFeatures(
            frames=frames.float(),
            enlarged=enlarged.permute(0, 2, 3, 1).contiguous(),
            spatial=self.spatial_head.first.project(0, latent),
            temporal=self.temporal_head.first.project(1, latent),
            colour_first=self.decoder_head.first.project(2, latent),
            colour_second=self.decoder_head.first.project(3, latent),
            corrected=self.config.corrected,
        )

    def spatial_feature(self, moment: ReleasedMoment, points: Points) -> Tensor:
        """F_s(x, t) = f_s(z*, frames*, x - v*, t) -> [B, h, w, spatial_channels]; x - v* in -1 ... 1, y before x."""
        features, first = moment.features, self.spatial_head.first
        latent, latent_offsets = _nearest(moment, points, features.spatial)
        frames, _ = _nearest(moment, points, features.enlarged)
        shares = (latent, first.project(1, frames), first.project(2, latent_offsets), first.project(3, moment.t))
        out: Tensor = self.spatial_head(sum(shares))
        return out

    def motion_basis(self, moment: ReleasedMoment, points: Points, spatial: Tensor) -> Tensor:
        """TemporalINR's answer, as everything here for one t: [B, h, w, 4], two flows (x, y) as the lattice counts."""
        x, y = _spread(
            moment.lattice.columns.centres(points.columns.index), moment.lattice.rows.centres(points.rows.index)
        )
        features, first, read = moment.features, self.temporal_head.first, moment.lattice.read
        where = (x.expand(len(features.frames), -1, -1), y.expand(len(features.frames), -1, -1))
        shares = (
            first.project(0, spatial),
            read(features.temporal, *where),
            first.project(2, read(features.enlarged, *where)),
            first.project(3, moment.t),
        )
        out: Tensor = self.temporal_head(sum(shares))
        return out

    def motion(self, basis: Tensor, t: Tensor) -> Tensor:
        """The flows that :meth:`motion_basis` knows already; ``t`` is the moment's."""
        del t
        return basis

    def colour(
        self, moment: ReleasedMoment, points: Points, flow: Tensor, t: Tensor, sample_field: FieldSampler
    ) -> Tensor:
        """RGB [B, h, w, 3] (about 0 ... 1, not clamped) of what the two flows bring together; ``t`` is the moment's."""
        features, lattice, first = moment.features, moment.lattice, self.decoder_head.first
        first_sum = first.project(6, t)
        for way, latent in enumerate((features.colour_first, features.colour_second)):
            x = lattice.columns.moved(points.columns.index, flow[..., 2 * way])
            y = lattice.rows.moved(points.rows.index[:, None], flow[..., 2 * way + 1])
            field = _warped_field(moment, points, x, y, sample_field)
            frames = lattice.read(features.enlarged, x, y)
            first_sum = (
                first_sum + first.project(way, field) + lattice.read(latent, x, y) + first.project(4 + way, frames)
            )
        out: Tensor = self.decoder_head(first_sum)
        return out

    def render(self, features: ReleasedFeatures, grid: Grid, times: Sequence[Tensor]) -> list[Tensor]:
        """Whole frames [B, 3, grid.height, grid.width] at ``times`` (each [B]).

        F_s is kept for the whole grid, everything else for a band of rows at a time.
        """
        return [self._frame(features.at(grid, time.view(-1, 1, 1, 1)), grid) for time in times]

    def _frame(self, moment: ReleasedMoment, grid: Grid) -> Tensor:
        spatial = torch.cat([self.spatial_feature(moment, moment.points(band)) for band in _bands(moment.grid)], 1)

        def sample_field(points: Points, flow: Tensor) -> Tensor:
            return sample(spatial, *points.shifted_on_grid(flow))

        rows = []
        for band in _bands(grid):
            points = moment.points(band)
            flow = self.motion_basis(moment, points, spatial[:, band.y : band.bottom, : band.width])
            rows.append(self.colour(moment, points, flow, moment.t, sample_field))
        return torch.cat(rows, 1).permute(0, 3, 1, 2)


def _nearest(moment: ReleasedMoment, points: Points, image: Tensor) -> tuple[Tensor, Tensor]:
    """``image`` [B, H, W, C] at the nearest of its pixels -> [B, h, w, C], and the way there [1, h, w, 2], (y, x).

    The way is in half latent features, as the released network counts it.
    """
    indices, offsets = [], []
    for axis, index, count in (
        (moment.lattice.rows, points.rows.index, image.shape[1]),
        (moment.lattice.columns, points.columns.index, image.shape[2]),
    ):
        coordinate = axis.centres(index)
        nearest = axis.nearest(coordinate, count)
        indices.append(nearest)
        offsets.append((coordinate - ((-1 + 1 / count) + (2 / count) * nearest.float())) * axis.size)
    x, y = _spread(offsets[1], offsets[0])
    return image.index_select(1, indices[0]).index_select(2, indices[1]), torch.stack((y, x), -1)


def _spread(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """x [w] and y [h] -> both [1, h, w]."""
    shape = (1, len(y), len(x))
    return x.expand(shape), y[:, None].expand(shape)


def _warped_field(moment: ReleasedMoment, points: Points, x: Tensor, y: Tensor, sample_field: FieldSampler) -> Tensor:
    """F_s at the coordinates x, y of its own grid, with the lattice's way outside of it."""
    columns, rows = moment.lattice.columns, moment.lattice.rows
    x, y = on_map(x, columns.extent), on_map(y, rows.extent)
    steps = (
        (x - points.columns.index) / points.columns.pixels_per_latent,
        (y - points.rows.index[:, None]) / points.rows.pixels_per_latent,
    )
    read = sample_field(points, torch.stack(steps, -1))
    return read * moment.lattice.inside(x, y, width=columns.pixels, height=rows.pixels)


def _bands(grid: Grid) -> Iterator[Rect]:
    """The grid in bands of whole rows."""
    rows = max(1, _BAND_PX // grid.width)
    for top in range(0, grid.height, rows):
        yield Rect(0, top, grid.width, min(rows, grid.height - top))
