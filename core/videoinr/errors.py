"""The errors of the package, in words for a user: what happened, and what to do about it."""

from __future__ import annotations


class VideoInrError(Exception):
    """The base of all errors that are meant for a user.

    Attributes:
        hint: what to do about it; may be empty. ``str(error)`` is one sentence that says what happened.
        exit_code: how the command line ends.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def in_words(self) -> str:
        """Return the message and the hint, if there is one, on one line."""
        return f"{self} {self.hint}".strip()


class UsageError(VideoInrError):
    """The request is not valid: a region outside the picture, an end before its start, a closed video."""

    exit_code = 2


class InputError(UsageError):
    """A file or folder that the request names is missing, damaged, or holds nothing that can be used."""

    exit_code = 1


class OutputExistsError(UsageError):
    """The output exists already, and the request does not replace it."""

    exit_code = 1


class ClipError(VideoInrError):
    """The clip cannot be opened, or this frame of it cannot be decoded."""


class ModelError(VideoInrError):
    """A weights file is missing, damaged, of another format, or does not fit its own card."""


class UnknownModelError(ModelError, UsageError):
    """No model has this name."""


class DeviceError(VideoInrError):
    """The device is absent, or its memory does not suffice even for the smallest chunk."""


class DeviceLostError(DeviceError):
    """The device stopped working. This process can no longer use it; it can use the other devices."""


class UnknownDeviceError(DeviceError, UsageError):
    """This machine has no device of this name."""


class ExportError(VideoInrError):
    """The output cannot be written: no such encoder, no space, or a file that fails its check."""


class Cancelled(Exception):  # noqa: N818 - the outcome of a request, not an error
    """Raised by work whose :class:`~videoinr.cancel.CancelToken` was cancelled."""
