"""Reports the progress of an export: a bar on stderr for a person, or JSON lines on stdout for a program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from videoinr.commands.events import note_told, print_event
from videoinr.commands.screen import lasting_stderr, say
from videoinr.errors import Cancelled, VideoInrError, unforeseen
from videoinr.exporting.target import PartialKeptError
from videoinr.text.encoding_progress import EncodingProgress
from videoinr.text.phrases import format_count, format_saved

if TYPE_CHECKING:
    from rich.progress import Progress

    from videoinr.cancel import CancelToken
    from videoinr.types import ExportProgress, ExportReport


class Reporter(Protocol):
    """Receives the progress and the result of an export.

    Attributes:
        frames: how many frames are finished.
    """

    frames: int

    def progress(self, now: ExportProgress) -> None:
        """Show the progress; called before the first frame and after each frame."""

    def watch(self, token: CancelToken) -> None:
        """Show the progress of an encoding that takes long, as ``token`` is told it."""

    def notice(self, sentence: str) -> None:
        """Show a sentence about the clip or the output."""

    def finished(self, report: ExportReport) -> None:
        """Report that the output is complete and in its place."""

    def stopped(self) -> None:
        """Report that the process ends at once, without the output; callable from any thread."""


@contextmanager
def progress_reporter(*, as_json: bool) -> Iterator[Reporter]:
    """Return a reporter; exceptions of the block are not reported."""
    if as_json:
        yield _JsonLines()
        return
    with _progress_bar() as bar:
        yield _Bar(bar)


@contextmanager
def reporter(*, as_json: bool) -> Iterator[Reporter]:
    """Return the reporter of one export; as JSON it also reports an exception of the block, which is raised on."""
    with progress_reporter(as_json=as_json) as made:
        if not as_json:
            yield made
            return
        with _reported():
            yield made


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except VideoInrError as error:
        kept = {"path": str(error.path), "frames": error.frames} if isinstance(error, PartialKeptError) else {}
        print_event("failed", message=str(error), hint=error.hint, **kept)
        note_told(error)
        raise
    except (Cancelled, KeyboardInterrupt) as error:
        _print_stopped()
        note_told(error)
        raise
    except Exception as error:
        told = unforeseen(error)
        print_event("failed", message=str(told), hint=told.hint)
        note_told(error)
        raise


@contextmanager
def removal_told(made: Reporter, token: CancelToken) -> Iterator[None]:
    """Say what became of the finished frames, if the block is stopped: they are removed, or ``token`` leaves them."""
    try:
        yield
    except (Cancelled, KeyboardInterrupt):
        if token.leaves:
            say("note: What is finished stays beside the output. The same command with --resume goes on with it.")
        elif made.frames:
            were = "was" if made.frames == 1 else "were"
            say(f"note: {format_count(made.frames, 'finished frame')} {were} removed. --keep-partial keeps them.")
        raise


def _print_stopped() -> None:
    print_event("failed", message="The export was stopped.", hint="")


_APART_SECS = 0.05
"""The least time between two lines of progress. A GPU makes hundreds of frames a second; a line for each of them would
take the time of this program and of the one that reads them."""


class _JsonLines:
    def __init__(self) -> None:
        self._started = False
        self._next_secs = 0.0
        self._warnings: list[str] = []
        self._token: CancelToken | None = None
        self.frames = 0

    def watch(self, token: CancelToken) -> None:
        """Stop by ``token`` if nobody reads the lines any more. Encoding is not shown: a program counts frames."""
        self._token = token

    def notice(self, sentence: str) -> None:
        say(f"note: {sentence}")
        if self._started:
            self._warnings.append(sentence)

    def progress(self, now: ExportProgress) -> None:
        self._started, self.frames = True, now.done
        is_begun = now.done > now.found
        if is_begun and now.elapsed_secs < self._next_secs and now.done < now.total:
            return
        # The first frame is told at once.
        self._next_secs = now.elapsed_secs + (_APART_SECS if is_begun else 0)
        try:
            print_event(
                "progress",
                done=now.done,
                total=now.total,
                elapsed_secs=now.elapsed_secs,
                remaining_secs=now.remaining_secs,
            )
        except OSError:
            # The program that started the export is gone, perhaps killed; another may go on with what is done.
            if self._token is not None:
                self._token.leaves = True
                self._token.cancel()

    def finished(self, report: ExportReport) -> None:
        # What was said before the start is known to the program that started the export.
        print_event(
            "finished",
            path=str(report.path),
            frames=report.frames,
            sound=report.sound,
            dropped=list(report.dropped),
            warnings=self._warnings,
        )

    def stopped(self) -> None:
        _print_stopped()
        say("Stopped.")


def _progress_bar() -> Progress:
    from rich import progress as rich
    from rich.console import Console

    console = Console(file=lasting_stderr())
    return rich.Progress(
        rich.BarColumn(), rich.MofNCompleteColumn(), rich.TextColumn("frames"), rich.TimeElapsedColumn(),
        rich.TextColumn("left:"), rich.TimeRemainingColumn(), rich.TextColumn("{task.description}"),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)
        self.frames = 0

    def watch(self, token: CancelToken) -> None:
        token.watch(EncodingProgress(lambda words: self._bar.update(self._task, description=words)).report)

    def notice(self, sentence: str) -> None:
        self._bar.console.print(f"note: {sentence}", markup=False, highlight=False, soft_wrap=True)

    def progress(self, now: ExportProgress) -> None:
        self.frames = now.done
        self._bar.update(self._task, total=now.total, completed=now.done, description="")

    def finished(self, report: ExportReport) -> None:
        self._bar.stop()
        say(format_saved(report.frames, report.path))

    def stopped(self) -> None:
        say("Stopped.")
