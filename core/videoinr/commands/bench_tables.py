"""Prints the report of ``videoinr bench`` as tables: times, ladder, comparison with the floor, memory, and machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from videoinr.commands.screen import show_table
from videoinr.text.phrases import format_count

if TYPE_CHECKING:
    from videoinr.benchmark.export_stages import ExportTimes
    from videoinr.benchmark.report import BenchResult, Report

_STEP_WORDS = {
    "encode": "encode a pair",
    "first_decode": "first picture of a pair",
    "next_phase": "same view, other time",
    "draft": "draft",
}

_RUNG_WORDS = {"motion": "motion draft", "draft": "draft", "full": "full picture"}


def show_report(report: Report) -> None:
    """Print the tables of ``report`` to stdout."""
    _show_times(report)
    _show_ladders(report)
    _show_floors(report)
    _show_memory(report)
    _show_machine(report)


def show_export(times: ExportTimes) -> None:
    """Print the stages of an export and the whole of it to stdout."""
    title = f"{times.device}: {times.frames} frames, {times.clip} to {times.grid}, {times.model}, {times.encoder}"
    rows = [(name, *_of_frames(secs, times.frames)) for name, secs in times.stages.items()]
    rows.append(("sum of the stages", *_of_frames(times.sum_secs, times.frames)))
    rows.append(("the export, to the last frame", *_of_frames(times.whole_secs, times.frames)))
    rows.append(("the export, to the finished file", *_of_frames(times.total_secs, times.frames)))
    show_table(title, ("stage", "seconds", "ms a frame", "frames a second"), rows)
    share, pictures = f"{times.slowest_share:.0%}", f"{times.pictures_share:.0%}"
    typer.echo(f"Share of the slowest stage ({times.slowest}) in the export: {share}.")
    typer.echo(f"Share of making the pictures (read, encode, decode) in the export: {pictures}.")


def _of_frames(secs: float, frames: int) -> tuple[str, str, str]:
    return f"{secs:.2f}", f"{1000 * secs / frames:.1f}", f"{frames / secs:.1f}" if secs else "-"


def _show_times(report: Report) -> None:
    header = ("model", "clip", "picture", "encode a pair", "first picture of a pair", "same view, other time")
    draft = f"draft, {report.results[0].draft_divisor} times coarser"
    more = (draft, "middle quarter first", "paper's heads", "first picture is", "other time is")
    pairs = format_count(report.results[0].repeats, "pair")
    title = f"{report.device}: medians of {pairs}, and how many times faster than the paper's heads, plainly evaluated"
    show_table(title, (*header, *more), [_times(result) for result in report.results])
    for result in {result.plain for result in report.results if result.plain.is_scaled}:
        typer.echo(f"* {result.clip} to {result.grid}: measured on {result.measured}, scaled by pixels.\n")


def _times(result: BenchResult) -> tuple[str, ...]:
    times = (result.encode_secs, result.first_decode_secs, result.next_phase_secs, result.draft_secs)
    plain = _ms(result.plain.secs) + ("*" if result.plain.is_scaled else "")
    ratios = (f"x{ratio:.3g}" for ratio in result.times_faster.values())
    crop = "" if result.crop_draft_secs is None else _ms(result.crop_draft_secs)
    return (*_names(result), *map(_ms, times), crop, plain, *ratios)


def _show_ladders(report: Report) -> None:
    title = "From a click on an instant of an unknown pair to each picture of it (in brackets: its samples)"
    show_table(title, ("model", "clip", "picture", *_RUNG_WORDS.values()), [_ladder(each) for each in report.results])


def _ladder(result: BenchResult) -> tuple[str, ...]:
    found = {rung.name: f"{_ms(rung.secs)} ({rung.samples})" for rung in result.ladder}
    return (*_names(result), *(found.get(name, "not shown") for name in _RUNG_WORDS))


def _show_floors(report: Report) -> None:
    header = ("model", "clip", "picture", "step", "MACs a pixel", "sines", "gathered", "moved", "floor", "measured")
    rows = [row for result in report.results for row in _floors(result)]
    title = "Compared with the floor, the least time that the machine allows (for each clip pixel or picture pixel)"
    show_table(title, (*header, "share of the floor"), rows)
    # The cost of encoding is the same at all grids.
    for (model, clip), result in {(each.model, each.clip): each for each in report.results}.items():
        alone, row = result.encode_alone, result.steps[0].cost
        if alone != row:
            macs, ratio = f"{alone.work.macs / alone.pixels:,.0f}", f"{alone.work.macs / row.work.macs:.2f}"
            why = "since both pairs beside it are searched for it"
            typer.echo(
                f"{model}, {clip}: a pair alone takes {macs} MACs a pixel to encode, {ratio} times those, {why}.\n"
            )


def _floors(result: BenchResult) -> list[tuple[str, ...]]:
    rows = list[tuple[str, ...]]()
    for step in result.steps:
        work, pixels = step.cost.work, step.cost.pixels
        counts = (work.macs / pixels, work.sines / pixels, work.gathered / pixels)
        times = (_ms(step.floor_secs), _ms(step.secs), f"{step.floor_share:.1%}")
        moved = _mib(step.cost.moved_bytes)
        rows.append((*_names(result), _STEP_WORDS[step.name], *(f"{count:,.0f}" for count in counts), moved, *times))
    return rows


def _show_memory(report: Report) -> None:
    header = ("model", "clip", "picture", "parameters", "features of a pair", "caches of a view")
    # A machine without a GPU has no columns of it.
    has_gpu = any(result.peak_cuda_bytes or result.encode_peak_cuda_bytes for result in report.results)
    peaks = ("peak encoding", "peak decoding", *(("encoding on the GPU", "decoding on the GPU") if has_gpu else ()))
    show_table(
        "Memory (peaks are those of the whole program)",
        (*header, *peaks),
        [_memory(result, has_gpu=has_gpu) for result in report.results],
    )


def _memory(result: BenchResult, *, has_gpu: bool) -> tuple[str, ...]:
    held, ram = (result.feature_bytes, result.view_bytes), (result.encode_peak_ram_bytes, result.peak_ram_bytes)
    gpu = (result.encode_peak_cuda_bytes, result.peak_cuda_bytes) if has_gpu else ()
    return (*_names(result), f"{result.parameters / 1e6:.2f} M", *map(_mib, (*held, *ram, *gpu)))


def _names(result: BenchResult) -> tuple[str, str, str]:
    return result.model, result.clip, result.grid


def _show_machine(report: Report) -> None:
    ceilings = report.ceilings
    rows = [
        ("matrix product, float32", f"{ceilings.product_flops / 1e9:,.0f} GFLOP/s"),
        ("matrix product, bfloat16", _giga(ceilings.half_product_flops, "GFLOP/s")),
        ("copy, read and written", f"{ceilings.copied_bytes / 1e9:,.1f} GB/s"),
        ("sine, float32", f"{ceilings.sines / 1e9:,.2f} G/s"),
        ("torch", f"{report.torch_version}, {report.threads} threads"),
        ("load average before the run", "" if report.load_average is None else f"{report.load_average:.2f}"),
    ]
    show_table("The machine's limits, measured in this run", (), [row for row in rows if row[1]])


def _giga(rate: float | None, unit: str) -> str:
    return "" if rate is None else f"{rate / 1e9:,.0f} {unit}"


def _ms(secs: float) -> str:
    return f"{secs * 1000:,.1f} ms"


def _mib(count: int | None) -> str:
    return "" if count is None else f"{count / 2**20:,.1f} MiB"
