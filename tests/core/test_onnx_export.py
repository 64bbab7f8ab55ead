"""The ONNX files compute what torch computes, with standard operations alone."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from typer.testing import CliRunner

from helpers.tiny_model import load_tiny_model, save_tiny_model, tiny_video_inr
from helpers.tiny_paper import TINY_VARIANTS, tiny_paper_model, wake_offsets
from videoinr.cli import app
from videoinr.errors import ExportError, UsageError
from videoinr.geometry import Grid
from videoinr.model import onnx_export
from videoinr.model.config import MotionPriorConfig
from videoinr.model.layers import DeformableConv
from videoinr.model.maps import shrinking_weights, shrunk
from videoinr.model.onnx_export import export_onnx, run_graph
from videoinr.model.onnx_graphs import Graph, example_frames, graphs_of
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model

SIZE, SCALE = Grid(44, 36), Fraction(3, 2)
GRAPHS = ("encoder", "field", "instant")


def graphs_in_torch(model: VideoINR, size: Grid, grid: Grid, frames: torch.Tensor, t: float) -> torch.Tensor:
    known = {"frames": frames, "t": torch.tensor([t])}
    with torch.no_grad():
        for graph in graphs_of(model, size, grid):
            made = graph.module(*(known[name] for name in graph.inputs))
            known |= dict(zip(graph.outputs, made if isinstance(made, tuple) else (made,), strict=True))
    return known["picture"]


@pytest.mark.parametrize("variant", TINY_VARIANTS)
def test_the_three_graphs_together_are_the_model(variant: str) -> None:
    size, grid = Grid(18, 16), Grid(27, 24)
    model, frames = tiny_paper_model(variant), example_frames(size)
    with torch.no_grad():
        (truth,) = model.render(model.encode(frames), grid, [torch.tensor([0.25])])
    picture = graphs_in_torch(model, size, grid, frames, 0.25)
    assert picture.shape == (1, 3, grid.height, grid.width)
    assert torch.equal(picture, truth.clamp(0, 1))


@pytest.mark.parametrize(
    ("size", "scale"), [(Grid(15, 40), Fraction(2)), (Grid(4000, 4000), Fraction(1, 2)), (SIZE, Fraction(100))]
)
def test_sizes_out_of_range_are_refused(tmp_path: Path, size: Grid, scale: Fraction) -> None:
    with pytest.raises(UsageError, match="cannot be exported"):
        export_onnx(load_tiny_model(tmp_path), tmp_path / "out", size=size, scale=scale)
    assert not (tmp_path / "out").exists()


def test_without_the_exporter_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lack(*_args: object, **_options: object) -> None:
        raise ModuleNotFoundError("onnxscript")

    monkeypatch.setattr(torch.onnx, "export", lack)
    with pytest.raises(UsageError, match="not installed") as raised:
        export_onnx(load_tiny_model(tmp_path), tmp_path / "out", size=SIZE, scale=SCALE)
    assert "onnx" in raised.value.hint


@pytest.fixture(scope="module")
def runtime() -> Any:
    pytest.importorskip("onnxscript")
    return pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def exported(runtime: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command writes for the tiny model."""
    del runtime
    folder = tmp_path_factory.mktemp("onnx")
    weights = save_tiny_model(folder)
    words = ["models", "export", str(weights), "--onnx", str(folder / "out"), "--size", str(SIZE), "--scale", "1.5"]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["difference"] < onnx_export.TOLERANCE
    return folder / "out"


def test_onnx_runtime_decodes_what_torch_decodes(runtime: Any, exported: Path) -> None:
    model = load_model(str(exported.parent / "tiny.safetensors")).model
    assert isinstance(model, VideoINR)
    frames = torch.rand(1, 2, 3, SIZE.height, SIZE.width, generator=torch.Generator().manual_seed(3))
    known = {"frames": frames.numpy(), "t": np.array([0.3], np.float32)}
    for name in GRAPHS:
        known |= run_graph(runtime.InferenceSession(exported / f"{name}.onnx"), known)
    with torch.no_grad():
        (truth,) = model.render(model.encode(frames), SIZE.scaled(1.5), [torch.tensor([0.3])])
    assert np.abs(known["picture"] - truth.clamp(0, 1).numpy()).max() < 1e-4


