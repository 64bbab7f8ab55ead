"""A limit on the size of a model while it is built, so that a card cannot ask for more memory than its weights have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from torch.nn import Module, Parameter
from torch.nn.modules.module import register_module_parameter_registration_hook


class TooManyParametersError(Exception):
    """A model that was being built passed its limit."""


@contextmanager
def parameters_limited(most: int) -> Iterator[None]:
    """Raise :class:`TooManyParametersError` as soon as the modules built by this thread have more parameters."""
    thread, built = threading.get_ident(), 0

    def count(_module: Module, _name: str, parameter: Parameter) -> None:
        nonlocal built
        # The hook is called for the modules of every thread.
        if threading.get_ident() == thread and parameter is not None:
            built += parameter.numel()
            if built > most:
                raise TooManyParametersError

    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()
