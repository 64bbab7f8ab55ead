"""``videoinr models``: the models that ship with the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from videoinr.commands.options import JsonOption
from videoinr.commands.screen import show_json, show_table

if TYPE_CHECKING:
    from videoinr.model.weights import ModelCard


def models(as_json: JsonOption = False) -> None:
    """List the models that ship with the program, and what they are worth."""
    from videoinr.model.weights import shipped_models

    cards = shipped_models()
    if as_json:
        show_json([_facts(card) for card in cards])
    else:
        header = ("name", "parameters", "trained for", "what it is")
        show_table("", header, [(card.name, _millions(card), _scales(card), card.description) for card in cards])


def _facts(card: ModelCard) -> dict[str, object]:
    facts = card.to_dict()
    del facts["self_test"]  # Kilobytes of base64 that only the doctor reads.
    return {**facts, "path": card.path}


def _millions(card: ModelCard) -> str:
    return f"{card.parameters / 1e6:.2f} M"


def _scales(card: ModelCard) -> str:
    least, most = card.trained_scales
    return f"x{least:g}" if least == most else f"x{least:g} to x{most:g}"
