"""Videos in forks, such as the workers of a DataLoader: nothing waits for threads that are not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.clips import write_clip
from helpers.command_line import environment
from helpers.tiny_model import save_tiny_model

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks on this system")

PATIENCE_SECS = 200
SCRIPT = """
import os, sys
import videoinr

clip, model = sys.argv[1:3]


def opened():
    return videoinr.open(clip, model=model, device="cpu")


def in_a_fork(work):
    child = os.fork()
    if not child:
        try:
            print(work(), flush=True)
        except videoinr.VideoInrError as error:
            print(type(error).__name__, error, error.hint, flush=True)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def anew():
    with opened() as video:
        return video.decode(0.02, scale=8).tobytes() == expected and video.encode(0).flow(0.5).shape


video = opened()
pair = video.encode(0)
expected = video.decode(0.02, scale=8).tobytes()
refused = (lambda: video.decode(0.02), lambda: pair.flow(0.5), lambda: next(video.frames()))
for work in (*refused, lambda: video.close(), anew):
    in_a_fork(work)
print(video.decode(0.02, scale=8).tobytes() == expected)
"""


def test_a_video_is_refused_in_a_fork_and_can_be_opened_there_anew(tmp_path: Path) -> None:
    clip, model = write_clip(tmp_path / "clip.mp4", 5), save_tiny_model(tmp_path)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(clip), str(model)], capture_output=True, text=True,
        env=environment(), timeout=PATIENCE_SECS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *refused, closed, anew, still = done.stdout.splitlines()
    assert len(refused) == 3
    for line in refused:
        assert line.startswith("UsageError The video was opened in another process")
        assert "DataLoader" in line
    assert (closed, anew, still) == ("None", "(2, 48, 64, 2)", "True")


def test_only_forks_of_a_process_that_has_computed_use_one_thread(tmp_path: Path) -> None:
    script = """
import os, torch, videoinr
from videoinr.render.forks import fit_for_forks
many = torch.get_num_threads()
torch.set_num_threads(3)
def threads():
    fit_for_forks()
    return torch.get_num_threads()
def in_a_fork():
    if not (child := os.fork()):
        print(threads(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
in_a_fork()
print(threads(), flush=True)
in_a_fork()
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, env=environment(),
        timeout=PATIENCE_SECS, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["3", "3", "1"]
