#!/bin/sh
# positional-encodings 6.0.3: an encoding keeps the type of the first call, so that float32 gets the numbers of half precision.
#
# PositionalEncoding1D, 2D and 3D keep their last result, and look only at the shape of the next input. One call in float16, as of
# a check under mixed precision, and every later one of the same shape returns float16, with errors of 2e-4 where
# coordinates of fields need exact ones; a call in float64 after one in float32 gets float32. And with fewer channels than four,
# PositionalEncoding2D encodes columns not at all: it fills the channels of the rows first and cuts the rest off, so that
# places in one row have the same code.
#
# Output seen (2026-11-30, positional-encodings 6.0.3, torch 2.13.0):
#   float32 alone: torch.float32
#   float32 after float16: torch.float16, off by 0.00024
#   float64 after float32: torch.float32
#   PositionalEncoding2D(2): 5 codes for 25 places; of 4 channels: 25
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q positional-encodings==6.0.3 torch==2.13.0 numpy==2.4.6
venv/bin/python - <<'PY'
import sys

import torch
from positional_encodings.torch_encodings import PositionalEncoding1D, PositionalEncoding2D


def of(kind, encoding):
    return encoding(torch.zeros(1, 6, 10, dtype=kind))


alone = of(torch.float32, PositionalEncoding1D(10))
print("float32 alone:", alone.dtype)
encoding = PositionalEncoding1D(10)
of(torch.float16, encoding)
after = of(torch.float32, encoding)
error = float((after - alone).abs().max())
print(f"float32 after float16: {after.dtype}, off by {error:.5f}")
encoding = PositionalEncoding1D(10)
of(torch.float32, encoding)
double = of(torch.float64, encoding)
print("float64 after float32:", double.dtype)
codes = [len(PositionalEncoding2D(count)(torch.zeros(1, 5, 5, count)).reshape(25, count).unique(dim=0)) for count in (2, 4)]
print(f"PositionalEncoding2D(2): {codes[0]} codes for 25 places; of 4 channels: {codes[1]}")
kinds = [alone.dtype, after.dtype, double.dtype]
sys.exit(0 if kinds == [torch.float32, torch.float16, torch.float32] and 1e-4 < error < 1e-3 and codes == [5, 25] else 1)
PY
