"""What the heads do on CUDA, in Triton: the same numbers as the plain torch code beside it, in far fewer passes.

A head of the model is tiny and its pixels are many, so plain torch spends its time carrying activations to device
memory and back. Here a program keeps a run of pixels in registers from the first sine to the last linear map, and
its backward pass computes the activations again instead of reading them. ``sample`` and ``gather`` read maps at
warped positions, ``siren`` is a whole head, ``blend`` mixes the two warped frames; ``convolve``, ``deform``,
``resize`` and ``lstm`` are layers of the encoders, for inference alone, and ``decode`` what the viewer asks for.
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
