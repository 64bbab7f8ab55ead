"""``videoinr``: the command line. It imports no Qt, and a heavy module only when a command needs it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 ended early but the finished frames were kept, 130 interrupted.
"""

from __future__ import annotations

import logging
import signal
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import videoinr
from videoinr.commands.bench import bench
from videoinr.commands.decode import decode
from videoinr.commands.doctor import doctor
from videoinr.commands.evaluate import evaluate
from videoinr.commands.export import export
from videoinr.commands.models import models
from videoinr.commands.probe import probe
from videoinr.commands.screen import say, show_error
from videoinr.commands.train import train
from videoinr.errors import Cancelled, UsageError, VideoInrError
from videoinr.exporting.target import PartialKeptError

FAILED, USAGE, PARTIAL_KEPT, INTERRUPTED = 1, 2, 3, 130


class _Commands(TyperGroup):
    """Turns every failure of a command into a message on stderr and an exit code, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (Cancelled, KeyboardInterrupt):
            say("Stopped.")
            raise typer.Exit(INTERRUPTED) from None
        except VideoInrError as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            show_error(str(error), error.hint)
            raise typer.Exit(_exit_code(error)) from None
        except Exception as error:
            if _is_typers_own(error) or ctx.params.get("debug"):
                raise
            show_error(
                f"An unexpected error occurred: {type(error).__name__}: {error}",
                "Run videoinr --debug ... to see the traceback, and put it into a bug report.",
            )
            raise typer.Exit(FAILED) from None


def _exit_code(error: VideoInrError) -> int:
    if isinstance(error, UsageError):
        return USAGE
    return PARTIAL_KEPT if isinstance(error, PartialKeptError) else FAILED


def _is_typers_own(error: Exception) -> bool:
    # Typer shows usage errors, Exit and Abort itself. All but Abort have an exit code, but no public base class.
    return isinstance(error, typer.Abort | BrokenPipeError) or hasattr(error, "exit_code")


app = typer.Typer(
    cls=_Commands,
    name="videoinr",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (probe, decode, export, evaluate, train, bench, doctor):
    app.command()(command)
app.add_typer(models)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"videoinr {videoinr.__version__}")
        raise typer.Exit


@app.callback()
def videoinr_command(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and log messages.")] = False,
) -> None:
    """Decode and export video at any time, frame rate and scale with a neural representation (VideoINR)."""
    if debug:
        logging.getLogger("videoinr").setLevel(logging.DEBUG)


def main() -> None:
    """Run the command line of ``sys.argv`` and exit."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        app(prog_name="videoinr")
    finally:
        # A second Ctrl+C while the interpreter shuts down must not print a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
