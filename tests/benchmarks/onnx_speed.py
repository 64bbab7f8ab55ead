"""The speed of a model in torch, ONNX Runtime and OpenVINO on the CPU, in turn in one run; a table in Markdown.

    python tests/benchmarks/onnx_speed.py [--model lite --model base] [--size 320x180] [--scale 2] [--rounds 7]

All three compute the same graphs: the encoder and the field once for a pair, an instant for each time; whole pictures.
(The program itself decodes by tiles, with the heads in C where there is a compiler: ``videoinr bench``.) Needs the
extra "onnx" and openvino. Times are medians of the rounds, milliseconds by the clock and of the processor (all threads
together; on a busy machine only these compare); parity is the largest difference of a picture from torch's, of 1.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from videoinr.geometry import Grid
from videoinr.model.onnx_export import export_onnx
from videoinr.model.onnx_graphs import Graph, example_frames, graphs_of
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model
from videoinr.text import parsing

GRAPHS = ("encoder", "field", "instant")
TIMES = (0.125, 0.5, 0.875)
Arrays = dict[str, NDArray[np.float32]]
Step = Callable[[Arrays], Arrays]


@dataclass(frozen=True)
class Runtime:
    """One way to compute the graphs: a step for each, arrays by name to arrays by name."""

    name: str
    steps: dict[str, Step]

    def picture(self, frames: NDArray[np.float32], t: float) -> NDArray[np.float32]:
        """Return the picture of ``frames`` at ``t``, all three graphs in their order."""
        known: Arrays = {"frames": frames, "t": np.array([t], np.float32)}
        for name in GRAPHS:
            known |= self.steps[name](known)
        return known["picture"]


def torch_runtime(graphs: Sequence[Graph]) -> Runtime:
    """Return the graphs' modules in plain torch."""

    def step(graph: Graph) -> Step:
        def run(known: Arrays) -> Arrays:
            with torch.inference_mode():
                made = graph.module(*(torch.from_numpy(known[name]) for name in graph.inputs))
            outputs = made if isinstance(made, tuple) else (made,)
            return {name: one.numpy() for name, one in zip(graph.outputs, outputs, strict=True)}

        return run

    return Runtime(f"torch {torch.__version__}", {graph.name: step(graph) for graph in graphs})


def onnx_runtime(folder: Path, threads: int) -> Runtime:
    """Return the files in ``folder`` in ONNX Runtime."""
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    # Threads that spin while they wait would count as work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")

    def step(name: str) -> Step:
        session = runtime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
        reads, gives = ([one.name for one in ends] for ends in (session.get_inputs(), session.get_outputs()))

        def run(known: Arrays) -> Arrays:
            return dict(zip(gives, session.run(gives, {one: known[one] for one in reads}), strict=True))

        return run

    return Runtime(f"ONNX Runtime {runtime.__version__}", {name: step(name) for name in GRAPHS})


def openvino_runtime(folder: Path, threads: int, graphs: Sequence[Graph]) -> Runtime:
    """Return the files in ``folder`` in OpenVINO, in float32."""
    openvino: Any = importlib.import_module("openvino")
    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}

    def step(graph: Graph) -> Step:
        compiled = core.compile_model(folder / f"{graph.name}.onnx", "CPU", settings)

        def run(known: Arrays) -> Arrays:
            # By place: OpenVINO gives one tensor several names.
            made = compiled([known[one] for one in graph.inputs])
            return {one: np.array(made[index]) for index, one in enumerate(graph.outputs)}

        return run

    version = openvino.get_version().partition("-")[0]
    return Runtime(f"OpenVINO {version}", {graph.name: step(graph) for graph in graphs})


def compared(name: str, size: Grid, scale: Fraction, rounds: int) -> list[str]:
    """Return the rows of the table for one model."""
    loaded = load_model(name)
    model = loaded.model
    if not isinstance(model, VideoINR):
        raise SystemExit(f"{name} is an imported network, which has no graphs.")
    threads, frames = torch.get_num_threads(), example_frames(size).numpy()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "onnx"
        export_onnx(loaded, folder, size=size, scale=scale)
        graphs = graphs_of(model, size, size.scaled(float(scale)))
        ways = [torch_runtime(graphs), onnx_runtime(folder, threads)]
        if importlib.util.find_spec("openvino") is not None:
            ways.append(openvino_runtime(folder, threads, graphs))
        times = measured(ways, frames, rounds)
        truth = [ways[0].picture(frames, t) for t in TIMES]
        parity = [max(float(np.abs(way.picture(frames, t) - one).max()) for t, one in zip(TIMES, truth, strict=True))
                  for way in ways]  # fmt: skip
    return [
        f"| {name} | {way.name} | {' | '.join(times[way.name, graph] for graph in GRAPHS)} | {worst:.1e} |"
        for way, worst in zip(ways, parity, strict=True)
    ]


def measured(ways: Sequence[Runtime], frames: NDArray[np.float32], rounds: int) -> dict[tuple[str, str], str]:
    """Return the medians of ``rounds`` in words, by runtime and graph. In each round, all are run in turn."""
    taken: dict[tuple[str, str], list[tuple[float, float]]] = {
        (way.name, graph): [] for way in ways for graph in GRAPHS
    }
    for index in range(rounds + 1):
        for way in ways:
            known: Arrays = {"frames": frames, "t": np.array([TIMES[index % len(TIMES)]], np.float32)}
            for graph in GRAPHS:
                start, worked = time.perf_counter(), time.process_time()
                known |= way.steps[graph](known)
                # The first round plans and fills caches.
                if index:
                    passed = time.perf_counter() - start, time.process_time() - worked
                    taken[way.name, graph].append(passed)
    medians = {key: map(statistics.median, zip(*values, strict=True)) for key, values in taken.items()}
    return {key: " / ".join(f"{1000 * secs:.0f}" for secs in both) for key, both in medians.items()}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="lite and base by default")
    parser.add_argument("--size", default="320x180", help="of the frames")
    parser.add_argument("--scale", default="2", help="of the pictures")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    size, scale = parsing.size(options.size), parsing.number(options.scale)
    grid = size.scaled(float(scale))
    print(
        f"Frames of {size}, pictures of {grid}, {torch.get_num_threads()} threads, {options.rounds} rounds in turn.\n"
    )
    print("| model | runtime | encoder, ms by the clock / of the processor | field | instant | parity |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.model or ("lite", "base"):
        print(*compared(name, size, scale, options.rounds), sep="\n", flush=True)


if __name__ == "__main__":
    main()
