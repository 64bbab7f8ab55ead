#!/bin/sh
# MNN 3.6.1: bicubic enlargement spoils the first row and column; GridSample takes bicubic for bilinear, and reflection for border.
#
# MNN runs interpolation and super-resolution models on phones. A cubic Resize of half pixels is what bicubic
# interpolation of PyTorch becomes in ONNX, and many models add their result to it: MNN's has wrong levels in the row at the
# top and the column at the left, and is exact elsewhere. GridSample, which warps frames and features by flow, knows
# neither bicubic nor reflection: the converter writes a line on bicubic among others, none on reflection, and then
# "Converted Success!". ONNX Runtime follows the operators.
#
# Output seen (2026-12-01, MNN 3.6.1, ONNX Runtime 1.32.0), levels 0 to 1, largest difference between both:
#   cubic Resize, twice the size:    first row 0.83  first column 0.83  the rest 0.00
#   GridSample bilinear, border:     0.00
#   GridSample bilinear, reflection: 0.81, from border: 0.00
#   GridSample bicubic, border:      0.15, from bilinear: 0.00
#
# (The command mnnconvert installs a package for its usage log through pip when it runs; here its function is called.)
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q MNN==3.6.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
venv/bin/python - <<'PY'
import subprocess
import sys

import MNN
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

KINDS = {"plain": ("bilinear", "border"), "mirror": ("bilinear", "reflection"), "cubic": ("bicubic", "border")}
SIZES = {"x": (1, 1, 8, 8), "grid": (1, 16, 16, 2)}
nodes = [
    helper.make_node(
        "Resize", ["x", "", "scales"], ["large"], mode="cubic", coordinate_transformation_mode="half_pixel", cubic_coeff_a=-0.75
    )
]
for name, (mode, padding) in KINDS.items():
    nodes.append(helper.make_node("GridSample", ["x", "grid"], [name], mode=mode, padding_mode=padding, align_corners=0))
outputs = ["large", *KINDS]
graph = helper.make_graph(
    nodes, "resampling",
    [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in SIZES.items()],
    [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 1, 16, 16)) for name in outputs],
    [helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 2, 2])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8).SerializeToString()
with open("model.onnx", "wb") as file:
    file.write(model)
rng = np.random.default_rng(0)
inputs = {"x": rng.random(SIZES["x"], np.float32), "grid": rng.uniform(-1.4, 1.4, SIZES["grid"]).astype(np.float32)}
wanted = dict(zip(outputs, onnxruntime.InferenceSession(model).run(outputs, inputs)))

call = "import sys, MNN, _tools; _tools.mnnconvert(sys.argv)"
options = ["-f", "ONNX", "--modelFile", "model.onnx", "--MNNModel", "model.mnn", "--bizCode", "a"]
said = subprocess.run([sys.executable, "-c", call, *options], capture_output=True, text=True, check=True).stdout
network = MNN.nn.load_module_from_file("model.mnn", list(inputs), outputs)
expr = MNN.expr
variables = network.forward([expr.const(array, list(array.shape), expr.NCHW) for array in inputs.values()])
got = {name: np.array(expr.convert(one, expr.NCHW).read()) for name, one in zip(outputs, variables)}


def off(name, other):
    return float(np.abs(got[name] - wanted[other]).max())


error = np.abs(got["large"] - wanted["large"])[0, 0]
row, column, rest = (float(part.max()) for part in (error[0], error[:, 0], error[1:, 1:]))
print(f"cubic Resize, twice the size:    first row {row:.2f}  first column {column:.2f}  the rest {rest:.2f}")
print(f"GridSample bilinear, border:     {off('plain', 'plain'):.2f}")
print(f"GridSample bilinear, reflection: {off('mirror', 'mirror'):.2f}, from border: {off('mirror', 'plain'):.2f}")
print(f"GridSample bicubic, border:      {off('cubic', 'cubic'):.2f}, from bilinear: {off('cubic', 'plain'):.2f}")
exact = max(rest, off("plain", "plain"), off("mirror", "plain"), off("cubic", "plain")) < 1e-3
wrong = min(row, column, off("mirror", "mirror"), off("cubic", "cubic")) > 0.05
silent = "Converted Success" in said and "reflect" not in said.lower()
sys.exit(0 if exact and wrong and silent else 1)
PY
