"""Turn evaluation runs into tables and into plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from videoinr.evaluation.methods import MethodSet, NamedMethod
from videoinr.evaluation.motion import MOTION_WORDS, Motion
from videoinr.evaluation.run import Run
from videoinr.evaluation.seams import SeamReport
from videoinr.evaluation.summary import Figures, Summary, finite, mean
from videoinr.text.phrases import format_count


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as text. ``best``: whether it is the best of the figures that it is compared with."""

    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a header, and rows of the header's length."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def plain_rows(self) -> list[tuple[str, ...]]:
        """Return the texts of each row."""
        return [tuple(cell.text for cell in row) for row in self.rows]

    def to_markdown(self) -> str:
        """Return a GitHub-flavoured Markdown table under its title, best figures in bold."""
        rows = [[f"**{cell.text}**" if cell.best else cell.text for cell in row] for row in self.rows]
        lines = [list(self.header), ["---"] + ["---:"] * (len(self.header) - 1), *rows]
        return "\n".join([self.title, "", *("| " + " | ".join(map(_escaped, line)) + " |" for line in lines)])


@dataclass(frozen=True, slots=True)
class _Column:
    """One figure of a method. ``sign``: 1 if higher is better, -1 if lower is better, 0 if neither."""

    header: str
    value: Callable[[Summary], float | None]
    digits: int
    sign: int


def methods_table(run: Run, method_set: MethodSet) -> Table:
    """Return a table of one run: a row for each method, a column for each figure."""
    summaries = {method.name: run.summary(method.name) for method in method_set.methods}
    columns = _columns(run)
    best = {
        column.header: _best([column.value(each) for each in summaries.values()], column.sign) for column in columns
    }
    rows = [
        (
            Cell(method.name),
            Cell(_millions(method)),
            *(_cell(column, summaries[method.name], best[column.header]) for column in columns),
        )
        for method in method_set.methods
    ]
    clips, frames = format_count(len(run.clips), "clip"), format_count(_frames(summaries), "frame")
    title = f"{run.protocol.setting}, {clips}, {frames}: mean; motion {_motion_words(run.motion())}"
    return Table(title, ("method", "parameters", *(column.header for column in columns)), tuple(rows))


def clips_table(run: Run, method_set: MethodSet) -> Table:
    """Return a table of one run: a row for each clip, its motion, and a column for each method."""
    names = [method.name for method in method_set.methods]
    rows = [
        (Cell(clip or "mean"), _motion(run.motion(clip)), *_compared([run.summary(name, clip) for name in names]))
        for clip in (*run.clips, None)
    ]
    title = f"{run.protocol.setting}: {_COMPARED.replace('PSNR', _psnr(run))}"
    return Table(title, ("clip", _MOTION, *names), tuple(rows))


def scales_table(runs: Sequence[Run], method_set: MethodSet) -> Table:
    """Return a table of several runs, as the paper's Table 2: a row for each scale, a column for each method."""
    names = [method.name for method in method_set.methods]
    rows = []
    for run in runs:
        scales = (Cell(f"x{run.protocol.time_scale}"), Cell(f"x{run.protocol.space_scale:g}"))
        footage = (Cell(str(len(run.clips))), _motion(run.motion()))
        rows.append((*scales, *footage, *_compared([run.summary(name) for name in names])))
    title = f"Means over the clips: {_COMPARED.replace('PSNR', _psnr(runs[0]))}"
    return Table(title, ("time", "space", "clips", _MOTION, *names), tuple(rows))


def seams_table(report: SeamReport) -> Table:
    """Return a table of seams: a row for each clip and one for all, with steps at seams and gains at pairs' ends."""
    rows = [_seam_row(report, clip) for clip in report.clips]
    rows.append(_seam_row(report, None))
    header = ("clip", "seams", "largest step", "mean step", "mean motion", "t = 0, dB", "t = 1, dB", "least gain, dB")
    title = f"{report.method}, {report.protocol.setting}: seams in 8-bit steps; ends in PSNR-Y (over bicubic)"
    return Table(title, header, tuple(rows))


def runs_to_dict(runs: Sequence[Run], method_set: MethodSet) -> dict[str, Any]:
    """Return everything about the runs, for JSON."""
    return {
        "methods": {
            method.name: {"parameters": method.parameters} | ({"reads": method.reads} if method.reads else {})
            for method in method_set.methods
        },
        "absent": method_set.absent,
        "motion_measure": MOTION_WORDS,
        "runs": [
            {
                "protocol": str(run.protocol),
                "space_scale": run.protocol.space_scale,
                "time_scale": run.protocol.time_scale,
                "left_out": run.left_out,
                "uneven": run.uneven,
                "motion": {
                    "mean": _motion_values(run.motion()),
                    "clips": {clip: _motion_values(run.motion(clip)) for clip in run.clips},
                },
                "results": {method.name: _results(run, method.name) for method in method_set.methods},
            }
            for run in runs
        ],
    }


def seams_to_dict(report: SeamReport) -> dict[str, Any]:
    """Return everything about the seams, for JSON."""
    return {
        "method": report.method,
        "protocol": str(report.protocol),
        "space_scale": report.protocol.space_scale,
        "time_scale": report.protocol.time_scale,
        "left_out": report.left_out,
        "largest_step": max((seam.step for seam in report.seams), default=None),
        "ends_below_bicubic": len(report.below),
        "seams": [asdict(seam) for seam in report.seams],
        "ends": [{key: _plain(value) for key, value in asdict(end).items()} for end in report.ends],
    }


