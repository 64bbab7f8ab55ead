"""``videoinr bench``: measures the speed of this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import EFFORT, SIZE, DeviceOption, JsonOption, check_clip
from videoinr.commands.screen import say, show_json
from videoinr.errors import UsageError
from videoinr.geometry import Grid
from videoinr.model.names import check_device_name, check_model_name

if TYPE_CHECKING:
    from videoinr.benchmark.run import Footage

_Sizes = tuple[Grid, tuple[Grid, ...]]
"""The size of a clip, and the sizes of the pictures decoded from it (none: 4 times the clip)."""
_SMALL, _LARGE = Grid(320, 180), Grid(960, 540)
_HD, _UHD = Grid(1920, 1080), Grid(3840, 2160)


def bench(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A clip. Default: a synthetic one.")] = None,
    lr: Annotated[
        Grid | None,
        typer.Option("--lr", parser=SIZE, metavar="WxH", help="Size of the synthetic clip. Default: 320x180."),
    ] = None,
    out: Annotated[
        list[Grid] | None,
        typer.Option(
            "--out", parser=SIZE, metavar="WxH", help="Size of a decoded picture. Repeatable. Default: x4 the clip."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="NAME|PATH|random:CONFIG",
            help="A model. Repeatable. random:base is base with random weights, which is as fast.",
        ),
    ] = None,
    all_models: Annotated[
        bool,
        typer.Option("--all", help="Measure lite, base and paper (a model that is not shipped with random weights)."),
    ] = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="One pair, and the paper's heads on a few rows: some 15 s on two cores."),
    ] = False,
    repeats: Annotated[
        int | None,
        typer.Option("--repeats", min=1, max=1000, metavar="N", help="Measure N pairs (3), and show the medians."),
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="Measure an export instead: each stage alone, and the whole.")
    ] = False,
    frames: Annotated[
        int, typer.Option("--frames", min=2, max=100_000, metavar="N", help="Frames of the export.")
    ] = 96,
    codec: Annotated[
        str | None, typer.Option("--codec", metavar="NAME", help="Codec of the export. Default: libx264.")
    ] = None,
    effort: Annotated[
        str,
        typer.Option("--effort", parser=EFFORT, metavar="fast|medium|slow", help="How hard the codec tries."),
    ] = "medium",
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how long this machine takes to encode and decode.

    Each time is compared with the least time that the measured limits of the machine allow, and with a plain
    evaluation of the paper's heads. Default sizes: 320x180 to 960x540 on a CPU; on CUDA also to 1920x1080 and
    3840x2160. A run takes about a minute on a CPU, several minutes with --all, and less than 20 seconds with --quick.

    With --export, the stages of an export (read, encode, decode, convert, code) are measured one after the other, and
    then the export, in which they overlap. Default: 96 frames of the demo clip at x4 in H.264.
    """
    if quick and (export or all_models):
        raise UsageError("--quick measures neither an export nor all models.", hint="Leave --export or --all out.")
    _check_all_count(context, export=export)
    if file is not None:
        check_clip(file)
    check_device_name(device)
    for name in model or ():
        if not name.startswith("random:"):
            check_model_name(name)
    if export:
        _measure_export(file, frames, out, codec, effort, model, device, as_json=as_json)
        return
    if file is not None and lr is not None:
        raise UsageError("--lr is the size of the synthetic clip, but FILE was given.", hint="Leave one of them out.")
    if all_models and model:
        raise UsageError("Both --all and --model were given.", hint="Give one of them.")
    from videoinr.benchmark.run import run
    from videoinr.benchmark.subjects import usual_models
    from videoinr.commands.bench_tables import show_report

    repeats = repeats or (1 if quick else 3)
    with _footage(file, _sizes(lr, out, device, every=all_models), tuple(out or ()), repeats) as footage:
        names = usual_models() if all_models else model or (None,)
        report = run(names, footage, device=device, repeats=repeats, tell=say, quick=quick)
    if as_json:
        show_json(report.to_dict())
    else:
        show_report(report)


_OF_EXPORTS, _OF_STEPS = ("frames", "codec", "effort"), ("lr", "all_models", "repeats")


def _check_all_count(context: typer.Context, *, export: bool) -> None:
    """Raise UsageError for an option of the other measurement: it would be overlooked."""
    for name in _OF_STEPS if export else _OF_EXPORTS:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = f"--{name.removesuffix('_models')}"
            words = "does not count with --export" if export else "counts with --export only"
            raise UsageError(
                f"{option} {words}.", hint=f"Leave {option} out, or {'leave' if export else 'give'} --export."
            )


def _measure_export(
    file: Path | None,
    frames: int,
    out: list[Grid] | None,
    codec: str | None,
    effort: str,
    model: list[str] | None,
    device: str | None,
    *,
    as_json: bool,
) -> None:
    if len(out or ()) > 1 or len(model or ()) > 1:
        raise UsageError("--export measures one size and one model.", hint="Give --out and --model once.")
    import videoinr_resources
    from videoinr.benchmark.export_stages import measure_export
    from videoinr.commands.bench_tables import show_export
    from videoinr.exporting.codecs import Effort

    times = measure_export(
        file or videoinr_resources.path("demo/demo.mp4"), frames=frames, size=next(iter(out or ()), None),
        codec=codec, effort=Effort(effort), model=next(iter(model or ()), None), device=device, say=say,
    )  # fmt: skip
    if as_json:
        show_json(times.to_dict())
    else:
        show_export(times)


def _sizes(lr: Grid | None, out: list[Grid] | None, device: str | None, *, every: bool) -> list[_Sizes]:
    """The sizes of the synthetic clips and their pictures: those given, or the default ones of the device."""
    from videoinr.devices import pick_device

    if lr is not None or out:
        return [(lr or _SMALL, tuple(out or ()))]
    if pick_device(device).type != "cuda":
        return [(_SMALL, (_LARGE,))]
    return [(_SMALL, (_LARGE, _HD, _UHD)), *([(_LARGE, (_HD, _UHD))] if every else [])]


@contextmanager
def _footage(file: Path | None, sizes: list[_Sizes], out: tuple[Grid, ...], repeats: int) -> Iterator[list[Footage]]:
    """The clip ``file``, or synthetic clips of ``sizes``, which are removed at the end."""
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
    """The clip at ``path``. Raises ClipError, and UsageError if a size in ``out`` is out of range."""
    from videoinr.benchmark.run import Footage
    from videoinr.clip import open_clip
    from videoinr.render.output_area import grid_of, rect_of

    with open_clip(path) as clip:
        info = clip.info
    grids = tuple(grid_of(info, scale=None, size=each, default_scale=4) for each in out or (None,))
    for each in grids:
        rect_of(each, None)
    return Footage(path, info.grid, grids)
