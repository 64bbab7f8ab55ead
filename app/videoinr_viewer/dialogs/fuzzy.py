"""Fuzzy search: which texts hold the letters of a query in their order, and how well. No Qt."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

MOST_CHARS = 40
"""Longer queries are cut: no text of an action is as long."""
_LETTER, _FOLLOWS, _BEGINS_WORD, _BEGINS_TEXT = 1, 6, 5, 3
_NEVER = -(10**9)


@dataclass(frozen=True)
class Match:
    """How well a query fits a text, and the places of its letters in the text."""

    score: int
    places: tuple[int, ...]


def match(query: str, text: str) -> Match | None:
    """Return the best way to find the letters of ``query`` in ``text``, in their order; None if there is none.

    Letters that follow each other or begin a word count more. Case, accents and spaces of the query do not matter.
    """
    letters = [fold(char) for char in query if not char.isspace()][:MOST_CHARS]
    folded = [fold(char) for char in text]
    if not _holds(folded, letters):
        return None
    bonus = [_bonus(text, place) for place in range(len(text))]
    ends = [0] * (len(text) + 1)
    origins: list[list[int]] = []
    for number, letter in enumerate(letters):
        ends, origin = _extended(ends, folded, bonus, letter, is_first=number == 0)
        origins.append(origin)
    return Match(max(ends), _places(ends, origins)) if letters else Match(0, ())


def fold(char: str) -> str:
    """Return the letter that ``char`` is compared as: small, without an accent."""
    return unicodedata.normalize("NFKD", char.casefold())[0]


def _holds(folded: list[str], letters: list[str]) -> bool:
    rest = iter(folded)
    return all(letter in rest for letter in letters)


def _bonus(text: str, place: int) -> int:
    if not text[place].isalnum():
        return 0
    if place == 0:
        return _BEGINS_WORD + _BEGINS_TEXT
    return 0 if text[place - 1].isalnum() else _BEGINS_WORD


def _extended(
    ends: list[int], folded: list[str], bonus: list[int], letter: str, *, is_first: bool
) -> tuple[list[int], list[int]]:
    """Return the best scores of the letters so far and ``letter``, by the place of ``letter``, plus one.

    ``ends`` has those without it. The second list says for each place where the letter before was.
    """
    scores, origins = [_NEVER] * len(ends), [-1] * len(ends)
    best, best_at = _NEVER, -1
    for place, char in enumerate(folded):
        # ends[place] belongs to the letter before at place - 1: from here on it is before this place.
        if ends[place] > best:
            best, best_at = ends[place], place
        if char != letter or best == _NEVER:
            continue
        scores[place + 1], origins[place + 1] = best + _LETTER + bonus[place], best_at
        if not is_first and ends[place] != _NEVER and ends[place] + _FOLLOWS >= best:
            scores[place + 1], origins[place + 1] = ends[place] + _LETTER + _FOLLOWS + bonus[place], place
    return scores, origins


def _places(ends: list[int], origins: list[list[int]]) -> tuple[int, ...]:
    at, places = ends.index(max(ends)), []
    for origin in reversed(origins):
        places.append(at - 1)
        at = origin[at]
    return tuple(reversed(places))
