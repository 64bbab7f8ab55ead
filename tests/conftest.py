"""What all tests share."""

import os

import torch
from hypothesis import settings

# A first call loads libraries and warms caches: its time says nothing, and speed is never asserted here.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# Tests reach into the opening of clips, and each of their processes would start a helper. Tests of the isolation
# switch it on.
os.environ.setdefault("VIDEOINR_ISOLATION", "0")

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker for each core: two threads in each would wait for each other most of the time. What runs in processes of
    # its own, as a user's does, still takes all cores.
    torch.set_num_threads(1)
