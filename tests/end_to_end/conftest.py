"""What the end-to-end tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.fork_server import ForkServer, fork_server


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """Return what runs commands in processes of their own."""
    with fork_server(tmp_path_factory.mktemp("forks")) as server:
        yield server
