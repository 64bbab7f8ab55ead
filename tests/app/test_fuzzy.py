"""Fuzzy search of texts."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoinr_viewer.dialogs.fuzzy import fold, match

LETTERS = st.text(alphabet="abä -Z", max_size=9)


def test_letters_of_words_are_found_in_their_order() -> None:
    found = match("nsf", "Next source frame")
    assert found is not None
    assert found.places == (0, 5, 12)
    assert match("fsn", "Next source frame") is None


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("zoom", "Zoom in", "A zone of many rooms"),
        ("cl", "Clear marks", "Next control"),
        ("mark", "Mark in", "Remarkable"),
    ],
)  # fmt: skip
def test_better_fits_score_higher(query: str, better: str, worse: str) -> None:
    first, second = match(query, better), match(query, worse)
    assert first is not None
    assert second is None or first.score >= second.score


def test_case_accents_and_spaces_do_not_matter() -> None:
    assert match("O F", "Öffnen") == match("of", "Öffnen") == match("ÖF", "Öffnen")


def test_an_empty_query_fits_all() -> None:
    found = match(" ", "anything")
    assert found is not None
    assert found.places == ()


@given(LETTERS, LETTERS)
def test_places_hold_the_letters_and_no_choice_of_places_is_better(query: str, text: str) -> None:
    letters = [fold(char) for char in query if not char.isspace()]
    fits = [
        places
        for places in combinations(range(len(text)), len(letters))
        if [fold(text[place]) for place in places] == letters
    ]
    found = match(query, text)
    assert (found is None) == (not fits)
    if found is not None and letters:
        assert found.places in fits
        assert found.score == score_of(text, found.places) == max(score_of(text, places) for places in fits)


def score_of(text: str, places: tuple[int, ...]) -> int:
    """The rule: 1 a letter, 6 if it follows the letter before, 5 if it begins a word, 3 if it begins the text."""
    score = 0
    for number, place in enumerate(places):
        begins = text[place].isalnum() and (place == 0 or not text[place - 1].isalnum())
        score += 1 + 6 * (number > 0 and places[number - 1] == place - 1) + 5 * begins + 3 * (begins and place == 0)
    return score
