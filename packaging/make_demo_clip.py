"""Make the demo clip from two freely licensed photographs that a registry package (scikit-learn) ships.

A crane shot: the camera rises past a dahlia in the foreground and turns to the pavilion behind it. Every picture is
warped from the photographs with cubic splines at four times the clip's size and brought down by an antialiased
bicubic filter, the one that the models are trained with, so the clip is clean and its motion exact to a fraction of
a pixel. The dahlia is a mover of its own: it crosses the frame twice as fast as the pavilion, sways and turns.

    python packaging/make_demo_clip.py OUT.mp4 [--frames FOLDER]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from av.video.reformatter import ColorRange
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.datasets import load_sample_image
from torch.nn import functional

Plane = NDArray[np.float32]
"""float32: [height, width] or [height, width, 3], values 0..1."""

WIDTH_PX, HEIGHT_PX, FRAMES, FPS = 320, 180, 32, 12
SUPERSAMPLING = 4
X264_OPTIONS: dict[str, object] = {
    "crf": "14",
    "preset": "veryslow",
    "threads": "1",
    "flags": "+bitexact",
    # x264's assembly gives another file at each run, now and then: the plain code always gives the same.
    "x264-params": "cpu-independent=1",
}
BLOSSOM_CENTRE, BLOSSOM_RADIUS_PX = (307.5, 222.5), 139.0
"""Where the blossom is in its photograph, (x, y) in pixels."""


@dataclass(frozen=True)
class Placement:
    """A similarity: what lies at ``pivot`` (photo pixels) shows at ``at`` (clip pixels, edge axis).

    ``scale``: clip pixels for each photo pixel. ``turn``: clockwise, radians. ``squeeze``: how much lower than wide
    a circle of the photo shows (1: as it is), as if it leant back; negative mirrors it.
    """

    pivot: tuple[float, float]
    at: tuple[float, float]
    scale: float
    turn: float
    squeeze: float = 1.0

    def from_centre(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How far right of and below ``at`` each supersampled pixel lies, two [height, width] in clip pixels."""
        columns = (np.arange(WIDTH_PX * SUPERSAMPLING) + 0.5) / SUPERSAMPLING - self.at[0]
        rows = (np.arange(HEIGHT_PX * SUPERSAMPLING) + 0.5) / SUPERSAMPLING - self.at[1]
        x, y = np.meshgrid(columns, rows)
        return x, y

    def photo_from_clip(self) -> NDArray[np.float64]:
        """[2, height, width] (y, x) spline coordinates into the photo for each supersampled clip pixel."""
        x, y = self.from_centre()
        x, y = x / self.scale, y / (self.scale * self.squeeze)
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return np.stack((cos * y - sin * x + self.pivot[1], cos * x + sin * y + self.pivot[0])) - 0.5


def eased(start: float, end: float, progress: float) -> float:
    """From ``start`` to ``end``: never at rest, and slower at both ends, as a hand would move."""
    smooth = progress * progress * (3 - 2 * progress)
    return start + (end - start) * (0.45 * progress + 0.55 * smooth)


def camera(progress: float) -> Placement:
    """Where the pavilion's photograph lies: up and to the right, a little wider, a little turned."""
    pivot = (eased(232.0, 322.0, progress), eased(283.0, 168.0, progress))
    return Placement(
        pivot,
        (WIDTH_PX / 2, HEIGHT_PX / 2),
        scale=WIDTH_PX / eased(430.0, 520.0, progress),
        turn=np.radians(eased(-1.6, 1.2, progress)),
    )


def blossom(progress: float) -> Placement:
    """Where the near dahlia lies: it crosses from right to left and sinks, swaying."""
    sway = np.sin(2 * np.pi * 0.9 * progress + 0.4)
    at = (eased(248.0, 48.0, progress), eased(141.0, 151.0, progress) + 2.5 * sway)
    turn = np.radians(eased(8.0, -13.0, progress) + 3.0 * sway)
    return Placement(BLOSSOM_CENTRE, at, eased(51.0, 57.0, progress) / BLOSSOM_RADIUS_PX, turn, squeeze=0.9)


def far_blossom(progress: float) -> Placement:
    """Where the dahlia behind it lies: the same one, smaller and mirrored; slower, for it is further away."""
    sway = np.sin(2 * np.pi * 0.8 * progress + 2.0)
    at = (eased(306.0, 182.0, progress), eased(163.0, 172.0, progress) + 2.0 * sway)
    turn = np.radians(eased(60.0, 74.0, progress) + 3.0 * sway)
    return Placement(BLOSSOM_CENTRE, at, eased(36.0, 38.0, progress) / BLOSSOM_RADIUS_PX, turn, squeeze=-0.84)


def photograph(name: str) -> Plane:
    """A photograph of scikit-learn's, [height, width, 3]."""
    return np.asarray(load_sample_image(name), dtype=np.float32) / np.float32(255)


def cut_out(photo: Plane) -> tuple[Plane, Plane]:
    """The blossom's colours, carried on past its edge, and its soft mask.

    The mask ends inside the petals, and the colours outside it are those of the nearest petal: so nothing of the
    dark leaves behind the blossom can shine through as a fringe.
    """
    red, green, blue = np.moveaxis(photo, -1, 0)
    petals = ndimage.binary_opening((red > 0.45) & (red > blue + 0.12) & (red > green * 1.02), iterations=2)
    parts, _ = ndimage.label(petals)
    x, y = BLOSSOM_CENTRE
    whole = ndimage.binary_fill_holes(parts == parts[int(y), int(x)])
    inside = ndimage.binary_erosion(whole, iterations=2)
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    mask = ndimage.gaussian_filter(ndimage.binary_erosion(whole).astype(np.float32), 0.9)
    return photo[tuple(nearest)], mask


