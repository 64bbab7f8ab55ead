"""The training loop: runs a trainer through its recipe, and writes checkpoints, a log and its curves.

A run can stop and resume at any step. A step with non-finite gradients is skipped (step.py). If most steps are
skipped, the run rolls back to its last checkpoint and halves the learning rate; after MAX_ROLLBACKS rollbacks it fails.
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
from videoinr.training.checkpoints import read_checkpoint, save_checkpoint
from videoinr.training.curves import write_curves
from videoinr.training.run_folder import CHECKPOINT, LOG
from videoinr.training.run_log import Line, RunLog
from videoinr.training.trainer import Trainer, learning_rate

if TYPE_CHECKING:
    from videoinr.training.validation import Validation

LOG_EVERY_STEPS, LOG_EVERY_SECS = 100, 20.0
CHECKPOINT_EVERY_SECS = 120.0
AGREE_EVERY_STEPS = 10
"""Several processes must log, save and stop at the same step. Agreeing at every step would take too long."""
MAX_SKIPPED = 50
"""Training has diverged when more steps than this were skipped, and they were most of the steps meanwhile."""
MAX_ROLLBACKS = 2

Report = Callable[[Line], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of a run that do not affect what it learns.

    ``until_secs``: the run stops after so many seconds. ``token``: the run stops when it is cancelled.
    ``checkpoint_every_secs``: seconds between checkpoints. ``with_optimiser``: whether checkpoints hold Adam's moments
    (see :func:`~videoinr.training.checkpoints.save_checkpoint`). ``validation``: clips to validate on; None: none.
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
    """Train until the recipe ends or ``options`` stop the run.

    Args:
        trainer: The model and the recipe, at any step.
        out: An existing folder. It gets ``checkpoint.pt``, ``log.jsonl``, ``curves.svg`` and, with a validation,
            ``pictures/``.
        options: None: the defaults.
        report: Called with each line of the log.

    Returns:
        Whether the recipe's end was reached.

    Raises:
        VideoInrError: Training diverged.
    """
    return _Run(trainer, out, options or RunOptions(), report).to_the_end()


class _Run:
    """The state of a run in one process."""

    def __init__(self, trainer: Trainer, out: Path, options: RunOptions, report: Report) -> None:
        self._trainer, self._out, self._options, self._report = trainer, out, options, report
        self._start = self._last_log = self._last_save = time.monotonic()
        self._logged_step = trainer.step
        # A run that starts from trained weights validates them first, for comparison.
        self._validated_step = -1 if trainer.initial and trainer.step == 0 else trainer.step
        self._skipped_in_a_row = 0
        self._log = RunLog(out / LOG, step=trainer.step) if trainer.ranks.leads else None
        if not (out / CHECKPOINT).exists():
            self._save()

    def to_the_end(self) -> bool:
        while True:
            due = self._due()
            if due & _Due.LOG and self._log_progress():
                continue
            if due & _Due.VALIDATE:
                self._validate()
            # While steps are being skipped, keep the checkpoint that a rollback would return to.
            if due & _Due.STOP or (due & _Due.SAVE and not self._skipped_in_a_row):
                self._save()
            if due & _Due.STOP:
                return self._trainer.step >= self._trainer.recipe.steps
            self._trainer.advance()

    def _due(self) -> _Due:
        """Return what to do before the next step. All processes get the same answer."""
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

    def _log_progress(self) -> bool:
        """Log the steps since the last line. Returns whether the run was rolled back."""
        trainer, steps = self._trainer, self._trainer.step - self._logged_step
        loss_sum, skipped = trainer.optimiser.read()
        self._last_log, self._logged_step = time.monotonic(), trainer.step
        if steps:
            self._skipped_in_a_row = self._skipped_in_a_row + skipped if 2 * skipped > steps else 0
            stage, number = trainer.recipe.stage_at(trainer.step - 1)
            rate = trainer.rate_factor * learning_rate(stage, number)
            loss = round(loss_sum / (steps - skipped), 6) if skipped < steps else None
            line = {"kind": "train", "step": trainer.step, "stage": stage.name, "loss": loss, "learning_rate": rate}
            self._write({**line, "skipped": skipped})
        if self._skipped_in_a_row <= MAX_SKIPPED:
            return False
        self._roll_back()
        return True

    def _roll_back(self) -> None:
        """Restore the last checkpoint and halve the learning rate. Raises VideoInrError after too many rollbacks."""
        trainer, skipped, diverged_at = self._trainer, self._skipped_in_a_row, self._trainer.step
        factor = trainer.rate_factor / 2
        if factor < 0.5**MAX_ROLLBACKS:
            raise VideoInrError(
                f"Training diverged at step {diverged_at}: {skipped} steps had non-finite gradients, "
                f"also at {trainer.rate_factor:g} of the recipe's learning rate.",
                hint="Use a recipe with a lower learning_rate. If it happens at once, a clip may be damaged.",
            )
        trainer.restore(trainer.ranks.from_leader(lambda: read_checkpoint(self._out / CHECKPOINT, trainer.recipe)))
        trainer.rate_factor = factor
        self._logged_step = self._validated_step = trainer.step
        self._skipped_in_a_row = 0
        facts = {"skipped": skipped, "from_step": diverged_at, "rate_factor": factor}
        self._write({"kind": "rollback", "step": trainer.step, **facts})
        self._save()  # A resumed run must not use the old learning rate again.

    def _validate(self) -> None:
        validation, trainer = self._options.validation, self._trainer
        self._validated_step = trainer.step
        if validation is not None and trainer.ranks.leads:
            self._write(validation.line(trainer.ema_model, step=trainer.step, pictures=self._out / "pictures"))

    def _save(self) -> None:
        self._last_save = time.monotonic()
        if self._log is not None:
            save_checkpoint(self._trainer, self._out, with_optimiser=self._options.with_optimiser)
            write_curves(self._log.lines(), self._trainer.recipe, self._out)

    def _write(self, line: Line) -> None:
        if self._log is not None:
            timed = {**line, "elapsed_secs": round(time.monotonic() - self._start, 1)}
            self._log.write(timed)
            self._report(timed)
