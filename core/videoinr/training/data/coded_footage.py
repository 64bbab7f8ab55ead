"""LR stretches of clips as the world makes them: shrunk, degraded a little, and coded by a real encoder over time.

What an encoder does to a frame depends on the frames around it, so whole stretches are coded, at their small size, and
read back as the program reads any clip. The CPU prepares the stretches of the next epoch while the device trains on
those of this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from videoinr.training.data.degradation import MAX_BLUR_PX, MAX_READ_NOISE, MAX_SHOT_NOISE, noise_level

STRETCH_FRAMES = 16
"""Frames of a stretch at most: windows lie anywhere in it, after few frames of its group of pictures or many."""
OUTER_STRETCH_FRAMES = 22
"""The same where windows have the frames beside them too: both for windows of up to seven frames."""
RATE = Fraction(30)

BLURRED, RESIZED, NOISY, SHARPENED, COMBED, UNCODED = 0.25, 0.1, 0.25, 0.15, 0.01, 0.1
"""Chances of each degradation, independently; ``UNCODED``: of no coding."""
LEAST_RESIZED = 0.6
"""Smallest factor at which a stretch that is resized twice lies between."""
MAX_SHARPENING = 0.8
_SHARPENED_SIGMA_PX = 1.0


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder with the range of its qualities. ``option``: the option that holds the quality."""

    name: str
    chance: float
    option: str
    best: float
    worst: float
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Further options; one of each option's values is drawn."""