class Layer:
    """A picture that can be seen through a :class:`Placement`, by cubic splines."""

    def __init__(self, picture: Plane) -> None:
        channels = picture.reshape(*picture.shape[:2], -1)
        self.splines = [ndimage.spline_filter(channel, order=3) for channel in np.moveaxis(channels, -1, 0)]

    def seen(self, coordinates: NDArray[np.float64], *, outside: str) -> Plane:
        """[height, width, channels] at ``coordinates``; ``outside`` is scipy's mode past the photo's edge."""
        return np.stack(
            [
                ndimage.map_coordinates(spline, coordinates, order=3, mode=outside, prefilter=False)
                for spline in self.splines
            ],
            axis=-1,
        ).astype(np.float32)


@dataclass(frozen=True)
class Blossom:
    """The dahlia, cut out."""

    colours: Layer
    mask: Layer

    def over(self, scene: Plane, placement: Placement, light: float) -> Plane:
        """``scene`` with the blossom before it, shaded as a ball that ``light`` falls on from the upper right."""
        coordinates = placement.photo_from_clip()
        alpha = self.mask.seen(coordinates, outside="constant").clip(0, 1)
        x, y = placement.from_centre()
        radius_px = BLOSSOM_RADIUS_PX * placement.scale
        shade = 1 + 0.13 * (x - y) / radius_px - 0.16 * np.hypot(x, y / placement.squeeze) ** 4 / radius_px**4
        picture = self.colours.seen(coordinates, outside="nearest") * (light * shade[..., None])
        return np.asarray(scene + alpha * (picture - scene), dtype=np.float32)


def inside_photo(coordinates: NDArray[np.float64], photo: Plane) -> bool:
    """Whether the camera sees nothing but photograph."""
    limits = np.array(photo.shape[:2]) - 1
    return bool(coordinates.min() >= 0 and (coordinates.max(axis=(1, 2)) <= limits).all())


def brought_down(picture: Plane) -> NDArray[np.uint8]:
    """The clip's frame, [height, width, 3] uint8, from the supersampled one."""
    planes = torch.from_numpy(picture).movedim(-1, 0)[None]
    small = functional.interpolate(planes, (HEIGHT_PX, WIDTH_PX), mode="bicubic", antialias=True)
    return (small[0].movedim(0, -1).clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def rendered_frames() -> list[NDArray[np.uint8]]:
    """Every frame of the clip."""
    pavilion = photograph("china.jpg")
    colours, mask = cut_out(photograph("flower.jpg"))
    backdrop, dahlia = Layer(pavilion), Blossom(Layer(colours), Layer(mask))
    frames = []
    for index in range(FRAMES):
        progress = index / (FRAMES - 1)
        coordinates = camera(progress).photo_from_clip()
        if not inside_photo(coordinates, pavilion):
            raise SystemExit(f"frame {index}: the camera looks past the photograph's edge")
        scene = backdrop.seen(coordinates, outside="nearest")
        for placement, light in ((far_blossom(progress), 0.86), (blossom(progress), 1.0)):
            scene = dahlia.over(scene, placement, light)
        frames.append(brought_down(scene))
    return frames


def yuv420p_from_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The planes of BT.709 in limited range, one above the other: [height * 3 / 2, width].

    Chroma is sited as H.264 assumes: on every other luma column, between two luma rows. Done here because
    FFmpeg's own conversion darkens by about one level, and differs between processors.
    """
    red, green, blue = np.moveaxis(pixels / 255.0, -1, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    chroma = np.stack(((blue - luma) / 1.8556, (red - luma) / 1.5748))
    across = ndimage.convolve1d(chroma, (0.25, 0.5, 0.25), axis=-1, mode="nearest")[..., ::2]
    halved = (across[:, ::2] + across[:, 1::2]) / 2
    planes = (16 + 219 * luma, 128 + 224 * halved)
    packed = np.concatenate([plane.round().reshape(-1, WIDTH_PX) for plane in planes])
    return packed.astype(np.uint8)


def write_clip(path: Path, frames: list[NDArray[np.uint8]]) -> None:
    """H.264 at high quality, BT.709 in limited range and tagged so, with faststart."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.options = X264_OPTIONS
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = 1  # all three: BT.709
        context.color_range = ColorRange.MPEG
        for pixels in frames:
            picture = av.VideoFrame.from_ndarray(yuv420p_from_rgb(pixels), format="yuv420p")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def write_pictures(folder: Path, frames: list[NDArray[np.uint8]]) -> None:
    """The frames as they were before encoding, lossless, for a look or a measurement."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, pixels in enumerate(frames):
        with av.open(str(folder / f"{index:03d}.png"), "w", format="image2") as container:
            stream = container.add_stream("png", rate=1)
            stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "rgb24"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the demo clip from scikit-learn's photographs.")
    parser.add_argument("out", type=Path, help="the clip to write, .mp4")
    parser.add_argument("--frames", type=Path, help="a folder for the frames as pictures, lossless")
    arguments = parser.parse_args()
    frames = rendered_frames()
    write_clip(arguments.out, frames)
    if arguments.frames:
        write_pictures(arguments.frames, frames)
    print(f"{arguments.out}: {len(frames)} frames, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
