"""Compression artefacts for degradation: by H.264 itself on a CPU, or by DCT quantisation on any device."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

BEST_CRF, WORST_CRF = 18, 35
BEST_QUALITY, WORST_QUALITY = 95, 30
BLOCK = 8
MACROBLOCK = 16

_LUMA_STEPS = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)
_COLOUR_STEPS = (
    *(17, 18, 24, 47, 99, 99, 99, 99),
    *(18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99),
    *(47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)
"""The example tables of the JPEG standard (ITU-T T.81, annex K), for quality 50."""

_YCC_FROM_RGB = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


class H264Coding:
    """Codes each window's frames with x264, as a video of these frames."""

    description = f"H.264 (x264, CRF {BEST_CRF}-{WORST_CRF}, 4:2:0)"

    def __call__(self, images: Tensor, chance: Tensor, rng: np.random.Generator) -> Tensor:
        """Code and decode ``images`` [B, N, 3, P, P] in 0 ... 1 on the CPU. ``chance`` [B]: 0 best, 1 worst quality."""
        side = images.shape[-1]
        even = F.pad(images.flatten(0, 1), (0, side % 2, 0, side % 2), mode="replicate")
        # FFmpeg's RGB conversion rounds down, and a model would learn to compensate by brightening.
        luma, colour = _planes_from_rgb(even, torch.tensor(_YCC_FROM_RGB))
        stored = [16 + luma * 219 / 255, 128 + colour[:, :1] * 224 / 255, 128 + colour[:, 1:] * 224 / 255]
        layout = torch.cat([plane.flatten(1) for plane in stored], 1).round().clamp(0, 255).byte()
        videos = layout.view(*images.shape[:2], -1, even.shape[-1]).numpy()
        factors = (BEST_CRF + chance * (WORST_CRF - BEST_CRF)).tolist()
        coded = [_through_h264(video, crf) for video, crf in zip(videos, factors, strict=True)]
        return _rgb_from_layout(torch.from_numpy(np.stack(coded)), even.shape[-1])[..., :side, :side]


def _through_h264(video: NDArray[np.uint8], crf: float) -> NDArray[np.uint8]:
    """Code and decode frames, uint8 [N, 3/2 H, W] with 4:2:0 planes below one another. H and W are even."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as writer:
        stream: Any = writer.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = video.shape[1] * 2 // 3, video.shape[2], "yuv420p"
        # With one thread the bytes are the same on every machine.
        options = {"crf": f"{crf:.2f}", "preset": "veryfast", "threads": "1", "bf": "0"}
        # With more than two frames, the macroblock tree varies from run to run: findings/x264_varies.sh.
        stream.codec_context.options = options if len(video) == 2 else {**options, "mbtree": "0"}
        for frame in video:
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "yuv420p")))
        writer.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as reader:
        decoded = [frame.to_ndarray() for frame in reader.decode(video=0)]
    return np.stack(decoded).astype(np.uint8, copy=False)


def _rgb_from_layout(videos: Tensor, side: int) -> Tensor:
    """Convert 4:2:0 frames, uint8 [B, N, 3/2 side, side], to RGB [B, N, 3, side, side] in about 0 ... 1."""
    flat, area = videos.flatten(0, 1).flatten(1).float(), side * side
    luma = (flat[:, :area].view(-1, 1, side, side) - 16) * 255 / 219
    colour = (flat[:, area:].view(-1, 2, side // 2, side // 2) - 128) * 255 / 224
    rgb = _rgb_from_planes(luma, colour, torch.linalg.inv(torch.tensor(_YCC_FROM_RGB)))
    return rgb.view(*videos.shape[:2], 3, side, side)


def _planes_from_rgb(images: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Convert RGB [B, 3, H, W] in 0 ... 1 to luma [B, 1, H, W], 0 ... 255, and chroma [B, 2, H/2, W/2] around 0."""
    ycc = torch.einsum("ij,bjhw->bihw", matrix, images * 255)
    return ycc[:, :1], F.avg_pool2d(ycc[:, 1:], 2)


