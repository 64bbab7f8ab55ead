"""Triton kernels that compute on CUDA what the model's plain torch code computes, in far fewer passes over memory.

A head of the model is small and its pixels are many, so plain torch spends its time on moving activations to device
memory and back. Here one program keeps a run of pixels in registers from the first sine to the last linear map, and its
backward pass computes the activations again instead of reading them.

Training: ``sample`` and ``gather`` read maps at warped positions, ``siren`` is a whole head, ``blend`` mixes the two
warped frames. Encoders, for inference only: ``convolve``, ``deform``, ``resize`` and ``lstm``. The viewer: ``decode``.

Precision, as tests/core/test_kernels*.py checks it against plain torch in float32:

- ``sample``, ``gather``, ``blend`` and ``resize`` have no matrix products: float32 throughout, errors of 1e-5 of the
  largest value (the order of sums differs) or less.
- ``convolve``, ``deform`` and ``lstm`` round their factors to the type of the maps, which is float16 or bfloat16 wherever
  the program calls them (:func:`half_inference`); sums are float32. Given float32 maps, as in the tests, they multiply
  by IEEE 754 (``input_precision="ieee"``), not in TF32, which is Triton's default and would be off by 1e-3; errors are
  1e-5 (``deform``: 2e-5, since rounded positions move what is read).
- ``siren`` rounds the factors of its products to float16 forward and, on a GPU, to bfloat16 backward, which keeps the
  exponent of small gradients: 4e-3 of the largest value forward, 1.6e-2 in gradients (measured on an H200: 8e-3).
- ``decode`` keeps F_s and the latent maps in float16: pictures are within 0.75 of an 8-bit level before rounding, half a
  level of which is the rounding itself.

Torch's own convolutions use TF32 on CUDA by default, so float32 results of the plain code differ by about 1e-3 there,
too; the tests turn TF32 off (tests/core/conftest.py) to have an exact reference.
"""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import Tensor

_TRITON = find_spec("triton") is not None


def serve(tensor: Tensor) -> bool:
    """Whether the kernels can be used on ``tensor``: on CUDA, where torch's builds bring Triton along.

    Whoever asks imports them only then: Triton takes a while to import, and on a CPU it is of no use.
    """
    return _TRITON and tensor.is_cuda


def half_inference(tensor: Tensor) -> torch.dtype | None:
    """The type in which CUDA infers in half precision around ``tensor``; None in training, in float32, elsewhere."""
    if not serve(tensor) or torch.is_grad_enabled() or not torch.is_autocast_enabled("cuda"):
        return None
    return torch.get_autocast_dtype("cuda")
