"""Time decoding on a GPU (encoding: gpu_encode.py): ``PYTHONPATH=core python3 tests/benchmarks/gpu_decode.py``.

Weights are random and the motion is a synthetic drift of a few pixels, because the time does not depend on what a model
has learnt. Of the program's dependencies only torch and Triton are needed. Device times are medians between CUDA
events; wall times include launches and the copy to the host. Peak memory is torch's, with features and weights.
``--sweep`` tries other block and band sizes; ``--bend`` gives each pair the bend of its paths. To try the
script without a GPU: ``TRITON_INTERPRET=1 ... --device cpu --clips 16x9 --grids 48x27 --repeats 2``.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import torch

from videoinr.cancel import NEVER
from videoinr.decode.cuda_decoder import CudaDecoder
from videoinr.decode.recording import cuda_graph
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid
from videoinr.model import render_cuda
from videoinr.model.config import CONFIGS
from videoinr.model.features import PairFeatures
from videoinr.model.kernels import decode as kernels
from videoinr.model.kernels.decode import Canvas, DecodeWeights, Plan, can_draw, draw, evaluate_field
from videoinr.model.video_inr import VideoINR
from videoinr.types import Instant, PairKey, RegionQuery

KEY = PairKey("random", 0)
GIB = 2**30


class Clock:
    """Times work on one device: the median of ``repeats`` runs after a warm-up."""

    def __init__(self, device: torch.device, repeats: int) -> None:
        self.device, self.repeats = device, repeats

    def synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def device_ms(self, work: Callable[[], object]) -> float:
        """Return the median time between CUDA events around ``work``, ms; on a CPU, the wall time."""
        if self.device.type != "cuda":
            return self.wall_ms(work)
        work()
        times = list[float]()
        for _ in range(self.repeats):
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
            start.record()
            work()
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end))
        return statistics.median(times)

    def wall_ms(self, work: Callable[[], object], *, warm: bool = True) -> float:
        times = []
        for _ in range(self.repeats + warm):
            self.synchronise()
            start = time.perf_counter()
            work()
            self.synchronise()
            times.append(1e3 * (time.perf_counter() - start))
        return statistics.median(times[warm:])


def model_of(name: str, device: torch.device) -> VideoINR:
    torch.manual_seed(0)
    model = VideoINR(CONFIGS[name]).eval().requires_grad_(False).to(device)
    # Initial heads return almost zero or one grey level, and errors in them would not be visible.
    blends = model.config.blend
    model.temporal_head.last.weight.mul_(5 if blends else 2.5)
    model.decoder_head.last.weight.mul_(3 if blends else 12)
    if not blends:
        model.decoder_head.last.bias.fill_(0.5)
    model.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def frames_of(clip: Grid, device: torch.device) -> torch.Tensor:
    small = torch.rand((2, 3, max(1, clip.height // 8), max(1, clip.width // 8)), device=device)
    return torch.nn.functional.interpolate(small, size=(clip.height, clip.width), mode="bicubic").clamp(0, 1)[None]


def drifting(features: PairFeatures, *, bends: bool) -> PairFeatures:
    """Return the features with a motion prior of a few latent pixels that varies smoothly over the frame.

    ``bends``: the paths bend by up to a latent pixel.
    """
    height, width = features.latent_hw
    x = torch.linspace(0, 3, width, device=features.prior.device).expand(height, width)
    y = torch.linspace(0, 3, height, device=features.prior.device)[:, None].expand(height, width)
    if not features.prior.shape[-1]:
        return features
    way = torch.stack((2 + x.sin(), y.cos()), -1)
    bend = [4 * way.flip(-1), 4 * way] if bends else []
    return replace(features, prior=torch.cat((way, -way, *bend), -1)[None].contiguous())


def moved(features: PairFeatures, device: torch.device) -> PairFeatures:
    maps: dict[str, Any] = {name: one.to(device) for name, one in features.tensors().items()}
    return replace(features, **maps)


def bench_kernels(model: VideoINR, features: PairFeatures, grid: Grid, clock: Clock) -> dict[str, Any]:
    weights = DecodeWeights.make(model)
    field = evaluate_field(weights, features, grid, grid.rect)
    canvas = Canvas.make(grid, grid.rect, latent_hw=features.latent_hw, device=clock.device)
    canvas.time.fill_(0.4)

    def instant() -> None:
        draw(weights, features, field, canvas, grid.rect)

    result: dict[str, Any] = {
        "field_ms": clock.device_ms(lambda: evaluate_field(weights, features, grid, grid.rect)),
        "instant_ms": clock.device_ms(instant),
    }
    replay = cuda_graph(instant)
    result["instant_graph_ms"] = None if replay is None else clock.device_ms(replay)
    for name in ("motion", "colour", "blend"):
        others = [f"{other}_kernel" for other in ("motion", "colour", "blend") if other != name]
        with left_out(others):
            result[f"{name}_ms"] = clock.device_ms(instant)
    return result


class _Nothing:
    def __getitem__(self, _: Any) -> Callable[..., None]:
        return lambda *_, **__: None


@contextmanager
def left_out(names: list[str]) -> Iterator[None]:
    """Skip the named kernels, so that the time is that of the others."""
    with replaced({name: _Nothing() for name in names}):
        yield


@contextmanager
def replaced(values: dict[str, Any]) -> Iterator[None]:
    """Replace values in the kernels' module."""
    kept = {name: getattr(kernels, name) for name in values}
    for name, value in values.items():
        setattr(kernels, name, value)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(kernels, name, value)


