"""What is wrong with a command line is said before torch is imported, which takes seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from videoinr.errors import ModelError, UnknownDeviceError, UnknownModelError
from videoinr.model.names import DEFAULT_MODEL, check_device_name, check_model_name, shipped_names
from videoinr.model.weights import shipped_models

DECODE = "decode clip.mp4 --time 1 -o a.png"
EXPORT = "export clip.mp4 a.mp4"
WRONG = {
    f"{DECODE} --model nope": "There is no model 'nope'.",
    f"{DECODE} --model nope.safetensors": "There is no file nope.safetensors.",
    f"{DECODE} --device nope": "There is no device 'nope' here.",
    f"{DECODE} --background nope": "There is no background",
    f"{DECODE} --cuts nope": "is no list of cuts",
    f"{DECODE} --camera nope.json": "nope.json cannot be read",
    f"{DECODE} --retime nope": "This is no retime curve",
    f"{DECODE} --scale 2 --size 3x3": "Both a scale and a size were given.",
    f"{DECODE} --scale 1000": "A scale of x1000 is out of range.",
    f"{DECODE} --shutter 500": "A shutter of 500 degrees is out of range.",
    "decode clip.mp4 --time 1 -o nowhere/a.png": "There is no folder nowhere.",
    f"{EXPORT} --codec nope": "The codec 'nope' is unknown.",
    f"{EXPORT} --codec nope --estimate": "The codec 'nope' is unknown.",
    f"{EXPORT} --codec nope --sample 2": "The codec 'nope' is unknown.",
    f"{EXPORT} --model nope": "There is no model 'nope'.",
    f"{EXPORT} --device nope": "There is no device 'nope' here.",
    f"{EXPORT} --crf 999": "A CRF of 999 is out of range",
    f"{EXPORT} --part 5/4": "There is no part 5/4.",
    f"{EXPORT} --fps 10 --time-scale 2": "Both a frame rate and a time scale were given.",
    f"{EXPORT} --scale 2 --size 3x3": "Both a scale and a size were given.",
    f"{EXPORT} --speed 0": "is not above 0.",
    f"{EXPORT} --shutter 500": "A shutter of 500 degrees is out of range.",
    f"{EXPORT} --retime nope": "This is no retime curve",
    f"{EXPORT} --camera nope.json": "nope.json cannot be read",
    "export clip.mp4 a.nope": "A video cannot be saved as a .nope file.",
    "export clip.mp4 a.webm --codec libx264": ".webm files cannot hold libx264.",
    "export clip.mp4 clip.mp4": "clip.mp4 is the clip itself.",
    "export clip.mp4 there.mp4": "there.mp4 already exists.",
    "export clip.mp4 nowhere/a.mp4": "There is no folder nowhere.",
    "evaluate --data . --model nope": "There is no model 'nope'.",
    "evaluate --data . --device nope": "There is no device 'nope' here.",
    "evaluate --data . --baseline nearest --baseline nope": "There is no baseline 'nope'.",
    "bench --model nope": "There is no model 'nope'.",
    "bench --device nope": "There is no device 'nope' here.",
    "models import nope.pth": "nope.pth cannot be read: No such file or directory.",
    "models import .": ". is not a file.",
    "models import clip.mp4": "clip.mp4 is not a PyTorch file.",
    "decode there.mp4 --time 1 -o a.png": "“there.mp4” is empty.",
    "export . a.mp4": "The folder “.” holds no pictures.",
    "bench .": "The folder “.” holds no pictures.",
    "evaluate --data nothing": "There are no clips in nothing.",
    "evaluate --data . --journal nowhere/a": "There is no folder nowhere.",
    "train lite --data nothing --out run": "There are no training clips in nothing.",
    "train lite --data . --out run --validate nothing": "There are no clips in nothing.",
    "train lite --data . --out run --stills nope": "There is no folder nope.",
    "train base --data nothing --out run": "none were given.",
    "train lite --data . --out run --resume": "There is no run/checkpoint.pt.",
    "train lite --data . --out nothing/..": "lite.json already exists.",
    f"{EXPORT} --retime 0=f1_1=f2": "'f1_1=f2' is not a time.",
    f"{EXPORT} --start nope": "'nope' is not a time.",
    "models mean lite nope --out a.safetensors": "There is no model 'nope'.",
    "models mean lite --out a.safetensors": "A mean needs two models or more.",
    "models export nope --onnx graphs --size 8x8": "There is no model 'nope'.",
    "models export lite --onnx graphs --size 8": "'8' is not a size.",
    "train nope --data . --out run": "There is no recipe 'nope'.",
    "train lite --data nope --out run": "There is no folder nope.",
    "train lite --data . --out run --validate nope": "There is no folder nope.",
    "train lite --data . --out run --initial nope": "There is no model 'nope'.",
    "train lite --data . --out run --time-limit 0": "'0' is not above 0.",
    f"{EXPORT} --sample 0:00": "'0:00' is not above 0.",
    "train lite --data . --out run --device nope": "There is no device 'nope' here.",
}
RUN = """
import contextlib, io, json, sys
from videoinr import cli

found = {}
for line in json.load(sys.stdin):
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.suppress(SystemExit):
        cli.app(line.split(), prog_name="videoinr")
    found[line] = (" ".join(said.getvalue().split()), "torch" in sys.modules)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, bool]]:
    """What each wrong command line says, and whether torch was imported by then: all in one process."""
    folder = tmp_path_factory.mktemp("early")
    (folder / "clip.mp4").write_bytes(b"a clip")
    (folder / "there.mp4").touch()
    (folder / "lite.json").touch()
    (folder / "nothing").mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "400", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(list(WRONG)), cwd=folder, env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, tuple[str, bool]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("line", WRONG)
def test_it_is_said_before_torch_is_imported(outcomes: dict[str, tuple[str, bool]], line: str) -> None:
    said, has_torch = outcomes[line]
    assert WRONG[line] in said
    assert not has_torch


def test_the_names_are_those_of_the_cards() -> None:
    assert shipped_names() == tuple(card.name for card in shipped_models())
    assert shipped_names()[0] == DEFAULT_MODEL
    for name in (None, *shipped_names()):
        check_model_name(name)


def test_names_of_models(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    path.touch()
    with pytest.raises(ModelError, match=r"There is no file .*json"):
        check_model_name(str(path))
    path.with_suffix(".json").touch()
    check_model_name(str(path))
    for name in ("", "../lite", "LITE.json"):
        with pytest.raises(UnknownModelError):
            check_model_name(name)


def test_names_of_devices() -> None:
    for name in (None, "cpu", "mps", "cuda", "cuda:1"):
        check_device_name(name)
    for name in ("", "gpu", "cuda:", "cuda:x", "CPU"):
        with pytest.raises(UnknownDeviceError):
            check_device_name(name)
