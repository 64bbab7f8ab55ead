"""Writes frames to an animated picture: GIF, WebP or APNG.

One encoder makes all of it, since each frame is stored as what it changes of the one before. So an animation has no
parts, and an export that was killed begins anew.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.decode.priority import stand_back
from videoinr.errors import ExportError
from videoinr.exporting.codecs import check_encodes
from videoinr.exporting.coding import Coding, FrameConverter
from videoinr.exporting.target import NameTakenError, partial_path, write_errors
from videoinr.exporting.verify import verify_animation
from videoinr.exporting.waiting import PATIENCE_SECS, ByteBudget, waiting_bytes
from videoinr.writing.claims import claim
from videoinr.writing.names import free_name
from videoinr.writing.partial_file import PartialFile

_BUFFER_BYTES = 1 << 16
_FOR_EVER = {"gif": {"loop": "0"}, "webp": {"loop": "0"}, "apng": {"plays": "0"}}
"""The muxers' options for animations that begin again at their end."""


class AnimationSink:
    """Writes an animation to ``out``, where frame ``i`` is shown at ``i / fps`` seconds.

    ``token`` cancels :meth:`finish`.
    """

    def __init__(self, out: Path, coding: Coding, *, overwrite: bool = False, token: CancelToken = NEVER) -> None:
        self._out, self._coding, self._overwrite, self._token = out, coding, overwrite, token
        self._file: PartialFile | None = None
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._converter = FrameConverter(coding)
        self._budget = ByteBudget(waiting_bytes())
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="animation", initializer=stand_back)
        self._coded: deque[Future[None]] = deque()
        self._count = 0

    @property
    def kept_frames(self) -> int:
        """How many frames the file holds."""
        return self._count

    def open(self) -> None:
        """Test and start the encoder, and create the file."""
        check_encodes(self._coding.codec)
        with self._errors():
            self._file = file = claim(self._out, PartialFile)
            self._container = av.open(
                file, "w", format=self._coding.muxer, container_options=_FOR_EVER[self._coding.muxer],
                buffer_size=_BUFFER_BYTES, io_open=lambda *_: file.reader(),
            )  # fmt: skip
            self._stream = self._coding.new_stream(self._container)
            self._container.start_encoding()

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        """Have the next frame encoded."""
        with self._errors():
            self._check()
            self._budget.take(rgbx.nbytes, self._check)
            self._coded.append(self._pool.submit(self._encode, self._count, rgbx))
            self._count += 1

    def _encode(self, number: int, rgbx: NDArray[Any]) -> None:
        assert self._container is not None
        assert self._stream is not None
        try:
            frame = self._converter.frame(rgbx)
            frame.pts, frame.time_base = number, 1 / self._coding.fps
            self._container.mux(self._stream.encode(frame))
        finally:
            self._budget.give_back(rgbx.nbytes)

    def _check(self) -> None:
        """Raise the error of a frame that could not be encoded."""
        while self._coded and self._coded[0].done():
            self._coded.popleft().result()

    def finish(self, *, partial: bool = False) -> Path:
        """Encode what waits, check the file, and give it its name."""
        # What is kept of a cancelled export is finished although it was cancelled.
        token = NEVER if partial else self._token
        with self._errors():
            while self._coded:
                wait([self._coded[0]], PATIENCE_SECS)
                token.check()
                self._check()
            if not self._count:
                raise ExportError("No frame is complete.")
            assert self._container is not None
            assert self._stream is not None
            assert self._file is not None
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._file.complete()
        self._pool.shutdown()
        verify_animation(self._file.path, self._coding, self._count, token)
        return self._named(self._file, partial=partial)

    def _named(self, file: PartialFile, *, partial: bool) -> Path:
        out = self._out
        with write_errors(out):
            if partial:
                return file.commit(partial_path(out), replace=False)
            try:
                return file.commit(out, replace=self._overwrite)
            except FileExistsError as error:
                raise NameTakenError(out, file.commit(free_name(out), replace=False), self._count) from error

    def abort(self) -> None:
        """End the encoder, and remove the file."""
        self._pool.shutdown(cancel_futures=True)
        if self._file is not None:
            # PyAV writes no end to a closed file: that could take long, or fail again.
            self._file.discard()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with write_errors(self._out):
                yield
        except (av.FFmpegError, ValueError) as error:
            if self._file is not None and self._file.failure is not None:
                with write_errors(self._out):
                    raise self._file.failure from error
            raise (self._coding.refusal() if self._stream is None else self._coding.failure(error)) from error
