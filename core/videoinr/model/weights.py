"""Reads and writes models: a safetensors file of weights, in half precision as a rule, and a JSON card beside it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

import videoinr_resources
from videoinr.errors import ModelError, UsageError
from videoinr.geometry import Grid
from videoinr.images import rgbx_from_tensor
from videoinr.model.build_limit import TooManyParametersError, parameters_limited
from videoinr.model.building import build, config_from_dict
from videoinr.model.card_file import read_card_values
from videoinr.model.names import DEFAULT_MODEL, check_model_name, is_shipped
from videoinr.model.representation import Config, Representation
from videoinr.text.plain import printable
from videoinr.writing.whole_files import write_files
from videoinr.writing.words import write_errors

_MAX_WEIGHTS_BYTES = 4 << 30
_SPARE_PARAMETERS = 1_000_000
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SELF_TEST_GRID, SELF_TEST_PHASE = Grid(40, 30), 0.375
_UNTRUSTED = "Fetch the file again, or use a shipped model (videoinr models)."


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a file of weights.

    Attributes:
        name: The model's name, for users.
        description: One line, for users.
        config: What the model is built from.
        parameters: How many parameters it has.
        trained_scales: The least and the greatest space scale of its training.
        training: Data, recipe, steps and notes.
        metrics: Figures, all measured under ``protocol``.
        protocol: How ``metrics`` were measured, in words.
        sha256: Hash of the weights file.
        self_test: base64 of the RGB bytes that :func:`self_test_picture` returned when the weights were written.
        path: The weights file.
    """

    name: str
    description: str
    config: Config
    parameters: int
    trained_scales: tuple[float, float]
    training: dict[str, Any]
    metrics: dict[str, Any]
    protocol: str
    sha256: str
    self_test: str = field(repr=False)
    path: Path

    def to_dict(self) -> dict[str, Any]:
        """Return a form that JSON can store, without the path."""
        names = ("name", "description", "parameters", "trained_scales", "training", "metrics", "protocol", "sha256")
        return {
            **{name: getattr(self, name) for name in names},
            "config": self.config.to_dict(),
            "self_test": self.self_test,
        }


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in float32 on the CPU, without gradients and in evaluation mode, and its card."""

    model: Representation
    card: ModelCard

    @property
    def fingerprint(self) -> str:
        """What pictures depend on, as 64 hexadecimal digits: the weights, and the sizes with which they are used."""
        return hashlib.sha256(f"{self.card.sha256} {self.card.config!r}".encode()).hexdigest()


def shipped_models() -> tuple[ModelCard, ...]:
    """Return the cards of the models in the package, the default model first."""
    cards = (read_card(path) for path in sorted(videoinr_resources.path("models").glob("*.json")))
    return tuple(sorted(cards, key=lambda card: (card.name != DEFAULT_MODEL, card.parameters)))


def load_model(name_or_path: str | None = None) -> LoadedModel:
    """Load a model.

    Args:
        name_or_path: A shipped model's name, or the path of a weights file (.safetensors) that has its card (.json)
            beside it. None means the default model.

    Raises:
        ModelError: There is no such model, or its file is damaged or does not match its card.
    """
    name = name_or_path or DEFAULT_MODEL
    check_model_name(name)
    folder = videoinr_resources.path("models")
    card = read_card(folder / f"{name}.json" if is_shipped(name) else Path(name).with_suffix(".json"))
    return LoadedModel(_model_from_file(card), card)


def named_or_loaded(model: object) -> str | LoadedModel | None:
    """Return ``model``, an argument from Python: a name or a path as text, a loaded model, or None for the default.

    Raises:
        UsageError: it is none of these, or is not in float32 any more.
    """
    if isinstance(model, str | os.PathLike) and str(model):
        return str(model)
    if isinstance(model, LoadedModel):
        return _in_float32(model)
    if model is None:
        return model
    raise UsageError(
        f"{printable(repr(model))[:200]} is not a model.",
        hint="Give a shipped model's name, the path of a .safetensors file, or what videoinr.load_model returned.",
    )


def _in_float32(loaded: LoadedModel) -> LoadedModel:
    others = {parameter.dtype for parameter in loaded.model.parameters()} - {torch.float32}
    if others:
        name = str(others.pop()).removeprefix("torch.")
        raise UsageError(f"The model {loaded.card.name!r} is in {name}.", hint="Call .model.float() on it first.")
    return loaded


def read_card(path: Path) -> ModelCard:
    """Read the card in the JSON file ``path``.

    Raises:
        ModelError: It cannot be read, or describes no model that this program can make.
    """
    try:
        data = read_card_values(path)
        data["config"] = config_from_dict(data["config"])
        least, most = data["trained_scales"]
        return ModelCard(
            **{**data, "trained_scales": (float(least), float(most))}, path=path.with_suffix(".safetensors")
        )
    except ModelError as error:
        raise ModelError(f"The model card {path} cannot be used. {error}", hint=error.hint or _UNTRUSTED) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The model card {path} cannot be read: {printable(str(error))}.", hint=_UNTRUSTED) from error


def save_model(
    model: Representation, path: Path, *, dtype: torch.dtype = torch.float16, replace: bool = True, **facts: Any
) -> ModelCard:
    """Write a model and its card, both whole or not at all.

    Args:
        model: The model.
        path: The weights file, .safetensors; the card goes beside it. Its folder is made if there is none.
        dtype: The type of the weights in the file.
        replace: Whether existing files are replaced.
        facts: The fields of the card that the model does not tell: name, description, trained_scales, training,
            metrics, protocol.

    Returns:
        The card.

    Raises:
        ModelError: ``dtype`` cannot hold the weights.
        ExportError: A file cannot be written, or exists and ``replace`` is off.
    """
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob = save_tensors({name: tensor.to(dtype).contiguous().cpu() for name, tensor in model.state_dict().items()})
    rounded = _checked_model(model.config, load_tensors(blob), path)
    card = ModelCard(
        config=model.config,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        sha256=hashlib.sha256(blob).hexdigest(),
        self_test=base64.b64encode(bytes(self_test_picture(rounded).flatten().tolist())).decode(),
        path=path,
        **facts,
    )
    text = json.dumps(card.to_dict(), indent=2) + "\n"
    write_files({path: blob, path.with_suffix(".json"): text}, replace=replace)
    return card


def self_test(loaded: LoadedModel, device: torch.device) -> float:
    """Render the self-test picture on ``device`` and compare it with the card's.

    Args:
        loaded: The model, which moves to ``device``, and its card.
        device: The device to test.

    Returns:
        The largest difference, in 8-bit levels.

    Raises:
        ModelError: The card holds no self-test picture.
    """
    stored = stored_self_test(loaded.card)
    if stored is None:
        raise ModelError(f"The card of {loaded.card.name} holds no self-test result.", hint=_UNTRUSTED)
    rendered = self_test_picture(loaded.model.to(device)).flatten().cpu().int()
    return float((stored - rendered).abs().max())


def stored_self_test(card: ModelCard) -> Tensor | None:
    """Return the values of the card's self-test picture, int32 [height * width * 3]; None if it holds none."""
    try:
        values = torch.tensor(list(base64.b64decode(card.self_test)), dtype=torch.int32)
    except (TypeError, ValueError):  # Not base64: the same as none.
        return None
    return values if len(values) == SELF_TEST_GRID.rect.area * 3 else None


