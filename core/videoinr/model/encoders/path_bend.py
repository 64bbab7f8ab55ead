"""How the path of each point bends: a cubic through four frames, believed as far as a small network says.

The two flows of a pair tell where a point is in its two frames, and so a straight path at even speed. The frames beside
the pair tell how the velocity changes. With frames at -1, 0, 1 and 2 (the pair is 0 and 1) and x(t) the point's
position, the *second differences*

    aL = x(1) - 2 x(0) + x(-1)        aR = x(2) - 2 x(1) + x(0)

give the cubic through all four, which leaves the chord from x(0) to x(1) by a term with two coefficients,
c1 = (aL + aR) / 2 and c2 = aR - aL (:func:`~videoinr.model.time_laws.bend_of`). This is the two-term motion in t that
B-splines give other space-time models; the paper has the straight path only (section 3.3 leaves the rest to
TemporalINR).

All is computed at half the size, from what the search finds below its finest level: the path of a point is smooth, and
these maps exist for whole frames whatever part of them is encoded. The outer pairs' motion is taken from their searches
at a quarter of the size: for one level more, a click on an instant would wait a quarter longer (``lite``). These
searches are the beginnings of those of the neighbouring pairs, which a clip that plays needs anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from videoinr.model.config import MotionPriorConfig
from videoinr.model.layers import LEAK, ExactConv, conv
from videoinr.model.maps import concat, downsampled
from videoinr.model.ops import convolve, resize, warp

SEEN_CHANNELS = 17
"""What the network reads beside the hidden map: two second differences and the chord, squashed at two limits each (12
channels), three errors, and whether each neighbour is there."""
WHOLE_PX, BAND_PX = 2**18, 2**18
"""A CPU computes maps of more than WHOLE_PX pixels (frames beyond 1280x800) in bands of BAND_PX: what the network
reads and its layers take some 0.9 kB for a pixel. The bits depend on the size of the frames alone."""
_REACH_ROWS = 12
"""How many rows away the network reads: the sum of its layers' dilations."""
_INVERSION_STEPS = 3
_SLOW, _FAST = (2.0, 16.0), (8.0, 32.0)
"""Pixels at which the squashed second differences, and the chord, are about 3/4 of their limit."""


