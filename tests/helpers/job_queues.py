"""Queues of exports, some of which cannot succeed, and the check that a queue did all that it could."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av


def write_job(path: Path, **values: Any) -> Path:
    """Write a job file."""
    path.write_text(json.dumps({"videoinr_export": 1, **values}))
    return path


def frame_count(path: Path) -> int:
    """Decode ``path`` and count its frames."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def fill(queue: Path, clip: Path, *, good: int, bad: int) -> int:
    """Make a queue of ``good`` jobs of 13 frames, and of ``bad`` ones between them; return ``bad``."""
    queue.mkdir()
    for number in range(good):
        name = f"{number:02}"
        write_job(queue / f"{name}.json", clip=str(clip), out=f"../{name}.mkv", codec="ffv1", scale=1, end=0.5)
    for number in range(bad):
        path = queue / f"{2 * number + 3:02}-bad.json"
        match number % 3:
            case 0:
                write_job(path, clip="../none.mkv", out=f"../bad-{number}.mkv", codec="vp9000")
            case 1:
                write_job(path, clip=str(clip), out="../no/such/folder/bad.mkv")
            case _:
                path.write_text("{")
    return bad


def assert_finished(queue: Path, outs: Path, *, good: int, bad: int) -> None:
    """Assert that all good jobs of ``queue`` have their files in ``outs``, and each bad one a reason."""
    assert [frame_count(outs / f"{number:02}.mkv") for number in range(good)] == [13] * good
    assert [path.name for path in queue.glob("*.*")] == []
    reasons = [json.loads(path.read_text())["message"] for path in sorted((queue / "failed").glob("*.result.json"))]
    assert len(reasons) == bad
    assert all(reasons)
    assert "no folder" in reasons[1]
    assert "no job file" in reasons[2]
    assert len(list((queue / "done").glob("*.result.json"))) == good
    assert not list(outs.glob("*.part"))
