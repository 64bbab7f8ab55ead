"""Exports on a Dask cluster of workers of this machine, one of which is killed. Needs the extra "cluster"."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import videoinr
from helpers.clips import write_clip
from helpers.killed_exports import frames_of
from helpers.tiny_model import save_tiny_model
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, ExportError, InputError, UsageError
from videoinr.exporting.parts import Share
from videoinr.exporting.share_file import share_path
from videoinr.types import ExportProgress

FRAMES = 24


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
