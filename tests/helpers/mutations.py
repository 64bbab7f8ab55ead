"""Mutated inputs of every reader, made from valid ones and a seed, and read in processes of their own."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from helpers.clips import write_clip, write_picture, write_pictures
from helpers.damage import damaged_variants
from helpers.tiny_model import save_tiny_model
from helpers.toy_source import ToySource
from videoinr.training.checkpoints import save_checkpoint
from videoinr.training.recipe import Recipe, Stage
from videoinr.training.run_folder import CHECKPOINT
from videoinr.training.trainer import Trainer

_CPU = torch.device("cpu")
_PATIENCE_SECS = 1000
"""For imports on a busy machine, and for some readings that hang."""
CHECKPOINT_RECIPE = Recipe("toy", "tiny", (Stage("first", 9, 2, 8, (1.0, 2.0), 1e-3, windows=(2, 3), targets=2),))

RECIPE_TEXT = """config = "tiny"
seed = 3
ema_decay = 0.99
gradient_norm = 1.0
degradation = "clean"
initial = ""

[[stages]]
name = "first"
steps = 30
batch = 2
patch = 16
scales = [1.0, 2.0, 4.0]
learning_rate = 1e-3
windows = [2, 4]
stills_share = 0.5

[[stages]]
name = "second"
steps = 20
batch = 4
patch = 24
scale_range = [1.0, 4.0]
scale_steps = 5
loss_weight = "area"
restart_every = 5
"""

_NASTY: tuple[Any, ...] = (
    *(2**63, -(2**63), 2**31, 10**40, -1, 0, 1e308, -1e308, float("nan"), float("inf"), 0.5, True, None),
    *("", "x" * 100_000, "line\nend", "\x1b[31mred", "\u202ereversed", "\x00", "../../etc", "nan", [], {}, [[[[[]]]]]),
    *([1, 2, 3], [None], [1e308], {"a": {"b": 1}}, [2**63] * 3, "%s%n", "é" * 300),
)
_NASTY_TOML = (
    *("nan", "inf", "-inf", "1e308", "-1", "0", "9223372036854775807", "true", '""', '"x"', "[]", "{}", "[[[[1]]]]"),
    *("1979-05-27", "{a = {b = {c = 1}}}", "[nan]", "[1e308]", "[0.5]", '"\\u001b[31m"', "0x7fffffffffffffff", "1_000"),
    "[" * 3000 + "]" * 3000,
)


@dataclass(frozen=True)
class Reading:
    """How the reading of one input ended: read, refused, unforeseen, hang or crash."""

    reader: str
    name: str
    outcome: str
    code: int
    secs: float
    mebibytes: int
    words: str

    @property
    def is_fault(self) -> bool:
        return self.outcome not in ("read", "refused") or (self.outcome == "refused" and not self.words.strip())


def mutated_inputs(reader: str, folder: Path, count: int, seed: int) -> list[Path]:
    """Return ``count`` mutated inputs for a reader, in ``folder``; the same for the same seed."""
    folder.mkdir(parents=True)
    return list(_MAKERS[reader](folder, count, seed))


def readings(inputs: Mapping[str, list[Path]]) -> Iterator[Reading]:
    """Read the inputs of some readers, all by one process that imports once and forks for each group of them."""
    lines = [f"{reader} {path}\n" for reader, paths in inputs.items() for path in paths]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "helpers.mutation_server", *inputs]
    done = subprocess.run(
        command,
        input="".join(lines),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=_PATIENCE_SECS + len(lines),
    )
    for line in done.stdout.splitlines():
        yield Reading(**json.loads(line))


def _clips(folder: Path, count: int, seed: int) -> Iterator[Path]:
    valid = folder / "valid"
    valid.mkdir()
    sources = [
        write_clip(valid / "clip.mp4", 8, audio_secs=0.2),
        write_clip(valid / "clip.mkv", 8),
        write_clip(valid / "clip.ts", 8),
        write_clip(valid / "clip.webm", 8, codec="libvpx-vp9"),
        write_clip(valid / "clip.avi", 8, codec="mpeg4"),
        write_clip(valid / "clip.mov", 4, codec="prores_ks", pix_fmt="yuv422p10le"),
        write_clip(valid / "clip.flv", 8, codec="flv"),
        write_clip(valid / "clip.gif", 4, codec="gif", pix_fmt="rgb8"),
    ]
    return damaged_variants(sources, folder / "mutated", count, seed)


def _pictures(folder: Path, count: int, seed: int) -> Iterator[Path]:
    from helpers.clips import numbered_frame

    valid = folder / "valid"
    sources = write_pictures(valid, 1)
    sources += [
        write_picture(valid / f"picture.{suffix}", numbered_frame(5)) for suffix in ("jpg", "tif", "bmp", "ppm")
    ]
    return damaged_variants(sources, folder / "mutated", count, seed)


def _cards(folder: Path, count: int, seed: int) -> Iterator[Path]:
    weights = save_tiny_model(folder)
    card = weights.with_suffix(".json")
    chance = random.Random(seed)
    for number, damaged in enumerate(damaged_variants([card], folder / "damaged", count // 2, seed)):
        yield _model_at(folder / f"d{number}", weights, damaged.read_bytes())
    for number in range(count - count // 2):
        values = json.loads(card.read_text())
        for _ in range(chance.choice((1, 1, 3))):
            _replace_one(values, chance)
        yield _model_at(folder / f"s{number}", weights, json.dumps(values).encode())


def _weights(folder: Path, count: int, seed: int) -> Iterator[Path]:
    """Half of them get a card with their checksum, so that the check of their contents is reached."""
    weights = save_tiny_model(folder)
    card = json.loads(weights.with_suffix(".json").read_text())
    for number, damaged in enumerate(damaged_variants([weights], folder / "damaged", count, seed)):
        blob = damaged.read_bytes()
        if number % 4 == 3:
            blob = _with_other_header(weights.read_bytes(), random.Random(seed + number))
        digest = hashlib.sha256(blob).hexdigest() if number % 2 else card["sha256"]
        path = folder / f"w{number}" / weights.name
        _model_at(path.parent, weights, json.dumps({**card, "sha256": digest}).encode())
        path.write_bytes(blob)
        yield path


def _with_other_header(blob: bytes, chance: random.Random) -> bytes:
    """Return a safetensors file whose header is valid JSON, with a few other values."""
    length = int.from_bytes(blob[:8], "little")
    values = json.loads(blob[8 : 8 + length])
    for _ in range(chance.choice((1, 2))):
        name = chance.choice([key for key in values if key != "__metadata__"])
        change = chance.choice(("dtype", "shape", "data_offsets", "name"))
        if change == "name":
            values["\x1b[0m" + name] = values.pop(name)
        elif change == "dtype":
            values[name][change] = chance.choice(("F32", "I8", "BOOL", "F8_E4M3", "U64", "BF16", "C64", "?"))
        else:
            values[name][change] = chance.choice(
                ([], [2**63], [0, 0], [1, 2, 3], [-1], [10**9, 10**9], values[name][change])
            )
    header = json.dumps(values).encode()
    return len(header).to_bytes(8, "little") + header + blob[8 + length :]


def _model_at(folder: Path, weights: Path, card: bytes) -> Path:
    folder.mkdir()
    shutil.copy(weights, folder / weights.name)
    path = folder / f"{weights.stem}.json"
    path.write_bytes(card)
    return path


def _replace_one(values: Any, chance: random.Random) -> None:
    """Replace, remove or add one value somewhere in nested ``values``."""
    while True:
        keys = list(values) if isinstance(values, dict) else list(range(len(values)))
        key = chance.choice(keys) if keys else None
        inner = values[key] if key is not None else None
        if not (isinstance(inner, dict | list) and inner and chance.random() < 0.7):
            break
        values = inner
    action = chance.choice(("replace", "replace", "replace", "remove", "add"))
    if key is None or action == "add":
        if isinstance(values, dict):
            values[chance.choice(("surplus", "", "\x07", "kind", "path"))] = _nasty(chance)
        else:
            values.append(_nasty(chance))
    elif action == "remove":
        del values[key]
    else:
        values[key] = _nasty(chance)


def _nasty(chance: random.Random) -> Any:
    # A copy: the next change may be made inside it.
    return copy.deepcopy(chance.choice(_NASTY))


def _recipes(folder: Path, count: int, seed: int) -> Iterator[Path]:
    source = folder / "recipe.toml"
    source.write_text(RECIPE_TEXT)
    yield from damaged_variants([source], folder / "damaged", count // 3, seed)
    chance = random.Random(seed)
    for number in range(count - count // 3):
        lines = RECIPE_TEXT.splitlines()
        for _ in range(chance.choice((1, 1, 2, 4))):
            at = chance.choice([index for index, line in enumerate(lines) if "=" in line])
            name = lines[at].partition(" =")[0]
            name = chance.choice((name, name, name, "surplus", "a.b.c"))
            lines[at] = f"{name} = {chance.choice(_NASTY_TOML)}"
        path = folder / f"s{number}.toml"
        encoding = chance.choice(("utf-8", "utf-8", "utf-8", "utf-16", "latin-1", "utf-8-sig"))
        path.write_bytes(("\n".join(lines) + "\n# é\n").encode(encoding))
        yield path


def _checkpoints(folder: Path, count: int, seed: int) -> Iterator[Path]:
    """Damaged files of the present and of the old form, and files of wrong values with a right checksum."""
    chance = random.Random(seed)
    trainer = Trainer(CHECKPOINT_RECIPE, ToySource(), _CPU)
    trainer.advance()
    sealed, old = save_checkpoint(trainer, folder), folder / "old.pt"
    valid = trainer.state()
    torch.save(valid, old)
    yield from damaged_variants([sealed, old], folder / "damaged", count // 2, seed)
    for number in range(count - count // 2):
        state: dict[str, Any] = _with_own_dicts(valid)
        for _ in range(chance.choice((1, 1, 2))):
            _replace_in_state(state, chance)
        setattr(trainer, "state", partial(_given, state))  # noqa: B010
        (folder / f"s{number}").mkdir()
        yield save_checkpoint(trainer, folder / f"s{number}").rename(folder / f"s{number}" / f"s{number}{CHECKPOINT}")


def _with_own_dicts(values: Any) -> Any:
    """Return nested dicts that can be changed without changing ``values``; all else is shared."""
    return {key: _with_own_dicts(value) for key, value in values.items()} if isinstance(values, dict) else values


def _given(state: dict[str, Any], **_options: object) -> dict[str, Any]:
    return state


def _replace_in_state(state: Any, chance: random.Random) -> None:
    while True:
        key = chance.choice(list(state))
        if not (isinstance(state[key], dict) and state[key] and chance.random() < 0.7):
            break
        state = state[key]
    tensors = (torch.zeros(3), torch.tensor(float("nan")), torch.zeros(2, 3, 4), torch.zeros(3, dtype=torch.int64))
    if chance.random() < 0.2:
        del state[key]
    else:
        state[key] = chance.choice((*_NASTY, *tensors))


def _settings(folder: Path, count: int, seed: int) -> Iterator[Path]:
    from PySide6.QtCore import QByteArray

    from videoinr_viewer.start.settings import Settings
    from videoinr_viewer.style.theme_choice import Theme

    source = folder / "viewer.toml"
    recent = [Path(f"/clips/{number} ü, b;c %20.mp4") for number in range(10)]
    Settings(recent=recent, theme=Theme.DARK, geometry=QByteArray(bytes(range(66)))).save(source)
    yield from damaged_variants([source], folder / "damaged", count // 2, seed)
    chance = random.Random(seed)
    values = (
        *("@Invalid()", "@ByteArray(\\x1)", "@Size(4)", "@Rect(1 2 3 4)", "@Point(9)", "", "7", "\\0"),
        *(
            "@Variant(\\0\\0\\0\\x2\\0\\0\\0\\x5)",
            "a, b, c",
            '"unclosed',
            "\\x41\\x7fffffff",
            "x" * 50_000,
            "\x1b[31m",
        ),
        *("[1, 2]", "[[], [7]]", "{a = 1}", "1979-05-27", "-1e400", "true", '"a\\u0007b"', "[" * 3000),
    )
    for number in range(count - count // 2):
        text = source.read_text()
        name = chance.choice(("version", "recent", "theme", "geometry", "recent", "memory_mib", "volume"))
        line = f"{name} = {chance.choice(values)}"
        lines = (line if each.startswith(f"{name} = ") else each for each in text.splitlines())
        text = "\n".join(lines)
        path = folder / f"s{number}.toml"
        path.write_text(text)
        yield path


def _projects(folder: Path, count: int, seed: int) -> Iterator[Path]:
    """Half of them are damaged text, half valid JSON with a few other values."""
    from helpers.projects import full_project
    from videoinr_viewer.project.project_text import text_of_project

    source = folder / "work.vinr"
    source.write_text(text_of_project(full_project(folder / "clips" / "ü clip.mp4"), folder), encoding="utf-8")
    yield from damaged_variants([source], folder / "damaged", count // 2, seed)
    chance = random.Random(seed)
    for number in range(count - count // 2):
        values = json.loads(source.read_text("utf-8"))
        for _ in range(chance.choice((1, 1, 3))):
            _replace_one(values, chance)
        path = folder / f"s{number}.vinr"
        path.write_text(json.dumps(values), encoding="utf-8")
        yield path


_MAKERS = {
    "clips": _clips,
    "pictures": _pictures,
    "cards": _cards,
    "weights": _weights,
    "recipes": _recipes,
    "checkpoints": _checkpoints,
    "settings": _settings,
    "project": _projects,
}
READER_NAMES = tuple(_MAKERS)
WINDOW_READERS = ("settings", "project")
ENGINE_READERS = tuple(name for name in READER_NAMES if name not in WINDOW_READERS)
"""The readers of the engine: none of them needs Qt."""
