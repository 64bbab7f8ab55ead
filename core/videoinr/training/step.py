"""One optimisation step on batches of one shape. On CUDA it is captured once as a graph and then replayed.

A small model's step is hundreds of short kernels, and launching them one by one takes longer than running them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from typing import Any

import torch
from torch import Tensor

from videoinr.geometry import Grid
from videoinr.model.encoders.path_bend import Outer
from videoinr.model.video_inr import VideoINR
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import Batch
from videoinr.training.distributed import ALONE, Ranks
from videoinr.training.losses import charbonnier, flow_error

Encoder = Callable[..., tuple[Tensor, Tensor | None]]
"""A function like :meth:`VideoINR.latent`."""
_BEND = "encoder.bend."
"""How the names of the weights begin that bend paths."""


class Optimiser:
    """Adam over a model's parameters with gradient clipping. Steps with non-finite gradients are skipped.

    The weights of the network that bends paths have a learning rate of their own, ``bend_rate``.
    ``loss_sum`` (over steps that were not skipped) and ``skipped`` stay on the device until the log reads them. With
    several ``ranks``, gradients and loss are means over the processes, so all processes skip the same steps.
    ``compiled``: fuse the encoder's small operations with torch.compile (half a minute once, then shorter steps).
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
        self.learning_rate, self.bend_rate = (torch.tensor(0.0, device=device) for _ in range(2))
        bending = [parameter for name, parameter in model.named_parameters() if name.startswith(_BEND)]
        others = [parameter for name, parameter in model.named_parameters() if not name.startswith(_BEND)]
        groups: list[dict[str, Any]] = [{"params": others, "lr": self.learning_rate}]
        if bending:
            groups.append({"params": bending, "lr": self.bend_rate})
        self.adam = torch.optim.Adam(groups, betas=(0.9, beta2), fused=True, capturable=device.type == "cuda")
        self.gradient_norm = gradient_norm
        self.loss_sum = torch.zeros((), device=device)
        self.skipped = torch.zeros((), device=device)

    def step(self, batch: Batch, weight: float = 1.0, *, depth: int = 0, flow_weight: float = 0.0) -> None:
        """Take a step on ``batch`` with ``weight`` times its loss. The CPU does not wait for the device.

        ``depth`` and ``flow_weight``: see :func:`batch_loss`.
        """
        self.adam.zero_grad(set_to_none=True)
        loss = batch_loss(self.model, batch, self._encoder, depth=depth, flow_weight=flow_weight)
        (loss * weight).backward()  # type: ignore[no-untyped-call]
        loss = loss.detach()
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        self.ranks.average_([*gradients, loss])
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, (self.gradient_norm / (norm + 1e-6)).clamp(max=1.0))
        finite = torch.isfinite(norm + loss)
        broken = torch.logical_not(finite).float()
        # GradScaler's hook: a fused step with found_inf set does not change weights and moments.
        self.adam.found_inf = broken  # type: ignore[attr-defined]
        self.adam.step()
        self.skipped.add_(broken)
        self.loss_sum.add_(torch.where(finite, loss, 0))

    def read(self) -> tuple[float, int]:
        """Return (``loss_sum``, ``skipped``) since the last call, and reset both. Waits for the device."""
        loss_sum, skipped = torch.stack((self.loss_sum, self.skipped)).tolist()
        self.loss_sum.zero_()
        self.skipped.zero_()
        return loss_sum, int(skipped)

    def restore(self, state: dict[str, Any] | None) -> None:
        """Load Adam's ``state``; None: reset it to that before the first step. Raises ValueError if it does not fit."""
        self.adam.state.clear()
        if state is not None:
            # Load the moments only: the settings depend on the device.
            groups = self.adam.state_dict()["param_groups"]
            self.adam.load_state_dict({"state": state["state"], "param_groups": groups})
            for parameter, moments in self.adam.state.items():
                if any(moments[name].shape != parameter.shape for name in ("exp_avg", "exp_avg_sq")):
                    raise ValueError("the moments have other shapes than the parameters")
        for group, rate in zip(self.adam.param_groups, (self.learning_rate, self.bend_rate), strict=False):
            group["lr"] = rate  # load_state_dict replaces the tensors that the graphs read by copies.

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Undo, on leaving the context, what steps inside it changed in weights, moments and counters."""
        tensors = [*self.parameters, self.skipped, self.loss_sum]
        before = [tensor.detach().clone() for tensor in tensors]
        moments = {p: {k: v.clone() for k, v in s.items()} for p, s in self.adam.state.items()}
        yield
        with torch.no_grad():
            for tensor, value in zip(tensors, before, strict=True):
                tensor.copy_(value)
            for parameter, state in self.adam.state.items():
                for key, value in state.items():
                    # In place, because a captured graph reads and writes these tensors.
                    saved = moments.get(parameter)
                    value.copy_(saved[key]) if saved else value.zero_()


def batch_loss(
    model: VideoINR, batch: Batch, encoder: Encoder | None = None, *, depth: int = 0, flow_weight: float = 0.0
) -> Tensor:
    """Compute the Charbonnier loss of a batch, and the error of its motion prior.

    Args:
        model: The model.
        batch: Inputs and targets on the model's device.
        encoder: A faster function that computes the same as ``model.latent``; None: ``model.latent``.
        depth: Levels of the motion search; 0: as the model's config says.
        flow_weight: Weight of the motion prior's error, LR pixels, where the batch has a true flow.

    Returns:
        The mean over the batch's target frames, plus the weighted error of the motion prior: a scalar.
    """
    device, pair, outer = batch.low.device, batch.low[:, :2].contiguous(), None
    if batch.valid is not None:
        outer = Outer(batch.low[:, 2], batch.low[:, 3], batch.valid)
    # Convolutions run in bfloat16. Sines and coordinates stay in float32.
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        feature, prior = (encoder or model.latent)(pair, depth or None, outer=outer)
    features = model.project(pair, feature, prior)
    height, width = batch.targets.shape[-2:]
    frames = model.render(features, Grid(width, height), batch.times.unbind(1))
    losses = [charbonnier(frame, target) for frame, target in zip(frames, batch.targets.unbind(1), strict=True)]
    loss = torch.stack(losses).mean()
    if flow_weight and prior is not None and batch.flow is not None:
        loss = loss + flow_weight * flow_error(prior[:, :4], batch.flow)
    return loss


class GraphedStep:
    """:meth:`Optimiser.step` for one :class:`BatchShape`: run directly on a CPU, as a CUDA graph on a GPU."""

    def __init__(
        self, optimiser: Optimiser, shape: BatchShape, pool: Any, *, weight: float = 1.0, flow_weight: float = 0.0
    ) -> None:
        self._step = partial(optimiser.step, weight=weight, depth=shape.depth, flow_weight=flow_weight)
        self._optimiser = optimiser
        self._graph: torch.cuda.CUDAGraph | None = None
        device = optimiser.loss_sum.device
        if device.type == "cuda":
            self._buffers = blank_batch(shape, device, with_flow=flow_weight > 0)
            self._capture(pool)

    def _capture(self, pool: Any) -> None:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with self._optimiser.rehearsal():
            with torch.cuda.stream(stream):
                for _ in range(2):
                    self._step(self._buffers)
            torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        # thread_local: NCCL's watchdog queries events and reader threads pin memory meanwhile; both must be allowed.
        with torch.cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
            self._step(self._buffers)

    def __call__(self, batch: Batch) -> None:
        """Take one step on ``batch``."""
        if self._graph is None:
            self._step(batch)
            return
        copy_batch_(self._buffers, batch)
        self._graph.replay()


def blank_batch(shape: BatchShape, device: torch.device, *, with_flow: bool) -> Batch:
    """Return a batch of ``shape`` that means nothing: memory that a captured step reads."""
    count, frames = shape.batch, 4 if shape.outer else 2
    return Batch(
        torch.rand((count, frames, 3, shape.patch, shape.patch), device=device),
        torch.rand((count, shape.targets, 3, shape.size, shape.size), device=device),
        torch.rand((count, shape.targets), device=device),
        torch.zeros((count, 6, shape.patch, shape.patch), device=device) if with_flow else None,
        torch.ones((count, 2), device=device) if shape.outer else None,
    )


def copy_batch_(buffers: Batch, batch: Batch) -> None:
    """Copy ``batch`` into ``buffers``: all that the buffers have. A flow that the batch lacks stays as it is."""
    for field in fields(Batch):
        buffer, value = getattr(buffers, field.name), getattr(batch, field.name)
        if buffer is not None and value is not None:
            buffer.copy_(value)
