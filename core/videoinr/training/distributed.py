"""Several processes, one for each GPU, as torchrun starts them: they share every batch and average the gradients.

The processes draw the same batch of all their windows together, and each keeps its share: N processes with a batch
of b see what one with a batch of N b would.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from videoinr.devices import pick_device
from videoinr.errors import UsageError
from videoinr.training.data.clip_store import Batch

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process's number among ``count`` of them. ``control``: for words between CPUs; None for a single one."""

    rank: int = 0
    count: int = 1
    control: dist.ProcessGroup | None = None

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files and talks."""
        return self.rank == 0

    def share(self, batch: Batch) -> Batch:
        """This process's windows of a batch of everybody's."""
        if self.count == 1:
            return batch
        each = len(batch.low) // self.count
        mine = slice(self.rank * each, (self.rank + 1) * each)
        return Batch(batch.low[mine], batch.targets[mine], batch.times[mine])

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over all processes into ``tensors``, in one exchange. Only queues work on the device."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        parts = torch.split(flat.div_(self.count), [tensor.numel() for tensor in tensors])
        torch._foreach_copy_(
            list(tensors), [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]
        )

    def agree(self, flags: int) -> int:
        """Every flag that any process raises, for all of them. Waits for the others, not for a GPU."""
        if self.control is None:
            return flags
        raised = torch.tensor(flags)
        dist.all_reduce(raised, dist.ReduceOp.BOR, group=self.control)
        return int(raised)

    def from_leader(self, make: Callable[[], _Value]) -> _Value:
        """What ``make`` gives in the leading process, for all of them; it is called in that one alone."""
        if self.control is None:
            return make()
        values: list[Any] = [make() if self.leads else None]
        dist.broadcast_object_list(values, src=0, group=self.control)
        value: _Value = values[0]
        return value


ALONE = Ranks()


def rank_device(name: str | None) -> torch.device:
    """The device called ``name``, or the best one; under torchrun the GPU that goes with this process.

    Raises UsageError if torchrun's processes would share a GPU, and DeviceError.
    """
    if _process_count() == 1 or name == "cpu" or not torch.cuda.is_available():
        return pick_device(name)
    if name not in (None, "cuda"):
        raise UsageError(f"Several processes cannot share {name}.", hint="Under torchrun, leave out --device.")
    device = pick_device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
    torch.cuda.set_device(device)
    return device


@contextmanager
def join_ranks(device: torch.device) -> Iterator[Ranks]:
    """Meet the other processes that torchrun started; without torchrun, :data:`ALONE`."""
    if _process_count() == 1:
        yield ALONE
        return
    on_cuda = device.type == "cuda"
    dist.init_process_group("nccl" if on_cuda else "gloo", device_id=device if on_cuda else None)
    yield Ranks(dist.get_rank(), dist.get_world_size(), dist.new_group(backend="gloo"))
    # Not after a failure: the others may be waiting for this process, and torchrun ends them when it is gone.
    dist.destroy_process_group()


def _process_count() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))
