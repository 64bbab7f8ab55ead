#!/bin/sh
# torchmetrics 1.9.0: relative_average_spectral_error is 64 times too large, with its window of 8 x 8.
#
# RASE scores fused and super-resolved satellite pictures: the root of the mean squared error of all bands, in per cent of
# the mean of the reference. The mean is taken over windows, and then divided by their number of pixels once more: the
# result is too large by the square of the window's side. A uniform error of a tenth of the mean, 10 per cent, is 640, and
# other windows give other figures. sewar 0.4.10 gives 10. The RMSE over windows of torchmetrics itself is right.
#
# Output seen (2026-11-30, torchmetrics 1.9.0, sewar 0.4.10, torch 2.13.0), a flat reference of 0.5 with an error of 0.05:
#   by the definition: 10.0 per cent, RMSE 0.05
#   torchmetrics: window 4: 160.0   window 8: 640.0   window 16: 2560.0   RMSE over windows: 0.05
#   sewar:        window 4: 10.0   window 8: 10.0   window 16: 10.0
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv
venv/bin/pip install -q torch==2.13.0 torchmetrics==1.9.0 sewar==0.4.10 numpy==2.2.6
venv/bin/python -W ignore - <<'PY'
import sys

import torch
from sewar.full_ref import rase
from torchmetrics.functional.image import relative_average_spectral_error, root_mean_squared_error_using_sliding_window

LEVEL, ERROR, WINDOWS = 0.5, 0.05, (4, 8, 16)
reference = torch.full((1, 3, 64, 64), LEVEL)
result = reference + ERROR
ours = [float(relative_average_spectral_error(result, reference, window)) for window in WINDOWS]
rmse = float(root_mean_squared_error_using_sliding_window(result, reference))
arrays = [tensor[0].permute(1, 2, 0).double().numpy() for tensor in (reference, result)]
theirs = [float(rase(*arrays, ws=window)) for window in WINDOWS]


def listed(values):
    return "   ".join(f"window {window}: {value:.1f}" for window, value in zip(WINDOWS, values))


wanted = 100 * ERROR / LEVEL
print(f"by the definition: {wanted:.1f} per cent, RMSE {ERROR}")
print(f"torchmetrics: {listed(ours)}   RMSE over windows: {rmse:.2f}")
print(f"sewar:        {listed(theirs)}")
too_large = all(abs(value / wanted / window**2 - 1) < 0.01 for window, value in zip(WINDOWS, ours))
sys.exit(0 if too_large and all(abs(value - wanted) < 0.1 for value in theirs) and abs(rmse - ERROR) < 0.001 else 1)
PY
