"""Every format with clips of all kinds, read by the system's FFmpeg; VIDEOINR_WHOLE_TABLE=1 runs the whole table."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from helpers.export_table import COLOURS, FORMATS, Row, all_rows, export_row, faults_of, some_rows, write_source

ROWS = list(all_rows() if os.environ.get("VIDEOINR_WHOLE_TABLE") else some_rows())


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.mark.skipif(not (shutil.which("ffprobe") and shutil.which("ffmpeg")), reason="needs ffprobe and ffmpeg")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_export_is_read_right_by_another_program(tmp_path: Path, sources: Path, row: Row) -> None:
    source = sources / f"{row.source}.mov"
    if not source.exists():
        write_source(row, source)
    assert faults_of(row, source, export_row(row, source, tmp_path)) == []


def test_the_short_table_has_all_pairs_of_a_clips_properties() -> None:
    kinds = [(row.bits, row.colour, row.is_variable, row.rotation, row.aspect) for row in some_rows()]
    for first in range(5):
        for second in range(first):
            found = {(kind[first], kind[second]) for kind in kinds}
            assert len(found) == len({kind[first] for kind in kinds}) * len({kind[second] for kind in kinds})
    assert {row.colour for row in some_rows()} == set(COLOURS)
    assert {(row.name, row.codec) for row in some_rows()} == set(FORMATS)
