"""``videoinr``: the command line. It imports no Qt, and a heavy module only when a command needs it."""

from __future__ import annotations

from videoinr.commands.early_stop import interrupt_normally

# isort: split
import atexit
import gc
import logging
import signal
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

import videoinr
from videoinr.commands.events import is_told, print_event
from videoinr.commands.screen import say, show_error, show_json
from videoinr.errors import Cancelled, VideoInrError, unforeseen

EXIT_CODES = {
    0: "Done.",
    1: "Failed: an input is missing or cannot be read, an output exists or cannot be written, or an error occurred.",
    2: "Wrong usage: there is no such command, option, model, codec, device, recipe or baseline, or a value is wrong.",
    3: "Ended early, and the finished frames were kept (export --keep-partial).",
    4: "Jobs of a queue are left: they are paused, or another process runs them (export --queue).",
    130: "Interrupted.",
}
FAILED, INTERRUPTED = 1, 130


COMMANDS = ("probe", "decode", "export", "queue", "join", "evaluate", "train", "bench", "doctor", "models")
"""The commands: each is the function, or the Typer application, of its name in ``videoinr.commands.NAME``."""


class _Commands(TyperGroup):
    """Imports a command when it is called, and turns its failures into a message on stderr and an exit code.

    No failure is a traceback. With --json, it is printed as JSON on stdout, too; with --json-progress, as an event.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # For an unknown name, all are imported: Typer names those that are alike.
        for name in (cmd_name,) if cmd_name in COMMANDS else COMMANDS:
            if name not in self.commands:
                self.commands[name] = _command(name)
        return self.commands.get(cmd_name)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        before_paths = args[: args.index("--")] if "--" in args else args
        ctx.meta[_AS_JSON] = "--json" in before_paths
        ctx.meta[_AS_EVENTS] = "--json-progress" in before_paths
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            _show_typers_own(error, ctx)
            raise

    def invoke(self, ctx: Any) -> Any:
        interrupt_normally()
        try:
            return super().invoke(ctx)
        except (Cancelled, KeyboardInterrupt) as error:
            say("Stopped.")
            _show_failure(ctx, "Stopped.", "", INTERRUPTED, error)
            raise typer.Exit(INTERRUPTED) from None
        except VideoInrError as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            show_error(str(error), error.hint)
            _show_failure(ctx, str(error), error.hint, error.exit_code, error)
            raise typer.Exit(error.exit_code) from None
        except Exception as error:
            _show_typers_own(error, ctx)
            if _is_typers_own(error) or ctx.params.get("debug"):
                raise
            told = unforeseen(error, "Run videoinr --debug ... to see the traceback, and put it into a bug report.")
            show_error(str(told), told.hint)
            _show_failure(ctx, str(told), told.hint, FAILED, error)
            raise typer.Exit(FAILED) from None


_AS_JSON, _AS_EVENTS = "videoinr.as_json", "videoinr.as_events"


def _show_failure(ctx: Any, message: str, hint: str, exit_code: int, error: BaseException) -> None:
    """With --json, print the failure as JSON on stdout; with --json-progress, as an event, if none tells it yet."""
    if ctx.meta.get(_AS_EVENTS) and not is_told(error):
        with suppress(OSError):
            print_event("failed", message=message, hint=hint)
    if ctx.meta.get(_AS_JSON):
        show_json({"error": {"message": message, "hint": hint, "exit_code": exit_code}})


def _show_typers_own(error: Exception, ctx: Any) -> None:
    if _is_typers_own(error) and hasattr(error, "format_message"):
        _show_failure(ctx, error.format_message(), "", getattr(error, "exit_code", FAILED), error)


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
    epilog="**Exit codes**\n\n" + "\n\n".join(f"- `{code}`: {words}" for code, words in EXIT_CODES.items()),
)


def _command(name: str) -> Any:
    """Import a command and return what Typer makes of it."""
    made = getattr(import_module(f"videoinr.commands.{name}"), name)
    if not isinstance(made, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
        alone.command(name)(made)
        made = alone
    return typer.main.get_command(made)


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


def _print_any_name() -> None:
    """Let both outputs take names of files that their encoding lacks, such as cp1252 in a pipe under Windows."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _leave_garbage() -> None:
    """Let the interpreter's end not look for garbage among all objects of torch, which takes a third of a second."""
    if "triton" not in sys.modules:  # Triton's bindings write to stderr what is left at the end.
        gc.freeze()


def main() -> None:
    """Run the command line of ``sys.argv`` and exit."""
    atexit.register(_leave_garbage)
    _print_any_name()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        try:
            app(prog_name="videoinr")
        finally:
            # A second Ctrl+C while the interpreter shuts down must not print a traceback.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:  # It came just before that line.
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