_GROUPS = ("12", "48", "250")
ENCODERS = (
    Encoder(
        "libx264", 0.55, "crf", 16, 37,
        (("preset", ("veryfast", "medium", "medium")), ("g", _GROUPS), ("bf", ("0", "3", "3"))),
    ),
    Encoder(
        "libx265", 0.15, "crf", 18, 38,
        (("preset", ("ultrafast", "fast")), ("g", _GROUPS), ("x265-params", ("log-level=none:pools=none",))),
    ),
    Encoder("libvpx-vp9", 0.1, "crf", 22, 50, (("cpu-used", ("5",)), ("b", ("0",)), ("g", _GROUPS))),
    Encoder("mpeg4", 0.12, "q", 2, 12, (("g", ("12", "48")),)),
    Encoder("mpeg2video", 0.08, "q", 2, 12, (("g", ("12",)),)),
)  # fmt: skip
DESCRIPTION = (
    "stretches, each with chances of: Gaussian blur up to {blur} LR pixels "
    "({blurred:.0%}), resizing twice ({resized:.0%}), read noise up to {read:g} and shot noise up to {shot:g} of 255 "
    "({noisy:.0%}), sharpening ({sharpened:.0%}), combing ({combed:.0%}); then coded in 4:2:0 by {encoders}, "
    "{uncoded:.0%} not coded"
).format(
    blur=MAX_BLUR_PX, blurred=BLURRED, resized=RESIZED, read=MAX_READ_NOISE * 255,
    shot=MAX_SHOT_NOISE * 255, noisy=NOISY, sharpened=SHARPENED, combed=COMBED, uncoded=UNCODED,
    encoders=", ".join(f"{each.name} ({each.option} {each.best}-{each.worst})" for each in ENCODERS),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StretchJob:
    """One stretch to make: ``frames`` frames [height, width, 3] at byte ``offset`` of a file, shrunk by ``scale``."""

    offset: int
    frames: int
    height: int
    width: int
    scale: int
    seed: tuple[int, ...]


def made_stretch(path: Path, job: StretchJob) -> NDArray[np.uint8]:
    """Make the LR frames of a stretch.

    Args:
        path: A file of bytes that holds the HR frames.
        job: Where they lie, and the seed of all that is drawn.

    Returns:
        uint8 [frames, h, w, 3]; h and w are even, and cover the HR frames' top left ``scale`` h x ``scale`` w pixels.
    """
    shape = (job.frames, job.height, job.width, 3)
    pixels = np.memmap(path, np.uint8, "r", job.offset, shape)
    rng = np.random.default_rng(job.seed)
    height, width = (side // job.scale // 2 * 2 for side in (job.height, job.width))
    high = torch.from_numpy(pixels[:, : height * job.scale, : width * job.scale].copy()).permute(0, 3, 1, 2)
    low = torch.cat([_resized(frame[None].float() / 255, height, width) for frame in high])
    return coded(as_bytes(degraded(low, rng)), rng)


def degraded(low: Tensor, rng: np.random.Generator) -> Tensor:
    """Degrade LR frames [F, 3, h, w] in 0 ... 1 as cameras and sites do before coding. All frames alike, but noise."""
    height, width = low.shape[-2:]
    chance = rng.random(10)
    if chance[0] < BLURRED:
        low = _blurred(low, float(chance[1]) * MAX_BLUR_PX)
    if chance[2] < RESIZED:
        share = LEAST_RESIZED + (1 - LEAST_RESIZED) * float(chance[3])
        low = _resized(_resized(low, round(height * share), round(width * share)), height, width)
    if chance[4] < NOISY:
        level = noise_level(
            low[None], torch.tensor([chance[5] * MAX_READ_NOISE]), torch.tensor([chance[6] * MAX_SHOT_NOISE])
        )
        low = low + level[0].float() * torch.from_numpy(rng.standard_normal(low.shape, np.float32))
    if chance[7] < SHARPENED:
        low = low + float(chance[8]) * MAX_SHARPENING * (low - _blurred(low, _SHARPENED_SIGMA_PX))
    if chance[9] < COMBED:
        low = low.clone()
        low[:-1, :, 1::2] = low[1:, :, 1::2]
    return low.clamp(0, 1)


def coded(frames: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Code frames, uint8 [F, h, w, 3] with even sides, by a drawn encoder and quality, and decode them."""
    if rng.random() < UNCODED:
        return frames
    chances = np.array([each.chance for each in ENCODERS])
    encoder = ENCODERS[int(rng.choice(len(ENCODERS), p=chances / chances.sum()))]
    quality = encoder.best + (encoder.worst - encoder.best) * rng.random()
    options = {name: str(rng.choice(values)) for name, values in encoder.options}
    with TemporaryDirectory(prefix="videoinr-") as folder:
        path = Path(folder) / "coded.mkv"
        _encode(path, frames, encoder, quality, options)
        return _decoded(path, len(frames))


def as_bytes(images: Tensor) -> NDArray[np.uint8]:
    """Return images [F, 3, h, w] in 0 ... 1 as uint8 [F, h, w, 3]."""
    rounded = images.mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()
    levels: NDArray[np.uint8] = rounded.numpy()
    return levels


def _encode(path: Path, frames: NDArray[np.uint8], encoder: Encoder, quality: float, options: dict[str, str]) -> None:
    import av

    from videoinr.colour import ColourSpec
    from videoinr.exporting.codecs import codec_for
    from videoinr.exporting.coding import Coding, FrameConverter
    from videoinr.exporting.decode_times import mux_frames
    from videoinr.exporting.tags import tags_from_colour

    height, width = frames.shape[1:3]
    colour = ColourSpec(matrix="bt709", range="tv", primaries="bt709", transfer="bt709")
    tags = tags_from_colour(colour, rgb=False, full_range=True)
    # The planes are the same for every encoder: 4:2:0 with chroma at the left, limited range.
    coding = Coding(codec_for(".mkv", "libx264"), ".mkv", width, height, RATE, None, tags, Fraction(1))
    converter = FrameConverter(coding)
    with av.open(path, "w", format="matroska") as file:
        stream: Any = file.add_stream(encoder.name, rate=RATE)
        context = stream.codec_context
        coding.configure(context)
        context.thread_count = 1
        context.options = options
        if encoder.option == "crf":
            context.options = {**options, "crf": f"{quality:.1f}"}
        else:
            context.options = {**options, "qmin": str(round(quality)), "qmax": str(round(quality))}
        padding = np.full((*frames.shape[1:3], 1), 255, np.uint8)
        pictures = (np.concatenate([pixels, padding], axis=-1) for pixels in frames)
        mux_frames(file, stream, map(converter.frame, pictures), RATE)


def _decoded(path: Path, count: int) -> NDArray[np.uint8]:
    from videoinr.clip.footage import read_stretch

    pixels = read_stretch(path).pixels
    if len(pixels) != count:
        raise ValueError(f"{count} frames were coded, and {len(pixels)} came back.")
    return pixels


def _blurred(low: Tensor, sigma: float) -> Tensor:
    """Blur images [F, 3, h, w] by a round Gaussian of ``sigma`` pixels, at most 1; the border is repeated."""
    places = torch.arange(-3, 4, dtype=torch.float32)
    kernel = torch.exp(-places.square() / (2 * max(sigma, 1e-3) ** 2))
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, 7)
    across = F.conv2d(F.pad(low, (3, 3, 0, 0), mode="replicate"), kernel, groups=3)
    return F.conv2d(F.pad(across, (0, 0, 3, 3), mode="replicate"), kernel.transpose(2, 3), groups=3)


def _resized(images: Tensor, height: int, width: int) -> Tensor:
    size = (max(1, height), max(1, width))
    resized = F.interpolate(images, size=size, mode="bicubic", antialias=True, align_corners=False)
    return resized.clamp(0, 1)


def stretch_jobs(
    runs: Sequence[tuple[int, int, int, int]], scales: dict[int, float], *, sides: dict[int, int],
    seed: tuple[int, ...], most_frames: int = STRETCH_FRAMES,
) -> list[tuple[int, int, StretchJob]]:  # fmt: skip
    """Draw the stretches of an epoch.

    Args:
        runs: Byte offset, frames, height and width of each run.
        scales: How many stretches a run gives on average at each scale.
        sides: The smallest LR side that is useful at each scale, pixels.
        seed: The seed of the draw; the stretches' seeds are derived from it.
        most_frames: Frames of a stretch, of runs that have as many.

    Returns:
        For each stretch: its run, its first frame there, and the job.
    """
    rng = np.random.default_rng(seed)
    drawn = list[tuple[int, int, StretchJob]]()
    for scale, mean in scales.items():
        usable = usable_runs(runs, scale, sides[scale])
        # Each run once before any is drawn again.
        wanted = max(1, round(mean * len(usable))) if usable else 0
        orders = [rng.permutation(usable) for _ in range(-(-wanted // max(1, len(usable))))]
        for number in np.concatenate(orders)[:wanted].tolist() if orders else ():
            offset, frames, height, width = runs[number]
            count = min(frames, most_frames)
            first = int(rng.integers(frames - count + 1))
            start = offset + first * height * width * 3
            drawn.append((number, first, StretchJob(start, count, height, width, scale, (*seed, len(drawn)))))
    return drawn


def usable_runs(runs: Sequence[tuple[int, int, int, int]], scale: int, side: int) -> list[int]:
    """Return the numbers of the runs that have three frames or more, and LR frames of at least ``side`` pixels."""
    return [
        number
        for number, (_, frames, height, width) in enumerate(runs)
        if frames >= 3 and min(height, width) // scale // 2 * 2 >= side
    ]
