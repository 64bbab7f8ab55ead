"""The trainer: a model in training. Each step is a function of the recipe, the data and the step's number."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from videoinr.errors import InputError, ModelError
from videoinr.model.config import ModelConfig
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import Batch
from videoinr.training.distributed import ALONE, Ranks
from videoinr.training.growth import grow
from videoinr.training.losses import step_weight
from videoinr.training.recipe import Recipe, Stage
from videoinr.training.step import GraphedStep, Optimiser

if TYPE_CHECKING:
    from videoinr.training.data.sources import ClipSource

_OLD_EMA_KEY = "mean_model"
"""The name that checkpoints before 2026-11-28 store the EMA weights under."""


class Trainer:
    """A model, the EMA of its weights and its optimiser, at some step of a recipe.

    Attributes ``initial``: the name of the initial weights, empty for random ones. ``rate_factor``: factor on the
    recipe's learning rate, below 1 after a rollback (see loop.py). ``data`` and ``stills``: the folders of clips and of
    photographs that the weights were trained on, also before a run was resumed.

    Args:
        recipe: The recipe.
        source: Where batches come from.
        device: Where the model is trained.
        ranks: This process among others.
        state: A state to resume from (see :meth:`state`); None: start from the recipe's initial weights.
        compiled: See :class:`Optimiser`.

    Raises:
        ModelError: The recipe's initial weights cannot be used.
    """

    def __init__(
        self,
        recipe: Recipe,
        source: ClipSource,
        device: torch.device,
        *,
        ranks: Ranks = ALONE,
        state: dict[str, Any] | None = None,
        compiled: bool = False,
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.source, self.ranks = recipe, source, ranks
        self.step, self.rate_factor, self.initial = 0, 1.0, ""
        self.data, self.stills = list[str](), list[str]()
        self.model = VideoINR(recipe.model_config).to(device)
        self.model.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if recipe.initial and state is None:
            self.initial = load_initial(self.model, recipe)
        self.ema_model = VideoINR(recipe.model_config).to(device).requires_grad_(False)
        self.ema_model.load_state_dict(self.model.state_dict())
        self.optimiser = Optimiser(
            self.model,
            gradient_norm=recipe.gradient_norm,
            beta2=recipe.adam_beta2,
            ranks=ranks,
            compiled=compiled,
        )
        self._ema_parameters: list[Tensor] = list(self.ema_model.parameters())
        self._device = device
        self._forget_graphs()
        if state is not None:
            self.restore(state)

    def go_on_with(self, data: Sequence[Path], stills: Sequence[Path]) -> list[str]:
        """Note the folders of the coming steps. Return those of the steps before that are not among them."""
        now, before = [[str(folder) for folder in data], [str(folder) for folder in stills]], [self.data, self.stills]
        gone = [folder for old, new in zip(before, now, strict=True) for folder in old if folder not in new]
        self.data, self.stills = (list(dict.fromkeys(old + new)) for old, new in zip(before, now, strict=True))
        return gone

    def advance(self) -> None:
        """Take one step. Its batch depends on (seed, step) only, so a resumed run draws the same batches."""
        stage, number = self.recipe.stage_at(self.step)
        drawn, shape = stage.drawn(np.random.default_rng((self.recipe.seed, self.step)))
        shape, weight = replace(shape, outer=self.model.bends_paths), step_weight(drawn, shape.size)
        rate = self.rate_factor * learning_rate(stage, number)
        self.optimiser.learning_rate.fill_(rate)
        self.optimiser.bend_rate.fill_(rate * stage.bend_rate)
        key = (shape, weight, stage.flow_weight)
        if key not in self._steps:
            self._steps[key] = GraphedStep(
                self.optimiser, shape, self._pool, weight=weight, flow_weight=stage.flow_weight
            )
        self._steps[key](self._batch(drawn, shape))
        self.step += 1
        decay = min(self.recipe.ema_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self._ema_parameters, self.optimiser.parameters, 1 - decay)

    def _batch(self, stage: Stage, shape: BatchShape) -> Batch:
        of_all_ranks = replace(shape, batch=shape.batch * self.ranks.count)
        return self.ranks.share(
            self.source.batch(stage, of_all_ranks, np.random.default_rng((self.recipe.seed, self.step, 1)))
        )

    def state(self, *, with_optimiser: bool = True) -> dict[str, Any]:
        """Return the state that :meth:`restore` needs: tensors and plain values only."""
        state: dict[str, Any] = {
            "recipe": json.dumps(self.recipe.to_dict()),
            "step": self.step,
            "rate_factor": self.rate_factor,
            "initial": self.initial,
            "data": self.data,
            "stills": self.stills,
            "model": self.model.state_dict(),
            "ema_model": self.ema_model.state_dict(),
        }
        if with_optimiser:
            state["adam"] = self.optimiser.adam.state_dict()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from ``state``. If it lacks the optimiser's state, the moments are reset.

        Raises:
            InputError: ``state`` does not fit the model.
        """
        self.step = state["step"]
        self.rate_factor, self.initial = state.get("rate_factor", 1.0), state.get("initial", "")
        self.data, self.stills = list(state.get("data", [])), list(state.get("stills", []))
        try:
            self.model.load_state_dict(state["model"])
            self.ema_model.load_state_dict(state["ema_model"] if "ema_model" in state else state[_OLD_EMA_KEY])
            self.optimiser.restore(state.get("adam"))
        except (RuntimeError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise InputError(
                "The checkpoint does not fit the model that the recipe trains.",
                hint="Start the run again in another folder.",
            ) from error
        self._forget_graphs()  # They read and write the replaced moments.

    def close(self) -> None:
        """Release the captured steps. NCCL would wait for ever for a communicator that a CUDA graph still holds."""
        self._forget_graphs()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    def _forget_graphs(self) -> None:
        self._steps: dict[tuple[BatchShape, float, float], GraphedStep] = {}
        self._pool = torch.cuda.graph_pool_handle() if self._device.type == "cuda" else None


def load_initial(model: VideoINR, recipe: Recipe) -> str:
    """Load the weights that ``recipe.initial`` names into ``model``, and grow them if the model is larger.

    Args:
        model: The model; its weights are replaced.
        recipe: The recipe.

    Returns:
        The name and checksum of the weights, for a card.

    Raises:
        ModelError: There are no such weights, or they do not fit the model.
    """
    loaded = load_model(recipe.initial)
    card = loaded.card
    if not isinstance(card.config, ModelConfig):
        raise ModelError(
            f"{card.name} is the released network, which this program can render but not train.",
            hint="Start from one of this program's models, or from Zooming SlowMo's imported encoder.",
        )
    model.load_state_dict(grow(loaded.model.state_dict(), card.config, model.config))
    return f"{card.name} (sha256 {card.sha256})"


def learning_rate(stage: Stage, number: int) -> float:
    """Return the learning rate at step ``number`` of ``stage``: linear warm-up times cosine decay to the final rate.

    With ``stage.restart_every``, the cosine restarts after so many steps. The warm-up is not repeated.
    """
    period = min(stage.restart_every or stage.steps, stage.steps)
    cosine = 0.5 * (1 + math.cos(math.pi * (number % period) / period))
    rate = stage.final_learning_rate + (stage.learning_rate - stage.final_learning_rate) * cosine
    return rate * min(1.0, (number + 1) / max(1, stage.warm_up_steps))


def allow_fast_arithmetic(device: torch.device) -> None:
    """On CUDA, allow TF32 in matrix products and convolutions, and benchmark convolution kernels."""
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
