"""Triton comes with torch for CUDA on Linux only: everything that needs no GPU must do without it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import importlib, pkgutil, sys
sys.modules["triton"] = None
import videoinr
needing = []
for found in pkgutil.walk_packages(videoinr.__path__, "videoinr."):
    if found.name.startswith("videoinr.model.kernels.") or found.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(found.name)
    except ImportError as error:
        assert "triton" in str(error), error
        needing.append(found.name)
print(*needing)
from videoinr_resources import path
with videoinr.open(path("demo/demo.mp4"), device="cpu") as video:
    print(video.decode(time=0.54, region=(0, 0, 8, 8), scale=5).shape)
"""


def test_what_needs_no_gpu_needs_no_triton() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    needing, shape = run.stdout.splitlines()
    assert set(needing.split()) <= {
        "videoinr.decode.cuda_decoder", "videoinr.decode.cuda_graphs", "videoinr.model.render_cuda",
    }, "only what launches kernels"  # fmt: skip
    assert shape == "(8, 8, 3)"
