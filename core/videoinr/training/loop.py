"""The training loop: recipe in, checkpoints, a log and its curves out; stops and resumes at any step.

A step whose gradients are not finite changes nothing (step.py). Where most steps are like that, the run goes back to
its last checkpoint at half the learning rate; after MAX_ROLLBACKS of them it ends with an error.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag, auto
from pathlib import Path
from typing import TYPE_CHECKING

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import VideoInrError
from videoinr.training import run_log
from videoinr.training.checkpoints import NAME, read_checkpoint, save_checkpoint
from videoinr.training.curves import write_curves
from videoinr.training.run_log import Line, RunLog
from videoinr.training.trainer import Trainer, learning_rate

if TYPE_CHECKING:
    from videoinr.training.validation import Validation

LOG_EVERY_STEPS, LOG_EVERY_SECS = 100, 20.0
CHECKPOINT_EVERY_SECS = 120.0
AGREE_EVERY_STEPS = 10
"""Several processes must log, save and stop at the same step; asking at each step would cost too much."""
MAX_SKIPPED = 50
"""Steps skipped for gradients that are not finite, most of the steps meanwhile, beyond which training has diverged."""
MAX_ROLLBACKS = 2

Report = Callable[[Line], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run behaves that does not shape what it learns.

    It stops after ``until_secs``, or when ``token`` is cancelled. Without ``with_optimiser``, checkpoints are light.
    """

    until_secs: float = math.inf
    token: CancelToken = NEVER
    checkpoint_every_secs: float = CHECKPOINT_EVERY_SECS
    with_optimiser: bool = True
    validation: Validation | None = None


class _Due(IntFlag):
    LOG = auto()
    VALIDATE = auto()
    SAVE = auto()
    STOP = auto()


def run(trainer: Trainer, out: Path, *, options: RunOptions | None = None, report: Report) -> bool:
    """Train until the recipe's end, or until ``options`` say stop; -> whether the end was reached.

    Writes ``out/checkpoint.pt`` every two minutes and at the end, ``out/log.jsonl`` as it goes, ``out/curves.svg``,
    and with a validation pictures below ``out/pictures``. Raises VideoInrError if training diverges.
    """
    return _Run(trainer, out, options or RunOptions(), report).to_the_end()


class _Run:
    """One process's share of a run, between its start and its stop."""

    def __init__(self, trainer: Trainer, out: Path, options: RunOptions, report: Report) -> None:
        self._trainer, self._out, self._options, self._report = trainer, out, options, report
        self._start = self._last_log = self._last_save = time.monotonic()
        self._logged_step = trainer.step
        # Weights that were there before are looked at first, to see whether training betters them.
        self._validated_step = -1 if trainer.initial and trainer.step == 0 else trainer.step
        self._skipped_in_a_row = 0
        self._log = RunLog(out / run_log.NAME, step=trainer.step) if trainer.ranks.leads else None
        if not (out / NAME).exists():
            self._save()

    def to_the_end(self) -> bool:
        while True:
            due = self._due()
            if due & _Due.LOG and self._take_stock():
                continue
            if due & _Due.VALIDATE:
                self._validate()
            # What may have to be undone must not take the place of what it would be undone with.
            if due & _Due.STOP or (due & _Due.SAVE and not self._skipped_in_a_row):
                self._save()
            if due & _Due.STOP:
                return self._trainer.step >= self._trainer.recipe.steps
            self._trainer.advance()

    def _due(self) -> _Due:
        """What is to be done between this step and the next, in all processes alike."""
        trainer, options, now = self._trainer, self._options, time.monotonic()
        ended = trainer.step >= trainer.recipe.steps
        if trainer.ranks.count > 1 and trainer.step % AGREE_EVERY_STEPS and not ended:
            return _Due(0)
        due = _Due(0)
        if trainer.step - self._logged_step >= LOG_EVERY_STEPS or now - self._last_log > LOG_EVERY_SECS:
            due |= _Due.LOG
        if options.validation and self._validation_is_due(ended=ended):
            due |= _Due.LOG | _Due.VALIDATE
        if now - self._last_save > options.checkpoint_every_secs:
            due |= _Due.LOG | _Due.SAVE
        if ended or now - self._start >= options.until_secs or options.token.cancelled:
            due |= _Due.LOG | _Due.SAVE | _Due.STOP
        return _Due(trainer.ranks.agree(due))

    def _validation_is_due(self, *, ended: bool) -> bool:
        step, every = self._trainer.step, max(1, self._trainer.recipe.validate_every_steps)
        return step // every > self._validated_step // every or (ended and step > self._validated_step)

    def _take_stock(self) -> bool:
        """Log what happened since the last line; -> whether the run had to go back."""
        trainer, steps = self._trainer, self._trainer.step - self._logged_step
        loss_sum, skipped = trainer.optimiser.read()
        self._last_log, self._logged_step = time.monotonic(), trainer.step
        if steps:
            self._skipped_in_a_row = self._skipped_in_a_row + skipped if 2 * skipped > steps else 0
            stage, number = trainer.recipe.stage_at(trainer.step - 1)
            rate = trainer.rate_factor * learning_rate(stage, number)
            loss = round(loss_sum / (steps - skipped), 6) if skipped < steps else None
            line = {"kind": "train", "step": trainer.step, "stage": stage.name, "loss": loss, "learning_rate": rate}
            self._tell({**line, "skipped": skipped})
        if self._skipped_in_a_row <= MAX_SKIPPED:
            return False
        self._roll_back()
        return True

    def _roll_back(self) -> None:
        """Go on from the last checkpoint at half the rate. Raises VideoInrError when that has been done too often."""
        trainer, skipped, diverged_at = self._trainer, self._skipped_in_a_row, self._trainer.step
        factor = trainer.rate_factor / 2
        if factor < 0.5**MAX_ROLLBACKS:
            raise VideoInrError(
                f"Training diverged at step {diverged_at}: {skipped} steps had gradients that are not finite, "
                f"also at {trainer.rate_factor:g} of the recipe's learning rate.",
                hint="Use a recipe with a lower learning_rate. If it happens at once, a clip may be damaged.",
            )
        trainer.restore(trainer.ranks.from_leader(lambda: read_checkpoint(self._out / NAME, trainer.recipe)))
        trainer.rate_factor = factor
        self._logged_step = self._validated_step = trainer.step
        self._skipped_in_a_row = 0
        facts = {"skipped": skipped, "from_step": diverged_at, "rate_factor": factor}
        self._tell({"kind": "rollback", "step": trainer.step, **facts})
        self._save()  # With the new rate: a resumed run must not try the old one again.

    def _validate(self) -> None:
        validation, trainer = self._options.validation, self._trainer
        self._validated_step = trainer.step
        if validation is not None and trainer.ranks.leads:
            self._tell(validation.line(trainer.ema_model, step=trainer.step, pictures=self._out / "pictures"))

    def _save(self) -> None:
        self._last_save = time.monotonic()
        if self._log is not None:
            save_checkpoint(self._trainer, self._out, with_optimiser=self._options.with_optimiser)
            write_curves(self._log.lines(), self._trainer.recipe, self._out)

    def _tell(self, line: Line) -> None:
        if self._log is not None:
            timed = {**line, "elapsed_secs": round(time.monotonic() - self._start, 1)}
            self._log.write(timed)
            self._report(timed)
