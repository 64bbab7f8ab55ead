"""``python -m helpers.unfinished_training ...``: the real command line, whose training stands still at step LAST.

A test that kills the process finds it at work, however long it takes to come to that.
"""

from __future__ import annotations

import time

from videoinr.cli import main as run
from videoinr.training.trainer import Trainer

LAST = 40
FOREVER_SECS = 3600
_advance = Trainer.advance


def _stand_still_at_last(self: Trainer) -> None:
    if self.step >= LAST:
        time.sleep(FOREVER_SECS)
    _advance(self)


def main() -> None:
    """Run the command line."""
    Trainer.advance = _stand_still_at_last  # type: ignore[method-assign]
    run()


if __name__ == "__main__":
    main()
