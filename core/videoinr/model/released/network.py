"""The network that the paper's authors released: Zooming SlowMo and three SIREN heads, connected as in their code.

It differs from the paper, and from :class:`~videoinr.model.video_inr.VideoINR`, in this:

- SpatialINR also reads t and both frames, so F_s(x, t) holds at one time only;
- both frames are enlarged four times, bilinearly, before the heads read them;
- the decoder outputs RGB, without a blend;
- positions are those of :mod:`videoinr.model.released.lattice`.

As in siren.py, the heads' first layers are applied to the latent feature once for each pair: reading a map is linear
here, too, and the bias is added after it. The enlarged frames have only six channels and are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.geometry import Grid, Rect
from videoinr.model.encoders.zooming_slowmo import SIZE_MULTIPLE, ZoomingSlowMoEncoder
from videoinr.model.features import EncodedMaps, FieldSampler
from videoinr.model.ops import sample
from videoinr.model.points import Points
from videoinr.model.released.config import ReleasedConfig
from videoinr.model.released.lattice import Lattice, LatticeAxis, on_map
from videoinr.model.representation import Representation
from videoinr.model.siren import SirenHead

ENLARGED = 4
"""How many times larger than the source frames the heads read them."""
_BAND_PX = 2**17
"""Pixels that :meth:`ReleasedVideoINR.render` computes at a time."""


@dataclass(frozen=True, eq=False)
class ReleasedFeatures(EncodedMaps):
    """B encoded pairs: all that decoding needs of them. A :class:`~videoinr.model.representation.Features`.

    Channels last, float32. H and W are the size of the latent feature: that of the source frames, padded to multiples
    of four unless the conventions are corrected. S, T and D are the heads' first hidden widths.

    Attributes:
        frames: The source frames as given, [B, 2, 3, h, w] in 0 ... 1.
        enlarged: Both padded frames, enlarged: [B, 4H, 4W, 6].
        spatial: The latent feature's term of SpatialINR's first layer [B, H, W, S].
        temporal: Its term of TemporalINR's first layer [B, H, W, T].
        colour_first: Its term of the decoder's first layer, where the flow to the first frame leads [B, H, W, D].
        colour_second: The same for the second frame [B, H, W, D].
        model: The model that encoded the pairs, and whose heads decode them.
    """

    MAP_NAMES = ("frames", "enlarged", "spatial", "temporal", "colour_first", "colour_second")

    frames: Tensor
    enlarged: Tensor
    temporal: Tensor
    colour_first: Tensor
    colour_second: Tensor
    model: ReleasedVideoINR

    def compact(self) -> ReleasedFeatures:
        """Return the features: no kernel reads them, so there is no other form."""
        return self

    def in_float32(self) -> ReleasedFeatures:
        """Return the features, which are float32 already."""
        return self

    def for_kernels(self) -> None:
        """Return None: the CUDA decoder's kernels compute other formulae."""
        return

    def at(self, grid: Grid, t: Tensor) -> ReleasedMoment:
        """Return the pairs at time ``t`` on ``grid``; see :meth:`videoinr.model.representation.Features.at`."""
        axes = (
            LatticeAxis.make(pixels, clip_size=clip_size, size=size, corrected=self.model.config.corrected)
            for pixels, clip_size, size in zip(
                (grid.width, grid.height), self.frames.shape[:2:-1], self.spatial.shape[2:0:-1], strict=True
            )
        )
        return ReleasedMoment(self, t, Lattice(*axes))

    def render(self, grid: Grid, times: Sequence[Tensor]) -> list[Tensor]:
        """Render whole frames; see :meth:`videoinr.model.representation.Features.render`."""
        return self.model.render(self, grid, times)


