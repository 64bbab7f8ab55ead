"""Whether a layer's parameters have changed since a kernel's form of them was made."""

from __future__ import annotations

from torch import Tensor


def version_of(weight: Tensor, bias: Tensor | None) -> tuple[int, ...]:
    """Return a key that differs whenever either tensor has changed."""
    known = (weight,) if bias is None else (weight, bias)
    changes = 0 if weight.is_inference() else sum(one._version for one in known)
    return (changes, *(one.data_ptr() for one in known))
