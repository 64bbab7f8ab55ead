"""``videoinr bench``: how fast this machine is."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import DeviceOption, JsonOption, ModelOption
from videoinr.commands.options import grid as size
from videoinr.commands.screen import show_json, show_table
from videoinr.errors import UsageError
from videoinr.geometry import Grid

if TYPE_CHECKING:
    from videoinr.benchmark import BenchResult

_SYNTHETIC = Grid(320, 180)


def bench(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A clip; a synthetic one by default.")] = None,
    lr: Annotated[
        Grid | None, typer.Option("--lr", parser=size, metavar="WxH", help="The synthetic clip's size; 320x180.")
    ] = None,
    out: Annotated[
        Grid | None,
        typer.Option("--out", parser=size, metavar="WxH", help="The picture's size; x4 the clip's."),
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Time encoding and decoding on this machine (medians; a minute or so on a CPU)."""
    if file is not None:
        if lr is not None:
            raise UsageError("--lr is the size of the synthetic clip.", hint="Leave it out, or give no FILE.")
        _bench_clip(file, out, model, device, as_json=as_json)
        return
    from videoinr.benchmark import REPEATS, write_synthetic_clip

    with tempfile.TemporaryDirectory(prefix="videoinr-bench-") as folder:
        clip = Path(folder, "synthetic.mkv")
        write_synthetic_clip(clip, lr or _SYNTHETIC, frames=REPEATS + 2)
        _bench_clip(clip, out, model, device, as_json=as_json)


def _bench_clip(clip: Path, out: Grid | None, model: str | None, device: str | None, *, as_json: bool) -> None:
    from videoinr.benchmark import measure
    from videoinr.commands.picture import grid_of, rect_of
    from videoinr.engine import open_engine

    with open_engine(clip, model=model, device=device) as engine:
        grid = grid_of(engine.opened.info, scale=None, size=out, default_scale=4)
        rect_of(grid, None)
        result = measure(engine, grid)
    if as_json:
        show_json(asdict(result))
    else:
        _show(result)


def _show(result: BenchResult) -> None:
    title = f"{result.model} on {result.device}: {result.clip} to {result.grid}"
    rows = [
        ("encode a pair", _ms(result.encode_secs)),
        ("first picture of a pair", _ms(result.first_decode_secs)),
        ("same view, other time", _ms(result.next_phase_secs)),
        (f"draft, {result.draft_divisor} times coarser", _ms(result.draft_secs)),
        ("peak memory", _mib(result.peak_ram_bytes)),
        ("peak GPU memory", _mib(result.peak_cuda_bytes)),
    ]
    show_table(title, ("", f"median of {result.repeats}"), [row for row in rows if row[1]])


def _ms(secs: float) -> str:
    return f"{secs * 1000:.1f} ms"


def _mib(count: int | None) -> str:
    return "" if count is None else f"{count / 2**20:.0f} MiB"