@dataclass(frozen=True, eq=False)
class ReleasedMoment:
    """Encoded pairs at one time on one grid. A :class:`~videoinr.model.representation.Moment`; see there."""

    features: ReleasedFeatures
    t: Tensor
    lattice: Lattice

    @property
    def grid(self) -> Grid:
        """The grid on which F_s is evaluated: the picture's, and beyond it the pixels of the padding."""
        return Grid(self.lattice.columns.pixels, self.lattice.rows.pixels)

    @property
    def is_time_free(self) -> bool:
        """False: SpatialINR reads t."""
        return False

    def points(self, rect: Rect) -> Points:
        """Return the pixels ``rect`` of :attr:`grid`. Only their indices are used; :attr:`lattice` places them."""
        latent_hw, device = self.features.latent_hw, self.features.spatial.device
        return Points.make(rect, self.grid, latent_hw=latent_hw, device=device)

    def spatial_feature(self, points: Points) -> Tensor:
        """Evaluate F_s(x, t)."""
        return self.features.model.spatial_feature(self, points)

    def motion_basis(self, points: Points, spatial: Tensor) -> tuple[Tensor]:
        """Compute M(x, t) itself, as everything here holds at one time; see :meth:`ReleasedVideoINR.motion`."""
        return (self.features.model.motion(self, points, spatial),)

    def motion(self, basis: tuple[Tensor, ...]) -> Tensor:
        """Return M(x, t), which is the basis."""
        return basis[0]

    def colour(self, points: Points, flow: Tensor, sample_field: FieldSampler) -> Tensor:
        """Compute RGB; see :meth:`ReleasedVideoINR.colour`."""
        return self.features.model.colour(self, points, flow, sample_field)

    def latent_flow(self, points: Points, flow: Tensor) -> Tensor:
        """Return how far from each pixel the network reads.

        Args:
            points: The h x w pixels of a rectangle.
            flow: M(x, t) [B, h, w, 4], as :meth:`motion` returned it.

        Returns:
            [B, h, w, 4], latent pixels: (x, y) to the first frame, then (x, y) to the second.
        """
        (height, width), lattice = self.features.latent_hw, self.lattice
        columns, rows = points.columns.index, points.rows.index[:, None]
        moved = [
            on_map(axis.moved(index, flow[..., channel]), size) - on_map(axis.centres(index), size)
            for channel, (axis, index, size) in enumerate(
                2 * ((lattice.columns, columns, width), (lattice.rows, rows, height))
            )
        ]
        return torch.stack(moved, -1)


