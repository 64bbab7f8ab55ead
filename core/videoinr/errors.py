"""The errors of the package, in words for a user: what happened, and what to do about it."""

from __future__ import annotations

import re

_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*[a-z])")


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
        if hint:  # Who sees the error as a traceback, in a notebook, calls the functions of Python.
            self.add_note(_OPTION.sub(_argument, hint))

    def in_words(self) -> str:
        """Return the message and the hint, if there is one, on one line."""
        return f"{self} {self.hint}".strip()


def _argument(option: re.Match[str]) -> str:
    """Return the name that an option of the command line has as an argument in Python."""
    name = option[1].replace("-", "_")
    return {"crop": "region"}.get(name, name)


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


_MEMORY_SIGNS = (
    "DefaultCPUAllocator", "bad_alloc", "could not create a primitive", "could not create a memory",
    "out of memory", "ALLOC_FAILED",
)  # fmt: skip
"""Words of errors of libraries that have no class of their own for a lack of memory."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether ``error`` means that the memory of the device or of the computer did not suffice."""
    # By its name, torch.OutOfMemoryError: this module imports no torch.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _MEMORY_SIGNS)


def unforeseen(error: Exception, hint: str = "") -> VideoInrError:
    """Return what to tell a user about an error that no part of the program foresaw.

    Args:
        error: the error. A lack of memory may occur anywhere, and is named.
        hint: what to do about any other error.
    """
    if is_out_of_memory(error):
        return DeviceError(
            "The memory of the computer or of its GPU does not suffice.",
            hint="Close other programs, give caches less (--memory), or choose a smaller size or region.",
        )
    return VideoInrError(f"An unexpected error occurred: {type(error).__name__}: {error}", hint=hint)
