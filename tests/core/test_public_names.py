"""The package from outside: its names, what importing it loads, and its types as a client's mypy sees them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import videoinr
from helpers.command_line import python_path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "av", "numpy", "safetensors", "rich", "typer")
CLIENT = """
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import videoinr
from videoinr.geometry import Rect

Picture = NDArray[np.uint8]


def pictures(path: Path) -> list[Picture]:
    with videoinr.open(path, model="base", device="cpu", memory=2**30) as video:
        assert_type(video, videoinr.Video)
        pair = video.encode(12)
        assert_type(pair, videoinr.Pair)
        assert_type(pair.index, int)
        assert_type(pair.decode(t=0.25, scale=4, region=(400, 200, 256, 256)), Picture)
        assert_type(pair.flow(t=Fraction(1, 4)), NDArray[np.float32])
        assert_type(video.frames(fps=120, start=0.5, end=1.5), Iterator[Picture])
        assert_type(video.info.width, int)
        assert_type(video.frames(start="f1", end="50%"), Iterator[Picture])
        assert_type(video.decode("1:02.5"), Picture)
        return [video.decode(time=0.54, size=(1920, 1080)), video.decode(1, region=Rect(0, 0, 8, 8))]


assert_type(videoinr.export("clip.mp4", "out.mp4", fps=120, speed=0.25), Path)
assert_type(videoinr.load_model("lite").card.name, str)
assert_type(videoinr.evaluate("clips", models=["lite"]).summary("lite").average.psnr_db, float)
assert_type(videoinr.VideoInrError("no").hint, str)
"""
MISTAKES = {
    "videoinr.open('clip.mp4', memory='much')": "arg-type",
    "videoinr.open('clip.mp4').decode(0, region=(1, 2, 3))": "arg-type",
    "videoinr.open('clip.mp4').shoot(0)": "attr-defined",
}


def python(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python elsewhere, with the package on its path as an installed one is."""
    environment = {**os.environ, "PYTHONPATH": python_path("core", "resources"), "MYPY_FORCE_COLOR": "0"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_importing_the_package_loads_nothing_heavy(tmp_path: Path) -> None:
    script = f"import sys, videoinr; print([name for name in {HEAVY} if name in sys.modules])"
    done = python("-c", script, folder=tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_errors_and_tokens_come_without_torch_or_av(tmp_path: Path) -> None:
    script = (
        "import sys; from videoinr import CancelToken, Cancelled, VideoInrError;"
        "print('torch' in sys.modules, 'av' in sys.modules)"
    )
    assert python("-c", script, folder=tmp_path).stdout.split() == ["False", "False"]


def test_about_ten_names_are_public_and_each_is_documented() -> None:
    assert len(videoinr.__all__) == 11
    assert set(videoinr.__all__) <= set(dir(videoinr))
    for name in videoinr.__all__:
        assert getattr(videoinr, name) is not None
        assert name.startswith("__") or getattr(videoinr, name).__doc__
    with pytest.raises(AttributeError, match="nothing"):
        videoinr.nothing  # noqa: B018


def test_the_names_for_type_checkers_are_the_public_ones() -> None:
    tree = ast.parse((ROOT / "core" / "videoinr" / "__init__.py").read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    typed = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == set(videoinr.__all__) - {"__version__"} == set(videoinr._MODULES)


@pytest.fixture(scope="module")
def mypy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("client")
    # torch has 10 s of types of its own; Tensor is checked with the package.
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\n[mypy-torch.*]\nfollow_imports = skip\n")
    return folder


def test_strict_mypy_sees_the_package_as_typed(mypy_folder: Path) -> None:
    (mypy_folder / "client.py").write_text(CLIENT)
    (mypy_folder / "mistakes.py").write_text("import videoinr\n" + "\n".join(MISTAKES) + "\n")
    done = python("-m", "mypy", "client.py", "mistakes.py", folder=mypy_folder)
    lines = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert [line for line in lines if not line.startswith("mistakes.py")] == [], done.stdout + done.stderr
    for number, (mistake, code) in enumerate(MISTAKES.items(), 2):
        assert any(line.startswith(f"mistakes.py:{number}: ") and f"[{code}]" in line for line in lines), mistake