class ReleasedVideoINR(Representation):
    """Encoder, SpatialINR, TemporalINR and decoder of the released checkpoint (442 tensors, of which 434 are used)."""

    config: ReleasedConfig
    can_record_encoding = False

    def __init__(self, config: ReleasedConfig) -> None:
        """Make the network with freshly initialised weights."""
        super().__init__()
        self.config = config
        sizes, feature, field = config.sizes, config.encoder.feature_channels, config.spatial_channels
        self.encoder = ZoomingSlowMoEncoder(config.encoder)
        self.spatial_head = SirenHead((feature, 6, 2, 1), sizes.spatial_hidden, field)
        self.temporal_head = SirenHead((field, feature, 6, 1), sizes.temporal_hidden, 4)
        self.decoder_head = SirenHead((field, field, feature, feature, 6, 6, 1), sizes.decoder_hidden, 3)

    @property
    def warps_frames(self) -> bool:
        """False: the decoder outputs RGB."""
        return False

    def encode(self, frames: Tensor, *, half: bool = False, whole: Grid | None = None) -> ReleasedFeatures:
        """Encode pairs of frames; see :meth:`videoinr.model.representation.Representation.encode`.

        ``half`` is ignored: the results to reproduce were computed in float32. ``whole`` is, too: there is one depth.
        """
        height, width = frames.shape[-2:]
        fill = (0, 0) if self.config.corrected else (-width % SIZE_MULTIPLE, -height % SIZE_MULTIPLE)
        padded = F.pad(frames.float(), (0, fill[0], 0, fill[1]))
        latent = self.encoder(padded).float().permute(0, 2, 3, 1)
        enlarged = F.interpolate(padded.flatten(1, 2), scale_factor=ENLARGED, mode="bilinear", align_corners=False)
        return ReleasedFeatures(
            frames=frames.float(),
            enlarged=enlarged.permute(0, 2, 3, 1).contiguous(),
            spatial=self.spatial_head.first.project(0, latent),
            temporal=self.temporal_head.first.project(1, latent),
            colour_first=self.decoder_head.first.project(2, latent),
            colour_second=self.decoder_head.first.project(3, latent),
            model=self,
        )

    def encodes_in_half(self, device: torch.device) -> bool:
        """Return False."""
        del device
        return False

    def spatial_feature(self, moment: ReleasedMoment, points: Points) -> Tensor:
        """Evaluate F_s(x, t) = f_s(z*, frames*, x - v*, t).

        x - v* is in half latent pixels, -1 ... 1, order (y, x), unlike in :class:`VideoINR`.

        Args:
            moment: The pairs at t.
            points: The h x w pixels x of a rectangle.

        Returns:
            [B, h, w, spatial_channels].
        """
        features, first = moment.features, self.spatial_head.first
        latent, latent_offsets = _nearest(moment, points, features.spatial)
        frames, _ = _nearest(moment, points, features.enlarged)
        terms = (latent, first.project(1, frames), first.project(2, latent_offsets), first.project(3, moment.t))
        out: Tensor = self.spatial_head(sum(terms))
        return out

    def motion(self, moment: ReleasedMoment, points: Points, spatial: Tensor) -> Tensor:
        """Compute M(x, t) by TemporalINR.

        Args:
            moment: The pairs at t.
            points: The pixels x of a rectangle.
            spatial: F_s(x, t), as :meth:`spatial_feature` returned it.

        Returns:
            [B, h, w, 4]: flow (x, y) to the first frame, then to the second, in the unit of
            :meth:`~videoinr.model.released.lattice.LatticeAxis.moved`.
        """
        x, y = _spread(
            moment.lattice.columns.centres(points.columns.index), moment.lattice.rows.centres(points.rows.index)
        )
        features, first, read = moment.features, self.temporal_head.first, moment.lattice.read
        where = (x.expand(len(features.frames), -1, -1), y.expand(len(features.frames), -1, -1))
        terms = (
            first.project(0, spatial),
            read(features.temporal, *where),
            first.project(2, read(features.enlarged, *where)),
            first.project(3, moment.t),
        )
        out: Tensor = self.temporal_head(sum(terms))
        return out

    def colour(self, moment: ReleasedMoment, points: Points, flow: Tensor, sample_field: FieldSampler) -> Tensor:
        """Compute RGB [B, h, w, 3], about 0 ... 1, not clamped, from what both ends of the flow read.

        Args:
            moment: The pairs at t.
            points: The pixels x of a rectangle.
            flow: M(x, t), as :meth:`motion` returned it.
            sample_field: Reads F_s(x + flow, t), borders extended; its flow is in latent pixels.
        """
        features, lattice, first = moment.features, moment.lattice, self.decoder_head.first
        first_sum = first.project(6, moment.t)
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
        """Render whole frames; see :meth:`videoinr.model.representation.Features.render`.

        F_s is held for the whole grid, everything else for one band of rows at a time.
        """
        return [self._frame(features.at(grid, time.view(-1, 1, 1, 1)), grid) for time in times]

    def _frame(self, moment: ReleasedMoment, grid: Grid) -> Tensor:
        spatial = torch.cat([self.spatial_feature(moment, moment.points(band)) for band in _bands(moment.grid)], 1)

        def sample_field(points: Points, flow: Tensor) -> Tensor:
            return sample(spatial, *points.shifted_on_grid(flow))

        rows = []
        for band in _bands(grid):
            points = moment.points(band)
            flow = self.motion(moment, points, spatial[:, band.y : band.bottom, : band.width])
            rows.append(self.colour(moment, points, flow, sample_field))
        return torch.cat(rows, 1).permute(0, 3, 1, 2)


def _nearest(moment: ReleasedMoment, points: Points, image: Tensor) -> tuple[Tensor, Tensor]:
    """Read ``image`` [B, H, W, C] at the pixel nearest to each of ``points``.

    Returns:
        The values [B, h, w, C], and the offsets from the nearest pixel, [1, h, w, 2], order (y, x), in half latent
        pixels: the released network's unit.
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
    """Expand x [w] and y [h] to [1, h, w] each."""
    shape = (1, len(y), len(x))
    return x.expand(shape), y[:, None].expand(shape)


def _warped_field(moment: ReleasedMoment, points: Points, x: Tensor, y: Tensor, sample_field: FieldSampler) -> Tensor:
    """Read F_s at the coordinates x, y (-1 ... 1), with the lattice's border."""
    columns, rows = moment.lattice.columns, moment.lattice.rows
    x, y = on_map(x, columns.extent), on_map(y, rows.extent)
    steps = (
        (x - points.columns.index) / points.columns.pixels_per_latent,
        (y - points.rows.index[:, None]) / points.rows.pixels_per_latent,
    )
    read = sample_field(points, torch.stack(steps, -1))
    return read * moment.lattice.inside(x, y, width=columns.pixels, height=rows.pixels)


def _bands(grid: Grid) -> Iterator[Rect]:
    """Split ``grid`` into bands of whole rows."""
    rows = max(1, _BAND_PX // grid.width)
    for top in range(0, grid.height, rows):
        yield Rect(0, top, grid.width, min(rows, grid.height - top))
