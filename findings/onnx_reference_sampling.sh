#!/bin/sh
# onnx 1.23.2: the reference evaluator samples pictures otherwise than ONNX Runtime 1.32.0 in two ways that the operators allow.
#
# The evaluator (onnx.reference) is what exporters and new runtimes are tested with. GridSample with cubic weights and
# padding_mode="border" clamps the place of the sample instead of each pixel that the weights need, so that warps differ
# near the border, by a tenth of the contrast. Resize with align_corners divides by scale times size instead of by the size of the
# result, which the operator's text names: where that is no whole number, the last pixel of the result is not the last of the
# input. PyTorch samples as ONNX Runtime does. Linear and nearest samples agree.
#
# Output seen (2026-11-30, onnx 1.23.2, onnxruntime 1.32.0):
#   GridSample, greatest difference of pictures in -1 ... 1:
#     linear: zeros 0.000  border 0.000  reflection 0.000
#     cubic:  zeros 0.000  border 0.160  reflection 0.000
#   Resize of 0, 1 ... 11, align_corners, the last number:
#     x2.0: 24 numbers, reference 11.00, ONNX Runtime 11.00
#     x2.3: 27 numbers, reference 10.75, ONNX Runtime 11.00
#     x0.4: 4 numbers, reference 8.68, ONNX Runtime 11.00
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q onnx==1.23.2 onnxruntime==1.32.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def both(node, inputs, constants=()):
    """Return the results of the reference evaluator and of ONNX Runtime."""
    named = [helper.make_tensor_value_info(name, TensorProto.FLOAT, each.shape) for name, each in inputs.items()]
    graph = helper.make_graph([node], "g", named, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return ReferenceEvaluator(model).run(None, inputs)[0], session.run(None, inputs)[0]


random = np.random.default_rng(0)
inputs = {
    "x": random.uniform(-1, 1, (1, 1, 9, 9)).astype(np.float32), "grid": random.uniform(-1.3, 1.3, (1, 40, 40, 2)).astype(np.float32),
}
found = {}
print("GridSample, greatest difference of pictures in -1 ... 1:")
for mode in ("linear", "cubic"):
    for padding in ("zeros", "border", "reflection"):
        node = helper.make_node("GridSample", ["x", "grid"], ["y"], mode=mode, padding_mode=padding)
        reference, runtime = both(node, inputs)
        found[mode, padding] = float(np.abs(reference - runtime).max())
    print(f"  {mode + ':':7s}", "  ".join(f"{pad} {value:.3f}" for (each, pad), value in found.items() if each == mode))
print("Resize of 0, 1 ... 11, align_corners, the last number:")
last = {}
for scale in (2.0, 2.3, 0.4):
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear", coordinate_transformation_mode="align_corners")
    constant = helper.make_tensor("s", TensorProto.FLOAT, [4], [1, 1, 1, scale])
    reference, runtime = both(node, {"x": np.arange(12, dtype=np.float32)[None, None, None]}, [constant])
    last[scale] = round(float(reference.flat[-1]), 2), round(float(runtime.flat[-1]), 2)
    print(f"  x{scale}: {runtime.size} numbers, reference {last[scale][0]:.2f}, ONNX Runtime {last[scale][1]:.2f}")
others = [value for kind, value in found.items() if kind != ("cubic", "border")]
holds = max(others) < 1e-4 and found["cubic", "border"] > 0.01
sys.exit(0 if holds and last == {2.0: (11, 11), 2.3: (10.75, 11), 0.4: (8.68, 11)} else 1)
PY
