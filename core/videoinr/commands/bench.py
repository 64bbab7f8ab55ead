"""``videoinr bench``: how fast this machine is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import SIZE, DeviceOption, JsonOption
from videoinr.commands.screen import say, show_json
from videoinr.errors import UsageError
from videoinr.geometry import Grid

if TYPE_CHECKING:
    from videoinr.benchmark.run import Footage

_Sizes = tuple[Grid, tuple[Grid, ...]]
"""Of a clip, and of the pictures decoded from it; no pictures: x4 the clip."""
_SMALL, _LARGE = Grid(320, 180), Grid(960, 540)
_HD, _UHD = Grid(1920, 1080), Grid(3840, 2160)


def bench(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A clip; a synthetic one by default.")] = None,
    lr: Annotated[
        Grid | None, typer.Option("--lr", parser=SIZE, metavar="WxH", help="The synthetic clip's size; 320x180.")
    ] = None,
    out: Annotated[
        list[Grid] | None,
        typer.Option(
            "--out", parser=SIZE, metavar="WxH", help="A picture's size; may be given several times. x4 the clip's."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="NAME|PATH|random:CONFIG",
            help="A model; may be given several times. random:base is base with random weights: as fast.",
        ),
    ] = None,
    all_models: Annotated[
        bool, typer.Option("--all", help="lite, base and paper (with random weights where not shipped).")
    ] = False,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=1000, metavar="N", help="Medians over N pairs.")] = 3,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Time encoding and decoding on this machine, against its own ceilings and the paper's heads plainly evaluated.

    With neither FILE, --lr nor --out: 320x180 to 960x540 on a CPU, and to 1920x1080 and 3840x2160 on CUDA. Takes a
    minute or so on a CPU, several with --all.
    """
    if file is not None and lr is not None:
        raise UsageError("--lr is the size of the synthetic clip.", hint="Leave it out, or give no FILE.")
    if all_models and model:
        raise UsageError("Both --all and --model were given.", hint="Give one of them.")
    from videoinr.benchmark.run import run
    from videoinr.benchmark.subjects import usual_models
    from videoinr.commands.bench_tables import show_report

    with _footage(file, _sizes(lr, out, device, every=all_models), tuple(out or ()), repeats) as footage:
        names = usual_models() if all_models else model or (None,)
        report = run(names, footage, device=device, repeats=repeats, tell=say)
    if as_json:
        show_json(report.to_dict())
    else:
        show_report(report)


def _sizes(lr: Grid | None, out: list[Grid] | None, device: str | None, *, every: bool) -> list[_Sizes]:
    """Of the synthetic clips: those asked for, or the usual ones of the device."""
    from videoinr.devices import pick_device

    if lr is not None or out:
        return [(lr or _SMALL, tuple(out or ()))]
    if pick_device(device).type != "cuda":
        return [(_SMALL, (_LARGE,))]
    return [(_SMALL, (_LARGE, _HD, _UHD)), *([(_LARGE, (_HD, _UHD))] if every else [])]


@contextmanager
def _footage(file: Path | None, sizes: list[_Sizes], out: tuple[Grid, ...], repeats: int) -> Iterator[list[Footage]]:
    """``file``, or synthetic clips of ``sizes`` that are gone afterwards."""
    if file is not None:
        yield [_footage_of(file, out)]
        return
    from videoinr.benchmark.synthetic import write_synthetic_clip

    with tempfile.TemporaryDirectory(prefix="videoinr-bench-") as folder:
        made = []
        for clip_size, grids in sizes:
            clip = Path(folder, f"{clip_size}.mkv")
            write_synthetic_clip(clip, clip_size, frames=repeats + 2)
            made.append(_footage_of(clip, grids))
        yield made


def _footage_of(path: Path, out: tuple[Grid, ...]) -> Footage:
    """Raises ClipError, and UsageError for a picture that the program does not decode."""
    from videoinr.benchmark.run import Footage
    from videoinr.clip import open_clip
    from videoinr.render.output_area import grid_of, rect_of

    with open_clip(path) as clip:
        info = clip.info
    grids = tuple(grid_of(info, scale=None, size=each, default_scale=4) for each in out or (None,))
    for each in grids:
        rect_of(each, None)
    return Footage(path, info.grid, grids)
