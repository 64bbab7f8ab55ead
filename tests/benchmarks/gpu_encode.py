"""Time encoding on a GPU: ``PYTHONPATH=core:tests python3 -m benchmarks.gpu_encode``.

Weights are random, because the time does not depend on what a model has learnt. Each model is encoded with torch's
convolutions, with the fused kernel (kernels/convolve.py), and with that kernel in a CUDA graph. Errors are those of a
decoded picture and of the features in half precision, against float32. ``--sweep`` times single layers, with every plan
of the kernel and with torch. To try the script without a GPU:
``TRITON_INTERPRET=1 ... --device cpu --models tiny --clips 16x9 --repeats 1``.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing import get_context
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.gpu_decode import Clock, frames_of, model_of, show, size
from videoinr.decode.recording import cuda_graph
from videoinr.geometry import Grid
from videoinr.model import kernels
from videoinr.model.features import PairFeatures
from videoinr.model.kernels.convolve import Plan, convolve, plan_for
from videoinr.model.layers import LEAK, DeformableConv
from videoinr.model.maps import concat
from videoinr.model.video_inr import VideoINR

LAYERS = {
    "lite": (
        ((3,), 24, 2), ((24,), 24, 2), ((24, 24, 4, 32), 64, 1), ((64,), 64, 1), ((64,), 36, 1),
        ((24, 24, 24, 24, 32, 4), 48, 1), ((48,), 48, 1),
    ),
    "base": (
        ((3,), 64, 2), ((64,), 64, 2), ((64, 64, 4, 64), 128, 1), ((128,), 128, 1), ((128,), 68, 1),
        ((64, 64, 64, 64, 64, 4), 96, 1), ((96,), 96, 1),
    ),
    "paper": (((64,), 64, 2), ((64,), 64, 3), ((64, 64), 64, 2)),
}  # fmt: skip
"""Kinds of layers at full resolution: channels of each input, output channels, and number of maps."""
PLANS = (
    *(Plan(128, chunk, warps, stages) for chunk in (32, 64) for warps in (4, 8) for stages in (3, 4)),
    *(Plan(256, chunk, 8, stages) for chunk in (32, 64) for stages in (3, 4)),
    Plan(64, 32, 4, 4),
    Plan(64, 64, 4, 3),
    Plan(64, 64, 4, 4),
    Plan(128, 16, 4, 4),
)


@contextmanager
def with_torchs_convolutions() -> Iterator[None]:
    """Use torch instead of all Triton kernels."""
    served = kernels.is_available
    setattr(kernels, "is_available", lambda _: False)  # noqa: B010 - mypy lets no function be assigned to
    try:
        yield
    finally:
        setattr(kernels, "is_available", served)  # noqa: B010


def moving(model: VideoINR) -> VideoINR:
    """Give ``model`` random offsets of up to two pixels for each tap and group, and an output around middle grey.

    With initial weights all groups read the same position, which is faster than in any trained model, and the output is
    clamped to black, which hides errors.
    """
    for module in model.modules():
        if isinstance(module, DeformableConv):
            module.offsets_and_masks.bias.uniform_(-2, 2)  # type: ignore[union-attr]
    if not model.config.blend:
        model.decoder_head.last.bias.fill_(0.5)
    return model


def bench_encoder(model: VideoINR, clip: Grid, clock: Clock) -> dict[str, Any]:
    frames = frames_of(clip, clock.device)
    half = clock.device.type == "cuda"

    def encode() -> None:
        model.encode(frames, half=half)

    with with_torchs_convolutions():
        plain = clock.device_ms(encode)
        exact = model.encode(frames)
    eager = clock.device_ms(encode)
    replay = cuda_graph(encode)
    features, grid = model.encode(frames, half=half), Grid(2 * clip.width, 2 * clip.height)
    middle = torch.tensor([0.5], device=clock.device)
    pictures = [255 * model.render(either, grid, [middle])[0].clamp(0, 1) for either in (exact, features)]
    error = (pictures[0] - pictures[1]).abs()
    return {
        "plain_ms": plain,
        "eager_ms": eager,
        "graph_ms": None if replay is None else clock.device_ms(replay),
        "mean_error": float(error.mean()),
        "max_error": float(error.max()),
        "feature_error": max(relative_errors(exact, features)),
    }


def relative_errors(exact: PairFeatures, features: PairFeatures) -> Iterator[float]:
    """Yield the relative error of each non-empty field: norm of the difference over norm of the exact value."""
    for name, one in exact.tensors().items():
        expected = one.double()
        if expected.numel():
            yield float((getattr(features, name) - expected).norm() / expected.norm())


Shape = tuple[tuple[int, ...], int, int]


def layer_and_inputs(shape: Shape, clip: Grid, device: torch.device) -> tuple[nn.Conv2d, list[torch.Tensor]]:
    widths, outputs, maps = shape
    layer = nn.Conv2d(sum(widths), outputs, 3, padding=1).to(device).requires_grad_(False)
    inputs = [
        torch.randn((maps, width, clip.height, clip.width), device=device, dtype=torch.float16) for width in widths
    ]
    return layer, [each.contiguous(memory_format=torch.channels_last) for each in inputs]


def compile_layer(shape: Shape, clip: Grid, plan: Plan) -> None:
    """Compile ``plan`` into Triton's cache, in a worker process."""
    layer, inputs = layer_and_inputs(shape, clip, torch.device("cuda"))
    convolve(layer, inputs, slope=LEAK, plan=plan)
    torch.cuda.synchronize()


