"""What can go wrong, in words for a user: every message says what happened and what to do about it."""

from __future__ import annotations


class VideoInrError(Exception):
    """A failure that a user can understand.

    ``str(error)`` is one sentence that says what happened; ``hint`` (may be empty) says what to do.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def in_words(self) -> str:
        """The message and, where there is one, the hint, on one line."""
        return f"{self} {self.hint}".strip()


class UsageError(VideoInrError):
    """The request itself makes no sense (a region outside the picture, an end before its start)."""


class ClipError(VideoInrError):
    """The clip cannot be opened, or this frame of it cannot be decoded."""


class ModelError(VideoInrError):
    """A weights file is missing, damaged, of another format, or does not fit its own card."""


class DeviceError(VideoInrError):
    """The device asked for is absent, or its memory does not suffice even for the smallest chunk."""


class ExportError(VideoInrError):
    """The output cannot be written: no such encoder, no space, or a file that fails its check."""


class Cancelled(Exception):  # noqa: N818 - an outcome, not an error: somebody asked for it
    """Raised inside a computation whose :class:`~videoinr.cancel.CancelToken` was cancelled."""
