"""``videoinr export --job`` and ``--queue``: exports that job files describe."""

from __future__ import annotations

from collections.abc import Set
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from videoinr.commands.events import print_event
from videoinr.commands.export_progress import Reporter, progress_reporter
from videoinr.commands.screen import say
from videoinr.commands.signals import cancel_on_signals
from videoinr.commands.stop_lines import heed_lines
from videoinr.errors import UsageError
from videoinr.text.phrases import format_count, format_saved

if TYPE_CHECKING:
    from videoinr.exporting.job_file import ExportCall
    from videoinr.exporting.queue import JobResult
    from videoinr.exporting.queue_watch import JobWatch
    from videoinr.types import ExportProgress, ExportReport

PAUSED = 4
"""The exit code if jobs are left, because they are paused or another process runs them."""


def check_alone(context: typer.Context, name: str, allowed: Set[str]) -> None:
    """Raise UsageError if the command line has arguments besides the option ``name`` and those ``allowed``."""
    sources: Any = {each: context.get_parameter_source(each) for each in context.params}
    given = [each for each, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    others = [each for each in given if each != name and each not in allowed]
    if others:
        raise UsageError(
            f"--{name} and {others[0].replace('_', '-')} were given.", hint=f"--{name} takes everything from job files."
        )


def run_jobs(folder: Path, *, as_json: bool) -> None:
    """Run the queue ``folder``, and report on each job.

    Ends the command with exit code 1 if a job failed, or else with PAUSED if jobs are left.
    """
    done = failed = 0
    from videoinr.exporting.queue_folder import checked_queue, jobs_in_order

    checked_queue(folder)  # at once: torch takes seconds
    with (
        progress_reporter(as_json=as_json) as reporter,
        cancel_on_signals() as token,
        heed_lines(token, keeps=False) if as_json else nullcontext(),
    ):
        from videoinr import api
        from videoinr.exporting.queue import run_queue

        token.leaves = True
        results: list[ExportReport] = []

        def export(call: ExportCall, watch: JobWatch) -> ExportReport:
            def progress(now: ExportProgress) -> None:
                watch.progress(now)
                reporter.progress(now)

            def notice(sentence: str) -> None:
                watch.notice(sentence)
                reporter.notice(sentence)

            reporter.watch(watch.token)
            api.export(
                call.clip, call.out, progress=progress, notice=notice, cancel=watch.token, report=results.append,
                **call.options,
            )  # fmt: skip
            return results.pop()

        def started(name: str) -> None:
            _started(name, as_json=as_json)

        for result in run_queue(folder, export, started=started, token=token):
            _ended(result, reporter, as_json=as_json)
            done, failed = done + (result.report is not None), failed + result.has_failed
        left = len(jobs_in_order(folder))
    say(f"{format_count(done, 'job')} done, {failed} failed." + (f" {left} left." if left else ""))
    if failed:
        raise typer.Exit(1)
    if left:
        raise typer.Exit(PAUSED)


def _started(name: str, *, as_json: bool) -> None:
    if as_json:
        print_event("job", job=name, state="started")
    else:
        say(f"{name}:")


def _ended(result: JobResult, reporter: Reporter, *, as_json: bool) -> None:
    if as_json:
        print_event("job", **result.to_dict())
    elif result.report is not None:
        reporter.notice(f"{format_saved(result.report.frames, result.report.path)}")
    elif result.is_paused:
        reporter.notice(f"{result.name} is paused.")
    else:
        reporter.notice(f"{result.name} failed: {result.message} {result.hint}".strip())