def _rgb_from_planes(luma: Tensor, colour: Tensor, matrix: Tensor) -> Tensor:
    """Invert :func:`_planes_from_rgb`. ``matrix``: the inverse of its matrix."""
    whole = F.interpolate(colour, scale_factor=2, mode="bilinear", align_corners=False)
    return torch.einsum("ij,bjhw->bihw", matrix, torch.cat([luma, whole], 1)) / 255


class DctCoding:
    """Quantises 8 x 8 DCT blocks by JPEG's tables. Replaces H.264 where windows are made on a GPU.

    The artefacts are those of a codec's intra frames (blocking, ringing, lost chroma detail), without motion
    compensation.
    """

    description = f"DCT quantisation (JPEG's tables, quality {WORST_QUALITY}-{BEST_QUALITY}, 4:2:0; not H.264)"

    def __init__(self, device: torch.device) -> None:
        # Uploaded once: uploading them with every batch would take longer than using them.
        self._dct = dct_matrix().to(device)
        self._tables = torch.tensor((_LUMA_STEPS, _COLOUR_STEPS), dtype=torch.float32).view(2, 8, 8).to(device)
        matrix = torch.tensor(_YCC_FROM_RGB)
        self._ycc_from_rgb, self._rgb_from_ycc = matrix.to(device), torch.linalg.inv(matrix).to(device)

    def __call__(self, images: Tensor, chance: Tensor, rng: np.random.Generator) -> Tensor:
        """Quantise ``images`` [B, N, 3, P, P] in 0 ... 1. ``chance`` [B]: 0 best, 1 worst quality."""
        side = images.shape[-1]
        # A crop of a video has a random offset to its blocks.
        left, top = (int(each) for each in rng.integers(0, MACROBLOCK, 2))
        whole = -(-(side + MACROBLOCK - 1) // MACROBLOCK) * MACROBLOCK
        padding = (left, whole - side - left, top, whole - side - top)
        padded = F.pad(images.flatten(0, 1), padding, mode="replicate")
        steps = self.steps(BEST_QUALITY + chance * (WORST_QUALITY - BEST_QUALITY))
        coded = self._coded(padded, steps.repeat_interleave(images.shape[1], 0))
        return coded[..., top : top + side, left : left + side].reshape(images.shape)

    def steps(self, quality: Tensor) -> Tensor:
        """Return the quantisation steps (of 255) for luma and chroma, [B, 2, 8, 8], of ``quality`` [B], 1 ... 100."""
        factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
        return (self._tables * factor[:, None, None, None]).clamp(1, 255)

    def quantised(self, planes: Tensor, steps: Tensor) -> Tensor:
        """Quantise ``planes`` [B, C, H, W], sides multiples of 8, values around 0, by ``steps`` [B, 8, 8]."""
        count, channels, height, width = planes.shape
        blocks = planes.view(count, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(3, 4)
        steps = steps[:, None, None, None]
        whole = (self._dct @ blocks @ self._dct.T / steps).round() * steps
        return (self._dct.T @ whole @ self._dct).transpose(3, 4).reshape(planes.shape)

    def _coded(self, images: Tensor, steps: Tensor) -> Tensor:
        luma, colour = _planes_from_rgb(images, self._ycc_from_rgb)
        luma = self.quantised(luma - 128, steps[:, 0]) + 128
        return _rgb_from_planes(luma, self.quantised(colour, steps[:, 1]), self._rgb_from_ycc)


def dct_matrix() -> Tensor:
    """Return the orthonormal DCT-II matrix of 8 values, [8, 8]."""
    frequency, place = torch.arange(BLOCK)[:, None], torch.arange(BLOCK)[None]
    cosines = torch.cos((2 * place + 1) * frequency * math.pi / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    cosines[0] /= math.sqrt(2)
    return cosines
