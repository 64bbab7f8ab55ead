"""What works on this machine: versions, devices, encoders, the shipped models and the settings folder."""

from __future__ import annotations

import contextlib
import platform
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import platformdirs

import videoinr
from videoinr.exporting.codecs import CODECS, CONTAINERS, codec_for, encodes

_LIBRARIES = ("torch", "numpy", "av", "safetensors", "typer", "rich", "PySide6-Essentials", "pyqtgraph", "superqt")
TOLERATED_STEPS = 2.0
"""By how many 8-bit steps a device may differ from the result stored with a model: rounding, not wrong pictures."""


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """How a shipped model did on a device. ``largest_steps``: its largest difference from the stored result."""

    model: str
    device: str
    largest_steps: float | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor found. ``encoders``: each one, and whether it encoded a picture."""

    versions: tuple[tuple[str, str], ...]
    ways: tuple[tuple[str, str], ...]
    """Where there is more than one way to compute a thing, the one taken here."""
    devices: tuple[str, ...]
    encoders: tuple[tuple[str, bool], ...]
    models: tuple[ModelCheck, ...]
    config_folder: Path
    config_problem: str

    @property
    def problems(self) -> tuple[str, ...]:
        """What is needed and does not work, in words; empty when all is well."""
        defaults = {codec_for(ending, None).encoder for ending in CONTAINERS}
        failed = [name for name, works in self.encoders if name in defaults and not works]
        found = [f"The encoder {name} does not work." for name in failed]
        found += [f"{check.model} fails on {check.device}: {check.problem}" for check in self.models if check.problem]
        if not self.models:
            found.append("No model ships with this installation.")
        if self.config_problem:
            found.append(f"Settings cannot be kept in {self.config_folder}: {self.config_problem}")
        return tuple(found)


def examine() -> Report:
    """Try everything. Takes a few seconds, runs each model, and leaves nothing behind."""
    from videoinr.devices import available_devices

    folder = platformdirs.user_config_path("videoinr-viewer", appauthor=False)
    devices = tuple(available_devices())
    return Report(
        versions=_versions(),
        ways=_ways(),
        devices=devices,
        encoders=tuple((codec.encoder, encodes(codec)) for codec in CODECS),
        models=_check_models(devices),
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
    except Exception as error:  # Whatever it is, it is what the doctor was asked to find.
        return ModelCheck(name, device, None, str(error) or repr(error))
    problem = "" if steps <= TOLERATED_STEPS else f"its pictures are off by {steps:.1f} steps of 255."
    return ModelCheck(name, device, steps, problem)


def _write_problem(folder: Path) -> str:
    """Why ``folder`` cannot be written to, or nothing. Folders made for the test are removed."""
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
