"""The example programs and README's snippet run as they are written, on the demo clip or a small one."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import videoinr_resources
from helpers.clips import write_clip
from helpers.tiny_model import save_tiny_model
from videoinr.clip import open_clip
from videoinr.geometry import Grid
from videoinr.model.onnx_export import export_onnx
from videoinr.model.weights import load_model

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "packaging" / "examples"
DEMO = videoinr_resources.path("demo/demo.mp4")


@pytest.fixture
def run_example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Run an example by name with arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")

    return run


def pictures(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]


def test_every_example_is_tested_here() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == {"slow_motion", "contact_sheet", "flow_picture", "own_model_psnr", "onnx_slow_motion"}


def test_slow_motion(run_example: Callable[..., None], tmp_path: Path) -> None:
    run_example("slow_motion", "--start", 0.5, "--end", 0.525, "--scale", 1)
    frames = pictures(tmp_path / "slow.mp4")
    assert len(frames) == 6
    assert frames[0].shape == (180, 320, 3)


def test_contact_sheet(run_example: Callable[..., None], tmp_path: Path) -> None:
    run_example("contact_sheet", DEMO, "--region", 400, 200, 32, 24)
    (sheet,) = pictures(tmp_path / "sheet.png")
    assert sheet.shape == (3 * 24, 4 * 32, 3)
    assert (sheet[:24, :32] != sheet[-24:, -32:]).any()


def test_flow_picture(run_example: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_example("flow_picture", "-t", 0.25)
    (painted,) = pictures(tmp_path / "flow.png")
    assert painted.shape == (180, 320, 3)
    assert painted.max() > 150
    assert "pixels on average" in capsys.readouterr().out


def test_own_model_psnr(run_example: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clips").mkdir()
    write_clip(tmp_path / "clips" / "one.mp4", 5)
    run_example("own_model_psnr", tmp_path / "clips", "--model", save_tiny_model(tmp_path), "--scale", 2)
    printed = capsys.readouterr().out
    assert len(re.findall(r"\d+\.\d\d dB, between the frames", printed)) == 3
    assert "tiny" in printed


def test_onnx_slow_motion(run_example: Callable[..., None], tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model = load_model(str(save_tiny_model(tmp_path)))
    export_onnx(model, tmp_path / "onnx-model", size=Grid(32, 20), scale=Fraction(2))
    run_example("onnx_slow_motion", tmp_path / "onnx-model", "--count", 2)
    first, second = (pictures(tmp_path / "onnx" / f"00{index}.png")[0] for index in range(2))
    assert first.shape == (40, 64, 3)
    assert (first != second).any()


def test_readme_snippet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (snippet,) = re.findall(r"## From Python\n\n```python\n(.*?)```", text, re.DOTALL)
    with open_clip(DEMO) as demo:  # a corner of it, just large enough for the region
        corner = [demo.frame(index)[:116, :168].astype(np.uint8) for index in range(14)]
        write_clip(tmp_path / "clip.mp4", corner, fps=demo.info.fps)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(snippet, "README.md", "exec"), names)
    assert tuple(names["rgb"].shape) == (464, 672, 3)
    assert tuple(names["detail"].shape) == (256, 256, 3)
    assert tuple(names["on_device"].shape) == (360, 640, 3)
    assert tuple(names["flow"].shape) == (2, 116, 168, 2)
    assert capsys.readouterr().out.split("\n")[:-1] == 3 * ["(232, 336, 3)"]
    assert len(pictures(tmp_path / "slow.mp4")) == 6
