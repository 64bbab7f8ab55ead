"""Decodes a clip with its alpha channel, which the same model decodes as a picture of its own.

The model is trained on colours; grey pictures of alpha are pictures to it too, and their motion is found in them. The
colours are decoded as they are laid over black, which is what multiplying them by alpha gives, and divided by the
decoded alpha: so the colours that transparent pixels happen to have do not bleed into the edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip import Clip, open_clip
from videoinr.clip.background import ALPHA
from videoinr.clip.linear_light import light_from_srgb, srgb_from_linear
from videoinr.clip.memory_clip import MemoryClip
from videoinr.clip.open_options import OpenOptions
from videoinr.devices import ComputeProfile
from videoinr.errors import UsageError
from videoinr.render.engine import Engine
from videoinr.render.messages import Opened
from videoinr.render.shutter import mean_of_shares, part_of
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion

_HELD_FRAMES = 300
"""The most source frames that the alpha clip keeps, as for colours (exporting/export.py)."""
_SLACK = 2 / 255
"""By so much a model may miss full opacity and full transparency; the levels between are stretched."""


class TransparentEngine:
    """The part of an :class:`~videoinr.render.engine.Engine` that an export uses; X of its pixels is alpha."""

    def __init__(self, colours: Engine, alpha: Engine) -> None:
        self._colours, self._alpha = colours, alpha
        self.fingerprint = colours.fingerprint

    @property
    def clip(self) -> Clip:
        """The clip, laid over black."""
        return self._colours.clip

    @property
    def opened(self) -> Opened:
        """The open clip and the model that renders it."""
        return self._colours.opened

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        """Decode ``query`` as :meth:`Engine.render` does: uint8 [rect.height, rect.width, 4], colours and alpha."""
        return _joined(query, self._colours.render(query, quality, token), self._alpha.render(query, quality, token))

    def render_deep(self, query: RegionQuery, token: CancelToken) -> RenderedRegion:
        """Decode ``query`` as :meth:`render` does, to uint16."""
        return _joined(query, self._colours.render_deep(query, token), self._alpha.render_deep(query, token))

    def keep_only(self, instant: Instant, token: CancelToken, *others: Instant) -> None:
        """Drop all encoded pairs but those of ``instant`` and ``others``."""
        for engine in (self._colours, self._alpha):
            engine.keep_only(instant, token, *others)


class _AlphaEngine(Engine):
    """The engine of the alpha channel ``clip``; what is a cut, and what a repeated frame, ``colours`` judges.

    Its caches take half as much memory again as those of ``colours``: an export goes forward, and needs few pairs.
    """

    _mean = staticmethod(mean_of_shares)

    def __init__(self, clip: Clip, colours: Engine) -> None:
        super().__init__(clip, colours.loaded, _halved(colours._profile))
        clip.hold_at_most(_HELD_FRAMES)
        self._footings = colours._footings


def _halved(profile: ComputeProfile) -> ComputeProfile:
    """Return ``profile`` with half of its budgets for what is kept."""
    region, pair = (None if most is None else most // 2 for most in (profile.region_bytes, profile.pair_bytes))
    return replace(
        profile, feature_bytes=profile.feature_bytes // 2, tile_bytes=profile.tile_bytes // 2, region_bytes=region,
        pair_bytes=pair,
    )  # fmt: skip


@contextmanager
def with_alpha(colours: Engine, options: OpenOptions, token: CancelToken = NEVER) -> Iterator[TransparentEngine]:
    """Open the alpha channel of the clip of ``colours``, and return an engine that decodes both.

    Args:
        colours: the engine of the clip, which stays open.
        options: how its clip was read.
        token: cancels the opening.

    Raises:
        UsageError: the frames are in memory, and have no alpha channel.
        ClipError, Cancelled: the file cannot be opened again.
    """
    if isinstance(colours.clip, MemoryClip):
        raise UsageError("Frames in memory have no transparency.", hint="Choose another background.")
    alpha = _AlphaEngine(open_clip(colours.clip.info.path, replace(options, background=ALPHA), token=token), colours)
    try:
        yield TransparentEngine(colours, alpha)
    finally:
        alpha.close()


def _joined(query: RegionQuery, colours: RenderedRegion, alpha: RenderedRegion) -> RenderedRegion:
    rgbx = joined(colours.rgbx, alpha.rgbx[..., 1], in_light=query.exposure is not None)
    if (part := part_of(query)) is not None:
        at = part.rect.relative_to(query.rect).slices
        rgbx[at] = joined(colours.rgbx[at], alpha.rgbx[at][..., 1], in_light=part.exposure is not None)
    return replace(colours, rgbx=rgbx)


def joined(laid: NDArray[Any], alpha: NDArray[Any], *, in_light: bool = False) -> NDArray[Any]:
    """Return colours and alpha from a picture that was laid over black.

    Args:
        laid: [height, width, 4], uint8 or uint16; X is ignored.
        alpha: [height, width] of the same type, as decoded.
        in_light: The picture is a mean of several in linear light, so its light is divided by alpha.

    Returns:
        [height, width, 4] of the same type: colours that are not multiplied by alpha, and alpha.
    """
    peak = float(np.iinfo(laid.dtype).max)
    share = np.clip((alpha / np.float32(peak) - np.float32(_SLACK)) / np.float32(1 - 2 * _SLACK), 0, 1)
    levels = np.empty(laid.shape, np.float32)
    weight = np.maximum(share, np.float32(0.5 / peak))[..., None]
    if in_light:
        light = light_from_srgb(laid[..., :3].astype(np.float32) / np.float32(peak)) / weight
        levels[..., :3] = srgb_from_linear(np.minimum(light, 1)) * np.float32(peak)
    else:
        levels[..., :3] = laid[..., :3] / weight
    levels[..., 3] = share * np.float32(peak)
    levels[share == 0] = 0
    return np.rint(np.clip(levels, 0, peak)).astype(laid.dtype)
