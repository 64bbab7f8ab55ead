"""Writes small files whole: a failed or killed write leaves what was there before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from videoinr.writing.partial_file import PartialFile
from videoinr.writing.words import write_errors


@contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[PartialFile]:
    """Open a file that gets the name ``path`` when the block ends; if the block raises, nothing is left of it.

    Args:
        path: the file.
        replace: whether an existing file is replaced.

    Raises:
        ExportError: the file cannot be written, or it exists and ``replace`` is off.
    """
    with write_errors(path):
        partial = PartialFile(path)
    try:
        with write_errors(path):
            with _own_failure(partial):
                yield partial
            partial.commit(replace=replace)
    except BaseException:
        partial.discard()
        raise


@contextmanager
def _own_failure(partial: PartialFile) -> Iterator[None]:
    """Raise the system's error where a library hides it: torch.save says only that a position is unexpected."""
    try:
        yield
    except RuntimeError as error:
        if partial.failure is not None:
            raise partial.failure from error
        raise


def write_file(path: Path, content: bytes | str, *, replace: bool) -> None:
    """Write ``content`` (text as UTF-8) to the file ``path``; see :func:`new_file`.

    Raises:
        ExportError: the file cannot be written, or it exists and ``replace`` is off.
    """
    write_files({path: content}, replace=replace)


def write_files(contents: Mapping[Path, bytes | str], *, replace: bool) -> None:
    """Write several files that belong together. The first gets its name when the bytes of all are on the disk.

    Raises:
        ExportError: a file cannot be written, or it exists and ``replace`` is off.
    """
    with ExitStack() as stack:
        partials = []
        for path, content in contents.items():
            with write_errors(path):
                partial = PartialFile(path)
                stack.callback(partial.discard)
                partial.write(content.encode() if isinstance(content, str) else content)
                partial.complete()
            partials.append((path, partial))
        for path, partial in partials:
            with write_errors(path):
                partial.commit(replace=replace)
