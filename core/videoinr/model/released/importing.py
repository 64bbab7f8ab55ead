"""Converts a released .pth file to a model of this program: a weights file and a card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from videoinr.errors import InputError, ModelError, OutputExistsError, UsageError
from videoinr.model.config import PAPER
from videoinr.model.released.config import ReleasedConfig
from videoinr.model.released.names import encoder_names, head_names, unused_names
from videoinr.model.released.network import ReleasedVideoINR
from videoinr.model.released.reader import KNOWN_BLOB, git_blob_hash, read_tensors
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import ModelCard, save_model
from videoinr.text.plain import is_plain_line, printable

ZOOMING_SLOWMO, VIDEO_INR = "Zooming SlowMo", "VideoINR"
_DEFAULT_NAMES = {VIDEO_INR: "official", ZOOMING_SLOWMO: "zooming-slowmo"}
_PREFIX = "module."
_SHOWN = 3
_MAX_NAME_CHARS = 100
_HINT = "Only files that VideoINR's or Zooming SlowMo's authors released, or of the same layers, can be imported."


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import.

    Attributes:
        source: Whose network it is, :data:`VIDEO_INR` or :data:`ZOOMING_SLOWMO`.
        known: Whether the file is the published one; None where no published file is known.
        blob: The file's hash, as ``git hash-object`` computes it.
        tensors: How many tensors the file holds.
        unused: How many of them the model does not use.
        card: The card of the model that was written.
    """

    source: str
    known: bool | None
    blob: str
    tensors: int
    unused: int
    card: ModelCard


def import_checkpoint(path: Path, *, name: str | None = None, folder: Path, corrected: bool = False) -> Imported:
    """Convert a released file to ``folder``/``name``.safetensors and its card.

    VideoINR's file becomes a :class:`ReleasedVideoINR`. Zooming SlowMo's file becomes the paper's model with that
    encoder and untrained heads, to start a training from.

    Args:
        path: The released .pth file.
        name: The model's name; without it, a name by the kind of the file.
        folder: Where the model is written.
        corrected: Correct the positions at which the released network reads (see lattice.py).

    Returns:
        What was found in the file, and the card of the model.

    Raises:
        ModelError: The file is damaged, or is not one of the two networks.
        UsageError: The name is not usable, a file of that name exists, or there is nothing to correct.
        ExportError: The disk is full.
    """
    config = ReleasedConfig(corrected=corrected)
    tensors = {each.removeprefix(_PREFIX): tensor for each, tensor in read_tensors(path).items()}
    heads = head_names(config)
    source = VIDEO_INR if tensors.keys() & heads.keys() else ZOOMING_SLOWMO
    if source == ZOOMING_SLOWMO and corrected:
        raise UsageError(f"{path} is an encoder, which needs no correction.", hint="Leave --corrected out.")
    names = encoder_names(config) | (heads if source == VIDEO_INR else {})
    weights = _renamed(tensors, names, path, source)
    target = _target(folder, name or (_DEFAULT_NAMES[source] + ("-corrected" if corrected else "")))
    model = _with_weights(ReleasedVideoINR(config) if source == VIDEO_INR else _untrained(), weights, names, path)
    blob = git_blob_hash(path)
    known = blob == KNOWN_BLOB if source == VIDEO_INR else None
    facts = _facts(source, corrected=corrected, file=path.name, blob=blob, known=known)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}.", hint="Choose another --out.") from error
    card = save_model(model, target, dtype=torch.float32, replace=False, name=target.stem, **facts)
    return Imported(source, known, blob, len(tensors), len(tensors) - len(names), card)


def _target(folder: Path, name: str) -> Path:
    if Path(name).name != name or not is_plain_line(name) or len(name) > _MAX_NAME_CHARS:
        raise UsageError(f"{name!r} cannot be a model's name.", hint="Take a plain word; --out says where it goes.")
    target = folder / f"{name}.safetensors"
    for taken in (target, target.with_suffix(".json")):
        if taken.exists():
            raise OutputExistsError(f"There is already a file {taken}.", hint="Choose another --name or --out.")
    return target


def _renamed(tensors: dict[str, Tensor], names: dict[str, str], path: Path, source: str) -> dict[str, Tensor]:
    """Return the tensors of ``names`` under their names in this program; no other tensors may be there."""
    missing = [name for name in names if name not in tensors]
    extra = sorted(tensors.keys() - names.keys() - set(unused_names()))
    if missing or extra:
        told = [_listed(which, each) for which, each in (("missing", missing), ("unknown", extra)) if each]
        raise ModelError(
            f"{path} does not have the layers of the released {source}: of {len(tensors)} tensors, {'; '.join(told)}.",
            hint=_HINT,
        )
    return {ours: tensors[released] for released, ours in names.items()}


def _listed(which: str, names: list[str]) -> str:
    return f"{len(names)} {which} ({', '.join(map(printable, names[:_SHOWN]))}{', ...' if len(names) > _SHOWN else ''})"


def _with_weights(
    model: VideoINR | ReleasedVideoINR, weights: dict[str, Tensor], names: dict[str, str], path: Path
) -> VideoINR | ReleasedVideoINR:
    expected = model.state_dict()
    released = {ours: name for name, ours in names.items()}
    for problem, wrong in (
        ("of another shape", (name for name, tensor in weights.items() if tensor.shape != expected[name].shape)),
        ("not finite", (name for name, tensor in weights.items() if not tensor.isfinite().all())),
    ):
        if found := [released[name] for name in wrong]:
            raise ModelError(f"{path} cannot be used: {_listed(problem, found)}.", hint=_HINT)
    model.load_state_dict({**expected, **{name: tensor.float() for name, tensor in weights.items()}})
    return model.eval().requires_grad_(False)


def _untrained() -> VideoINR:
    """Return the paper's model with seeded weights, the same at every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return VideoINR(PAPER)


def _facts(source: str, *, corrected: bool, file: str, blob: str, known: bool | None) -> dict[str, Any]:
    """Return the fields of the card that the model does not tell."""
    conventions = "conventions corrected" if corrected else "conventions as released"
    released = source == VIDEO_INR
    return {
        "description": f"VideoINR as its authors released it, {conventions}"
        if released
        else "Zooming SlowMo's encoder in the paper's model; its heads are untrained: to start a training from",
        # The scales of the authors' training: U(2, 4), after x4 only; for Zooming SlowMo x4 only.
        "trained_scales": (2.0, 4.0) if released else (4.0, 4.0),
        "training": {
            "imported_from": file,
            "git_blob": blob,
            "published_file": known,
            "notes": f"trained by {source}'s authors, whose terms hold for it; not by this project",
        },
        "metrics": {},
        "protocol": "nothing was measured here",
    }
