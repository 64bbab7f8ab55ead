"""Exports that keep a clip's transparency: the alpha channel in every format that holds one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import videoinr
from helpers.clips import write_clip
from helpers.command_line import run_here
from helpers.tiny_model import save_tiny_model
from videoinr.cancel import NEVER
from videoinr.clip import open_clip
from videoinr.clip.open_options import OpenOptions
from videoinr.errors import UsageError
from videoinr.exporting.job import ExportJob, job_for
from videoinr.exporting.outputs import notices, sink_for
from videoinr.exporting.png import encoded_frame
from videoinr.geometry import Rect
from videoinr.render.engine import Engine, open_engine
from videoinr.render.output_area import output_aspect
from videoinr.render.shutter import mean_in_light, mean_of_shares
from videoinr.render.transparent import joined, with_alpha
from videoinr.types import Instant, Quality, RegionQuery

WIDTH, HEIGHT, FRAMES = 64, 48, 3
TRANSPARENT = OpenOptions(background="transparent")
COLOUR = np.array([200, 120, 40])


def square(number: int) -> NDArray[np.uint8]:
    """Return a square with soft sides, straight colours, two pixels further right for each number."""
    rows, columns = np.arange(HEIGHT)[:, None], np.arange(WIDTH)[None]
    inside = np.minimum(14 - abs(rows - 24), 14 - abs(columns - 26 - 2 * number))
    rgba = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    rgba[..., 3] = np.clip(inside * 64, 0, 255)
    rgba[..., :3] = COLOUR
    return rgba


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of PNG pictures of the square."""
    path = tmp_path_factory.mktemp("square")
    for number in range(FRAMES):
        frame = av.VideoFrame.from_ndarray(square(number), "rgba")
        (path / f"{number:03}.png").write_bytes(encoded_frame(frame, "png", {}, Fraction(1)))
    return path


