"""Exports on a Dask cluster of workers of this machine, one of which is killed: these need the extra "cluster".

The others have a stub of Dask that makes each share at once, in this process.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import videoinr
from helpers.clips import write_clip
from helpers.killed_exports import frames_of
from helpers.tiny_model import save_tiny_model
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, ExportError, InputError, UsageError
from videoinr.exporting import cluster as module
from videoinr.exporting.parts import Share
from videoinr.exporting.share_file import share_path
from videoinr.render import engine
from videoinr.render.engine import open_engine
from videoinr.types import ExportProgress

FRAMES = 24


class Clock:
    """A stub of the module time: it is as late as was slept."""

    def __init__(self) -> None:
        self.now_secs = 0.0

    def monotonic(self) -> float:
        return self.now_secs

    def sleep(self, secs: float) -> None:
        self.now_secs += secs


class Future:
    """A task of the stub: made at once if ``work`` is given, else never."""

    def __init__(self, work: Callable[[], None] | None, status: str) -> None:
        self.status, self._error = status, None
        if work is not None:
            work()
            self.status = "finished"


class Stub(ModuleType):
    """A stub of Dask with one client. ``status`` is that of its tasks; None: they are made at once.

    Attributes:
        workers: whether there are any, for each time that the export asks; the last one counts for all later times.
        stopped: whether the workers were told to stop.
        submitted: how many tasks there were.
    """

    TimeoutError = TimeoutError

    def __init__(self, status: str | None, workers: Sequence[bool] = (True,), client_status: str = "running") -> None:
        super().__init__("distributed")
        self.task_status, self.workers, self.status = status, list(workers), client_status
        self.stopped, self.submitted = False, 0

    def Client(self, *_: object, **__: object) -> Stub:
        return self

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def as_current(self) -> Stub:
        return self

    def wait_for_workers(self, _count: int, timeout: float) -> None:
        pass

    def run(self, function: Callable[[], str]) -> dict[str, str]:
        return {"worker": function()}

    def nthreads(self) -> dict[str, int]:
        return {"worker": 1}

    def scheduler_info(self) -> dict[str, dict[str, int]]:
        has_workers = self.workers.pop(0) if len(self.workers) > 1 else self.workers[0]
        return {"workers": {"worker": 1} if has_workers else {}}

    def submit(self, function: Callable[..., None], *arguments: object, **_: object) -> Future:
        self.submitted += 1
        return Future(None if self.task_status else lambda: function(*arguments), self.task_status or "pending")

    def cancel(self, futures: list[Future]) -> None:
        assert len(futures) == self.submitted

    def subscribe_topic(self, _topic: str, _hear: Callable[[object], None]) -> None:
        pass

    def unsubscribe_topic(self, _topic: str) -> None:
        pass

    def get_worker(self) -> Stub:
        return self

    def log_event(self, _topic: str, _message: object) -> None:
        pass

    def Event(self, _name: str, client: object = None) -> Stub:
        return self

    def is_set(self) -> bool:
        return False

    def set(self) -> None:
        self.stopped = True


def export_by(stub: Stub, folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Path:
    """Export a clip of six frames by the stub of a cluster, with a clock that only waiting moves."""
    monkeypatch.setitem(sys.modules, "distributed", stub)
    monkeypatch.setattr(module, "time", Clock())
    clip, model = write_clip(folder / "clip.mp4", 6), save_tiny_model(folder)
    return videoinr.export(
        clip, folder / "out.mkv", cluster="tcp://stub:1", scale=1, fps=50, model=model, device="cpu", codec="ffv1",
        **options,
    )  # fmt: skip


def test_the_workers_have_the_budget_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budgets: list[int | None] = []

    def watched(*arguments: Any, **options: Any) -> Any:
        budgets.append(options["memory_bytes"])
        return open_engine(*arguments, **options)

    monkeypatch.setattr(engine, "open_engine", watched)
    stub = Stub(None)
    path = export_by(stub, tmp_path, monkeypatch, memory=200 << 20)
    assert len(frames_of(path)) == 12
    assert budgets == [200 << 20] * stub.submitted
    assert stub.submitted == 2


def test_an_export_does_not_wait_for_ever_for_workers_that_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub, told = Stub("pending", workers=[True, True, False]), list[float]()
    with pytest.raises(ExportError, match="no worker") as caught:
        export_by(stub, tmp_path, monkeypatch, progress=lambda now: told.append(now.elapsed_secs))
    assert module._GONE_SECS < told[-1] < module._GONE_SECS + 3
    assert "--resume" in caught.value.hint
    assert stub.stopped, "what is left of its tasks must not run later"
    assert not stub.workers[0]
    assert not (tmp_path / "out.mkv").exists()


def test_workers_that_come_back_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = CancelToken()
    stub = Stub("pending", workers=[*[*[False] * 100, True] * 2, True])
    told: list[float] = []

    def progress(now: ExportProgress) -> None:
        told.append(now.elapsed_secs)
        if len(stub.workers) == 1:
            token.cancel()

    with pytest.raises(Cancelled):
        export_by(stub, tmp_path, monkeypatch, cancel=token, progress=progress)
    assert told[-1] > module._GONE_SECS, "longer than the export waits for a worker"


def test_a_scheduler_that_ends_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub("cancelled", client_status="closed")
    with pytest.raises(ExportError, match="connection to the cluster") as caught:
        export_by(stub, tmp_path, monkeypatch)
    assert "--resume" in caught.value.hint
    assert not stub.stopped, "there is nobody to be told"


class Busy(Stub):
    """A worker that begins one share, and has just finished it when it hears that it should stop."""

    LOOKS = 20
    """So often the export looks for workers before that."""

    def __init__(self) -> None:
        super().__init__("pending")
        self._hear: Callable[[tuple[float, dict[str, int | bool]]], None] = lambda event: None
        self._job: Any = None
        self._looks = 0

    def subscribe_topic(self, _topic: str, hear: Callable[[Any], None]) -> None:
        self._hear = hear

    def submit(self, function: Callable[..., None], *arguments: Any, **_: object) -> Future:
        if self._job is None:
            self._job = arguments[0]
            self._hear((0.0, {"share": self._job.share.number, "is_made": True}))
        return super().submit(function, *arguments)

    def scheduler_info(self) -> dict[str, dict[str, int]]:
        self._looks += self.stopped
        if self._looks == self.LOOKS:
            share_path(self._job.out, self._job.share).write_bytes(b"a share that is whole")
            self._hear((0.0, {"share": self._job.share.number, "is_made": False}))
        return super().scheduler_info()


def test_a_share_that_a_worker_finishes_late_is_removed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub, token = Busy(), CancelToken()
    with pytest.raises(Cancelled):
        export_by(stub, tmp_path, monkeypatch, cancel=token, progress=lambda now: token.cancel())
    assert stub._looks == stub.LOOKS
    assert not list(tmp_path.glob("out*"))


def test_a_worker_that_does_not_stop_is_not_waited_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub, token = Busy(), CancelToken()
    monkeypatch.setattr(stub, "LOOKS", 10**9)
    with pytest.raises(Cancelled):
        export_by(stub, tmp_path, monkeypatch, cancel=token, progress=lambda now: token.cancel())
    assert module.time.monotonic() < module._STOP_SECS + 5  # type: ignore[attr-defined]


def test_a_task_that_begins_after_the_stop_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(Stub):
        def is_set(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        export_by(Stopped(None), tmp_path, monkeypatch)
    assert not list(tmp_path.glob("out*"))


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    clip = write_clip(tmp_path / "clip.mp4", FRAMES)
    with pytest.raises(UsageError, match="need Dask") as caught:
        videoinr.export(clip, tmp_path / "out.mkv", cluster="tcp://127.0.0.1:1")
    assert ".[cluster]" in caught.value.hint


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three workers, each a process with one thread."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1", silence_logs=50
    ) as made:
        yield made


def export(cluster: Any, clip: Path, out: Path, **options: Any) -> None:
    videoinr.export(
        clip, out, cluster=cluster.scheduler_address, scale=1, fps=50, model=save_tiny_model(clip.parent),
        device="cpu", codec="ffv1", **options,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_makes_the_frames_of_one_run_though_a_worker_is_killed(tmp_path: Path, cluster: Any) -> None:
    clip, out = write_clip(tmp_path / "clip.mp4", FRAMES, fps=Fraction(25)), tmp_path / "out.mkv"
    model = save_tiny_model(tmp_path)
    videoinr.export(clip, tmp_path / "whole.mkv", scale=1, fps=50, model=model, device="cpu", codec="ffv1")
    done: list[int] = []
    killed: list[int] = []

    def progress(now: ExportProgress) -> None:
        done.append(now.done)
        assert now.total == 2 * FRAMES
        if not killed and now.done:  # All workers are at work.
            killed.append(next(each.pid for each in cluster.workers.values() if each.pid))
            os.kill(killed[0], signal.SIGKILL)

    export(cluster, clip, out, progress=progress)
    assert killed
    assert done[-1] == 2 * FRAMES
    assert (frames_of(out) == frames_of(tmp_path / "whole.mkv")).all()
    assert {each.name for each in tmp_path.iterdir()} >= {"out.mkv", "whole.mkv"}
    assert not list(tmp_path.glob("out.mkv.*")), "no shares are left"


@pytest.mark.filterwarnings("ignore")
def test_a_share_that_fails_is_made_alone_by_the_next_run(tmp_path: Path, cluster: Any) -> None:
    clip, out = write_clip(tmp_path / "clip.mp4", FRAMES, fps=Fraction(25)), tmp_path / "out.mkv"
    taken = share_path(out, Share(2, 4))
    taken.mkdir()
    with pytest.raises(ExportError, match="2/4"):
        export(cluster, clip, out)
    taken.rmdir()
    stamps = {each.name: each.stat().st_mtime_ns for each in tmp_path.glob("out.mkv.*")}
    assert sorted(stamps) == ["out.mkv.1of4", "out.mkv.3of4", "out.mkv.4of4"]
    done: list[int] = []
    export(cluster, clip, out, resume=True, progress=lambda now: done.append(now.done))
    assert done[0] == 36
    assert len(frames_of(out)) == 2 * FRAMES


@pytest.mark.filterwarnings("ignore")
def test_what_a_cluster_cannot_do(tmp_path: Path, cluster: Any) -> None:
    clip = write_clip(tmp_path / "clip.mp4", FRAMES, fps=Fraction(25))
    with pytest.raises(InputError, match="No Dask cluster"):
        videoinr.export(clip, tmp_path / "out.mkv", cluster="tcp://127.0.0.1:1")
    with pytest.raises(UsageError, match="one piece"):
        videoinr.export(clip, tmp_path / "out.gif", fps=25, cluster=cluster.scheduler_address)
    with pytest.raises(UsageError, match="not shared"):
        videoinr.export(clip, tmp_path / "frames", cluster=cluster.scheduler_address, codec="png")
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        export(cluster, clip, tmp_path / "none.mkv", cancel=token)
    assert not list(tmp_path.glob("none*"))
