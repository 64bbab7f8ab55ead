"""``videoinr doctor``: tests what works on this machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import JsonOption
from videoinr.commands.screen import say, show_json, show_table
from videoinr.errors import UsageError

if TYPE_CHECKING:
    from videoinr.doctor import ModelCheck, Report


ReportOption = Annotated[
    bool,
    typer.Option("--report", help="Print plain text for a bug report, with the end of the log; it names no files."),
]


def doctor(as_json: JsonOption = False, as_report: ReportOption = False) -> None:
    """Test devices, video encoders, models and the settings folder; exit with 1 if a needed one fails."""
    if as_json and as_report:
        raise UsageError("--json and --report exclude each other.")
    from videoinr.doctor import examine

    report = examine()
    if as_report:
        typer.echo(_in_plain_text(report), nl=False)
    elif as_json:
        show_json(_facts(report))
    else:
        _show(report)
    for problem in report.problems:
        say(f"problem: {problem}")
    if report.problems:
        raise typer.Exit(1)


def _in_plain_text(report: Report) -> str:
    import platformdirs

    from videoinr.text.problem_report import problem_report

    logs = platformdirs.user_log_path("videoinr-viewer", appauthor=False)
    return problem_report(report, settings=report.config_folder / "viewer.toml", log_folder=logs)


def _facts(report: Report) -> dict[str, object]:
    return {
        "ok": not report.problems,
        "problems": list(report.problems),
        "versions": dict(report.versions),
        "ways": dict(report.ways),
        "devices": list(report.devices),
        "encoders": dict(report.encoders),
        "models": [asdict(check) for check in report.models],
        "missing_libraries": dict(report.missing_libraries),
        "screen_problem": report.screen_problem,
        "config_folder": str(report.config_folder),
        "config_problem": report.config_problem,
        "folders": [
            {"purpose": purpose, "folder": str(folder), "problem": problem}
            for purpose, folder, problem in report.folder_problems
        ],
        "missing_decoders": list(report.missing_decoders),
        "memory_bytes": None if report.memory is None else dict(zip(("free", "all"), report.memory, strict=True)),
        "fonts": report.fonts,
    }


def _show(report: Report) -> None:
    show_table("Versions", (), report.versions)
    show_table("Devices, fastest first", (), [(device,) for device in report.devices])
    show_table("Implementations on the first device", (), report.ways)
    rows = [(name, "works" if works else "does not work on this machine") for name, works in report.encoders]
    show_table("Encoders", (), rows)
    show_table("Models", (), [(check.model, check.device, _outcome(check)) for check in report.models])
    libraries = report.missing_libraries or [("none", "")]
    show_table("Missing system libraries of windows", (), libraries)
    show_table(
        "Decoders of usual codecs that are missing", (), [(name,) for name in report.missing_decoders or ("none",)]
    )
    fonts = "unknown" if report.fonts is None else str(report.fonts)
    show_table("Machine", (), [*_memory(report), ("fonts", fonts), ("screen", report.screen_in_words)])
    folders = [("settings", report.config_folder, report.config_problem), *report.folder_problems]
    states = [(purpose, str(folder), problem or "can be written to") for purpose, folder, problem in folders]
    show_table("Folders", (), states)


def _memory(report: Report) -> list[tuple[str, str]]:
    if report.memory is None:
        return []
    free, total = report.memory
    return [("memory", f"{free / 2**30:.1f} GiB free of {total / 2**30:.1f}")]


def _outcome(check: ModelCheck) -> str:
    fast = "" if check.fast_steps is None else f", the fast code by {check.fast_steps:.2f}"
    return check.problem or f"works (differs by at most {check.largest_steps or 0:.2f} of 255 levels{fast})"