def test_openvino_decodes_what_torch_decodes(exported: Path) -> None:
    openvino = pytest.importorskip("openvino")
    model = load_model(str(exported.parent / "tiny.safetensors")).model
    assert isinstance(model, VideoINR)
    frames = torch.rand(1, 2, 3, SIZE.height, SIZE.width, generator=torch.Generator().manual_seed(4))
    known, core = {"frames": frames.numpy(), "t": np.array([0.3], np.float32)}, openvino.Core()
    for graph in graphs_of(model, SIZE, SIZE.scaled(float(SCALE))):
        compiled = core.compile_model(exported / f"{graph.name}.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        made = compiled([known[name] for name in graph.inputs])
        known |= {name: np.array(made[index]) for index, name in enumerate(graph.outputs)}
    with torch.no_grad():
        (truth,) = model.render(model.encode(frames), SIZE.scaled(float(SCALE)), [torch.tensor([0.3])])
    assert np.abs(known["picture"] - truth.clamp(0, 1).numpy()).max() < 1e-4


@pytest.mark.parametrize(("before", "after"), [(320, 160), (45, 23), (33, 9), (5, 1), (7, 7)])
def test_the_weights_of_shrinking_are_those_of_the_filter(before: int, after: int) -> None:
    impulses = torch.eye(before)[None, None]
    filtered = F.interpolate(impulses, (after, before), mode="bicubic", antialias=True)[0, 0]
    torch.testing.assert_close(shrinking_weights(before, after), filtered, atol=1e-6, rtol=0)


def test_a_traced_map_is_shrunk_by_products_since_runtimes_ignore_antialiasing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(2, 3, 17, 24)
    filtered = shrunk(x, (9, 12))
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    monkeypatch.setattr(F, "interpolate", None)
    torch.testing.assert_close(shrunk(x, (9, 12)), filtered, atol=1e-6, rtol=0)


def test_the_graphs_hold_standard_operations_alone(exported: Path) -> None:
    onnx = pytest.importorskip("onnx")
    for name in GRAPHS:
        graph = onnx.load(exported / f"{name}.onnx")
        for node in graph.graph.node:
            assert not any(one.name == "antialias" and one.i for one in node.attribute), node.name
        assert {one.domain for one in graph.opset_import} <= {"", "ai.onnx"}, name
        assert not graph.functions
        onnx.checker.check_model(graph, full_check=True)


def test_the_card_names_sizes_and_graphs(exported: Path) -> None:
    card = json.loads((exported / "model.json").read_text("utf-8"))
    assert card["frames"] == [44, 36]
    assert card["picture"] == [66, 54]
    assert [graph["file"] for graph in card["graphs"]] == [f"{name}.onnx" for name in GRAPHS]
    assert card["graphs"][2]["inputs"][:2] == ["t", "frames"]
    assert card["model"]["name"] == "tiny"


def test_the_card_says_that_paths_which_the_program_bends_are_straight(tmp_path: Path) -> None:
    config, card = tiny_video_inr().config, load_tiny_model(tmp_path).card
    assert isinstance(config.encoder, MotionPriorConfig)
    bent = replace(config, encoder=replace(config.encoder, bend_channels=8))
    paths = [json.loads(onnx_export._card(card, VideoINR(one), [], SIZE, SIZE)).get("paths") for one in (config, bent)]
    assert paths[0] is None
    assert "straight" in paths[1]


def test_nothing_is_replaced_unasked(exported: Path) -> None:
    before = {path: path.read_bytes() for path in exported.iterdir()}
    words = ["models", "export", str(exported.parent / "tiny.safetensors"), "--onnx", str(exported), "--size", "44x36"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert {path: path.read_bytes() for path in exported.iterdir()} == before


def test_a_deformable_convolution_is_written_as_standard_operations(runtime: Any) -> None:
    torch.manual_seed(1)
    layer, x, guide = DeformableConv(4, 2), torch.rand(1, 4, 9, 11), torch.rand(1, 4, 9, 11)
    wake_offsets(torch.nn.ModuleList([layer]))
    layer.requires_grad_(False)
    graph = Graph("layer", layer, (x, guide), ("x", "guide"), ("out",))
    session = runtime.InferenceSession(onnx_export._serialised(graph))
    made = run_graph(session, {"x": x.numpy(), "guide": guide.numpy()})["out"]
    assert np.abs(made - layer(x, guide).numpy()).max() < 1e-5


def test_a_runtime_that_computes_something_else_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "_serialised", lambda _graph: b"")
    monkeypatch.setattr(onnx_export, "_runtime", lambda: torch)
    for difference in (0.5, float("nan")):
        monkeypatch.setattr(onnx_export, "_difference", lambda *_args, worst=difference: worst)
        with pytest.raises(ExportError, match="other pictures than torch"):
            export_onnx(load_tiny_model(tmp_path), tmp_path / "out", size=Grid(16, 16), scale=Fraction(1))
    assert not (tmp_path / "out").exists()
