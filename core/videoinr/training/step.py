"""One optimisation step on batches of one shape; on CUDA captured once as a graph and then replayed.

A small model's step is hundreds of short kernels: launched one by one they cost more time than they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from videoinr.geometry import Grid
from videoinr.model.video_inr import VideoINR
from videoinr.training.data.clip_store import Batch, BatchShape
from videoinr.training.distributed import ALONE, Ranks
from videoinr.training.losses import charbonnier

Encoder = Callable[[Tensor], tuple[Tensor, Tensor | None]]
"""The part of a model that :meth:`VideoINR.latent` is."""


class Optimiser:
    """Adam over a model's parameters, with clipped gradients, whose step is skipped when they are not finite.

    ``loss_sum`` (over steps that were not skipped) and ``skipped`` live on the device: they are read only when the
    log wants them. With several ``ranks``, gradients and loss are the mean over them, and all skip the same steps.
    ``compiled``: let torch.compile join the encoder's small operations (half a minute once, then shorter steps).
    """

    def __init__(
        self,
        model: VideoINR,
        *,
        gradient_norm: float,
        beta2: float = 0.99,
        ranks: Ranks = ALONE,
        compiled: bool = False,
    ) -> None:
        self.model, self.ranks = model, ranks
        self._encoder: Encoder = torch.compile(model.latent) if compiled else model.latent
        self.parameters: list[Tensor] = list(model.parameters())
        device = self.parameters[0].device
        self.learning_rate = torch.tensor(0.0, device=device)
        self.adam = torch.optim.Adam(
            self.parameters, lr=self.learning_rate, betas=(0.9, beta2), fused=True, capturable=device.type == "cuda"
        )
        self.gradient_norm = gradient_norm
        self.loss_sum = torch.zeros((), device=device)
        self.skipped = torch.zeros((), device=device)

    def step(self, batch: Batch, weight: float = 1.0) -> None:
        """``weight`` times the loss of ``batch``, its gradients, and a step along them. Queues work, reads nothing."""
        self.adam.zero_grad(set_to_none=True)
        loss = batch_loss(self.model, batch, self._encoder)
        (loss * weight).backward()  # type: ignore[no-untyped-call]
        loss = loss.detach()
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        self.ranks.average_([*gradients, loss])
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, (self.gradient_norm / (norm + 1e-6)).clamp(max=1.0))
        finite = torch.isfinite(norm + loss)
        broken = torch.logical_not(finite).float()
        # The hook that GradScaler uses: a fused step with found_inf set leaves weights and moments alone.
        self.adam.found_inf = broken  # type: ignore[attr-defined]
        self.adam.step()
        self.skipped.add_(broken)
        self.loss_sum.add_(torch.where(finite, loss, 0))

    def read(self) -> tuple[float, int]:
        """(``loss_sum``, ``skipped``) since the last reading. Waits for the device."""
        loss_sum, skipped = torch.stack((self.loss_sum, self.skipped)).tolist()
        self.loss_sum.zero_()
        self.skipped.zero_()
        return loss_sum, int(skipped)

    def restore(self, state: dict[str, Any] | None) -> None:
        """Take over Adam's ``state``; None: as if no step had been taken."""
        self.adam.state.clear()
        if state is not None:
            # Its moments, not its settings: those depend on the device.
            groups = self.adam.state_dict()["param_groups"]
            self.adam.load_state_dict({"state": state["state"], "param_groups": groups})
        for group in self.adam.param_groups:
            group["lr"] = self.learning_rate  # load_state_dict puts a copy in place of the rate that the graphs read.

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Whatever steps run inside, weights and moments are afterwards as before."""
        tensors = [*self.parameters, self.skipped, self.loss_sum]
        before = [tensor.detach().clone() for tensor in tensors]
        moments = {p: {k: v.clone() for k, v in s.items()} for p, s in self.adam.state.items()}
        yield
        with torch.no_grad():
            for tensor, value in zip(tensors, before, strict=True):
                tensor.copy_(value)
            for parameter, state in self.adam.state.items():
                for key, value in state.items():
                    # In place: a captured graph reads and writes these very tensors.
                    saved = moments.get(parameter)
                    value.copy_(saved[key]) if saved else value.zero_()


def batch_loss(model: VideoINR, batch: Batch, encoder: Encoder | None = None) -> Tensor:
    """Charbonnier loss over a batch's target frames, each weighted alike: a scalar.

    ``encoder`` computes what the model's own does, only faster.
    """
    device = batch.low.device
    # The convolutions run in bfloat16; the sines and everything about coordinates stay in float32.
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        feature, prior = (encoder or model.latent)(batch.low)
    features = model.project(batch.low, feature, prior)
    height, width = batch.targets.shape[-2:]
    frames = model.render(features, Grid(width, height), batch.times.unbind(1))
    losses = [charbonnier(frame, target) for frame, target in zip(frames, batch.targets.unbind(1), strict=True)]
    return torch.stack(losses).mean()


class GraphedStep:
    """:meth:`Optimiser.step` for one :class:`BatchShape`: plain on a CPU, a CUDA graph on a GPU."""

    def __init__(self, optimiser: Optimiser, shape: BatchShape, pool: Any, *, weight: float = 1.0) -> None:
        self._optimiser, self._weight = optimiser, weight
        self._graph: torch.cuda.CUDAGraph | None = None
        device = optimiser.loss_sum.device
        if device.type == "cuda":
            inputs, targets = shape.batch, shape.targets
            self._buffers = Batch(
                torch.rand((inputs, 2, 3, shape.patch, shape.patch), device=device),
                torch.rand((inputs, targets, 3, shape.size, shape.size), device=device),
                torch.rand((inputs, targets), device=device),
            )
            self._capture(pool)

    def _capture(self, pool: Any) -> None:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with self._optimiser.rehearsal():
            with torch.cuda.stream(stream):
                for _ in range(2):
                    self._optimiser.step(self._buffers, self._weight)
            torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        # thread_local: NCCL's watchdog asks after its events meanwhile, and readers pin memory; both may.
        with torch.cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
            self._optimiser.step(self._buffers, self._weight)

    def __call__(self, batch: Batch) -> None:
        """Take one step on ``batch``."""
        if self._graph is None:
            self._optimiser.step(batch, self._weight)
            return
        self._buffers.low.copy_(batch.low)
        self._buffers.targets.copy_(batch.targets)
        self._buffers.times.copy_(batch.times)
        self._graph.replay()
