"""Pictures that are converted to planes on the device, against those that swscale converts."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from helpers.clips import write_clip
from helpers.killed_exports import frames_of
from helpers.tiny_model import save_tiny_model
from videoinr.colour import ColourSpec
from videoinr.errors import ExportError
from videoinr.exporting.codecs import codec_named
from videoinr.exporting.coding import Coding, FrameConverter
from videoinr.exporting.device_planes import PlaneConverter, can_convert
from videoinr.exporting.export import export_job
from videoinr.exporting.job import job_for
from videoinr.exporting.planes import FrameMaker
from videoinr.exporting.tags import tags_from_colour
from videoinr.render.engine import open_engine

WIDTH, HEIGHT = 70, 50


def coding_of(
    encoder: str = "libx264", ending: str = ".mp4", *, matrix: str = "bt709", value_range: str = "tv",
    deep: bool = False, size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Coding:  # fmt: skip
    codec = codec_named(encoder)
    tags = tags_from_colour(ColourSpec(matrix, value_range, "bt709", "bt709"), rgb=codec.is_rgb, full_range=True)
    return Coding(codec, ending, *size, Fraction(25), None, tags, Fraction(1), deep)


def picture(*, deep: bool, size: tuple[int, int] = (WIDTH, HEIGHT)) -> NDArray[Any]:
    """Return a picture of ramps, saturated blocks with hard edges, black, white and noise."""
    random, (width, height) = np.random.default_rng(7), size
    rgb = np.zeros((height, width, 3))
    rgb[..., 0] = np.linspace(0, 1, width)
    rgb[..., 1] = np.linspace(1, 0, height)[:, None]
    rgb[..., 2] = np.linspace(0, 1, width)[::-1]
    rgb[: height // 3, : width // 2] = random.integers(0, 2, (height // 3, width // 2, 3))
    rgb[height // 2 :, : width // 3] = random.random((height - height // 2, width // 3, 3))
    rgb[-height // 4 :, -width // 4 :] = 1
    rgb[-height // 8 :, -width // 8 :] = 0
    peak, kind = (65535, np.uint16) if deep else (255, np.uint8)
    rgbx = np.full((height, width, 4), peak, kind)
    rgbx[..., :3] = np.rint(rgb * peak)
    return rgbx


def planes_of(frame: av.VideoFrame) -> list[NDArray[np.int64]]:
    kind = np.uint16 if "10" in frame.format.name else np.uint8
    found = []
    for plane in frame.planes:
        stored = np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)
        found.append(stored[:, : plane.width].astype(np.int64))
    return found


def both(coding: Coding, rgbx: NDArray[Any]) -> tuple[av.VideoFrame, av.VideoFrame]:
    """Return the frame that swscale makes, and that made of the planes."""
    values = torch.from_numpy(rgbx.astype(np.int32) if rgbx.dtype == np.uint16 else rgbx)
    made = FrameMaker(coding).frame(PlaneConverter(coding, "the GPU").planes(values))
    return FrameConverter(coding).frame(rgbx), made


SIZES = {"libx264": (WIDTH, HEIGHT), "prores_ks": (WIDTH, HEIGHT - 1), "odd": (WIDTH - 1, HEIGHT)}
"""yuv420p, yuv422p10le and yuv444p, of 8 bits and of more."""


@pytest.mark.parametrize("height", [HEIGHT, 48])
def test_a_frame_of_planes_has_all_rows_shares_their_memory_where_it_can_and_keeps_it(height: int) -> None:
    coding = coding_of(size=(WIDTH, height))
    planes = PlaneConverter(coding, "the GPU").planes(torch.from_numpy(picture(deep=False, size=(WIDTH, height))))
    arrays = [each.copy() for each in planes.arrays()]
    frame, address = FrameMaker(coding).frame(planes), planes.values.ctypes.data
    assert (frame.planes[0].buffer_ptr == address) is (height % 4 == 0), "PyAV makes no whole frames of other heights"
    del planes
    gc.collect()
    assert (frame.width, frame.height) == (WIDTH, height)
    for found, expected in zip(planes_of(frame), arrays, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt470bg", "bt2020nc", "smpte240m", "fcc"])
@pytest.mark.parametrize("kind", ["libx264", "prores_ks", "odd"])
def test_planes_of_limited_range_are_those_of_swscale(kind: str, matrix: str, deep: bool) -> None:
    encoder = "libx264" if kind == "odd" else kind
    coding = coding_of(encoder, ".mov", matrix=matrix, deep=deep, size=SIZES[kind])
    assert can_convert(coding)
    expected, made = both(coding, picture(deep=deep, size=SIZES[kind]))
    for theirs, ours in zip(planes_of(expected), planes_of(made), strict=True):
        # At most 1 here; swscale has other code for other processors.
        assert np.abs(ours - theirs).max() <= 2
        assert (np.abs(ours - theirs) <= 1).mean() > 0.999
        assert abs((ours - theirs).mean()) < 0.12, "in levels"
    for name in ("colorspace", "color_range", "color_primaries", "color_trc"):
        assert getattr(made, name) == getattr(expected, name)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("matrix", ["bt709", "bt470bg", "bt2020nc"])
@pytest.mark.parametrize(("encoder", "ending"), [("libx264", ".mp4"), ("libvpx-vp9", ".mp4"), ("odd", ".mp4")])
def test_planes_of_full_range_are_those_of_swscale_without_its_rounding_down(
    encoder: str, ending: str, matrix: str, deep: bool
) -> None:
    size = SIZES.get(encoder, (WIDTH, HEIGHT))
    coding = coding_of(
        encoder if encoder != "odd" else "libx264", ending, matrix=matrix, value_range="pc", deep=deep, size=size
    )
    expected, made = both(coding, picture(deep=deep, size=size))
    luma, *chroma = zip(planes_of(expected), planes_of(made), strict=True)
    assert np.abs(luma[1] - luma[0]).max() <= 2
    for theirs, ours in chroma:
        # Swscale also cuts off the overshoot at the hard edges of saturated colours before it is averaged.
        assert (np.abs(ours - theirs) <= 1).mean() > 0.97
        assert 0.3 < (ours - theirs).mean() < 0.8, "it rounds down by half a level"
    # One colour has the levels of the definition.
    flat = picture(deep=deep, size=size)
    peak = np.iinfo(flat.dtype).max
    flat[..., :3] = np.array([0.2, 0.5, 0.9]) * peak
    red, green, blue = flat[0, 0, :3] / peak
    kr, kb = {"bt709": (0.2126, 0.0722), "bt470bg": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}[matrix]
    y, top = kr * red + (1 - kr - kb) * green + kb * blue, 1023 if coding.deep and "10" in coding.pix_fmt else 255
    middle = (top + 1) / 2
    wanted = [y * top, middle + (blue - y) / (2 - 2 * kb) * top, middle + (red - y) / (2 - 2 * kr) * top]
    for plane, level in zip(planes_of(both(coding, flat)[1]), wanted, strict=True):
        assert np.abs(plane - level).max() <= 0.51


def test_from_the_second_picture_of_a_kind_on_the_launches_are_replayed() -> None:
    recorded, replayed = [], []

    def record(launch: Callable[[], None]) -> Callable[[], None]:
        recorded.append(launch)
        launch()

        def replay() -> None:
            replayed.append(launch)
            launch()

        return replay

    plain, repeating = PlaneConverter(coding_of(), "the GPU"), PlaneConverter(coding_of(), "the GPU", record)
    first = torch.from_numpy(picture(deep=False))
    small = torch.from_numpy(picture(deep=False, size=(WIDTH - 2, HEIGHT)))
    expected_counts = iter([(0, 0), (1, 1), (1, 2), (1, 2), (2, 3)])
    for rgbx in (first, first.flip(0), first.flip(1), small, small.flip(0)):
        made = [plane.copy() for plane in repeating.planes(rgbx.contiguous()).arrays()]
        for ours, theirs in zip(made, plain.planes(rgbx.contiguous()).arrays(), strict=True):
            assert (ours == theirs).all()
        assert (len(recorded), len(replayed)) == next(expected_counts)


def test_where_nothing_can_be_recorded_the_launches_are_made() -> None:
    converter, rgbx = PlaneConverter(coding_of(), "the GPU", lambda _: None), torch.from_numpy(picture(deep=False))
    expected = converter.planes(rgbx).arrays()
    assert all((ours == theirs).all() for ours, theirs in zip(converter.planes(rgbx).arrays(), expected, strict=True))


def test_what_is_left_to_swscale() -> None:
    assert not can_convert(coding_of("ffv1", ".mkv"))
    strange = replace(coding_of().tags, swscale_matrix=0)
    assert not can_convert(replace(coding_of(), tags=strange))


class OnGpu:
    """An engine on a CPU that says that it is on a GPU, and counts the pictures that are not fetched as pixels."""

    def __init__(self, engine: Any) -> None:
        self._engine, self.fetched, self.left = engine, 0, 0
        self.device = torch.device("cuda")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def render(self, *arguments: Any) -> Any:
        self.fetched += 1
        return self._engine.render(*arguments)

    def render_on_device(self, *arguments: Any, deep: bool) -> Any:
        self.left += 1
        return self._engine.render_on_device(*arguments, deep=deep)


@pytest.mark.parametrize(("name", "pix_fmt"), [("out.mp4", "yuv420p"), ("out.mov", "yuv420p10le")])
def test_an_export_from_a_gpu_has_the_frames_of_one_from_a_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, pix_fmt: str
) -> None:
    # Where there is a GPU, it would record none of what the CPU does here.
    monkeypatch.setattr("videoinr.decode.recording.cuda_graph", lambda _: None)
    codec, crf = ("libx264", 0) if name == "out.mp4" else ("prores_ks", None)
    emptied = list[bool]()
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.accelerator, "empty_host_cache", lambda: emptied.append(True), raising=False)
    clip = write_clip(tmp_path / "clip.mp4", 2, pix_fmt=pix_fmt)
    options: dict[str, Any] = {"codec": codec, "scale": Fraction(1), "fps": Fraction(50), "crf": crf}
    with open_engine(clip, model=str(save_tiny_model(tmp_path)), device="cpu") as engine:
        on_gpu = OnGpu(engine)
        export_job(job_for(engine.clip.info, tmp_path / f"cpu-{name}", **options), engine)
        export_job(job_for(engine.clip.info, tmp_path / f"gpu-{name}", **options), on_gpu)
    assert (on_gpu.fetched, on_gpu.left) == (0, 4)
    assert emptied == [True], "the memory that planes were copied to is given back, once"
    expected, made = frames_of(tmp_path / f"cpu-{name}"), frames_of(tmp_path / f"gpu-{name}")
    assert made.shape == expected.shape == (4, *expected.shape[1:])
    assert np.abs(made.astype(int) - expected).mean() < 0.5


def test_av1_refuses_sides_with_which_its_encoder_may_not_end() -> None:
    coding = coding_of("libsvtav1", size=(24, 24))
    with pytest.raises(ExportError, match="24x24") as caught:
        coding.new_encoder()
    assert "32 pixels" in caught.value.hint


def test_a_lost_gpu_that_gives_no_memory_back_does_not_hide_its_first_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.accelerator, "empty_host_cache", refuse, raising=False)
    PlaneConverter(coding_of(), "the GPU").close()


def test_a_gpu_without_room_leaves_the_conversion_to_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    coding = coding_of()
    values = torch.from_numpy(picture(deep=False))

    class Full(torch.Tensor):
        is_cuda = True

        def cpu(self) -> torch.Tensor:  # type: ignore[override]
            return values

    converter = PlaneConverter(coding, "the GPU")
    expected = converter.planes(values).arrays()
    inner, calls = converter._values, []

    def values_of(rgbx: torch.Tensor) -> Any:
        calls.append(rgbx)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return inner(rgbx)

    monkeypatch.setattr(converter, "_values", values_of)
    made = converter.planes(values.as_subclass(Full)).arrays()
    assert len(calls) == 2
    assert all((ours == theirs).all() for ours, theirs in zip(made, expected, strict=True))
