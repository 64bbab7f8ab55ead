"""Schemas of files that people exchange (cards, recipes, checkpoints): types and limits, checked before anything else.

pydantic is imported only here and in the modules that state a schema.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from videoinr.text.plain import is_plain_line, printable


class Strict(BaseModel):
    """Base class of schemas: no conversions, no unknown keys, no infinite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


_Schema = TypeVar("_Schema", bound=BaseModel)


def _plain_line(text: str) -> str:
    if not is_plain_line(text):
        raise ValueError("control characters and line ends are not allowed")
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


def _in_words(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    words = what[:1].lower() + what[1:]
    return printable(f"{where}: {words}" if where else words)
