"""Render the same pictures with two builds of the program and compare them.

    git worktree add /tmp/old COMMIT
    python tests/benchmarks/compare_pictures.py --old /tmp/old [--new .] [--device cpu|cuda] [--skip-paper]

Each build decodes 40 instants through its own command line in a process of its own: `lite` and `base` on the demo clip
(whole pictures and regions, scales x0.5 to x13), and on a small clip the paper's model and an imported released network
(as released and corrected), all three with random weights that the old build writes. Each build also exports half a
second of the demo clip as FFV1 and as PNG files. The script prints one line for each picture that differs, and a
summary; it ends with 1 if a picture differs on a CPU, or by more than half-precision noise on CUDA.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.builds import environment

CUDA_MEAN_LEVELS, CUDA_MOST_LEVELS = 0.01, 2
"""Half-precision noise: the most that the mean and a single value of a picture may differ on CUDA, 8-bit levels."""

SMALL_CLIP = (64, 36, 3)
"""Width, height (pixels) and frames of the clip for the paper's encoder, which is slow on a CPU."""

MAKE_WEIGHTS = """
import sys, torch
from pathlib import Path
from helpers.released_models import released_model
from videoinr.model.config import PAPER
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import save_model
folder = Path(sys.argv[1])
torch.manual_seed(0)
models = {"paper": VideoINR(PAPER), "released": released_model(), "corrected": released_model(corrected=True)}
for name, model in models.items():
    save_model(model.eval(), folder / f"{name}.safetensors", name=name, description="random weights", training={},
               trained_scales=(1.0, 4.0), metrics={}, protocol="none", dtype=torch.float32)
"""

RUN_COMMANDS = """
import json, sys
from videoinr.cli import app
for arguments in json.load(open(sys.argv[1])):
    app(arguments, standalone_mode=False)
"""


@dataclass(frozen=True)
class Picture:
    """One picture to decode: ``name`` of its file, and the arguments of ``videoinr decode``."""

    name: str
    arguments: tuple[str, ...]


def _pictures(demo: Path, small: Path, weights: Path, *, with_paper: bool) -> list[Picture]:
    """The 40 pictures (25 without the paper's models)."""
    asked = [
        ("0.5", "0.54", None), ("1", "0.5", None), ("1", "0.54", None), ("1.5", "1.3", None), ("2", "0", None),
        ("2.5", "2.1", None), ("3", "0.541", None), ("4", "0.54", None), ("4", "1/12", "200,100,333,257"),
        ("6", "0.7", "400,200,256,256"), ("8", "0.54", "640,500,400,301"), ("13", "0.9", "2000,900,301,203"),
    ]  # fmt: skip
    pictures = []
    for model in ("lite", "base"):
        for index, (scale, time, region) in enumerate(asked):
            extra = () if region is None else ("--region", region)
            arguments = (str(demo), "--time", time, "--scale", scale, "--model", model, *extra)
            pictures.append(Picture(f"{model}-{index:02}-x{scale}", arguments))
    pictures.append(Picture("lite-size", (str(demo), "--time", "2.6", "--size", "1001x555", "--model", "lite")))
    if with_paper:
        paper = [("1", "0.01", None), ("2", "0.02", None), ("3.5", "0.05", "50,40,90,70"), ("4", "0", None),
                 ("13", "0.06", "300,200,120,100")]  # fmt: skip
        for name in ("paper", "released", "corrected"):
            for index, (scale, time, region) in enumerate(paper):
                extra = () if region is None else ("--region", region)
                model = str(weights / f"{name}.safetensors")
                arguments = (str(small), "--time", time, "--scale", scale, "--model", model, *extra)
                pictures.append(Picture(f"{name}-{index:02}-x{scale}", arguments))
    return pictures


def _make_small_clip(demo: Path, out: Path) -> None:
    width, height, frames = SMALL_CLIP
    with av.open(str(demo)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        for index, frame in enumerate(source.decode(video=0)):
            if index < frames:
                pixels = frame.to_ndarray(format="rgb24")[40 : 40 + height, 100 : 100 + width]
                target.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="bgr0")))
        target.mux(stream.encode(None))


def _render(build: Path, pictures: list[Picture], demo: Path, out: Path, device: str) -> None:
    out.mkdir()
    commands = [
        ["decode", *each.arguments, "--device", device, "-o", str(out / f"{each.name}.png")] for each in pictures
    ]
    span = ["--start", "0.5", "--end", "1", "--fps", "48", "--scale", "2", "--device", device]
    commands.append(["export", str(demo), str(out / "export.mkv"), "--codec", "ffv1", *span])
    commands.append(["export", str(demo), str(out / "export-%03d.png"), *span])
    plan = out / "plan.json"
    plan.write_text(json.dumps(commands))
    subprocess.run([sys.executable, "-c", RUN_COMMANDS, str(plan)], env=environment(build), check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip


def _frames(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def _difference(old: Path, new: Path) -> tuple[float, int]:
    """Mean and largest difference of two pictures or clips, 8-bit levels."""
    pairs = list(zip(_frames(old), _frames(new), strict=True))
    gaps = [np.abs(first.astype(np.int16) - second) for first, second in pairs]
    return float(np.mean([gap.mean() for gap in gaps])), int(max(gap.max() for gap in gaps))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--old", type=Path, required=True)
    parser.add_argument("--new", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--skip-paper", action="store_true")
    chosen = parser.parse_args()
    old, new = chosen.old.resolve(), chosen.new.resolve()
    demo = old / "resources" / "videoinr_resources" / "demo" / "demo.mp4"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        small = work / "small.mkv"
        _make_small_clip(demo, small)
        if not chosen.skip_paper:
            subprocess.run([sys.executable, "-c", MAKE_WEIGHTS, str(work)], env=environment(old), check=True)
        pictures = _pictures(demo, small, work, with_paper=not chosen.skip_paper)
        for name, build in (("old", old), ("new", new)):
            _render(build, pictures, demo, work / name, chosen.device)
        names = sorted(path.name for path in (work / "old").iterdir() if path.suffix in (".png", ".mkv"))
        differing, worst_mean, worst = [], 0.0, 0
        for name in names:
            mean, most = _difference(work / "old" / name, work / "new" / name)
            worst_mean, worst = max(worst_mean, mean), max(worst, most)
            if most:
                differing.append(name)
                print(f"{name}: mean {mean:.5f}, largest {most}")
    count = sum(not name.startswith("export") for name in names)
    print(
        f"{count} pictures and {len(names) - count} exported files on {chosen.device}: {len(differing)} differ; "
        f"largest mean {worst_mean:.5f}, largest value {worst} levels"
    )
    if chosen.device == "cpu":
        return int(bool(differing))
    return int(worst_mean > CUDA_MEAN_LEVELS or worst > CUDA_MOST_LEVELS)


if __name__ == "__main__":
    sys.exit(main())