def bench_decoder(model: VideoINR, features: PairFeatures, grid: Grid, clock: Clock) -> dict[str, Any]:
    """Time decoding to host memory, as in the engine. ``features`` are on the CPU, so the GPU only holds kept ones."""
    profile = ComputeProfile(clock.device, 512, feature_bytes=8 * GIB, tile_bytes=8 * GIB)
    kept = CudaDecoder(model, profile).compact(moved(features, clock.device))

    def ask(decoder: CudaDecoder, step: int) -> torch.Tensor:
        query = RegionQuery(Instant(0, Fraction(step, 97)), grid, grid.rect)
        return decoder.decode(KEY, kept, query, NEVER)

    def first() -> None:
        ask(CudaDecoder(model, profile), 3)

    first_ms = clock.wall_ms(first)
    gc.collect()
    if clock.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(clock.device)
    decoder, steps = CudaDecoder(model, profile), iter(range(97))
    ask(decoder, next(steps))
    next_ms = clock.wall_ms(lambda: ask(decoder, next(steps)))
    on_gpu = clock.device.type == "cuda"
    return {
        "first_wall_ms": first_ms,
        "next_wall_ms": next_ms,
        "peak_gib": torch.cuda.max_memory_allocated(clock.device) / GIB if on_gpu else None,
        **errors(model, moved(features, clock.device), grid, ask(decoder, 40), 40 / 97),
    }


def errors(
    model: VideoINR, features: PairFeatures, grid: Grid, rgbx: torch.Tensor, phase: float
) -> dict[str, float | None]:
    """Return errors against the plain float32 path before rounding, 8-bit levels. Rounding alone gives 0.25 and 0.5."""
    accepted = render_cuda.can_render
    render_cuda.can_render = lambda *_: False
    try:
        time_ = torch.tensor([phase], device=features.frames.device)
        plain = model.render(features, grid, [time_])[0][0].clamp(0, 1).mul(255).permute(1, 2, 0).cpu()
    except torch.OutOfMemoryError:
        return {"mean_error": None, "max_error": None}
    finally:
        render_cuda.can_render = accepted
    error = (rgbx[..., :3].float() - plain).abs()
    rounded = (rgbx[..., :3].float() - plain.round()).abs()
    return {
        "mean_error": float(error.mean()),
        "max_error": float(error.max()),
        "mean_error_rounded": float(rounded.mean()),
        "picture_std": float(plain.std()),
    }


def sweep(model: VideoINR, features: PairFeatures, grid: Grid, clock: Clock) -> list[dict[str, Any]]:
    """Time an instant with other block and band sizes than the built-in ones."""
    rows = []
    trials: list[dict[str, Any]] = [{}]
    trials += [{"BAND_PX": 2**power} for power in (18, 19, 20, 22)]
    colours = [Plan(16, 1), Plan(32, 1), Plan(32, 2), Plan(64, 2), Plan(64, 4), Plan(128, 8)]
    trials += [{"_COLOUR": plan, "_FULL_COLOUR": plan} for plan in colours]
    trials += [{"_MOTION": Plan(run, warps)} for run, warps in ((32, 1), (32, 2), (64, 2), (64, 4), (128, 8))]
    trials += [{"_BLEND": Plan(run, warps)} for run, warps in ((32, 1), (64, 2), (128, 2), (256, 4))]
    trials += [{"_BROAD_COLOUR": Plan(run, warps, stages=2)} for run, warps in ((32, 4), (128, 8))]
    trials += [{"_BLOCK_WIDTH": width} for width in (4, 8, 32)]
    for trial in trials:
        with replaced(trial):
            weights = DecodeWeights.make(model)
            field = evaluate_field(weights, features, grid, grid.rect)
            canvas = Canvas.make(grid, grid.rect, latent_hw=features.latent_hw, device=clock.device)
            canvas.time.fill_(0.4)
            instant = partial(draw, weights, features, field, canvas, grid.rect)
            instant()
            milliseconds = clock.device_ms(cuda_graph(instant) or instant)
            rows.append({**{name: str(value) for name, value in trial.items()}, "instant_ms": milliseconds})
    return rows


def size(text: str) -> Grid:
    width, height = text.split("x")
    return Grid(int(width), int(height))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", type=torch.device)
    parser.add_argument("--models", nargs="+", default=["lite", "base"], choices=["lite", "base", "tiny", "paper"])
    parser.add_argument("--clips", nargs="+", default=[size("320x180"), size("960x540")], type=size)
    parser.add_argument("--grids", nargs="+", default=[size("1920x1080"), size("3840x2160")], type=size)
    parser.add_argument("--repeats", default=20, type=int)
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--bend", action="store_true", help="motion priors with the bend of a path")
    return parser.parse_args()


def show(**row: Any) -> None:
    """Print a line of JSON, numbers with four digits."""
    rounded = {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in row.items()}
    print(json.dumps(rounded), flush=True)


@torch.inference_mode()
def main() -> None:
    """Run all measurements, and print a line of JSON for each."""
    asked = options()
    clock = Clock(asked.device, asked.repeats)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    on_gpu = asked.device.type == "cuda"
    show(device=torch.cuda.get_device_name() if on_gpu else "cpu", torch=torch.__version__, repeats=asked.repeats)
    for name in asked.models:
        model = model_of(name, asked.device)
        for clip in asked.clips:
            encoded = model.encode(frames_of(clip, asked.device), half=on_gpu)
            features = moved(drifting(encoded, bends=asked.bend), torch.device("cpu"))
            for grid in asked.grids:
                about = {"model": name, "clip": str(clip), "grid": str(grid)}
                if can_draw(model, features):
                    show(**about, **bench_kernels(model, moved(features, asked.device).compact(), grid, clock))
                show(**about, **bench_decoder(model, features, grid, clock))
                for row in sweep(model, moved(features, asked.device).compact(), grid, clock) if asked.sweep else ():
                    show(**about, **row)


if __name__ == "__main__":
    main()
