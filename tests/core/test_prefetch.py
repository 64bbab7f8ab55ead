"""The pairs encoded ahead: in the direction of the last movement, within the clip, within the cache."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoinr.render.prefetch import AHEAD, BEHIND, Prefetch
from videoinr.types import Instant


def look(prefetch: Prefetch, *pairs: int) -> None:
    for pair in pairs:
        prefetch.note(Instant(pair, Fraction(1, 2)))


def plan(prefetch: Prefetch, encoded: set[int]) -> list[int]:
    """Return the pairs that are encoded until none is wanted, in order, with a cache that holds them all."""
    made: list[int] = []
    while (pair := prefetch.next_pair(encoded.__contains__)) is not None:
        encoded.add(pair)
        prefetch.note_encoded(pair, encoded.__contains__)
        made.append(pair)
    return made


@pytest.mark.parametrize(
    ("way", "expected"),
    [((9, 10), [11, 12, 9]), ((11, 10), [9, 8, 11]), ((10,), [11, 12, 9]), ((9, 10, 10), [11, 12, 9])],
)
def test_pairs_ahead_of_the_movement_come_before_those_behind(way: tuple[int, ...], expected: list[int]) -> None:
    prefetch = Prefetch(100)
    look(prefetch, *way)
    assert plan(prefetch, {10}) == expected


@given(st.integers(1, 6), st.lists(st.integers(0, 5), max_size=4), st.sets(st.integers(0, 5)))
def test_pairs_lie_within_the_clip_and_are_encoded_once(count: int, way: list[int], encoded: set[int]) -> None:
    prefetch = Prefetch(count)
    look(prefetch, *(min(pair, count - 1) for pair in way))
    before = set(encoded)
    made = plan(prefetch, encoded)
    assert len(made) == len(set(made)) <= 1 + AHEAD + BEHIND
    assert not set(made) & before
    assert all(0 <= pair < count for pair in made)
    assert bool(way) or not made


def test_no_pair_is_wanted_before_the_first_view() -> None:
    assert Prefetch(10).next_pair(lambda pair: False) is None


def test_the_end_of_the_clip_belongs_to_its_last_pair() -> None:
    prefetch = Prefetch(5)
    prefetch.note(Instant(4, Fraction(1)))
    assert plan(prefetch, set()) == [4, 3]


@pytest.mark.parametrize("room", [1, 2, 3])
def test_a_small_cache_keeps_the_pair_on_screen(room: int) -> None:
    prefetch, cache, made = Prefetch(100), [10], 0
    look(prefetch, 10)
    while (pair := prefetch.next_pair(cache.__contains__)) is not None:
        cache = [*cache, pair][-room:]
        prefetch.note_encoded(pair, cache.__contains__)
        made += 1
        assert made < 10, "it must not go round in circles"
    assert 10 in cache


def test_after_a_failure_nothing_is_encoded_ahead() -> None:
    prefetch = Prefetch(100)
    look(prefetch, 10)
    prefetch.give_up()
    assert prefetch.next_pair(lambda pair: False) is None
