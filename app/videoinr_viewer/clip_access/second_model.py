"""The open clip as another model decodes it: a second engine, opened when a picture of it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled
from videoinr.render.renderer import Renderer
from videoinr.types import Quality, RegionQuery, RenderedRegion
from videoinr_resources import path as resource_path

MEMORY_BYTES = 768 << 20
"""The budget of the second engine, beside that of the first."""
PATIENCE_SECS = 0.02
"""How long closing waits for a picture that is just being cancelled."""

OpenModel = Callable[[Path, str], Renderer]
"""Opens the clip at a path with the model of a name, and as the open clip is read."""


class SecondModel:
    """The clip at ``path``, decoded by the model ``name``. Any thread may call it; one at a time renders."""

    def __init__(self, path: Path, name: str, open_model: OpenModel) -> None:
        self.name, self._path, self._open_model = name, path, open_model
        self._lock = threading.Lock()
        self._engine: Renderer | None = None
        self._is_closed = False

    def picture(self, query: RegionQuery, token: CancelToken) -> RenderedRegion:
        """Return the full picture of ``query``.

        Raises:
            Cancelled: ``token`` was cancelled, or the model is closed.
            VideoInrError: clip or model cannot be opened, or the memory does not suffice.
        """
        with self._working():
            token.check()
            if self._engine is None:
                self._engine = self._open_model(self._path, self.name)
            return self._engine.render(query, Quality.FULL, token)

    def close(self) -> None:
        """Free the engine. Returns at once: a thread that renders frees it when it is done."""
        self._is_closed = True
        if self._lock.acquire(timeout=PATIENCE_SECS):
            self._drop()
            self._lock.release()

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            try:
                if self._is_closed:
                    raise Cancelled
                yield
            finally:
                if self._is_closed:
                    self._drop()

    def _drop(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()


def shipped_names() -> list[str]:
    """Return the names of the models that ship with the program, without loading them."""
    names = sorted((file.stem for file in resource_path("models").glob("*.json")), reverse=True)
    # Those for all clips first: a name such as lite-real says what the model is for.
    return sorted(names, key=lambda name: "-" in name)


def next_model(present: str, compared: str = "") -> str | None:
    """Return the shipped model to compare the model ``present`` with, after ``compared``; None if there is no other."""
    others = [name for name in shipped_names() if name != present]
    if not others:
        return None
    return others[(others.index(compared) + 1) % len(others)] if compared in others else others[0]
