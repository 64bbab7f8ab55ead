"""Watches a network while it runs: convolution by convolution, for cancelling and for the progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from videoinr.cancel import CancelToken


@contextmanager
def watched(network: nn.Module, token: CancelToken, total: int, check: Callable[[CancelToken], None]) -> Iterator[None]:
    """Call ``check`` with ``token`` before every convolution of ``network`` while the block runs.

    Convolutions that a CUDA kernel replaces are not seen; there a whole pair takes milliseconds.

    Args:
        network: the network.
        token: is told the progress.
        total: products of all convolutions that will run.
        check: raises Cancelled, or draws a picture in between.
    """
    done = 0

    def before(layer: nn.Module, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        check(token)
        token.report(min(done, total), total)
        assert isinstance(layer, nn.Conv2d)
        maps = arguments[0]
        pixels = len(maps) * maps.shape[2] * maps.shape[3] // layer.stride[0] ** 2
        done += pixels * layer.weight.numel()

    hooks = [layer.register_forward_pre_hook(before) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
