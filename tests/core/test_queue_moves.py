"""Jobs that are moved in a queue while another process runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from videoinr.exporting import queue_control


def test_a_job_that_ends_while_it_is_moved_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, reads = tmp_path / "a.json", iter([[tmp_path / "a.json"]])
    monkeypatch.setattr(queue_control, "jobs_in_order", lambda _: next(reads, []))
    queue_control.place_job(tmp_path, job.stem, "first")
    assert not job.exists()
