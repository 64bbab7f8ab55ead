"""Reads files in forked processes, a group of files in each, and says how each reading ended.

    python -m helpers.mutation_server READER ...

Takes lines of READER and a path on stdin; prints one JSON line for each. A reading that takes longer than LIMIT_SECS of
processor time, or than WAIT_SECS, is ended. One that crashes or hangs ends its process; the rest of its group is read
in the next. Memory is the peak of the process so far.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LIMIT_SECS = 10
WAIT_SECS = 60
"""On a machine with much other work, a reading of a few milliseconds once took ten seconds."""
GROUP = 50
"""A fork costs as much as reading a few small files: its first writes to each page copy it."""
READ, REFUSED, UNFORESEEN = 0, 1, 70
Given = tuple[str, Path]
"""The name of a reader, and what it shall read."""
_WORDS = {READ: "read", REFUSED: "refused", UNFORESEEN: "unforeseen", -signal.SIGALRM: "hang", -signal.SIGPROF: "hang"}


def read_clip(path: Path) -> None:
    from videoinr.clip import open_clip
    from videoinr.clip.describe import describe

    with open_clip(path) as clip:
        json.dumps(describe(clip), default=str)
        last = clip.info.frames - 1
        for index in sorted({0, last // 2, last}):
            clip.frame(index)


def read_picture(path: Path) -> None:
    from videoinr.clip.picture_file import stored_size

    stored_size(path)
    read_clip(path)


def read_model(path: Path) -> None:
    """Load a model. ``path`` is its card or its weights."""
    from videoinr.model.weights import load_model

    load_model(str(path.with_suffix(".safetensors")))


def read_recipe(path: Path) -> None:
    from videoinr.training.recipe import load_recipe

    recipe = load_recipe(str(path))
    for stage in recipe.stages:
        stage.sizes(), stage.largest_crop()
    json.dumps([recipe.to_dict(), recipe.scale_bounds(), recipe.steps], allow_nan=False)


def read_checkpoint(path: Path) -> None:
    import torch

    from helpers.mutations import CHECKPOINT_RECIPE
    from helpers.toy_source import ToySource
    from videoinr.training import checkpoints
    from videoinr.training.trainer import Trainer

    state = checkpoints.read_checkpoint(path, CHECKPOINT_RECIPE)
    trainer = Trainer(CHECKPOINT_RECIPE, ToySource(), torch.device("cpu"), state=state)
    if trainer.step < CHECKPOINT_RECIPE.steps:
        trainer.advance()


def read_settings(path: Path) -> None:
    from videoinr_viewer.start.settings import Settings

    settings = Settings.load(path)
    for clip in settings.recent:
        with suppress(OSError):  # as everywhere in the program: the name may be too long for the disk
            clip.exists()
    settings.add_recent(Path("another.mp4"))
    settings.save(path)
    Settings.load(path)


def read_project(path: Path) -> None:
    """Read a project, look for its media, and write it anew, which must be read as the same."""
    from fractions import Fraction

    from videoinr_viewer.project import project_file
    from videoinr_viewer.project.media import locate, places_of
    from videoinr_viewer.project.project_text import text_of_project

    read = project_file.read_project(path)
    locate((*read.places, *places_of(read.project.clip.name, [path.parent])), read.project.fingerprint)
    read.project.document.within(Fraction(2))
    again = path.with_suffix(".again")
    again.write_text(text_of_project(read.project, path.parent), encoding="utf-8")
    assert text_of_project(project_file.read_project(again).project, path.parent) == again.read_text(encoding="utf-8")


READERS: dict[str, Callable[[Path], None]] = {
    "clips": read_clip,
    "pictures": read_picture,
    "cards": read_model,
    "weights": read_model,
    "recipes": read_recipe,
    "checkpoints": read_checkpoint,
    "settings": read_settings,
    "project": read_project,
}


_IMPORTED: dict[str, tuple[str, ...]] = {
    "clips": ("videoinr.clip.describe", "videoinr.clip.picture_clip", "videoinr.clip.video_clip"),
    "pictures": ("videoinr.clip.describe", "videoinr.clip.picture_clip", "videoinr.clip.video_clip"),
    "cards": ("videoinr.model.weights",),
    "weights": ("videoinr.model.weights",),
    "recipes": ("videoinr.training.recipe",),
    "checkpoints": ("videoinr.training.checkpoints", "helpers.mutations", "torch._dynamo"),
    "settings": ("videoinr_viewer.start.settings",),
    "project": ("videoinr_viewer.project.project_file",),
}
"""What is imported before forking. Nothing may be computed then: OpenMP does not survive a fork."""


def _read(reader: str, path: Path) -> int:
    """Read ``path`` in this process; return the code for how that ended. Words go to stderr."""
    from videoinr.errors import VideoInrError

    try:
        READERS[reader](path)
    except VideoInrError as error:
        print(error.in_words(), file=sys.stderr)
        return REFUSED
    except BaseException:
        traceback.print_exc()
        return UNFORESEEN
    return READ


def _result(given: Given, code: int, secs: float, mebibytes: int, words: str) -> dict[str, object]:
    found = {"reader": given[0], "name": given[1].name, "outcome": _WORDS.get(code, "crash"), "code": code}
    return {**found, "secs": secs, "mebibytes": mebibytes, "words": words}


def _read_group_in_child(group: list[Given], answers: int, notes: int) -> None:
    """Read ``group`` in this process, a fork; write a line about each to ``answers``, and end the process."""
    os.dup2(notes, 2)
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    for reader, path in group:
        started = time.monotonic()
        _forget(notes)
        _limit(LIMIT_SECS, WAIT_SECS)
        code = _read(reader, path)
        _limit(0, 0)
        sys.stderr.flush()
        mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        line = json.dumps(_result((reader, path), code, time.monotonic() - started, mebibytes, _words(notes)))
        os.write(answers, line.encode() + b"\n")
    os._exit(0)


def _limit(processor_secs: float, wait_secs: float) -> None:
    """End this process after so much time from now; 0 for no end."""
    signal.setitimer(signal.ITIMER_PROF, processor_secs)
    signal.setitimer(signal.ITIMER_REAL, wait_secs)


def _read_group(group: list[Given], notes: int) -> list[dict[str, object]]:
    """Read ``group`` in a fork. Return the results of as many as it read; the last may have ended it."""
    started, (reading, writing) = time.monotonic(), os.pipe()
    _forget(notes)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            _read_group_in_child(group, writing, notes)
        os._exit(UNFORESEEN)
    os.close(writing)
    with os.fdopen(reading) as answers:
        found: list[dict[str, object]] = [json.loads(line) for line in answers]
    _, status, usage = os.wait4(child, 0)
    if len(found) < len(group):
        code = os.waitstatus_to_exitcode(status)
        secs, mebibytes = time.monotonic() - started, usage.ru_maxrss // 1024
        # Not 0: a reader that ends the process has not read its input.
        found.append(_result(group[len(found)], code or UNFORESEEN, secs, mebibytes, _words(notes)))
    return found


def _forget(notes: int) -> None:
    os.ftruncate(notes, 0)
    os.lseek(notes, 0, os.SEEK_SET)


def _words(notes: int) -> str:
    return os.pread(notes, 4000, max(0, os.fstat(notes).st_size - 4000)).decode(errors="replace")


def main() -> None:
    for reader in sys.argv[1:]:
        for name in _IMPORTED[reader]:
            importlib.import_module(name)
    notes = os.memfd_create("notes")
    lines = (line.rstrip("\n").partition(" ") for line in sys.stdin)
    waiting = [(reader, Path(path)) for reader, _, path in lines]
    while waiting:
        found = _read_group(waiting[:GROUP], notes)
        if found[-1]["outcome"] == "hang":
            # Once more, alone: the whole machine may have been busy, or this process stopped.
            found[-1:] = _read_group([waiting[len(found) - 1]], notes)
        waiting = waiting[len(found) :]
        print(*map(json.dumps, found), sep="\n", flush=True)


if __name__ == "__main__":
    main()
