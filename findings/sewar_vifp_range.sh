#!/bin/sh
# sewar 0.4.10: the visual information fidelity (vifp) of the same two pictures depends on how their numbers are scaled.
#
# psnr, ssim and msssim of the library take the range from the type of the numbers (255, 65,535, or 1 for floats). vifp does
# not: its noise has the variance 2 in levels of 8 bits, whatever comes. A smooth picture with slight noise scores 0.23 as
# uint8, 0.05 as uint16, and 1.01 as floats from 0 to 1, where 1 is a perfect copy. Nothing warns, and the description of
# the argument sigma_nsq names no range. Deep pictures want sigma_nsq=2 * 257 ** 2, floats 2 / 255 ** 2.
#
# Output seen (2026-11-30, sewar 0.4.10), a ramp and the ramp with noise of 10 levels:
#   uint8:   psnr 28.31  msssim 0.877  vifp 0.232   with sigma_nsq for the range: 0.232
#   uint16:  psnr 28.31  msssim 0.877  vifp 0.049   with sigma_nsq for the range: 0.232
#   float32: psnr 28.31  msssim 0.877  vifp 1.009   with sigma_nsq for the range: 0.232
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q sewar==0.4.10 numpy==2.2.6
venv/bin/python -W ignore - <<'PY'
import sys

import numpy as np
import sewar

ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
noisy = np.clip(ramp + np.random.default_rng(0).normal(0, 10, ramp.shape), 0, 255).astype(np.uint8)
kinds = {
    "uint8": (lambda each: each, 1), "uint16": (lambda each: each.astype(np.uint16) * 257, 257),
    "float32": (lambda each: each.astype(np.float32) / 255, 1 / 255),
}
found = {}
for name, (scaled, unit) in kinds.items():
    pair = scaled(ramp), scaled(noisy)
    found[name] = round(float(sewar.vifp(*pair)), 3), round(float(sewar.vifp(*pair, sigma_nsq=2 * unit**2)), 3)
    print(
        f"{name + ':':8s} psnr {sewar.psnr(*pair):.2f}  msssim {float(np.real(sewar.msssim(*pair))):.3f}  vifp {found[name][0]:.3f}",
        f"  with sigma_nsq for the range: {found[name][1]:.3f}",
    )
right = found["uint8"][0]
same = all(abs(adjusted - right) < 0.01 for _, adjusted in found.values())
sys.exit(0 if same and found["uint16"][0] < right / 2 and found["float32"][0] > 1 else 1)
PY
