"""Translates the engine's messages, which are English sentences with names and numbers in them. No Qt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from videoinr_resources import path as resource_path

GAP = "…"
"""Stands for a name or a number, in a message and in its translation; their order is the same."""
NUMBER = "№"
"""The same for a whole number alone, so that "№ frames" is none of a file's name."""
_MOST_DEPTH = 4
_GAPS = re.compile(f"([{GAP}{NUMBER}])")
_DECIMAL = re.compile(r"[x×]?-?\d+(\.)\d+(?:e[-+]\d+)?(?: [^\W\d_]+)?")
"""What a gap holds that is a decimal number, with or without its unit: 2.5, x1.25, 1.6 GB."""
_QUOTES = ("“", "'")


@dataclass(frozen=True)
class _Pattern:
    expression: re.Pattern[str]
    pieces: tuple[str, ...]
    """The translation around its gaps."""
    quoted: tuple[bool, ...]
    """Whether each gap stands between quotation marks: it is a name then, or what was typed."""


class EngineWords:
    """The translations of ``messages``, errors and warnings, and of ``phrases``, which stand in the gaps of others.

    ``point``: the decimal point of the language.
    """

    def __init__(self, messages: Mapping[str, str], phrases: Mapping[str, str], point: str = ".") -> None:
        self._messages, self._phrases, self._point = messages, phrases, point

    def translate(self, text: str) -> str | None:
        """Return the translation of a message, a hint or a sentence; None if there is none."""
        return self._filled(text, self._all, _MOST_DEPTH)

    def _filled(self, text: str, patterns: Iterable[_Pattern], depth: int) -> str | None:
        for pattern in patterns:
            if found := pattern.expression.fullmatch(text):
                gaps = [
                    gap if is_quoted else self._gap(gap, depth - 1)
                    for gap, is_quoted in zip(found.groups(), pattern.quoted, strict=True)
                ]
                return "".join(one for pair in zip(pattern.pieces, [*gaps, ""], strict=True) for one in pair)
        return None

    def _gap(self, text: str, depth: int) -> str:
        parts = text.split("; ") if depth > 0 else []
        translated = [self._filled(part, self._small, depth) or self._number(part) for part in parts]
        return "; ".join(translated) if parts else self._number(text)

    def _number(self, text: str) -> str:
        """Return a decimal number as the language writes it; other texts as they are."""
        found = _DECIMAL.fullmatch(text)
        return text[: found.start(1)] + self._point + text[found.end(1) :] if found else text

    @cached_property
    def _all(self) -> list[_Pattern]:
        return _compiled({**self._messages, **self._phrases})

    @cached_property
    def _small(self) -> list[_Pattern]:
        return _compiled(self._phrases)


def engine_words(language: str) -> EngineWords:
    """Return the translations into ``language``, one of the window's languages but English."""
    words: dict[str, dict[str, str]] = json.loads(resource_path(f"languages/{language}.engine.json").read_text("utf-8"))
    point = words.get("numbers", {}).get(".", ".")
    return EngineWords({**words["messages"], **words["warnings"]}, words["phrases"], point)


def _compiled(words: Mapping[str, str]) -> list[_Pattern]:
    """Return the patterns, those with the most words of their own first: they say more than those of gaps."""
    order = sorted(words, key=lambda text: len(_GAPS.sub("", text)), reverse=True)
    return [
        _Pattern(re.compile(_expression(text), re.DOTALL), tuple(_GAPS.split(words[text])[::2]), _quoted(text))
        for text in order
    ]


def _quoted(text: str) -> tuple[bool, ...]:
    return tuple(before.endswith(_QUOTES) for before in _GAPS.split(text)[:-1:2])


def _expression(text: str) -> str:
    gaps = {GAP: "(.+?)", NUMBER: r"(\d+)"}
    return "".join(gaps.get(part) or re.escape(part) for part in _GAPS.split(text))
