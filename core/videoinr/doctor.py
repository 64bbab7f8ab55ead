"""Tests of this machine: versions, devices, video encoders, shipped models, system libraries, memory and folders."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import platformdirs

import videoinr
from videoinr.commands import machine_facts
from videoinr.commands.displays import display_problem
from videoinr.commands.window_libraries import in_words, missing_libraries
from videoinr.exporting.codecs import CODECS, CONTAINERS, codec_for, encodes

_LIBRARIES = ("torch", "numpy", "av", "safetensors", "typer", "rich", "PySide6-Essentials", "pyqtgraph", "superqt")
LEAST_BYTES = 512 << 20
"""Free memory below which a clip of usual size may not open."""
TOLERATED_STEPS = 2.0
"""The most that a device may differ from the result stored with a model, in 8-bit steps: the error of rounding."""


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """The test of a shipped model on a device.

    Attributes:
        model, device: their names.
        largest_steps: the largest difference of plain torch from the stored result, in 8-bit steps; None if it did not
            run.
        problem: what is wrong; empty if nothing is.
        fast_steps: the same of the code that pictures are made with: kernels, half precision.
    """

    model: str
    device: str
    largest_steps: float | None
    problem: str = ""
    fast_steps: float | None = None


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
        screen_problem: why no window can be opened here, or nothing. Without a screen, nobody misses their libraries.
        config_folder: the folder of the settings.
        config_problem: why the folder cannot be written to, or nothing.
        folder_problems: (purpose, folder, why it cannot be written to, or nothing) of the other folders.
        missing_decoders: codecs of usual clips that cannot be read.
        memory: (available, all), bytes; None where it is not known.
        fonts: how many fonts there are; None where it is not known.
    """

    versions: tuple[tuple[str, str], ...]
    ways: tuple[tuple[str, str], ...]
    devices: tuple[str, ...]
    encoders: tuple[tuple[str, bool], ...]
    models: tuple[ModelCheck, ...]
    missing_libraries: tuple[tuple[str, str], ...]
    screen_problem: str
    config_folder: Path
    config_problem: str
    folder_problems: tuple[tuple[str, Path, str], ...] = ()
    missing_decoders: tuple[str, ...] = ()
    memory: tuple[int, int] | None = None
    fonts: int | None = None

    @property
    def screen_in_words(self) -> str:
        """Whether windows can be shown."""
        return self.screen_problem or "windows can be shown"

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each needed thing that does not work."""
        defaults = {codec_for(ending, None).encoder for ending in CONTAINERS}
        failed = [name for name, works in self.encoders if name in defaults and not works]
        found = [f"The video encoder {name} does not work." for name in failed]
        found += [f"{check.model} fails on {check.device}: {check.problem}" for check in self.models if check.problem]
        if not self.models:
            found.append("No model ships with this installation.")
        if self.missing_libraries and not self.screen_problem:
            found.append(in_words(dict(self.missing_libraries)))
        if self.config_problem:
            found.append(f"Settings cannot be saved in {self.config_folder}: {self.config_problem}")
        found += [
            f"The folder of {purpose}, {folder}, cannot be written to: {problem}"
            for purpose, folder, problem in self.folder_problems
            if problem
        ]
        if self.missing_decoders:
            found.append(
                f"Clips in {', '.join(self.missing_decoders)} cannot be read. Install PyAV anew: pip install av"
            )
        if self.memory is not None and self.memory[0] < LEAST_BYTES:
            free = f"Only {self.memory[0] >> 20} MiB of memory are free."
            found.append(f"{free} Close other programs, or use --memory with a budget.")
        if self.fonts == 0 and not self.screen_problem:
            found.append("No fonts are installed. On Debian and Ubuntu: apt-get install fonts-dejavu-core")
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
        screen_problem=display_problem(os.environ, sys.platform),
        config_folder=folder,
        config_problem=machine_facts.write_problem(folder),
        folder_problems=tuple(
            (purpose, path, machine_facts.write_problem(path))
            for purpose, path in machine_facts.folders()
            if purpose != "settings"
        ),
        missing_decoders=machine_facts.missing_decoders(),
        memory=machine_facts.memory_bytes(),
        fonts=machine_facts.font_count(),
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
    from videoinr.model.fast_code import fast_code_absence, fast_code_name
    from videoinr.model.ops import deformable_conv_source

    profile = profile_for(pick_device(None))
    return (
        ("encoder", str(half_type(profile.device)).removeprefix("torch.") if profile.half_encoder else "float32"),
        ("tiles", f"{profile.tile_side} pixels square, {max(1, profile.workers)} at a time"),
        ("tile code", _tile_code(fast_code_name(profile.device), fast_code_absence(profile.device))),
        ("deformable convolution", f"by {deformable_conv_source()}"),
    )


def _tile_code(name: str, absence: str) -> str:
    return f"compiled ({name})" if name else f"plain torch: {absence}"


def _version_of(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _check_models(devices: tuple[str, ...]) -> tuple[ModelCheck, ...]:
    from videoinr.model.weights import shipped_models

    return tuple(_check_model(card.name, device) for card in shipped_models() for device in devices)


def _check_model(name: str, device: str) -> ModelCheck:
    from videoinr.devices import pick_device, profile_for
    from videoinr.model.weights import load_model, self_test
    from videoinr.render.device_check import MOST_LEVELS, MOST_MEAN_LEVELS, deviation

    chosen, steps = pick_device(device), None
    try:
        loaded = load_model(name)
        steps = self_test(loaded, chosen)
        fast, mean = deviation(loaded, profile_for(chosen))
    except Exception as error:  # Any failure is a result of this test.
        return ModelCheck(name, device, steps, str(error) or repr(error))
    problem = ""
    if steps > TOLERATED_STEPS:
        problem = f"its pictures differ from the stored ones by {steps:.1f} of 255 levels."
    elif fast > MOST_LEVELS or mean > MOST_MEAN_LEVELS:
        problem = f"the fast code's pictures differ from the stored ones by {fast:.1f} of 255 levels."
    return ModelCheck(name, device, steps, problem, fast)
