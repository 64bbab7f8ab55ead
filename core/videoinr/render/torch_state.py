"""Settings of torch that change what every operation computes: the engine's own are in force while it works.

A notebook may have made a GPU the default device, or may call the engine within ``torch.autocast``. The engine computes
in float32 on its own device, and rounds where it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch

from videoinr.errors import UsageError

_AUTOCAST = ("cpu", "cuda")


@dataclass(frozen=True, slots=True)
class TorchState:
    """The settings of this thread.

    Attributes:
        device: where new tensors are made.
        autocast: for each of the kinds of devices, the type of ``torch.autocast``; None where it is off.
    """

    device: torch.device
    autocast: tuple[torch.dtype | None, ...]

    @classmethod
    def now(cls) -> TorchState:
        """Return the settings in force."""
        kinds = (torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None for kind in _AUTOCAST)
        return cls(torch.get_default_device(), tuple(kinds))

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Put the settings into force for a ``with`` block."""
        before = TorchState.now()
        with ExitStack() as stack:
            # Only what differs: each of these contexts costs time in every operation.
            if before.device != self.device:
                stack.enter_context(self.device)
            for kind, wanted, found in zip(_AUTOCAST, self.autocast, before.autocast, strict=True):
                if wanted != found:
                    stack.enter_context(torch.autocast(kind, dtype=wanted, enabled=wanted is not None))
            yield


_PLAIN = TorchState(torch.device("cpu"), (None, None))


@contextmanager
def plain_torch() -> Iterator[None]:
    """Put the settings that torch starts with into force for a ``with`` block.

    Raises:
        UsageError: the default type is another one than float32. It belongs to all threads, so it is not changed here.
    """
    if (dtype := torch.get_default_dtype()) != torch.float32:
        name = str(dtype).removeprefix("torch.")
        hint = "Call torch.set_default_dtype(torch.float32) first."
        raise UsageError(f"The default type of torch is {name}, and the models compute in float32.", hint=hint)
    with _PLAIN.in_force():
        yield
