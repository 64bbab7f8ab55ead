"""The folder of compiled code, where the usual one cannot be used."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from videoinr.model import code_folder
from videoinr.model.code_folder import private_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make new folders in a folder of the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    code_folder._new_folder.cache_clear()
    yield folder
    code_folder._new_folder.cache_clear()


def test_a_process_makes_one_new_folder_for_each_name(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = temporary.parent / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    made = [private_folder(name) for name in ("cuda", "cuda", "native")]
    assert made[0] == made[1]
    assert sorted(temporary.iterdir()) == sorted({*made})


def test_a_user_without_a_home_gets_a_new_folder(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    assert private_folder("cuda").parent == temporary
