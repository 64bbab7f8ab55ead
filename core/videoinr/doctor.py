"""Tests of this machine: versions, devices, video encoders, the shipped models and the settings folder."""

from __future__ import annotations

import contextlib
import os
import platform
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import platformdirs

import videoinr
from videoinr.commands.window_libraries import in_words, missing_libraries
from videoinr.exporting.codecs import CODECS, CONTAINERS, codec_for, encodes

_LIBRARIES = ("torch", "numpy", "av", "safetensors", "typer", "rich", "PySide6-Essentials", "pyqtgraph", "superqt")
TOLERATED_STEPS = 2.0
"""The most that a device may differ from the result stored with a model, in 8-bit steps: the error of rounding."""


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """The test of a shipped model on a device.

    ``largest_steps``: its largest difference from the stored result, in 8-bit steps; None if it did not run.
    """

    model: str
    device: str
    largest_steps: float | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The results of all tests.

    Attributes:
        versions: (name, version) of the program, its libraries and the system.
        ways: (computation, implementation) where the program has several.
        devices: the devices, fastest first.
        encoders: (name, whether it encoded a picture).
        models: each shipped model on each device.
        missing_libraries: (library, package) that windows need and this system lacks.
        has_screen: whether windows can be opened here. Without a screen, nobody misses their libraries.
        config_folder: the folder of the settings.
        config_problem: why the folder cannot be written to, or nothing.
    """

    versions: tuple[tuple[str, str], ...]
    ways: tuple[tuple[str, str], ...]
    devices: tuple[str, ...]
    encoders: tuple[tuple[str, bool], ...]
    models: tuple[ModelCheck, ...]
    missing_libraries: tuple[tuple[str, str], ...]
    has_screen: bool
    config_folder: Path
    config_problem: str

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each needed thing that does not work."""
        defaults = {codec_for(ending, None).encoder for ending in CONTAINERS}
        failed = [name for name, works in self.encoders if name in defaults and not works]
        found = [f"The video encoder {name} does not work." for name in failed]
        found += [f"{check.model} fails on {check.device}: {check.problem}" for check in self.models if check.problem]
        if not self.models:
            found.append("No model ships with this installation.")
        if self.missing_libraries and self.has_screen:
            found.append(in_words(dict(self.missing_libraries)))
        if self.config_problem:
            found.append(f"Settings cannot be saved in {self.config_folder}: {self.config_problem}")
        return tuple(found)


def examine() -> Report:
    """Run all tests. Takes a few seconds, runs each model, and leaves no files."""
    from videoinr.devices import available_devices

    folder = platformdirs.user_config_path("videoinr-viewer", appauthor=False)
    devices = tuple(available_devices())
    return Report(
        versions=_versions(),
        ways=_ways(),
        devices=devices,
        encoders=tuple((codec.encoder, encodes(codec)) for codec in CODECS),
        models=_check_models(devices),
        missing_libraries=tuple(missing_libraries(os.environ).items()),
        has_screen=bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")),
        config_folder=folder,
        config_problem=_write_problem(folder),
    )


def _versions() -> tuple[tuple[str, str], ...]:
    import av

    ffmpeg = ", ".join(f"{name} {'.'.join(map(str, number))}" for name, number in sorted(av.library_versions.items()))
    libraries = [(name, _version_of(name)) for name in _LIBRARIES]
    return (
        ("videoinr", videoinr.__version__),
        ("python", platform.python_version()),
        ("system", platform.platform()),
        *libraries,
        ("ffmpeg", ffmpeg),
    )


def _ways() -> tuple[tuple[str, str], ...]:
    from videoinr.devices import half_type, pick_device, profile_for
    from videoinr.model.ops import deformable_conv_source

    profile = profile_for(pick_device(None))
    return (
        ("encoder", str(half_type(profile.device)).removeprefix("torch.") if profile.half_encoder else "float32"),
        ("tiles", f"{profile.tile_side} pixels square, {max(1, profile.workers)} at a time"),
        ("deformable convolution", f"by {deformable_conv_source()}"),
    )


def _version_of(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _check_models(devices: tuple[str, ...]) -> tuple[ModelCheck, ...]:
    from videoinr.model.weights import shipped_models

    return tuple(_check_model(card.name, device) for card in shipped_models() for device in devices)


def _check_model(name: str, device: str) -> ModelCheck:
    from videoinr.devices import pick_device
    from videoinr.model.weights import load_model, self_test

    try:
        steps = self_test(load_model(name), pick_device(device))
    except Exception as error:  # Any failure is a result of this test.
        return ModelCheck(name, device, None, str(error) or repr(error))
    problem = (
        "" if steps <= TOLERATED_STEPS else f"its pictures differ from the stored ones by {steps:.1f} of 255 levels."
    )
    return ModelCheck(name, device, steps, problem)


def _write_problem(folder: Path) -> str:
    """Why ``folder`` cannot be written to, or nothing. Folders created for the test are removed."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)
    finally:
        with contextlib.suppress(OSError):
            for path in missing:
                path.rmdir()
