"""Two successive frames of an open clip, encoded, as Python sees them: :class:`Pair`."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import UsageError
from videoinr.render.arguments import Number, Region, Size, exact, flag, query_for
from videoinr.render.engine_access import EngineAccess, Picture
from videoinr.render.output_area import PICTURE_SCALE
from videoinr.text.parsing import QualityName
from videoinr.types import Instant, PairFailure

if TYPE_CHECKING:
    from torch import Tensor

    from videoinr.model.representation import Features

Motion = NDArray[np.float32]


class Pair:
    """Two successive frames of a video, encoded; made by :meth:`videoinr.Video.encode`.

    A pair is a name: its features lie in the video's cache. If the memory budget made them leave it, the next call
    encodes the pair again. A pair cannot be used after its video was closed.
    """

    def __init__(self, access: EngineAccess, index: int) -> None:
        self._access, self._index = access, index

    def __repr__(self) -> str:
        return f"<videoinr.Pair {self._index} of {self._access!r}>"

    @property
    def index(self) -> int:
        """The number of the pair's first frame."""
        return self._index

    @property
    def times(self) -> tuple[Fraction, Fraction]:
        """When the pair starts and ends, seconds of the clip."""
        timeline = self._access.opened.timeline
        start, end = (timeline.time_from_instant(Instant(self._index, Fraction(t))) for t in (0, 1))
        return start, end

    @property
    def features(self) -> Features:
        """The encoded pair: tensors on the video's device, made in inference mode; read them, never write to them.

        A :class:`~videoinr.model.features.PairFeatures`, or the like of an imported released model. Its docstring
        gives the shapes: channels last, ``frames`` [1, 2, 3, H, W], and for each clip pixel the ``prior`` flow
        [1, H, W, 4] (or 8 channels, if the model bends the paths by the frames beside the pair) and the latent feature
        after the first layer of each head (``spatial`` [1, H, W, S] and so on).
        """
        from videoinr.model.latent import LatentPair

        with self._access.engine() as engine:
            features = engine.features(self._index)
        # Large frames are kept as the latent feature alone; see videoinr.model.latent.
        return features.projected(features.grid.rect) if isinstance(features, LatentPair) else features

    @overload
    def decode(
        self, t: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[False] = False, cancel: CancelToken = NEVER,
    ) -> Picture: ...  # fmt: skip

    @overload
    def decode(
        self, t: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: Literal[True], cancel: CancelToken = NEVER,
    ) -> Tensor: ...  # fmt: skip

    def decode(
        self, t: Number, *, scale: Number | None = None, size: Size | None = None, region: Region | None = None,
        quality: QualityName = "full", as_tensor: bool = False, cancel: CancelToken = NEVER,
    ) -> Picture | Tensor:  # fmt: skip
        """Decode the picture at phase ``t`` between the two frames.

        Args:
            t: the phase, 0 (first frame) ... 1 (second frame).
            scale, size, region, quality, as_tensor, cancel: as for :meth:`videoinr.Video.decode`.

        Returns:
            uint8 [height, width, 3], RGB.

        Raises:
            UsageError: t is not in 0 ... 1, or as for :meth:`videoinr.Video.decode`.
            ClipError, DeviceError, Cancelled: as for :meth:`videoinr.Video.encode`.
        """
        info, instant = self._access.opened.info, self._instant(t)
        query = query_for(info, instant, scale=scale, size=size, region=region, default_scale=PICTURE_SCALE)
        return self._access.picture(query, quality, as_tensor, cancel)

    @overload
    def flow(self, t: Number, *, as_tensor: Literal[False] = False, cancel: CancelToken = NEVER) -> Motion: ...

    @overload
    def flow(self, t: Number, *, as_tensor: Literal[True], cancel: CancelToken = NEVER) -> Tensor: ...

    def flow(self, t: Number, *, as_tensor: bool = False, cancel: CancelToken = NEVER) -> Motion | Tensor:
        """Decode the motion M(x, t) (paper, eq. 4) at phase ``t``, at the centre of every clip pixel.

        Args:
            t: the phase, 0 (first frame) ... 1 (second frame).
            as_tensor: return a torch tensor on the video's device instead of an array.
            cancel: cancels the work between bands of rows.

        Returns:
            float32 [2, height, width, 2] of the clip's size: ``flow[0]`` leads to the first frame, ``flow[1]`` to the
            second, each (x, y) in latent pixels, which are clip pixels. What is seen at (x, y) at phase t lies at
            (x, y) + flow[0, y, x] in the first frame and at (x, y) + flow[1, y, x] in the second.

        Raises:
            UsageError: t is not in 0 ... 1, or the video is closed.
            ClipError, DeviceError, Cancelled: as for :meth:`videoinr.Video.encode`.
        """
        instant, on_device = self._instant(t), flag(as_tensor, "as_tensor")
        with self._access.engine(cancel) as engine:
            flow = engine.flow(instant, cancel).clone()
        return flow if on_device else flow.cpu().numpy()

    def failure(self, *, cancel: CancelToken = NEVER) -> PairFailure:
        """Return where and how badly the motion between the two frames was found.

        It is an estimate, from how well the found motion explains both frames, and from how far things move. A cut
        counts as motion that was not found.

        Args:
            cancel: cancels the encoding, if the pair has to be encoded again.

        Returns:
            ``expected_db``, the PSNR that the picture in the middle of the pair is expected to have;
            ``is_beyond_reach``, whether it is a guess; ``error``, float32 [rows, columns], the expected error of cells
            of ``cell_px`` x ``cell_px`` clip pixels.

        Raises:
            UsageError: the video is closed.
            ClipError, DeviceError, Cancelled: as for :meth:`videoinr.Video.encode`.
        """
        with self._access.engine(cancel) as engine:
            return engine.failure(self._index, cancel)

    def _instant(self, t: Number) -> Instant:
        phase = exact(t, "t")
        if not 0 <= phase <= 1:
            hint = "t runs from 0 (first frame) to 1 (second frame); video.decode takes seconds of the clip."
            raise UsageError(f"t = {float(phase):g} lies outside the pair.", hint=hint)
        return Instant(self._index, phase)
