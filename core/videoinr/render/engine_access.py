"""The engine of an open video, for one call at a time: what :class:`Video` and its pairs share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import UsageError
from videoinr.render.arguments import as_quality, check_token, flag
from videoinr.render.forks import OwnLock
from videoinr.render.messages import Opened
from videoinr.text.parsing import QualityName
from videoinr.types import RegionQuery, RenderedRegion

if TYPE_CHECKING:
    from torch import Tensor

    from videoinr.render.engine import Engine

Picture = NDArray[np.uint8]


class EngineAccess:
    """Lends the engine of a video to one call after the other, until the video is closed, in its own process only.

    It can be neither copied nor pickled, so neither a deep copy nor a pickle can be made of what holds it.
    """

    def __init__(self, engine: Engine) -> None:
        self._lock = OwnLock()
        self._engine: Engine | None = engine
        self._opened = engine.opened

    @property
    def opened(self) -> Opened:
        """The clip and the model, with the warnings about what was read so far."""
        engine = self._engine  # Read once: another thread may close the video meanwhile.
        return self._opened if engine is None else engine.opened

    @contextmanager
    def engine(self, cancel: CancelToken = NEVER) -> Iterator[Engine]:
        """Lend the engine; other calls wait.

        Args:
            cancel: the token of the call, which is checked to be one.

        Raises:
            UsageError: the video is closed, belongs to another process, or ``cancel`` is no token.
        """
        # Not at the top, since it imports torch: wrong arguments are refused before that.
        from videoinr.render.torch_state import plain_torch

        check_token(cancel)
        with self._lock, plain_torch():
            if self._engine is None:
                raise UsageError("The video is closed.", hint="Use it, and its pairs, before close().")
            yield self._engine

    def render(self, query: RegionQuery, quality: QualityName, cancel: CancelToken) -> RenderedRegion:
        """Render ``query``; arguments and errors are those of :meth:`Video.render`."""
        with self.engine(cancel) as engine:
            return engine.render(query, as_quality(quality), cancel)

    def picture(
        self, query: RegionQuery, quality: QualityName, as_tensor: bool, cancel: CancelToken
    ) -> Picture | Tensor:
        """Return the picture of ``query`` as :meth:`Video.decode` does: uint8 [height, width, 3], RGB."""
        if not flag(as_tensor, "as_tensor"):
            return np.ascontiguousarray(self.render(query, quality, cancel).rgbx[..., :3])
        with self.engine(cancel) as engine:  # A copy made here is an ordinary tensor; the engine's is not.
            rgbx = engine.render_tensor(query, cancel, quality=as_quality(quality))
            return rgbx[..., :3].contiguous().clone()

    def close(self) -> None:
        """Close the clip and free the caches, after a call in progress; does nothing in a fork, or the second time."""
        if self._lock.is_own:
            with self._lock:
                engine, self._engine = self._engine, None
                if engine is not None:
                    self._opened = engine.opened
                    engine.close()

    def __repr__(self) -> str:
        """Return the words for the video."""
        info, model = self.opened.info, self.opened.model_name
        return f"<videoinr.Video {info.path.name!r}: {info.grid}, {info.frames} frames, {model}>"

    def __reduce__(self) -> NoReturn:
        self._lock.__reduce__()
