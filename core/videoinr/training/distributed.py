"""Data-parallel training: processes that torchrun starts, one per GPU, share each batch and average the gradients.

Every process draws the same batch of all processes' windows and keeps its own share. N processes with batches of b
therefore see the same windows as one process with batches of N b.
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
    """This process's rank among ``count`` processes. ``control``: the group for CPU messages; None if alone."""

    rank: int = 0
    count: int = 1
    control: dist.ProcessGroup | None = None

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files and prints (rank 0)."""
        return self.rank == 0

    def share(self, batch: Batch) -> Batch:
        """Return this process's windows of a batch for all processes."""
        if self.count == 1:
            return batch
        each = len(batch.low) // self.count
        mine = slice(self.rank * each, (self.rank + 1) * each)
        flow, valid = (None if each is None else each[mine] for each in (batch.flow, batch.valid))
        return Batch(batch.low[mine], batch.targets[mine], batch.times[mine], flow, valid)

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Replace ``tensors`` by their mean over all processes, in one all-reduce. The CPU does not wait for it."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        means = torch.split(flat.div_(self.count), [tensor.numel() for tensor in tensors])
        torch._foreach_copy_(
            list(tensors), [mean.view(tensor.shape) for mean, tensor in zip(means, tensors, strict=True)]
        )

    def agree(self, flags: int) -> int:
        """Return the bitwise OR of all processes' ``flags``. Waits for the other processes, not for a GPU."""
        if self.control is None:
            return flags
        raised = torch.tensor(flags)
        dist.all_reduce(raised, dist.ReduceOp.BOR, group=self.control)
        return int(raised)

    def from_leader(self, make: Callable[[], _Value]) -> _Value:
        """Call ``make`` in the leading process only, and return its result in all processes."""
        if self.control is None:
            return make()
        values: list[Any] = [make() if self.leads else None]
        dist.broadcast_object_list(values, src=0, group=self.control)
        value: _Value = values[0]
        return value


ALONE = Ranks()


def rank_device(name: str | None) -> torch.device:
    """Pick the device of this process.

    Args:
        name: A device as in ``--device``; None: the fastest one.

    Returns:
        The named device; under torchrun, the GPU with this process's local rank.

    Raises:
        UsageError: Several processes would share one GPU.
        DeviceError: There is no such device.
    """
    if _process_count() == 1 or name == "cpu" or not torch.cuda.is_available():
        return _made_current(pick_device(name))
    if name not in (None, "cuda"):
        raise UsageError(f"Several processes cannot share {name}.", hint="Under torchrun, leave out --device.")
    return _made_current(pick_device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}"))


def _made_current(device: torch.device) -> torch.device:
    """Make ``device`` the one that Triton and CUDA graphs use for the rest of the process, which is the training's."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


@contextmanager
def join_ranks(device: torch.device) -> Iterator[Ranks]:
    """Connect to the other processes that torchrun started. Without torchrun, yield :data:`ALONE`."""
    if _process_count() == 1:
        yield ALONE
        return
    on_cuda = device.type == "cuda"
    dist.init_process_group("nccl" if on_cuda else "gloo", device_id=device if on_cuda else None)
    yield Ranks(dist.get_rank(), dist.get_world_size(), dist.new_group(backend="gloo"))
    # Not after an error: other processes may be waiting for this one, and torchrun ends them once it exits.
    dist.destroy_process_group()


def _process_count() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))