@dataclass(frozen=True, eq=False)
class CoarseSearch:
    """A search that ended before its finest level: ``flow`` [B, 4, h, w] (pixels of these maps) and ``hidden``."""

    flow: Tensor
    hidden: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of both maps."""
        return self.flow.nbytes + self.hidden.nbytes

    def clone(self) -> CoarseSearch:
        """Return a copy with memory of its own."""
        return CoarseSearch(self.flow.clone(), self.hidden.clone())


@dataclass(frozen=True, eq=False)
class Outer:
    """The frames beside pairs of frames, as far as there are any in the same scene.

    Attributes:
        before: The frame before each pair's first, [B, 3, H, W] in 0 ... 1; None: there is none.
        after: The frame after each pair's second; None: there is none.
        valid: [B, 2], 1 or 0: of a batch, which pairs have which of the two. None: all have those that are given.
        spans: The time between the frame before and the first over the time between the pair's frames; the same after.
    """

    before: Tensor | None = None
    after: Tensor | None = None
    valid: Tensor | None = None
    spans: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Neighbour:
    """What lies beside one frame of a pair: another frame, and the motion between the two.

    Attributes:
        frame: The neighbour at half the size (:func:`halved`).
        flow: The flow that the search found between the two, in the order of time, on its level of a quarter of the
            size: [B, 4, h, w].
        span: The time between the two over the time between the pair's frames; a tensor [] where it is recorded.
        valid: [B, 1, 1, 1]: 0 where there is no neighbour and the maps mean nothing. None: there is one everywhere.
    """

    frame: Tensor
    flow: Tensor
    span: float | Tensor = 1.0
    valid: Tensor | None = None


def halved(frame: Tensor) -> Tensor:
    """Return a frame [B, 3, H, W] in 0 ... 1 at half the size, sides rounded up: what a bend reads of a neighbour."""
    return downsampled(frame[:, None], 2)[:, 0]


class _Dilated(nn.Module):
    """x + conv(leaky ReLU(conv(x))), the first of them with pixels ``step`` apart; starts close to the identity."""

    def __init__(self, channels: int, step: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=step, dilation=step)
        self.second = conv(channels, channels)
        self.second.weight.data.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return convolve(self.second, convolve(self.first, x, slope=LEAK), add=x)


class PathBend(nn.Module):
    """Computes the bend of a pair's paths. It starts with none: its last layer is zero until it is trained."""

    def __init__(self, config: MotionPriorConfig) -> None:
        """Make the network with freshly initialised weights; ``config.bend_channels`` is its width."""
        super().__init__()
        width = config.bend_channels
        self.enter = conv(SEEN_CHANNELS + config.motion_channels, width)
        self.blocks = nn.ModuleList(_Dilated(width, step) for step in (2, 4, 1))
        self.leave = ExactConv(width, 5)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, frames: Tensor, inner: CoarseSearch, before: Neighbour | None, after: Neighbour | None) -> Tensor:
        """Compute the bend.

        Args:
            frames: The pair, [B, 2, 3, H, W] in 0 ... 1.
            inner: The pair's search.
            before: What lies before the first frame; None: nothing, or another scene.
            after: What lies after the second frame; None as ``before``.

        Returns:
            c1 (x, y) and c2 (x, y), float32 [B, 4, h, w] on the grid of mid-time, half the size, in latent pixels.
        """
        frames = downsampled(frames, 2)
        flow, hidden = inner.flow.detach().float(), inner.hidden.detach()
        to_first, to_second = flow[:, :2], flow[:, 2:]
        with torch.no_grad():
            back = warp(_seen_from(frames[:, 0], before, is_before=True), to_first)
            ahead = warp(_seen_from(frames[:, 1], after, is_before=False), to_second)
            inner_error = _error(warp(frames[:, 0], to_first), warp(frames[:, 1], to_second))
        maps, size = (to_second - to_first, back, ahead, inner_error, hidden), flow.shape[-2:]
        if flow.device.type != "cpu" or size.numel() <= WHOLE_PX or torch.is_grad_enabled():
            return self._believed(maps, before, after)
        bands, step = [], max(1, BAND_PX // size[1])
        for top in range(0, size[0], step):
            first, last = max(0, top - _REACH_ROWS), top + step + _REACH_ROWS
            band = self._believed([one[..., first:last, :] for one in maps], before, after)
            bands.append(band[..., top - first : top - first + step, :])
        return torch.cat(bands, 2)

    def _believed(self, maps: Sequence[Tensor], before: Neighbour | None, after: Neighbour | None) -> Tensor:
        """Return the bend, as far as the network believes what the maps say.

        Args:
            maps: Whole or some rows: half of the way between the frames [B, 2, h, w]; what :func:`_seen_from` returns
                for the frame before and for the one after, seen from mid-time; the error of the pair's own flows
                [B, 1, h, w]; the hidden map of its search.
            before, after: as for :meth:`forward`; only their spans count here.
        """
        half_chord, back, ahead, inner_error, hidden = maps
        with torch.no_grad():
            left, right = _changes(half_chord, back, ahead, before, after)
            sure = back[:, 2:3], ahead[:, 2:3]
            some = torch.maximum(*sure)
            mean = (left + right) / (sure[0] + sure[1]).clamp(min=0.1)
            turn = right * sure[0] - left * sure[1]
            chord = 2 * half_chord
            squashed = [(side / pixels).tanh() for pixels in _SLOW for side in (left, right)]
            errors = [one * some for one in (back[:, 3:], ahead[:, 3:], inner_error)]
            about = torch.cat((*squashed, *errors, *sure, *((chord / pixels).tanh() for pixels in _FAST)), 1)
        trust = self._layers(about, hidden)
        own = trust[:, :1] * mean + trust[:, 1:2] * turn + some * trust[:, 3:]
        return torch.cat((own, trust[:, 2:3] * turn), 1)

    def _layers(self, about: Tensor, hidden: Tensor) -> Tensor:
        """Run the network on what it reads. Returns float32 [B, 5, h, w]."""
        x = convolve(self.enter, concat((about, hidden), hidden.dtype), slope=LEAK)
        for block in self.blocks:
            x = block(x)
        return convolve(self.leave, x).float()


def _changes(
    half_chord: Tensor, back: Tensor, ahead: Tensor, before: Neighbour | None, after: Neighbour | None
) -> tuple[Tensor, Tensor]:
    """Return aL and aR, pixels of the full size; zeros where the neighbour is missing.

    Beside a pair of another length r (``span``), the second difference for a length of 1 is that of the parabola
    through the three positions: 2 / (1 + r) times the change of the velocity.
    """
    sides = []
    for seen, neighbour, sign in ((back, before, 1), (ahead, after, -1)):
        span = 1.0 if neighbour is None else neighbour.span
        change = sign * 2 * half_chord + 2 * seen[:, :2] / span
        sides.append(change * (2 / (1 + span)) * seen[:, 2:3])
    return sides[0], sides[1]


def _seen_from(frame: Tensor, neighbour: Neighbour | None, *, is_before: bool) -> Tensor:
    """Return the flow from ``frame`` to its neighbour, on the frame's own grid, whether it leads there, and its error.

    Returns:
        [B, 4, h, w]: flow (x, y), pixels of this size; 1 where there is a neighbour and the flow ends inside it; mean
        difference of RGB. Zeros where there is no neighbour.
    """
    if neighbour is None:
        return frame.new_zeros((len(frame), 4, *frame.shape[2:]))
    flow = neighbour.flow.detach().float()
    first, second = flow[:, :2], flow[:, 2:]
    own, other = (second, first) if is_before else (first, second)
    way = resize(_on_frame(own, other), (frame.shape[-2], frame.shape[-1]), gain=2)
    if neighbour.valid is not None:
        way = way * neighbour.valid
    error, inside = _error(frame, warp(neighbour.frame, way)), _inside(way)
    if neighbour.valid is not None:
        error, inside = error * neighbour.valid, inside * neighbour.valid
    return torch.cat((way, inside, error), 1)


def _on_frame(own: Tensor, other: Tensor) -> Tensor:
    """Turn the mid-time flows [B, 2, h, w] to a frame (``own``) and to the other one into the flow on that frame.

    A point of the frame that was at m at mid-time satisfies m + own(m) = x; m is found by fixed-point steps.
    """
    back = -own
    for _ in range(_INVERSION_STEPS):
        back = -warp(own, back)
    return back + warp(other, back)


def _error(first: Tensor, second: Tensor) -> Tensor:
    return (first.float() - second.float()).abs().mean(1, keepdim=True)


def _inside(flow: Tensor) -> Tensor:
    """Return 1 where ``flow`` [B, 2, h, w] stays inside the frame and 0 elsewhere, [B, 1, h, w]."""
    height, width = flow.shape[-2:]
    x = torch.arange(width, device=flow.device) + flow[:, 0]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    return ((x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)).float()[:, None]


def with_bend(prior: Tensor, bend: Tensor | None) -> Tensor:
    """Return the motion prior [B, 4, H, W] and, if there is one, the bend [B, 4, h, w] at its size: 4 or 8 channels."""
    return prior if bend is None else torch.cat((prior, resize(bend, (prior.shape[2], prior.shape[3]))), 1)