_COMPARED = "PSNR in dB average / SSIM average (PSNR between)"


_MOTION = "motion, px/frame"


def _motion(motion: Motion) -> Cell:
    about = "~" if motion.is_uncertain else ""
    return Cell(f"{about}{number(motion.px, 2)} ({number(100 * motion.share, 1)} %)")


def _motion_words(motion: Motion) -> str:
    px, _, share = _motion(motion).text.partition(" ")
    return f"{px} px a frame {share.removesuffix(')')} of the height)"


def _motion_values(motion: Motion) -> dict[str, float | None]:
    return {
        "px_per_frame": finite(motion.px),
        "share_of_height": finite(motion.share),
        "agreeing_pixels": motion.agreeing,
    }


def _compared(summaries: Sequence[Summary]) -> tuple[Cell, ...]:
    # At x1 a baseline returns the input frames without error (infinite PSNR): compare the frames between them.
    kind = "average" if all(math.isfinite(summary.average.psnr_db) for summary in summaries) else "between"
    values = [_figure(kind, "psnr_db")(summary) for summary in summaries]
    best = _best(values, 1)
    return tuple(Cell(_psnr_cell(each), value == best) for each, value in zip(summaries, values, strict=True))


def _psnr_cell(summary: Summary) -> str:
    average = summary.average
    return f"{number(average.psnr_db, 2)} / {number(average.ssim, 4)} ({number(summary.between.psnr_db, 2)})"


def _columns(run: Run) -> list[_Column]:
    kinds = ["average", "input", "between", "middle", "others"]
    is_usual = run.protocol.standard.clips is not None and run.protocol.time_scale > 2
    if is_usual or run.protocol.center != "v3":
        kinds.insert(1, "center")
    columns = [_Column(f"{_psnr(run)} {kind}", _figure(kind, "psnr_db"), 2, 1) for kind in kinds]
    columns += [
        _Column(f"SSIM {kind}", _figure(kind, "ssim"), 4, 1) for kind in kinds if kind not in ("others", "middle")
    ]
    if run.protocol.flicker:
        columns.append(_Column("tOF, px", _figure("average", "flow_error_px"), 3, -1))
    if run.protocol.lpips:
        columns += [_Column(f"LPIPS {kind}", _figure(kind, "lpips"), 4, -1) for kind in ("average", "between")]
    return [*columns, _Column("s/frame", lambda summary: summary.secs_per_frame, 3, 0)]


def _figure(kind: str, name: str) -> Callable[[Summary], float | None]:
    def value(summary: Summary) -> float | None:
        figures: Figures = getattr(summary, kind)
        found: float | None = getattr(figures, name)
        return found

    return value


def _cell(column: _Column, summary: Summary, best: float | None) -> Cell:
    value = column.value(summary)
    return Cell(number(value, column.digits), best is not None and value == best)


def _best(values: Sequence[float | None], sign: int) -> float | None:
    """Return the best of several values, or None if there are fewer than two or no value is better."""
    known = [value for value in values if value is not None and not math.isnan(value)]
    return max(known, key=lambda value: sign * value) if sign and len(known) > 1 else None


def number(value: float | None, digits: int) -> str:
    """Format a figure with ``digits`` decimals: a dash for None and NaN, an infinity sign for infinity."""
    if value is None or math.isnan(value):
        return "–"
    return "∞" if math.isinf(value) else f"{value:.{digits}f}"


def _millions(method: NamedMethod) -> str:
    return "–" if method.parameters is None else f"{method.parameters / 1e6:.2f} M"


def _frames(summaries: Mapping[str, Summary]) -> int:
    return max((summary.average.frames for summary in summaries.values()), default=0)


def _psnr(run: Run) -> str:
    return {"y": "PSNR-Y", "rgb": "PSNR-RGB"}[run.protocol.channel]


def _results(run: Run, method: str) -> dict[str, Any]:
    clips = {clip: run.summary(method, clip).to_dict() for clip in run.clips}
    return {"mean": run.summary(method).to_dict(), "clips": clips}


def _seam_row(report: SeamReport, clip: str | None) -> tuple[Cell, ...]:
    seams = [seam for seam in report.seams if clip in (None, seam.clip)]
    ends = [end for end in report.ends if clip in (None, end.clip)]
    steps, motions = [seam.step for seam in seams], [seam.motion for seam in seams]
    words = (
        clip or "all",
        str(len(seams)),
        number(max(steps, default=None), 3),
        number(mean(steps), 3),
        number(mean(motions), 3),
        *(
            _end_words([end.psnr_db for end in ends if end.phase == t], [e.bicubic_db for e in ends if e.phase == t])
            for t in (0, 1)
        ),
        number(min((end.gain_db for end in ends), default=None), 2),
    )
    return tuple(Cell(word) for word in words)


def _end_words(model_db: Sequence[float], bicubic_db: Sequence[float]) -> str:
    return f"{number(mean(model_db), 2)} ({number(mean(bicubic_db), 2)})"


def _plain(value: Any) -> Any:
    return finite(value) if isinstance(value, float) else value


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
