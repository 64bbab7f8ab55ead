"""The heap keeps the blocks that tiles of a picture allocate and free."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from concurrent.futures import ThreadPoolExecutor

import torch

from videoinr.decode.heap import keep_freed_blocks


def faults_of(work):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def tile(_):
    for _ in range(10):
        blocks = [torch.zeros(megabytes << 18) for megabytes in (8, 4, 4, 1)]
        del blocks


def picture():
    list(pool.map(tile, range(4)))


assert keep_freed_blocks()
torch.set_num_threads(1)
with ThreadPoolExecutor(2) as pool:
    picture()
    print(min(faults_of(picture) for _ in range(3)))  # Another thread may take the first tile of a picture.
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_blocks_of_a_tile_take_no_page_faults_the_second_time() -> None:
    roots = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=roots)
    # A megabyte has 256 pages, and each picture takes 680 megabytes in all.
    assert int(done.stdout) < 2 * 17 * 256, done.stdout
