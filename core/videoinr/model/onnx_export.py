"""Writes a model as ONNX files, and checks them with ONNX Runtime where it is installed."""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import videoinr
from videoinr.errors import ExportError, ModelError, OutputExistsError, UsageError
from videoinr.geometry import Grid
from videoinr.model.onnx_graphs import Graph, example_frames, graphs_of
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import LoadedModel, ModelCard
from videoinr.writing.whole_files import write_files

OPSET = 20
TOLERANCE = 1e-4
"""The largest difference from torch, of pixels in 0 ... 1, that the check allows."""
LEAST_SIDE = 16
MOST_PIXELS = 9_000_000
"""A graph decodes whole pictures: about a kilobyte of memory for each pixel."""
CARD = "model.json"
NAMES = ("encoder.onnx", "field.onnx", "instant.onnx", CARD)
_INSTALL = 'Install the extra "onnx" first: pip install ".[onnx]" in the source code.'


@dataclass(frozen=True)
class OnnxFolder:
    """What was written: the files, and the largest difference from torch; None where there is no ONNX Runtime."""

    files: tuple[Path, ...]
    difference: float | None
    runtime: str | None


def export_onnx(loaded: LoadedModel, folder: Path, *, size: Grid, scale: Fraction, replace: bool = False) -> OnnxFolder:
    """Write ``loaded`` to ``folder`` as encoder.onnx, field.onnx, instant.onnx and model.json.

    Args:
        loaded: the model and its card.
        folder: is made if it is not there.
        size: of the source frames, pixels; at least 16 a side.
        scale: pixels of the pictures for each pixel of the frames.
        replace: whether existing files are replaced.

    Returns:
        The files, and how exactly ONNX Runtime computes what torch does.

    Raises:
        UsageError: the model is no VideoINR of our own, a size is out of range, or what writes ONNX is not installed.
        ExportError: the files cannot be written or exist already, or ONNX Runtime computes something else.
    """
    if not isinstance(loaded.model, VideoINR):
        raise UsageError(
            f"{loaded.card.name} is an imported network, which cannot be written as ONNX.",
            hint="Choose lite, base, or a model that this program has trained.",
        )
    grid = _checked_grid(size, scale)
    for name in () if replace else NAMES:
        if (folder / name).exists():
            raise OutputExistsError(f"{folder / name} already exists.", hint="Add --overwrite, or give another folder.")
    graphs = graphs_of(loaded.model, size, grid)
    contents: dict[str, bytes] = {f"{graph.name}.onnx": _serialised(graph) for graph in graphs}
    runtime = _runtime()
    difference = None if runtime is None else _difference(runtime, contents, loaded.model, size, grid)
    if difference is not None and not difference <= TOLERANCE:
        raise ExportError(
            f"ONNX Runtime computes other pictures than torch: they differ by {difference:.2g}.",
            hint="Nothing was written. Update onnxruntime, or report this with its version.",
        )
    contents[CARD] = _card(loaded.card, loaded.model, graphs, size, grid).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{folder} cannot be made: {error.strerror}.", hint="Give another folder.") from error
    write_files({folder / name: content for name, content in contents.items()}, replace=replace)
    version = None if runtime is None else str(runtime.__version__)
    return OnnxFolder(tuple(folder / name for name in contents), difference, version)


def _checked_grid(size: Grid, scale: Fraction) -> Grid:
    hint = f"Frames have {LEAST_SIDE} pixels a side or more, pictures at most {MOST_PIXELS // 10**6} megapixels."
    if min(size.width, size.height) < LEAST_SIDE or scale <= 0 or size.rect.area * scale * scale > MOST_PIXELS:
        raise UsageError(f"Frames of {size} at x{float(scale):g} cannot be exported.", hint=hint)
    if size.rect.area > MOST_PIXELS:
        raise UsageError(f"Frames of {size} cannot be exported.", hint=hint)
    return size.scaled(float(scale))


def _serialised(graph: Graph) -> bytes:
    # It warns of each operation of torchvision that it does not find.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # The exporter's own: of deprecated calls inside torch, and of operations that it looks up by other names.
        warnings.simplefilter("ignore")
        try:
            program = torch.onnx.export(
                graph.module.eval(), graph.example, input_names=graph.inputs, output_names=graph.outputs,
                opset_version=OPSET, dynamo=True, verbose=False,
            )  # fmt: skip
        except ImportError as error:
            raise UsageError("What writes ONNX files is not installed.", hint=_INSTALL) from error
    if program is None:
        raise ModelError(f"torch made no graph of the model's {graph.name}.", hint="Update torch and onnxscript.")
    content: bytes = program.model_proto.SerializeToString()
    return content


def _runtime() -> Any:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError:
        return None


def _difference(runtime: Any, contents: dict[str, bytes], model: VideoINR, size: Grid, grid: Grid) -> float:
    """Return the largest difference between ONNX Runtime's pictures and torch's, at three times."""
    frames, worst = example_frames(size), 0.0
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    sessions = [
        runtime.InferenceSession(contents[f"{name}.onnx"], options, providers=["CPUExecutionProvider"])
        for name in ("encoder", "field", "instant")
    ]
    known: dict[str, NDArray[np.float32]] = {"frames": frames.numpy()}
    for session in sessions[:2]:
        known |= run_graph(session, known)
    with torch.no_grad():
        features = model.encode(frames)
        for t in (0.0, 0.375, 1.0):
            (truth,) = model.render(features, grid, [torch.tensor([t])])
            picture = run_graph(sessions[2], {**known, "t": np.array([t], np.float32)})["picture"]
            worst = max(worst, float(np.abs(picture - truth.clamp(0, 1).numpy()).max()))
    return worst


def run_graph(session: Any, known: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Run a session of ONNX Runtime on those of ``known`` that it reads; return its outputs by name."""
    inputs = {one.name: known[one.name] for one in session.get_inputs()}
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def _card(card: ModelCard, model: VideoINR, graphs: Sequence[Graph], size: Grid, grid: Grid) -> str:
    """Return what a program needs to know of the files, and what the model's own card says of it."""
    about = {
        "program": f"videoinr {videoinr.__version__}",
        "model": {name: value for name, value in card.to_dict().items() if name not in ("self_test", "config")},
        "frames": [size.width, size.height],
        "picture": [grid.width, grid.height],
        "graphs": [{"file": f"{one.name}.onnx", "inputs": one.inputs, "outputs": one.outputs} for one in graphs],
        "use": "encoder and field once for a pair of frames [1, 2, 3, height, width] in 0 ... 1, instant for each t",
    }
    if model.bends_paths:
        about["paths"] = "straight: the graphs read the pair alone, and not the frames beside it, which bend its paths"
    return json.dumps(about, indent=1) + "\n"
