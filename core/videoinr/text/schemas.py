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
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return printable(f"{where} {_plain(first)}".strip())


def _plain(error: Mapping[str, Any]) -> str:
    """Return pydantic's words in the words of this program: "must be a valid integer", "is missing"."""
    named = {"missing": "is missing", "extra_forbidden": "is unknown"}.get(error["type"])
    message: str = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return named or message[:1].lower() + message[1:]
