"""``videoinr``: the command line. No Qt, and nothing heavy is imported before a command needs it.

Exit codes: 0 done, 1 failed, 2 the command makes no sense, 3 stopped or failed but a playable part was kept,
130 interrupted.
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


class _Guarded(TyperGroup):
    """Every failure of a command becomes words on stderr and an exit code, never a traceback."""

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
                f"Something unforeseen went wrong: {type(error).__name__}: {error}",
                "Run it again as: videoinr --debug ...; the traceback then shown belongs in a bug report.",
            )
            raise typer.Exit(FAILED) from None


def _exit_code(error: VideoInrError) -> int:
    if isinstance(error, UsageError):
        return USAGE
    return PARTIAL_KEPT if isinstance(error, PartialKeptError) else FAILED


def _is_typers_own(error: Exception) -> bool:
    # Usage errors, Exit and Abort: Typer shows them itself. All but Abort carry an exit code, and share no public base.
    return isinstance(error, typer.Abort | BrokenPipeError) or hasattr(error, "exit_code")


app = typer.Typer(
    cls=_Guarded,
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
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and log what happens.")] = False,
) -> None:
    """Look between the frames and inside the pixels of a clip: decode and export at any time, rate and scale."""
    if debug:
        logging.getLogger("videoinr").setLevel(logging.DEBUG)


def main() -> None:
    """Run the command line on ``sys.argv`` and exit."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        app(prog_name="videoinr")
    finally:
        # A second Ctrl+C must not end in a traceback while the interpreter shuts down.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
