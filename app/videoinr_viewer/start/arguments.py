"""The command line of the viewer."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videoinr import __version__
from videoinr_viewer.picture.navigation import MAX_ZOOM, MIN_ZOOM
from videoinr_viewer.style.theme_choice import Theme

DEFAULT_BENCH_SECS = 5.0


@dataclass(frozen=True)
class BenchPlan:
    """``secs``: how long each gesture lasts. ``steps``: of the soak, which then takes the gestures' place; 0: none."""

    secs: float = DEFAULT_BENCH_SECS
    steps: int = 0
    as_json: bool = False


@dataclass(frozen=True)
class Arguments:
    """What the command line says; None: not given."""

    file: Path | None = None
    at_secs: Fraction | None = None
    zoom: float | None = None
    centre: tuple[float, float] | None = None
    screenshot: Path | None = None
    bench: BenchPlan | None = None
    model: str | None = None
    device: str | None = None
    theme: Theme | None = None
    size: tuple[int, int] | None = None

    @property
    def is_unattended(self) -> bool:
        """Whether nobody is there to answer questions, and nothing is to be remembered."""
        return self.screenshot is not None or self.bench is not None


def parse(argv: Sequence[str] | None = None) -> Arguments:
    """Read ``argv`` (by default the process's); what makes no sense ends the process with 2, --version with 0."""
    parser = argparse.ArgumentParser(
        prog="videoinr-viewer",
        description="Look between the frames and inside the pixels of a clip.",
        epilog="With --screenshot or --bench: 0 done, 1 the clip failed.",
    )
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a video, or a folder of pictures")
    parser.add_argument("--at", dest="at_secs", type=_secs, metavar="SECS", help="the time to look at: 1.25 or 5/4")
    parser.add_argument("--zoom", type=_zoom, metavar="F", help="screen pixels for each clip pixel; fit by default")
    parser.add_argument("--centre", type=_centre, metavar="X,Y", help="the clip pixel in the middle of the window")
    parser.add_argument("--screenshot", type=Path, metavar="OUT.png", help="save the window at full quality and quit")
    parser.add_argument("--model", metavar="NAME|PATH", help="a shipped model's name, or a weights file")
    parser.add_argument("--device", metavar="D", help="cuda, cuda:1, mps or cpu; the fastest one by default")
    parser.add_argument("--theme", type=Theme, metavar="light|dark|system", help="for this run")
    parser.add_argument("--size", type=_size, metavar="WxH", help="the window's size")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_bench(parser)
    values = vars(parser.parse_args(argv))
    plan = BenchPlan(values.pop("seconds"), values.pop("steps"), values.pop("json"))
    if not values["bench"] and plan != BenchPlan():
        parser.error("--seconds, --steps and --json belong to --bench")
    if values["bench"] and (values["file"] is None or values["screenshot"] is not None):
        parser.error("--bench needs a FILE, and takes no screenshot")
    values["bench"] = plan if values["bench"] else None
    return Arguments(**values)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("measuring", "a scripted hand uses the window, and what it felt is printed")
    group.add_argument("--bench", action="store_true", help="drag, zoom, pan and play, then quit; a minute or so")
    group.add_argument("--seconds", type=_positive(float), default=DEFAULT_BENCH_SECS, metavar="N", help="per gesture")
    group.add_argument("--steps", type=_positive(int), default=0, metavar="N", help="N steps and their memory instead")
    group.add_argument("--json", action="store_true", help="figures as JSON")


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = kind(text)
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError(f"'{text}' is no positive number")
        return value

    return read


def _secs(text: str) -> Fraction:
    try:
        secs = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"'{text}' is no time in seconds") from None
    if secs < 0 or len(text) > 40 or "e" in text.lower():
        raise argparse.ArgumentTypeError(f"'{text}' is no time in a clip")
    return secs


def _zoom(text: str) -> float:
    zoom = float(text)
    if not MIN_ZOOM <= zoom <= MAX_ZOOM:
        raise argparse.ArgumentTypeError(f"a zoom lies between {MIN_ZOOM:g} and {MAX_ZOOM:g}")
    return zoom


def _centre(text: str) -> tuple[float, float]:
    x, y = (float(part) for part in text.split(","))
    return x, y


def _size(text: str) -> tuple[int, int]:
    width, height = (int(part) for part in text.lower().split("x"))
    if not (1 <= width <= 16384 and 1 <= height <= 16384):
        raise argparse.ArgumentTypeError("a window has 1 to 16384 pixels each way")
    return width, height
