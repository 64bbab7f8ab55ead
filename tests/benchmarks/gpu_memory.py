"""Measures GPU memory: the peak of encoding a pair and decoding a 4K picture of it, and the times, for large clips.

    python -m benchmarks.gpu_memory [--cap GIB] [--models lite,base] [--clips 1920x1080,3840x2160]

Run in ``tests/`` with the packages on PYTHONPATH. Prints one JSON line for each model and clip. ``--cap`` limits the
memory that torch may take, as a smaller card would.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray

from videoinr.cancel import NEVER
from videoinr.clip.memory_clip import open_frames
from videoinr.geometry import Grid
from videoinr.images import tensor_from_pixels
from videoinr.render.engine import Engine, open_engine
from videoinr.text import parsing
from videoinr.types import Instant, RegionQuery

GIB = 2**30
PICTURE = Grid(3840, 2160)
REPEATS = 7


def moving_frames(size: Grid) -> NDArray[np.uint8]:
    """uint8 [3, height, width, 3]: a smooth texture that moves by (6, 3) pixels a frame."""
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.random((1, 3, size.height // 8 + 8, size.width // 8 + 8), np.float32))
    whole = torch.nn.functional.interpolate(noise, scale_factor=8.0, mode="bicubic").clamp(0, 1)[0]
    frames = [whole[:, 3 * k : 3 * k + size.height, 6 * k : 6 * k + size.width] for k in range(3)]
    pictures: NDArray[np.uint8] = (torch.stack(frames).permute(0, 2, 3, 1) * 255).round().byte().numpy()
    return pictures


def median_msecs(work: Callable[[], object]) -> float:
    """Return the median time of ``work``, which ran before, until the GPU has finished it."""
    times = []
    for _ in range(REPEATS):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def measure(model: str, size: Grid) -> dict[str, object]:
    """Return the peaks and times of one model and clip size."""
    clip = open_frames(moving_frames(size), fps=Fraction(24))
    with open_engine(clip, model=model, device="cuda") as engine:
        query = RegionQuery(Instant(0, Fraction(1, 2)), PICTURE, PICTURE.rect)
        engine.encode(0, NEVER)  # compiles the kernels
        engine.render_tensor(query)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        engine.keep_only(Instant(1, Fraction(0)))
        engine.encode(1, NEVER)
        encoding = torch.cuda.max_memory_allocated()
        picture = engine.render_tensor(RegionQuery(Instant(1, Fraction(1, 2)), PICTURE, PICTURE.rect))
        peak = torch.cuda.max_memory_allocated()
        assert picture.shape == (PICTURE.height, PICTURE.width, 4)
        return {
            "model": model, "clip": str(size), "encode_peak_gib": encoding / GIB, "peak_gib": peak / GIB,
            "reserved_gib": torch.cuda.max_memory_reserved() / GIB, **times(engine),
        }  # fmt: skip


def times(engine: Engine) -> dict[str, float]:
    """Return the times of an encoding and of an instant of a view that was drawn before."""
    frames = engine.clip.pair(1)
    low = torch.stack([tensor_from_pixels(one, torch.device("cuda")) for one in (frames.first, frames.second)])[None]
    phases = iter(Fraction(k, 100) for k in range(1, 100))

    def encode() -> None:
        with torch.inference_mode():
            engine._pairs.encoder.encode(low, NEVER)

    def instant() -> None:
        engine.render_tensor(RegionQuery(Instant(1, next(phases)), PICTURE, PICTURE.rect))

    for work in (encode, instant, encode, instant):
        work()
    return {"encode_msecs": median_msecs(encode), "instant_msecs": median_msecs(instant)}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cap", type=float, help="GiB that torch may take")
    parser.add_argument("--models", default="lite,base")
    parser.add_argument("--clips", default="1920x1080,3840x2160")
    asked = parser.parse_args()
    if asked.cap:
        torch.cuda.set_per_process_memory_fraction(asked.cap * GIB / torch.cuda.get_device_properties(0).total_memory)
    for model in asked.models.split(","):
        for size in asked.clips.split(","):
            print(json.dumps(measure(model, parsing.size(size))), flush=True)


if __name__ == "__main__":
    main()
