"""Draw a run's training curves as SVG: loss, learning rate and, with a validation, PSNR over the steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from videoinr.training.recipe import Recipe
from videoinr.training.run_folder import CURVES
from videoinr.training.run_log import Line
from videoinr.writing.whole_files import write_file

WIDTH, PANEL_HEIGHT, LEFT, RIGHT, TOP, GAP = 960, 220, 84, 24, 88, 58
MAX_POINTS = 1200
"""The most points of a curve. More would be finer than its pixels; neighbouring points are averaged instead."""
SMOOTHING = 0.9
TICKS = 5
_SWATCH = 40
"""Width of a legend entry without its label, SVG units."""

Points = list[tuple[float, float]]
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #55606e }
.title { font-size: 15px; font-weight: 600; fill: #1f2933 }
.panel { fill: #ffffff; stroke: #d5dae1 }
.grid { stroke: #e9ecf0 }
.stage { stroke: #9aa5b1; stroke-dasharray: 4 4 }
.curve { fill: none; stroke-width: 1.8; stroke-linejoin: round }
"""


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (step, value) in one colour. ``label``: text in the legend; empty: none. ``opacity``: 0 ... 1."""

    label: str
    points: Points
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves that share a vertical axis. A logarithmic axis needs values above 0."""

    title: str
    curves: tuple[Curve, ...]
    logarithmic: bool = False


def write_curves(lines: Sequence[Line], recipe: Recipe, out: Path) -> None:
    """Write ``out/curves.svg``, replacing the file as a whole. An empty log writes nothing."""
    panels = panels_from_log(lines)
    if panels:
        write_file(out / CURVES, svg_from_panels(panels, recipe), replace=True)


def panels_from_log(lines: Sequence[Line]) -> list[Panel]:
    """Return the panels to draw for a log (see run_log.py)."""
    loss, rate = _points(lines, "loss"), _points(lines, "learning_rate")
    curves = (Curve("", loss, "#2f6fde", 0.3), Curve("loss, smoothed", _smoothed(loss), "#2f6fde"))
    panels = [Panel("Charbonnier loss", curves, logarithmic=True)] if loss else []
    panels += [Panel("Learning rate", (Curve("", rate, "#c2571a"),))] if rate else []
    colours = {
        "psnr_db": "#1b8a5a",
        "between_db": "#7a4fd0",
        "baseline_db": "#9fc9b5",
        "baseline_between_db": "#c9bbea",
    }
    labels = ("all instants", "between frames", "all, bicubic + blend", "between, bicubic + blend")
    scores = tuple(
        Curve(label, _points(lines, key), colour) for (key, colour), label in zip(colours.items(), labels, strict=True)
    )
    return panels + ([Panel("Validation, PSNR-Y in dB", scores)] if scores[0].points else [])


def _points(lines: Sequence[Line], key: str) -> Points:
    points = [(float(line["step"]), float(line[key])) for line in lines if line.get(key) is not None]
    share = math.ceil(len(points) / MAX_POINTS)
    return [_mean(points[start : start + share]) for start in range(0, len(points), share)] if points else []


def _mean(points: Points) -> tuple[float, float]:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _smoothed(points: Points) -> Points:
    """Return the exponential moving average of the values, with bias correction."""
    mean, weight, smoothed = 0.0, 0.0, []
    for x, y in points:
        mean, weight = SMOOTHING * mean + (1 - SMOOTHING) * y, SMOOTHING * weight + 1 - SMOOTHING
        smoothed.append((x, mean / weight))
    return smoothed


