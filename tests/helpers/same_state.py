"""Comparing training states."""

from __future__ import annotations

from typing import Any

import torch


def assert_same(one: Any, other: Any) -> None:
    """Assert that two states are equal bit for bit, through dictionaries and lists."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        for each, another in zip(one, other, strict=True):
            assert_same(each, another)
    else:
        assert one == other
