"""What all tests share."""

import os

import torch
from hypothesis import settings

# A first call loads libraries and warms caches: its time says nothing, and speed is never asserted here.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
