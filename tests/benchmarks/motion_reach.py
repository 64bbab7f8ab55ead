"""Measure how far the motion search reaches, on made clips whose true flow is known, and plot the error.

    python tests/benchmarks/motion_reach.py --stills FOLDER --models lite base old/base.safetensors \
        --lines 352 1080 [--device cuda] [--count 6] [--json reach.json] [--plot reach.svg]
    python tests/benchmarks/motion_reach.py --read reach.json more.json --plot reach.svg

A made clip is a photograph that moves, with another photograph before it (a soft-edged blob) that moves the same
distance in another direction. Photographs are enlarged so that clips of any size can be cut from them. The error is the
end-point error of the motion prior: the flow from mid-time to each frame, in pixels. It counts where the point is
visible in that frame. "textured" counts only points around which the picture has a texture (see ``is_textured``):
without one, no method can know the motion there.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model
from videoinr.training.data.still_flow import true_flow
from videoinr.training.data.still_motion import BLOB_CHANCES, Motion, blob
from videoinr.training.data.stills import Stills, show

LENGTHS = {352: (10, 20, 30, 40, 60, 80, 100), 1080: (20, 40, 80, 120, 160, 200, 280)}
"""Motion from the first frame to the second, pixels, by the lines of the clip."""
OWN_SIZE_LINES = 540
"""Lines up to which photographs are shown at their own size. In larger clips they are enlarged."""
WINDOW, LEAST_TEXTURE = 7, 1.0
"""Side of the window, pixels, and the least root mean square gradient in its weaker direction, grey levels of 255."""
COLOURS = ("#9a9a9a", "#1f6fb4", "#c0504d", "#4f9d4f", "#8064a2", "#d98e04", "#3aa5a5", "#555555")


@dataclass(frozen=True, eq=False)
class MadeClips:
    """Clips with a known flow.

    ``frames`` [B, 2, 3, S, S]. ``flow`` [B, 2, 2, S, S]: from mid-time to the first frame, then to the second.
    ``visible`` and ``textured``, bool [B, 2, S, S]: where a flow counts.
    """

    frames: Tensor
    flow: Tensor
    visible: Tensor
    textured: Tensor


def made_clips(stills: Stills, lines: int, length: float, count: int, device: torch.device) -> MadeClips:
    """Make ``count`` clips of ``lines`` x ``lines`` pixels that move by ``length`` pixels. No other randomness."""
    seed = round(length) + 1000 * lines
    chance, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    zero, still = torch.zeros(count, device=device), torch.zeros(count, 2, device=device)
    angles = (2 * math.pi * torch.rand(2, count, generator=chance)).to(device)
    behind, before = (
        Motion(zero, length * torch.stack((a.cos(), a.sin()), -1), still, zero, zero, zero) for a in angles
    )
    outline = torch.rand(count, BLOB_CHANCES, generator=chance).to(device)
    larger, side = max(1.0, lines / OWN_SIZE_LINES), math.ceil(lines + 1.2 * length)
    crops = stills.crops(2 * count, math.ceil(side / larger), rng)
    layers = F.interpolate(crops, (side, side), mode="bicubic", align_corners=False) if larger > 1 else crops
    times = torch.tensor([[0.0, 1.0, 0.5]], device=device).expand(count, -1)
    back, front = behind.points(times, lines), before.points(times, lines)
    seen = torch.lerp(show(layers[:count], back), show(layers[count:], front), blob(front, outline, lines))
    frames = seen.clamp(0, 1).mul(255).round().div(255)
    present = torch.ones(count, dtype=torch.bool, device=device)
    truth = true_flow(behind, before, outline, present, side=lines, patch=lines)
    visible = truth[:, 4:] > 0.5
    textured = visible & is_textured(frames[:, 2])[:, None]
    return MadeClips(frames[:, :2], truth[:, :4].view(count, 2, 2, lines, lines), visible, textured)


def is_textured(frames: Tensor) -> Tensor:
    """Return where ``frames`` [B, 3, H, W] have gradients in both directions: bool [B, H, W]."""
    grey = F.pad(255 * frames.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    x, y = (grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2]) / 2, (grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]) / 2
    xx, xy, yy = (F.avg_pool2d(product, WINDOW, 1, WINDOW // 2)[:, 0] for product in (x * x, x * y, y * y))
    weaker = (xx + yy) / 2 - (((xx - yy) / 2).square() + xy.square()).sqrt()
    return weaker > LEAST_TEXTURE**2


@torch.inference_mode()
def reach(model: VideoINR, stills: Stills, lines: int, lengths: Iterable[float], count: int) -> dict[str, list[float]]:
    """Measure a model's flow on made clips.

    Returns:
        For each length: the share of visible points within 1 px, that of textured points, and the median and the 90th
        percentile of the end-point error over textured points, pixels.
    """
    found = {}
    for length in lengths:
        clips = made_clips(stills, lines, length, count, next(model.parameters()).device)
        errors = torch.stack([_error(model, clips, number) for number in range(count)])
        sure = errors[clips.textured].sort().values
        shares = [(errors[where] <= 1).double().mean().item() for where in (clips.visible, clips.textured)]
        found[f"{length:g}"] = [*shares, *(sure[int(part * (len(sure) - 1))].item() for part in (0.5, 0.9))]
    return found


def _error(model: VideoINR, clips: MadeClips, number: int) -> Tensor:
    prior = model.latent(clips.frames[number : number + 1])[1]
    if prior is None:
        raise SystemExit("This model's encoder has no motion search.")
    flow = clips.flow[number]
    error: Tensor = (prior[0].float().view(flow.shape) - flow).square().sum(1).sqrt()
    return error


def table(measured: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Format ``measured`` (by lines, by model) as text: shares within 1 px, and the 90th percentile."""
    rows = []
    for lines, models in measured.items():
        lengths = next(iter(models.values()))
        rows += ["", _row(f"{lines} lines; motion of a pair, px:", lengths)]
        for name, found in models.items():
            for column, what in enumerate(("visible", "textured")):
                rows.append(_row(f"{name}: {what} within 1 px", (f"{each[column]:.3f}" for each in found.values())))
            rows.append(_row(f"{name}: 90th percentile, px", (f"{each[3]:.2f}" for each in found.values())))
    return "\n".join(rows[1:])


