"""The command line of the viewer. No Qt and no engine: --help and --version are fast."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from videoinr import __version__
from videoinr.errors import UsageError
from videoinr_viewer.picture.navigation import MAX_ZOOM, MIN_ZOOM
from videoinr_viewer.style.theme_choice import Theme

if TYPE_CHECKING:
    from videoinr.text.clip_time import ClipTime

DEFAULT_BENCH_SECS = 5.0
MAX_SIDE_PX = 16384
_ZOOMS = f"a zoom between {MIN_ZOOM:g} and {MAX_ZOOM:g}"
_SIZES = f"a size WIDTHxHEIGHT of 1 to {MAX_SIDE_PX} pixels a side"
_T = TypeVar("_T")
_N = TypeVar("_N", int, float, Fraction)


@dataclass(frozen=True)
class BenchPlan:
    """Options of the bench. ``secs``: duration of each gesture. ``steps``: of the soak that replaces them, or 0."""

    secs: float = DEFAULT_BENCH_SECS
    steps: int = 0
    as_json: bool = False


@dataclass(frozen=True)
class Arguments:
    """The parsed command line. None: not given."""

    file: Path | None = None
    at: ClipTime | None = None
    zoom: float | None = None
    centre: tuple[float, float] | None = None
    screenshot: Path | None = None
    bench: BenchPlan | None = None
    model: str | None = None
    device: str | None = None
    theme: Theme | None = None
    size: tuple[int, int] | None = None
    language: str | None = None
    actions: tuple[str, ...] = ()

    @property
    def is_unattended(self) -> bool:
        """Whether the program asks no questions and saves no settings."""
        return self.screenshot is not None or self.bench is not None


def parse(argv: Sequence[str] | None = None) -> Arguments:
    """Parse ``argv``, by default the process's. An invalid one ends the process with exit code 2, --version with 0."""
    parser = argparse.ArgumentParser(
        prog="videoinr-viewer",
        description="Look between the frames and inside the pixels of a clip.",
        epilog="Exit codes with --screenshot or --bench: 0 done, 1 failed.",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a video, a folder of pictures, or a project"
    )
    parser.add_argument(
        "--screenshot",
        type=Path,
        metavar="OUT.png|FOLDER",
        help="save the window at full quality and quit; in a FOLDER, pictures of all its panels and modes",
    )
    parser.add_argument("--model", metavar="NAME|PATH", help="a model's name or a file of weights")
    parser.add_argument("--device", metavar="D", help="cuda, cuda:1, mps or cpu (default: the fastest)")
    parser.add_argument(
        "--do", action="append", default=[], metavar="ID", help="with --screenshot: an action of the menus to do first"
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_view(parser)
    _add_bench(parser)
    values = vars(parser.parse_args(argv))
    plan = BenchPlan(values.pop("seconds"), values.pop("steps"), values.pop("json"))
    if not values["bench"] and plan != BenchPlan():
        parser.error("--seconds, --steps and --json need --bench")
    if values["bench"] and (values["file"] is None or values["screenshot"] is not None):
        parser.error("--bench needs a FILE and excludes --screenshot")
    values["actions"] = tuple(values.pop("do"))
    if values["actions"] and values["screenshot"] is None:
        parser.error("--do needs --screenshot")
    if values["actions"] and values["screenshot"].is_dir():
        parser.error("--do needs --screenshot with the name of a picture; in a folder, all panels are saved")
    values["bench"] = plan if values["bench"] else None
    return Arguments(**values)


def _add_view(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--at",
        type=_time,
        metavar="TIME",
        help="the time to show: 1.25, 5/4, 1:02.5, 00:00:01:06, f31 or 50%%",
    )
    parser.add_argument(
        "--zoom",
        type=_checked(_zoom, _ZOOMS),
        metavar="F",
        help="screen pixels per clip pixel: 4, x4 or 400%% (default: fit to window)",
    )
    parser.add_argument(
        "--centre",
        type=_checked(_centre, "a point X,Y"),
        metavar="X,Y",
        help="the clip pixel in the middle of the window",
    )
    parser.add_argument(
        "--theme",
        type=_checked(Theme, "light, dark or system"),
        metavar="light|dark|system",
        help="the theme of this run",
    )
    parser.add_argument(
        "--language", choices=("en", "de"), help="the language of this run (default: the system's, or English)"
    )
    parser.add_argument("--size", type=_checked(_size, _SIZES), metavar="WxH", help="the window's size in pixels")


def _add_bench(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("measuring", "operate the window by a script and print how fast it responds")
    group.add_argument("--bench", action="store_true", help="drag, zoom, pan and play, then quit (about a minute)")
    group.add_argument(
        "--seconds", type=_positive(float), default=DEFAULT_BENCH_SECS, metavar="N", help="duration of each gesture"
    )
    group.add_argument(
        "--steps", type=_positive(int), default=0, metavar="N", help="take N steps instead, and measure the memory"
    )
    group.add_argument("--json", action="store_true", help="print the figures as JSON")


def _checked(read: Callable[[str], _T], expected: str) -> Callable[[str], _T]:
    """Return ``read`` with an error message that names ``expected``, in place of the error of ``read``."""

    def read_or_explain(text: str) -> _T:
        try:
            return read(text)
        except (ValueError, ArithmeticError, UsageError):
            raise argparse.ArgumentTypeError(f"'{text}' is not {expected}") from None

    return read_or_explain


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        return _within(kind(text), 1e-9, 1e9)

    return _checked(read, "a positive whole number" if kind is int else "a positive number")


def _within(value: _N, least: float, most: float) -> _N:
    if not least <= value <= most:
        raise ValueError(f"{value} is out of range")
    return value


def _time(text: str) -> ClipTime:
    # Here and below: imported when needed, so that --version and a plain start do not wait for it.
    from videoinr.text.clip_time import clip_time

    try:
        time = clip_time(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(error.in_words()) from None
    if time.secs is not None and time.secs < 0:
        raise argparse.ArgumentTypeError(f"{text} is before the clip's start")
    return time


def _zoom(text: str) -> float:
    from videoinr.text.parsing import factor

    return _within(float(factor(text)), MIN_ZOOM, MAX_ZOOM)


def _centre(text: str) -> tuple[float, float]:
    x, y = (float(side) for side in text.split(","))
    return x, y


def _size(text: str) -> tuple[int, int]:
    from videoinr.text.parsing import size as size_from_text

    size = size_from_text(text)
    return _within(size.width, 1, MAX_SIDE_PX), _within(size.height, 1, MAX_SIDE_PX)
