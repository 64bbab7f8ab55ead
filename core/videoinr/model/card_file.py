"""Reads the JSON of a model card. Cards of others are checked against the schema; the program's own are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import videoinr_resources

MAX_CARD_BYTES = 8 << 20


def check_sizes(data: dict[str, Any]) -> None:
    """Check the plain values of a model's configuration, with lists in place of tuples.

    Raises:
        ValueError: a value is missing, unknown, of another type or out of its limits.
    """
    # Imported here: the start of the program with a shipped model does without pydantic.
    from videoinr.model.card_schema import Sizes
    from videoinr.text.schemas import validated

    validated(Sizes, data)


def read_card_values(path: Path) -> dict[str, Any]:
    """Read the card in the JSON file ``path`` and check every value but those of its configuration.

    The cards in the package are code as the rest of it is, and the tests check them.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is too large, it is not JSON, or a value is missing, unknown or out of its limits.
    """
    with path.open("rb") as file:
        text = file.read(MAX_CARD_BYTES + 1)
    if len(text) > MAX_CARD_BYTES:
        raise ValueError(f"it is larger than {MAX_CARD_BYTES >> 20} MiB")
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("its values are nested too deeply") from None
    if path.parent != videoinr_resources.path("models"):
        check_card(data)
    values: dict[str, Any] = data
    return values


def check_card(data: Any) -> None:
    """Check the values of a card but for those of its configuration.

    Raises:
        ValueError: a value is missing, unknown, of another type or out of its limits.
    """
    from videoinr.model.card_schema import Card
    from videoinr.text.schemas import validated

    validated(Card, data)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a value of JSON")