def _row(name: str, cells: Iterable[str]) -> str:
    return name.ljust(46) + "".join(f"{cell:>12}" for cell in cells)


PANEL_W, PANEL_H, LEFT, TOP = 420, 260, 60, 40
ERRORS = (0.1, 100.0)
"""Range of the error axis, pixels, logarithmic."""


def plot(measured: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Draw the 90th percentile of the error against the motion, a panel for each size of clips, as SVG."""
    width, names = len(measured) * (PANEL_W + LEFT + 20), list(next(iter(measured.values())))
    height = TOP + PANEL_H + 60 + 18 * len(names)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for panel, (lines, models) in enumerate(measured.items()):
        out += _panel(LEFT + panel * (PANEL_W + LEFT + 20), lines, models)
    for number, name in enumerate(names):
        y = TOP + PANEL_H + 60 + 18 * number
        out.append(f'<path d="M{LEFT} {y}h30" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="2"/>')
        out.append(f'<text x="{LEFT + 38}" y="{y + 4}">{name}</text>')
    return "\n".join([*out, "</svg>", ""])


def _panel(left: int, lines: str, models: dict[str, dict[str, list[float]]]) -> list[str]:
    lengths = [float(length) for length in next(iter(models.values()))]
    low, high = (math.log10(error) for error in ERRORS)

    def place(length: float, error: float) -> str:
        down = (high - math.log10(min(max(error, ERRORS[0]), ERRORS[1]))) / (high - low)
        return f"{left + PANEL_W * length / max(lengths):.1f} {TOP + PANEL_H * down:.1f}"

    out = [f'<text x="{left}" y="{TOP - 14}">{lines} lines: 90th percentile of the end-point error, px</text>']
    for error in (0.1, 1.0, 10.0, 100.0):
        colour = "#888" if error == 1 else "#ddd"
        x, y = place(0, error).split()
        out.append(f'<path d="M{x} {y}h{PANEL_W}" stroke="{colour}"/>')
        out.append(f'<text x="{left - 6}" y="{float(y) + 4}" text-anchor="end">{error:g}</text>')
    for length in lengths:
        x = place(length, 1).split()[0]
        out.append(f'<text x="{x}" y="{TOP + PANEL_H + 16}" text-anchor="middle">{length:g}</text>')
    out.append(f'<text x="{left + PANEL_W}" y="{TOP + PANEL_H + 34}" text-anchor="end">motion of a pair, px</text>')
    for number, found in enumerate(models.values()):
        points = "L".join(place(float(length), figures[3]) for length, figures in found.items())
        out.append(f'<path d="M{points}" fill="none" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="2"/>')
    return out


def options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stills", type=Path, help="A folder of photographs.")
    parser.add_argument("--models", nargs="+", default=["lite", "base"], help="Names, or paths of weights.")
    parser.add_argument("--names", nargs="+", help="What to call them, in the same order.")
    parser.add_argument("--lines", nargs="+", type=int, default=[352])
    parser.add_argument("--lengths", nargs="+", type=float, help="Motion of a pair, pixels; the same at each size.")
    parser.add_argument("--count", type=int, default=6, help="Clips for each length.")
    parser.add_argument("--device", type=torch.device, default="cpu")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--read", nargs="+", type=Path, help="Read these results and measure nothing.")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure or read, and print, store and plot the results."""
    asked = options(argv)
    measured: dict[str, dict[str, dict[str, list[float]]]] = {}
    for path in asked.read or ():
        for lines, models in json.loads(path.read_text()).items():
            measured.setdefault(lines, {}).update(models)
    if not asked.read:
        if asked.stills is None:
            raise SystemExit("Name a folder of photographs with --stills.")
        stills = Stills([asked.stills], asked.device)
        for lines in asked.lines:
            for given, name in zip(asked.models, asked.names or asked.models, strict=True):
                model = load_model(given).model
                if not isinstance(model, VideoINR):
                    raise SystemExit(f"{given} has no motion search.")
                lengths = asked.lengths or LENGTHS.get(lines, LENGTHS[352])
                found = reach(model.to(asked.device), stills, lines, lengths, asked.count)
                measured.setdefault(str(lines), {})[name] = found
    print(table(measured))
    if asked.json:
        asked.json.write_text(json.dumps(measured, indent=1) + "\n")
    if asked.plot:
        asked.plot.write_text(plot(measured))


if __name__ == "__main__":
    main()
