"""Triton kernels that compute on CUDA what the model's plain torch code computes, in far fewer passes over memory.

A head of the model is small and its pixels are many, so plain torch spends its time on moving activations to device
memory and back. Here one program keeps a run of pixels in registers from the first sine to the last linear map, and
its backward pass computes the activations again instead of reading them.

Training: ``sample`` and ``gather`` read maps at warped positions, ``siren`` is a whole head, ``blend`` mixes the two
warped frames. Encoders, for inference only: ``convolve`` with ``convolve_hopper`` and ``convolve_tiles``, ``deform``,
``resize``, ``propagate``, ``warp``, ``motion_step`` and ``lstm``. The viewer: ``decode``.

Precision, as tests/core/test_kernels*.py checks it against plain torch in float32:

- ``sample``, ``gather``, ``blend``, ``resize``, ``warp`` and ``motion_step`` have no matrix products and compute in
  float32. Only the order of their sums differs: errors are at most 1e-5 of the largest value. ``propagate`` copies
  flows, chosen by errors that differ by as much.
- ``convolve``, ``deform`` and ``lstm`` round the factors of their products to the type of the maps, which in the
  program is float16 or bfloat16 (see :func:`half_inference`); sums are float32. Given float32 maps, as in the tests,
  they multiply by IEEE 754 (``input_precision="ieee"``) and not in TF32, Triton's default, which is off by 1e-3.
  Errors are then at most 1e-5 (``deform``: 2e-5, because a rounded position changes what is read).
- ``siren`` rounds the factors to float16 in the forward pass and, on a GPU, to bfloat16 in the backward pass, which
  keeps the exponent of small gradients. Errors are at most 4e-3 of the largest value forward and 1.6e-2 backward
  (measured on an H200: 4e-3 and 8e-3).
- ``decode`` keeps F_s and the latent maps in float16, computed from float16 factors, and rounds the picture to 8 bits:
  values are within 0.75 of a level of the unrounded picture, where the rounding alone is 0.5.

Torch's own convolutions use TF32 on CUDA by default, so the plain code in float32 is off by about 1e-3 there as well.
The tests turn TF32 off to have an exact reference (tests/core/conftest.py).
"""

from __future__ import annotations

import os
from functools import cache
from importlib import metadata
from importlib.util import find_spec

import torch
from torch import Tensor

SWITCH = "VIDEOINR_KERNELS"
"""An environment variable; 0 means plain torch on CUDA."""


def is_available(tensor: Tensor) -> bool:
    """Whether the kernels can be used on ``tensor``: it is on CUDA, and Triton (part of torch's CUDA builds) is there.

    Import a kernel only if so: importing Triton takes a while, and a CPU has no use for it.
    """
    return tensor.is_cuda and _are_on()


def switch_off() -> None:
    """Use plain torch from now on, in this process and in those that it starts."""
    os.environ[SWITCH] = "0"
    _are_on.cache_clear()


def version() -> str:
    """Return the version of Triton that compiles the kernels; empty if they are not used."""
    return f"triton {metadata.version('triton')}" if _are_on() else ""


@cache
def _are_on() -> bool:
    return find_spec("triton") is not None and os.environ.get(SWITCH) != "0"


def half_inference(tensor: Tensor) -> torch.dtype | None:
    """Return the type of CUDA's autocast during inference; None in training, without autocast, and elsewhere."""
    if not is_available(tensor) or torch.is_grad_enabled() or not torch.is_autocast_enabled("cuda"):
        return None
    return torch.get_autocast_dtype("cuda")
