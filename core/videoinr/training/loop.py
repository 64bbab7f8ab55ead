"""The training loop: recipe in, checkpoints, a log and a weights file out; stops and resumes at any step."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from videoinr.errors import UsageError, VideoInrError
from videoinr.model.config import CONFIGS
from videoinr.model.video_inr import VideoINR
from videoinr.training.clip_store import BatchShape, ClipStore
from videoinr.training.recipe import Recipe, Stage
from videoinr.training.step import GraphedStep, Optimiser

LOG_EVERY = 100
CHECKPOINT_EVERY_SECS = 120.0
MAX_SKIPPED = 50
"""Steps skipped for non-finite gradients between two log lines, beyond which training has diverged."""

Report = Callable[[dict[str, Any]], None]


class Trainer:
    """A model, its running mean and its optimiser at some step of a recipe."""

    def __init__(self, recipe: Recipe, store: ClipStore, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.store, self.step = recipe, store, 0
        self.model = VideoINR(CONFIGS[recipe.config]).to(device)
        self.model.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mean_model = VideoINR(CONFIGS[recipe.config]).to(device).requires_grad_(False)
        self.mean_model.load_state_dict(self.model.state_dict())
        self.optimiser = Optimiser(self.model, gradient_norm=recipe.gradient_norm)
        self._means: list[Tensor] = list(self.mean_model.parameters())
        self._steps: dict[BatchShape, GraphedStep] = {}
        self._pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None

    def advance(self) -> None:
        """One step: a batch drawn from (seed, step) alone, so that a resumed run sees what an unbroken one would."""
        stage, number = self.recipe.stage_at(self.step)
        rng = np.random.default_rng((self.recipe.seed, self.step))
        shape = BatchShape(stage.batch, stage.patch, int(rng.choice(stage.sizes())), stage.targets)
        self.optimiser.learning_rate.fill_(learning_rate(stage, number))
        if shape not in self._steps:
            self._steps[shape] = GraphedStep(self.optimiser, shape, self._pool)
        self._steps[shape](self.store.batch(stage, shape, rng))
        self.step += 1
        decay = min(self.recipe.ema_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self._means, self.optimiser.parameters, 1 - decay)

    def state(self, *, with_optimiser: bool = True) -> dict[str, Any]:
        """What :meth:`restore` needs to go on exactly here; tensors and plain values only."""
        state: dict[str, Any] = {
            "recipe": json.dumps(self.recipe.to_dict()),
            "step": self.step,
            "model": self.model.state_dict(),
            "mean_model": self.mean_model.state_dict(),
        }
        if with_optimiser:
            state["adam"] = self.optimiser.adam.state_dict()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from ``state``. Without an optimiser's state in it, the moments start anew."""
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.mean_model.load_state_dict(state["mean_model"])
        if "adam" in state:
            # load_state_dict would put a copy in place of the rate that the graphs read.
            self.optimiser.adam.load_state_dict(state["adam"])
            for group in self.optimiser.adam.param_groups:
                group["lr"] = self.optimiser.learning_rate


def allow_fast_arithmetic(device: torch.device) -> None:
    """Let CUDA's matrix products use TF32 and its convolutions the fastest kernels; no effect elsewhere."""
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True


def learning_rate(stage: Stage, number: int) -> float:
    """The rate at step ``number`` of ``stage``: a linear warm-up under a cosine from first to final rate."""
    cosine = 0.5 * (1 + math.cos(math.pi * number / stage.steps))
    rate = stage.final_learning_rate + (stage.learning_rate - stage.final_learning_rate) * cosine
    return rate * min(1.0, (number + 1) / max(1, stage.warm_up_steps))


def run(trainer: Trainer, out: Path, *, until_secs: float = math.inf, report: Report) -> bool:
    """Train until the recipe's end, or until ``until_secs`` have passed; -> whether the end was reached.

    Writes ``out/checkpoint.pt`` every two minutes and at the end, and ``out/log.jsonl`` as it goes.
    """
    start = last_save = time.monotonic()
    with (out / "log.jsonl").open("a") as log:
        while trainer.step < trainer.recipe.steps and time.monotonic() - start < until_secs:
            trainer.advance()
            if trainer.step % LOG_EVERY == 0 or trainer.step == trainer.recipe.steps:
                line = _log_line(trainer, time.monotonic() - start)
                log.write(json.dumps(line) + "\n")
                log.flush()
                report(line)
            if time.monotonic() - last_save > CHECKPOINT_EVERY_SECS:
                save_checkpoint(trainer, out)
                last_save = time.monotonic()
    save_checkpoint(trainer, out)
    return trainer.step >= trainer.recipe.steps


def _log_line(trainer: Trainer, elapsed_secs: float) -> dict[str, Any]:
    stage, number = trainer.recipe.stage_at(trainer.step - 1)
    skipped = int(trainer.optimiser.skipped.item())
    trainer.optimiser.skipped.zero_()
    if skipped > MAX_SKIPPED:
        raise VideoInrError(
            f"Training diverged: {skipped} of the last {LOG_EVERY} steps had gradients that are not finite.",
            hint="Resume from the last checkpoint with a lower learning rate.",
        )
    return {
        "step": trainer.step,
        "stage": stage.name,
        "loss": round(trainer.optimiser.loss.item(), 6),
        "learning_rate": learning_rate(stage, number),
        "skipped": skipped,
        "elapsed_secs": round(elapsed_secs, 1),
    }


def save_checkpoint(trainer: Trainer, out: Path, *, with_optimiser: bool = True) -> Path:
    """Write ``out/checkpoint.pt``: whole or not at all."""
    path, part = out / "checkpoint.pt", out / "checkpoint.pt.part"
    torch.save(trainer.state(with_optimiser=with_optimiser), part)
    os.replace(part, path)
    return path


def load_checkpoint(trainer: Trainer, path: Path) -> None:
    """Go on from a checkpoint of the same recipe. Raises UsageError if it is not one."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        recipe = json.loads(state["recipe"])
    except Exception as error:
        raise UsageError(f"{path} is not a checkpoint that can be resumed: {error}.") from error
    if recipe["config"] != trainer.recipe.config:
        raise UsageError(
            f"{path} was trained as {recipe['config']!r}, not as {trainer.recipe.config!r}.",
            hint="Name the recipe that the checkpoint was made with, or another folder.",
        )
    trainer.restore(state)


def open_store(folders: Sequence[Path], device: torch.device) -> ClipStore:
    """All clips of several folders in one store."""
    from videoinr.training.readers import find_clips

    return ClipStore([clip for folder in folders for clip in find_clips(folder)], device)
