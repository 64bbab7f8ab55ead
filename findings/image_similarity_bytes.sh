#!/bin/sh
# image-similarity-measures 0.3.6: PSNR of 8-bit pictures is 24.1 dB too high, also from its command line; equal pictures are 90 degrees apart.
#
# psnr, ssim and rmse take 4095 for white (12 bits of a satellite camera) whatever the type of the pictures; the command, which
# reads 8-bit PNG and JPEG, has no option for it. A negative has an SSIM of 0.55. issm divides by 16 before it looks for edges,
# finds none in bytes, and is 0 for every pair. sam, the angle between the colours, multiplies in the pictures' own bytes,
# which overflow: two equal pictures have an angle of nearly 90 degrees, where it is 0. Of floats it gets the angle right.
#
# Output seen (2026-11-30, image-similarity-measures 0.3.6, numpy 1.26.4):
#   true PSNR 32.5 dB; psnr 56.6, from the command line 56.6
#   ssim of a picture and its negative: 0.550; with max_p=255: -0.959
#   sam of equal pictures: 89.5 degrees as uint8, 0.0 as float64
#   issm of equal pictures: 0.0; of a picture and its negative: 0.0
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q image-similarity-measures==0.3.6 numpy==1.26.4 opencv-python-headless==4.11.0.86
venv/bin/python - 2>/dev/null <<'PY'
import json
import subprocess
import sys

import cv2
import numpy as np
from image_similarity_measures.quality_metrics import issm, psnr, sam, ssim

rng = np.random.default_rng(0)
true = rng.integers(40, 200, (64, 64, 3), dtype=np.uint8)
noisy = np.clip(true + rng.integers(-10, 11, true.shape), 0, 255).astype(np.uint8)
right = 10 * np.log10(255**2 / np.mean((true.astype(float) - noisy) ** 2))
cv2.imwrite("true.png", true)
cv2.imwrite("noisy.png", noisy)
command = [sys.executable, "-m", "image_similarity_measures.evaluate", "--org_img_path=true.png", "--pred_img_path=noisy.png", "--metric=psnr"]
ran = subprocess.run(command, capture_output=True, text=True)
told = json.loads(ran.stdout)["metrics"]["psnr"]
got = psnr(org_img=true, pred_img=noisy)
print(f"true PSNR {right:.1f} dB; psnr {got:.1f}, from the command line {told:.1f}")
negative = [ssim(org_img=true, pred_img=255 - true, **more) for more in ({}, {"max_p": 255})]
print(f"ssim of a picture and its negative: {negative[0]:.3f}; with max_p=255: {negative[1]:.3f}")
angles = [sam(org_img=each, pred_img=each) for each in (true, true.astype(float))]
print(f"sam of equal pictures: {angles[0]:.1f} degrees as uint8, {angles[1]:.1f} as float64")
shared = [issm(org_img=true, pred_img=other) for other in (true, 255 - true)]
print(f"issm of equal pictures: {shared[0]}; of a picture and its negative: {shared[1]}")
holds = abs(got - right - 24.11) < 0.05 and abs(told - got) < 0.05 and negative[0] > 0.5 > negative[1]
sys.exit(0 if holds and angles[0] > 80 and angles[1] < 0.1 and shared == [0, 0] else 1)
PY