@torch.inference_mode()
def self_test_picture(model: Representation) -> Tensor:
    """Render :func:`self_test_frames` at x2.5 and t = 3/8: uint8 [30, 40, 3], RGB."""
    device = next(model.parameters()).device
    time = torch.full((1,), SELF_TEST_PHASE, device=device)
    picture = model.encode(self_test_frames().to(device)).render(SELF_TEST_GRID, [time])[0]
    return rgbx_from_tensor(picture[0].permute(1, 2, 0))[..., :3]


def self_test_frames() -> Tensor:
    """Return a small synthetic pair with motion: [1, 2, 3, 12, 16] in 0 ... 1."""
    x, y = torch.arange(16.0)[None, :], torch.arange(12.0)[:, None]
    waves = [
        torch.stack([torch.sin(0.7 * (x - shift) + k) * torch.cos(0.5 * y + k) for k in range(3)]) for shift in (0, 1.5)
    ]
    return (0.5 + 0.4 * torch.stack(waves))[None]


def _model_from_file(card: ModelCard) -> Representation:
    try:
        if card.path.stat().st_size > _MAX_WEIGHTS_BYTES:
            raise ModelError(
                f"The weights in {card.path} have more than {_MAX_WEIGHTS_BYTES >> 30} GiB.", hint=_UNTRUSTED
            )
        blob = card.path.read_bytes()
        tensors = load_tensors(blob)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"The weights in {card.path} cannot be read: {printable(str(error))}.", hint=_UNTRUSTED
        ) from error
    if hashlib.sha256(blob).hexdigest() != card.sha256:
        raise ModelError(f"The weights in {card.path} are not the ones their card describes.", hint=_UNTRUSTED)
    return _checked_model(card.config, tensors, card.path)


def _checked_model(config: Config, tensors: dict[str, Tensor], path: Path) -> Representation:
    """Build the model of ``config`` from ``tensors``: every name and shape must match, every value must be finite."""
    try:
        # With room for missing tensors: what is missing is named below.
        with parameters_limited(2 * sum(tensor.numel() for tensor in tensors.values()) + _SPARE_PARAMETERS):
            model = build(config)
    except TooManyParametersError:
        wrong = ["the model has more parameters than there are weights"]
    else:
        expected = model.state_dict()
        wrong = sorted(expected.keys() ^ tensors.keys()) or sorted(
            name for name, tensor in tensors.items() if not _fits(tensor, expected[name])
        )
    if wrong:
        shown = ", ".join(printable(name) for name in wrong[:3])
        raise ModelError(f"The weights in {path} do not fit their card: {shown} ...", hint=_UNTRUSTED)
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return model.eval().requires_grad_(False)


def _fits(tensor: Tensor, expected: Tensor) -> bool:
    return tensor.shape == expected.shape and tensor.dtype in _FLOATS and bool(tensor.isfinite().all())