@pytest.fixture(scope="module")
def engine(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    model = str(save_tiny_model(tmp_path_factory.mktemp("model")))
    with open_engine(folder, model=model, device="cpu", options=TRANSPARENT) as made:
        yield made


def job_of(engine: Engine, out: Path, **options: Any) -> ExportJob:
    given = {"scale": Fraction(1), "options": TRANSPARENT, **options}
    return job_for(engine.clip.info, out, **given)


def test_alpha_is_read_as_a_picture(folder: Path, tmp_path: Path) -> None:
    with open_clip(folder, OpenOptions(background="alpha")) as clip, open_clip(folder, TRANSPARENT) as laid:
        assert np.array_equal(clip.frame(1), np.repeat(square(1)[..., 3:], 3, axis=2))
        assert np.array_equal(laid.frame(0)[24, 26], COLOUR)
        assert not laid.frame(0)[0, 0].any()
        assert clip.identity != laid.identity
    with open_clip(write_clip(tmp_path / "opaque.mp4", 2), OpenOptions(background="alpha")) as clip:
        assert (clip.frame(0) == 255).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_colours_and_alpha_come_apart_again(kind: type) -> None:
    peak, straight = np.iinfo(kind).max, square(0)[..., :3] / 255
    alpha = square(0)[..., 3] / 255
    laid: NDArray[Any] = np.zeros((HEIGHT, WIDTH, 4), kind)
    laid[..., :3] = np.rint(straight * alpha[..., None] * peak)
    made = joined(laid, np.rint(alpha * peak).astype(kind)) / peak
    assert np.abs(made[..., 3] - alpha).max() <= 2.1 / 255
    assert (made[alpha == 1][:, 3] == 1).all()
    seen = made[..., 3] > 0.2
    # Their quotient has the error of both roundings.
    assert np.abs(made[seen][:, :3] - straight[seen]).max() < 0.03
    assert not made[alpha == 0].any()


def test_what_a_model_nearly_makes_opaque_is_opaque() -> None:
    laid = np.full((1, 3, 4), 100, np.uint8)
    assert joined(laid, np.array([[253, 2, 128]], np.uint8))[0, :, 3].tolist() == [255, 0, 128]


READ = [
    ("out", "png", "rgba", 0), ("out", "png16", "rgba", 1), ("out", "tiff", "rgba", 0), ("out.mkv", "ffv1", "rgba", 0),
    ("out.apng", "apng", "rgba", 0), ("out.mov", "prores", "rgba", 10),
]  # fmt: skip


@pytest.mark.parametrize(("name", "codec", "layout", "worst"), READ)
def test_files_hold_colours_and_alpha(
    tmp_path: Path, engine: Engine, name: str, codec: str, layout: str, worst: int
) -> None:
    job, info = job_of(engine, tmp_path / name, codec=codec), engine.clip.info
    job.check()
    sink = sink_for(job, info.colour, output_aspect(info, job.grid), info=info)
    sink.open()
    pictures = [square(number) for number in range(FRAMES)]
    for picture in pictures:
        sink.write(picture.astype(np.uint16) * 257 if codec == "png16" else picture)  # type: ignore[arg-type]
    path = sink.finish()
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    read = [frame.to_ndarray(format=layout) for file in files for frame in decoded(file)]
    assert len(read) == FRAMES
    for found, picture in zip(read, pictures, strict=True):
        assert np.abs(found[..., 3].astype(int) - picture[..., 3]).max() <= (1 if worst else 0)
        opaque = picture[..., 3] == 255
        assert (found[..., 3][opaque] == 255).all()
        assert np.abs(found.astype(int) - picture)[opaque].max() <= worst


def decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def test_openexr_holds_light_that_alpha_multiplies(tmp_path: Path, engine: Engine) -> None:
    job, info = job_of(engine, tmp_path / "out", codec="exr"), engine.clip.info
    sink = sink_for(job, info.colour, output_aspect(info, job.grid), info=info)
    sink.open()
    for number in range(FRAMES):
        sink.write(square(number).astype(np.uint16) * 257)  # type: ignore[arg-type]
    (frame,) = decoded(sink.finish().parent / "00000.exr")
    assert frame.format.name == "gbrapf16le"
    green, blue, red, found = (
        np.frombuffer(memoryview(plane), np.float16).reshape(HEIGHT, -1)[:, :WIDTH] for plane in frame.planes
    )
    alpha, light = square(0)[..., 3] / 255, ((COLOUR / 255 + 0.055) / 1.055) ** 2.4
    assert np.abs(found - alpha).max() < 1e-3
    for plane, level in zip((red, green, blue), light, strict=True):
        assert np.abs(plane - level * alpha).max() < 1e-3


def test_an_animated_webp_says_that_it_has_alpha(tmp_path: Path, engine: Engine) -> None:
    job, info = job_of(engine, tmp_path / "out.webp"), engine.clip.info
    sink = sink_for(job, info.colour, output_aspect(info, job.grid), info=info)
    sink.open()
    for number in range(FRAMES):
        sink.write(square(number))
    data = sink.finish().read_bytes()
    assert data[12:16] == b"VP8X"
    assert data[20] & 0x10, "the flag of alpha"


def test_an_export_decodes_colours_and_alpha(tmp_path: Path, folder: Path) -> None:
    path = videoinr.export(
        folder, tmp_path / "out", scale=1, fps=48, end=Fraction(1, 24), device="cpu", background="transparent"
    )
    pictures = [decoded(file)[0].to_ndarray(format="rgba") for file in sorted(path.parent.iterdir())]
    assert len(pictures) == 2
    error = np.abs(pictures[0].astype(int) - square(0))
    assert error[..., 3].mean() < 2
    assert error[square(0)[..., 3] == 255].mean() < 4
    between = pictures[1][24, :, 3].astype(int)
    assert between.max() == 255
    assert between[0] == 0
    # The square lies in the middle between its places.
    places = np.arange(WIDTH)
    centre = (places * between).sum() / between.sum()
    assert centre == pytest.approx(27, abs=0.35)


def test_every_part_of_the_picture_has_its_alpha(engine: Engine) -> None:
    grid = engine.clip.info.grid
    with with_alpha(engine, TRANSPARENT) as both:
        whole = both.render(RegionQuery(Instant(0, Fraction(1, 2)), grid, grid.rect), Quality.FULL, NEVER).rgbx
        part = Rect(10, 8, 30, 20)
        crop = both.render(RegionQuery(Instant(0, Fraction(1, 2)), grid, part), Quality.FULL, NEVER).rgbx
        deep = both.render_deep(RegionQuery(Instant(0, Fraction(1, 2)), grid, part), NEVER).rgbx
        both.keep_only(Instant(0, Fraction(1, 2)), NEVER)
    assert np.array_equal(crop, whole[8:28, 10:40])
    assert deep.dtype == np.uint16
    assert np.abs(deep[..., 3] / 257 - crop[..., 3]).max() <= 1.1


# ---- what is said before the start ----


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.gif"])
def test_a_format_without_alpha_is_refused(tmp_path: Path, engine: Engine, name: str) -> None:
    with pytest.raises(UsageError, match="no transparency") as caught:
        job_of(engine, tmp_path / name).check()
    assert "PNG" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "background", "said"),
    [
        ("out.mp4", "black", "holds no transparency"),
        ("out.mov", "black", "no transparency"),
        ("out.mkv", "white", "no transparency"),
        ("out", "black", "--background transparent"),
        ("out", "transparent", "is kept"),
        ("out.webp", "grey", "--background transparent"),
    ],
)
def test_what_becomes_of_transparency_is_said(
    tmp_path: Path, engine: Engine, name: str, background: str, said: str
) -> None:
    job = job_of(engine, tmp_path / name, options=OpenOptions(background=background))
    assert any(said in sentence for sentence in notices(job, None, engine.clip.info))


def test_nothing_is_said_of_opaque_clips(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 2)) as clip:
        job = job_for(clip.info, tmp_path / "out")
        assert not [each for each in notices(job, None, clip.info) if "transparen" in each or "opaque" in each]


def test_frames_in_memory_have_no_alpha(tmp_path: Path) -> None:
    frames = np.zeros((2, 32, 48, 3), np.uint8)
    with pytest.raises(UsageError, match="in memory"):
        videoinr.export(frames, tmp_path / "out", scale=1, device="cpu", background="transparent")


def test_the_command_line_keeps_transparency(tmp_path: Path, folder: Path) -> None:
    outcome = run_here("export", folder, tmp_path / "out.mp4", "--background", "transparent", "--device", "cpu")
    assert (outcome.exit_code, "no transparency" in outcome.stderr) == (2, True)


def test_an_exposure_over_an_edge_keeps_its_colour_and_has_the_share_of_time_as_alpha() -> None:
    there = torch.tensor([[[120, 60, 200, 255]]], dtype=torch.uint8)
    opaque, nothing = torch.full_like(there, 255), torch.zeros_like(there)
    laid, alpha = mean_in_light([there, nothing]), mean_of_shares([opaque, nothing])
    found = joined(laid.numpy(), alpha.numpy()[..., 1], in_light=True)
    assert abs(found[0, 0].astype(int) - [120, 60, 200, 128]).max() <= 2
