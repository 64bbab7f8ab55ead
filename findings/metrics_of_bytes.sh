#!/bin/sh
# pytorch-msssim 1.0.0: the SSIM of two uint8 pictures is 1, whatever they show. torchmetrics 1.9.0: their MSE and MAE are wrong.
#
# Decoders and data loaders give uint8 tensors. pytorch-msssim makes its window of their type, in which all weights are 0:
# black against white has the score of equal pictures, from the function and from the class, without a warning.
# torchmetrics subtracts and squares in 8 bits, which wraps around: the MSE of black and white is 1 instead of 65,025,
# the MAE of noise comes out at half the range. Its PSNR of the same tensors is right, its SSIM raises an error.
#
# Output seen (2026-11-30, pytorch-msssim 1.0.0, torchmetrics 1.9.0, torch 2.13.0), as uint8 / as float32, range 255:
#   black and white: SSIM 1.0000 / 0.0001  MSE     1.0 / 65025.0  MAE   1.0 / 255.0  PSNR  0.0 /  0.0
#   slight noise:    SSIM 1.0000 / 0.5663  MSE    61.2 /    61.2  MAE 123.1 /   6.8  PSNR 30.3 / 30.3
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv
venv/bin/pip install -q torch==2.13.0 pytorch-msssim==1.0.0 torchmetrics==1.9.0 numpy==2.2.6
venv/bin/python -W ignore - <<'PY'
import sys

import torch
from pytorch_msssim import SSIM, ssim
from torchmetrics.functional import mean_absolute_error, mean_squared_error
from torchmetrics.functional.image import peak_signal_noise_ratio

random = torch.Generator().manual_seed(0)
rows = torch.arange(64).view(1, 1, 64, 1)
smooth = (60 + 2 * rows).expand(1, 3, 64, 64).to(torch.uint8)
noisy = smooth + torch.randint(-13, 14, smooth.shape, generator=random)
pairs = {
    "black and white": (torch.zeros_like(smooth), torch.full_like(smooth, 255)),
    "slight noise": (smooth, noisy.to(torch.uint8)),
}
found = {}
for name, pair in pairs.items():
    scores = []
    for first, second in (pair, [picture.float() for picture in pair]):
        score = ssim(first, second, data_range=255).item()
        assert score == SSIM(data_range=255)(first, second).item()
        others = mean_squared_error(first, second), mean_absolute_error(first, second)
        scores.append((score, *(other.item() for other in others), peak_signal_noise_ratio(first, second, 255.0).item()))
    words = zip(("SSIM", "MSE", "MAE", "PSNR"), ("6.4f", "7.1f", "5.1f", "4.1f"), *scores)
    print(f"{name + ':':16s}", "  ".join(f"{title} {byte:{form}} / {right:{form}}" for title, form, byte, right in words))
    found[name] = scores
ones = all(as_bytes[0] == 1 > as_floats[0] for as_bytes, as_floats in found.values())
(black, black_right), (noise, noise_right) = found.values()
wrong = black[1] == 1 < black_right[1] and noise[2] > 5 * noise_right[2] and abs(noise[3] - noise_right[3]) < 0.1
sys.exit(0 if ones and wrong else 1)
PY
