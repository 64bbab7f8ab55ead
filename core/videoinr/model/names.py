"""The names of models and devices, checked without torch, which takes a second or more to import."""

from __future__ import annotations

import json
import re
from pathlib import Path

import videoinr_resources
from videoinr.errors import ModelError, UnknownDeviceError, UnknownModelError

DEFAULT_MODEL = "lite"
"""The shipped model that is used when none is named."""

_DEVICE = re.compile(r"cpu|mps|cuda(:\d{1,4})?")


def is_shipped(name: str) -> bool:
    """Return whether a model of this name is in the package."""
    return any(name == card.stem for card in _cards())


def shipped_names() -> tuple[str, ...]:
    """Return the names of the models in the package, the default model first, then the smaller ones first."""
    parameters = {card.stem: int(json.loads(card.read_text("utf-8"))["parameters"]) for card in _cards()}
    return tuple(sorted(parameters, key=lambda name: (name != DEFAULT_MODEL, parameters[name])))


def check_model_name(name: str | None) -> None:
    """Check that there is a model: a shipped one, or a .safetensors file with its card beside it.

    Args:
        name: A shipped model's name, or the path of a weights file. None means the default model.

    Raises:
        UnknownModelError: No model has this name.
        ModelError: A file is missing.
    """
    if name is None or is_shipped(name):
        return
    path = Path(name)
    if path.suffix != ".safetensors":
        raise UnknownModelError(
            f"There is no model {name!r}.",
            hint=f"Shipped: {', '.join(shipped_names())}. A model of your own is named by its .safetensors file.",
        )
    for needed in (path, path.with_suffix(".json")):
        if not needed.is_file():
            raise ModelError(f"There is no file {needed}.", hint="A model is a .safetensors file and its .json card.")


def check_device_name(name: str | None) -> None:
    """Raise UnknownDeviceError if no machine has a device ``name``; whether this one has it is known to torch."""
    if name is not None and not _DEVICE.fullmatch(name):
        raise UnknownDeviceError(
            f"There is no device {name!r} here.", hint="Choose cpu, cuda, cuda:1 ... or mps, or leave it out."
        )


def _cards() -> list[Path]:
    return sorted(videoinr_resources.path("models").glob("*.json"))
