"""A made-up export queue for a picture of its window: a job in each state."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

from videoinr.exporting.queue_folder import DONE, FAILED, marker, result_of, set_paused, taken, write_order
from videoinr.exporting.queue_state import read_queue
from videoinr_viewer.viewer import Viewer

_NAMES = ("Mountains", "Lake", "Train in the tunnel", "Forest by night", "Children at the beach")
_FRAMES = 240


class QueueScene:
    """Fills the queue of a viewer, whose folder is one that is removed at the end, and shows its window."""

    def __init__(self) -> None:
        self._locks = ExitStack()

    def show(self, viewer: Viewer) -> None:
        """Fill the queue and show it."""
        folder = viewer.queue.folder
        jobs = [folder / part / f"{name}.json" for part, name in zip((DONE, FAILED, "", "", ""), _NAMES, strict=True)]
        for job in jobs:
            job.parent.mkdir(exist_ok=True)
            values = {"size": [1920, 1080], "start": 0, "end": 10, "fps": 24, "clip": "clip.mp4"}
            job.write_text(json.dumps({"videoinr_export": 1, "out": f"{job.stem}.mp4", **values}))
        _write(result_of(jobs[0]), frames=_FRAMES, made=_FRAMES, seconds=300)
        _write(result_of(jobs[1]), message=f"The disk is full, so {jobs[1].stem}.mp4 was not written.",
               hint="Free some space on it.")  # fmt: skip
        _write(marker(jobs[2], "progress"), done=97, total=_FRAMES, found=0, elapsed_secs=110)
        set_paused(jobs[3], paused=True)
        write_order(folder, [job.name for job in jobs])
        self._locks.enter_context(taken(jobs[2]))
        viewer.queue.take(read_queue(folder))
        viewer.window.actions_by_id["export-queue"].trigger()

    def choose_failed(self, viewer: Viewer) -> None:
        """Select the job that failed, so that its reason is shown."""
        dialog = viewer.window.exports.queue.dialog
        if dialog is not None and (item := dialog.list.topLevelItem(1)) is not None:
            dialog.list.setCurrentItem(item)

    def clear(self, viewer: Viewer) -> None:
        """Release the job that seems to run."""
        self._locks.close()
        viewer.window.exports.queue.noted.emit("")


def _write(path: Path, **values: object) -> None:
    path.write_text(json.dumps(values))
