"""Schemas of files that people exchange (cards, recipes, checkpoints): sizes, types and limits, checked first.

pydantic is imported only here and in the modules that state a schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from videoinr.errors import InputError
from videoinr.text.plain import is_plain_line, printable


class Strict(BaseModel):
    """Base class of schemas: no conversions, no unknown keys, no infinite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


_Schema = TypeVar("_Schema", bound=BaseModel)


def _plain_line(text: str) -> str:
    if not is_plain_line(text):
        raise ValueError("must have no control characters and no line ends")
    return text


Line = Annotated[str, AfterValidator(_plain_line), Field(max_length=4096)]
"""One line of text that is safe to print."""
Name = Annotated[str, AfterValidator(_plain_line), Field(min_length=1, max_length=200)]


def validated(schema: type[_Schema], data: Any) -> _Schema:
    """Check plain values against a schema.

    Raises:
        ValueError: They do not fit. The message names the first value that is wrong, and says what is wanted.
    """
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise ValueError(_in_words(error)) from None


def content_of(path: Path, *, most_bytes: int, name: str = "") -> bytes:
    """Read a file of limited size.

    Args:
        path: the file.
        most_bytes: how large it may be.
        name: what an error calls it; otherwise its path.

    Returns:
        Its content; of a file that is too large, the first ``most_bytes`` + 1 bytes.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{name or path} cannot be read: {reason}.", hint="Check its name.") from error


def _in_words(error: ValidationError) -> str:
    errors = error.errors(include_url=False, include_input=False)
    place = _place(errors[0])
    first: Mapping[str, Any] = errors[0]
    same = [each for each in errors if _place(each) == place]
    if len(same) > 1:
        # A value that may be of several types: who gave one of them is told what is wrong with it.
        first = next((each for each in same if each["type"] not in _TYPES), {"type": "number_or_text"})
    return printable(f"{'.'.join(map(str, place))} {_plain(first)}".strip())


_TYPES = frozenset(("int_type", "int_from_float", "float_type", "string_type"))
_TAGS = frozenset(("int", "float", "str", "constrained-int", "constrained-float", "constrained-str"))
"""What pydantic calls the types of a value that may be of several."""


def _place(error: Mapping[str, Any]) -> tuple[int | str, ...]:
    """Return the keys and numbers that lead to a wrong value, without the type that was tried there."""
    place: tuple[int | str, ...] = error["loc"]
    return place[:-1] if len(place) > 1 and str(place[-1]).split("[")[-1].rstrip("]") in _TAGS else place


def _plain(error: Mapping[str, Any]) -> str:
    """Return pydantic's words in the words of this program: "must be a valid integer", "is missing"."""
    named = {
        "missing": "is missing",
        "extra_forbidden": "is unknown",
        "model_type": "must be an object of keys and values",
        "number_or_text": "must be a number or a text",
    }.get(error["type"])
    context = error.get("ctx", {})
    if error["type"] in ("too_short", "string_too_short"):
        least = context["min_length"]
        named = "must not be empty" if least == 1 else f"must have at least {least} values"
    elif error["type"] == "too_long":
        named = f"must have at most {context['max_length']} values"
    if named:
        return named
    message: str = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    message = message.replace("String should match pattern", "must match the pattern")
    return message[:1].lower() + message[1:]