def svg_from_panels(panels: Sequence[Panel], recipe: Recipe) -> str:
    """Return the SVG: panels below one another over the same steps, with the recipe's stages marked."""
    steps = [x for panel in panels for curve in panel.curves for x, _ in curve.points]
    least, most = 0.0, max(1.0, *steps)
    height = TOP + len(panels) * (PANEL_HEIGHT + GAP)
    borders = [border for border in _stage_borders(recipe) if border[0] < most]
    body = [_text(LEFT, 28, f"{recipe.name}: step {most:,.0f} of {recipe.steps:,}", "title")]
    for step, name in borders:
        body.append(_text(LEFT + step / most * (WIDTH - RIGHT - LEFT), 52, f"stage {name}"))
    for number, panel in enumerate(panels):
        body += _panel(panel, TOP + number * (PANEL_HEIGHT + GAP), (least, most), borders)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">\n'
        f'<style>{_STYLE}</style>\n<rect width="{WIDTH}" height="{height}" fill="#f7f8fa"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _stage_borders(recipe: Recipe) -> Iterator[tuple[float, str]]:
    first = 0
    for stage in recipe.stages:
        yield float(first), stage.name
        first += stage.steps


def _panel(panel: Panel, top: float, steps: tuple[float, float], borders: Sequence[tuple[float, str]]) -> Iterator[str]:
    bottom, right = top + PANEL_HEIGHT, WIDTH - RIGHT
    least, most, ticks = _value_axis(panel)
    forward: Callable[[float], float] = math.log10 if panel.logarithmic else float

    def x_of(step: float) -> float:
        return LEFT + (step - steps[0]) / (steps[1] - steps[0]) * (right - LEFT)

    def y_of(value: float) -> float:
        return bottom - (forward(value) - forward(least)) / (forward(most) - forward(least)) * PANEL_HEIGHT

    yield f'<rect class="panel" x="{LEFT}" y="{top}" width="{right - LEFT}" height="{PANEL_HEIGHT}"/>'
    for value in ticks:
        yield _line(LEFT, y_of(value), right, y_of(value), "grid")
        yield _text(LEFT - 8, y_of(value) + 4, f"{value:g}", anchor="end")
    for step in linear_ticks(*steps):
        yield _line(x_of(step), top, x_of(step), bottom, "grid")
        yield _text(x_of(step), bottom + 18, f"{step:,.0f}", anchor="middle")
    for step, _ in borders:
        yield _line(x_of(step), top, x_of(step), bottom, "stage")
    yield _text(LEFT, top - 9, panel.title)
    for curve in panel.curves:
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in curve.points)
        yield f'<polyline class="curve" stroke="{curve.colour}" stroke-opacity="{curve.opacity}" points="{path}"/>'
    yield from _legend([curve for curve in panel.curves if curve.label], right, top - 9)


def _legend(curves: Sequence[Curve], right: float, y: float) -> Iterator[str]:
    widths = [_SWATCH + 6.2 * len(curve.label) for curve in curves]
    x = right - sum(widths)
    for curve, width in zip(curves, widths, strict=True):
        yield f'<path d="M{x:.1f} {y - 4}h18" stroke="{curve.colour}" stroke-width="3"/>'
        yield _text(x + 24, y, curve.label)
        x += width


def _value_axis(panel: Panel) -> tuple[float, float, list[float]]:
    """Return the least and the greatest value of the axis, and its ticks."""
    values = [y for curve in panel.curves for _, y in curve.points]
    least, most = min(values), max(values)
    if panel.logarithmic:
        least, most = least / 1.1, most * 1.1
        return least, most, log_ticks(least, most)
    room = 0.06 * (most - least) or 0.05 * abs(most) or 1.0
    least, most = least - room if least else 0.0, most + room
    return least, most, linear_ticks(least, most)


def linear_ticks(least: float, most: float) -> list[float]:
    """Return about TICKS round numbers in least ... most."""
    raw = (most - least) / TICKS
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw)
    return [round(number * step, 12) for number in range(math.ceil(least / step), math.floor(most / step) + 1)]


def log_ticks(least: float, most: float) -> list[float]:
    """Return round numbers in least ... most for a logarithmic axis: the coarsest series with at least four of them."""
    decades = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10))):
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        inside = [float(f"{tick:.3g}") for tick in ticks if least <= tick <= most]
        if len(inside) >= 4:
            return inside
    return linear_ticks(least, most)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, kind: str = "", *, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
