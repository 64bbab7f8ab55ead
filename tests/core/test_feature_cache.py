"""The feature cache: a budget in bytes, and the least recently used pairs make room."""

from __future__ import annotations

import torch

from helpers.tiny_model import tiny_video_inr
from videoinr.model.features import PairFeatures
from videoinr.render.feature_cache import FeatureCache
from videoinr.types import PairKey


def key(pair: int, clip: str = "clip") -> PairKey:
    return PairKey(clip, pair)


def features(values: int) -> PairFeatures:
    """Of 4 bytes for each of ``values``."""
    nothing = torch.empty(0)
    return PairFeatures(torch.zeros(values), nothing, nothing, nothing, nothing, nothing, tiny_video_inr())


def held(cache: FeatureCache, pairs: int) -> list[int]:
    return [pair for pair in range(pairs) if key(pair) in cache]


def test_put_features_are_found_by_their_key() -> None:
    cache, one = FeatureCache(1000), features(10)
    cache.put(key(0), one)
    assert cache.get(key(0)) is one
    assert cache.get(key(1)) is None
    assert cache.get(key(0, "another clip")) is None
    assert key(0) in cache
    assert key(1) not in cache


def test_the_pairs_used_least_recently_are_spared_first() -> None:
    cache = FeatureCache(1000)
    for pair in range(3):
        cache.put(key(pair), features(10))
    cache.get(key(0))
    left = list[list[int]]()
    while cache.spare():
        left.append(held(cache, 3))
    assert left == [[0, 2], [0], []]


def test_the_budget_counts_bytes() -> None:
    cache = FeatureCache(400)
    for pair, values in enumerate((10, 20, 30, 40)):  # 40, 80, 120 and 160 bytes: 400 in all.
        cache.put(key(pair), features(values))
    assert held(cache, 4) == [0, 1, 2, 3]
    cache.put(key(4), features(20))
    assert held(cache, 5) == [2, 3, 4]


def test_the_least_recently_used_pair_makes_room() -> None:
    cache = FeatureCache(120)
    for pair in range(3):
        cache.put(key(pair), features(10))
    cache.get(key(0))
    cache.put(key(3), features(10))
    assert held(cache, 4) == [0, 2, 3]


def test_a_membership_test_does_not_count_as_use() -> None:
    cache = FeatureCache(80)
    cache.put(key(0), features(10))
    cache.put(key(1), features(10))
    assert key(0) in cache
    cache.put(key(2), features(10))
    assert held(cache, 3) == [1, 2]


def test_the_newest_pair_stays_even_if_larger_than_the_budget() -> None:
    for budget in (0, 100):
        cache = FeatureCache(budget)
        cache.put(key(0), features(5))
        large = features(1000)
        cache.put(key(1), large)
        assert cache.get(key(1)) is large
        cache.put(key(2), features(25))
        assert key(2) in cache
        assert key(1) not in cache


def test_putting_a_pair_again_replaces_it() -> None:
    cache, new = FeatureCache(100), features(20)
    cache.put(key(0), features(10))
    cache.put(key(0), new)
    assert cache.get(key(0)) is new
    cache.put(key(1), features(5))
    assert held(cache, 2) == [0, 1]


def test_clear_drops_all_pairs() -> None:
    cache = FeatureCache(100)
    cache.put(key(0), features(10))
    cache.clear()
    assert cache.get(key(0)) is None