def sweep(shape: Shape, clip: Grid, clock: Clock, plans: tuple[Plan, ...]) -> None:
    """Time a layer with ``plans``, and with torch, whose input is concatenated and padded beforehand."""
    layer, inputs = layer_and_inputs(shape, clip, clock.device)
    products = 2e-9 * 9 * layer.in_channels * shape[1] * shape[2] * clip.width * clip.height
    x = concat(inputs, multiple=8)
    half = nn.Conv2d(x.shape[1], shape[1], 3, padding=1).to(clock.device, x.dtype).requires_grad_(False)
    half.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    bare = clock.device_ms(lambda: F.conv2d(x, half.weight, None, padding=1))
    whole = clock.device_ms(lambda: F.leaky_relu(half(x), LEAK))
    in_one = clock.device_ms(
        lambda: torch.cudnn_convolution_relu(x, half.weight, half.bias, (1, 1), (1, 1), (1, 1), 1)
    ) if clock.device.type == "cuda" else None  # fmt: skip
    rows = []
    for plan in plans:
        try:
            rows.append((clock.device_ms(lambda p=plan: convolve(layer, inputs, slope=LEAK, plan=p)), plan))  # type: ignore[misc]
        except RuntimeError as error:  # Not enough shared memory.
            show(layer=shape, clip=str(clip), plan=str(plan), error=str(error)[:80])
    rows.sort(key=lambda row: row[0])
    chosen = plan_for(layer, shape[2] * clip.width * clip.height, max(shape[0]))
    show(
        layer=shape, clip=str(clip), gflop=products,
        torch_bare_ms=bare, torch_ms=whole, cudnn_relu_ms=in_one, best_ms=rows[0][0],
        tflops=products / rows[0][0], chosen=str([ms for ms, plan in rows if plan == chosen]),
        plans=[(round(ms, 4), *asdict(plan).values()) for ms, plan in rows[:5]],
    )  # fmt: skip


def profile(model: VideoINR, clip: Grid, clock: Clock) -> None:
    """Print the kernels that take the most time: total ms and number of launches."""
    frames = frames_of(clip, clock.device)
    model.encode(frames, half=True)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
        model.encode(frames, half=True)
        clock.synchronise()
    rows = sorted(profiler.key_averages(), key=lambda row: -row.self_device_time_total)
    for row in rows[:25]:
        show(kernel=row.key[:110], ms=row.self_device_time_total / 1e3, count=row.count)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", type=torch.device)
    parser.add_argument("--models", nargs="+", default=["lite", "base", "paper"])
    parser.add_argument("--clips", nargs="+", default=[size("320x180"), size("960x540")], type=size)
    parser.add_argument("--repeats", default=20, type=int)
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--profile", action="store_true", help="Print the kernels that take the most time.")
    return parser.parse_args()


@torch.inference_mode()
def main() -> None:
    """Run all measurements, and print a line of JSON for each."""
    asked = options()
    clock = Clock(asked.device, asked.repeats)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    on_gpu = asked.device.type == "cuda"
    show(device=torch.cuda.get_device_name() if on_gpu else "cpu", torch=torch.__version__, repeats=asked.repeats)
    if asked.sweep:
        layers = [shape for name in asked.models for shape in LAYERS.get(name, ())]
        jobs = list(itertools.product(layers, asked.clips, PLANS))
        with ProcessPoolExecutor(14, mp_context=get_context("spawn")) as pool:
            done = [pool.submit(compile_layer, *job) for job in jobs]
        show(compiled=len(jobs), failed=sum(future.exception() is not None for future in done))
        for shape, clip in itertools.product(layers, asked.clips):
            sweep(shape, clip, clock, PLANS)
    for name in asked.models:
        model = moving(model_of(name, asked.device))
        for clip in asked.clips:
            show(model=name, clip=str(clip), **bench_encoder(model, clip, clock))
            if asked.profile:
                profile(model, clip, clock)


if __name__ == "__main__":
    main()
