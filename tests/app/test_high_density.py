"""The pixels of the screen at two physical pixels for each logical one: Qt takes the density when it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
EXACT = (
    "test_compare_modes.py::test_a_wipe_shows_the_reference_left_of_its_line_and_the_decoded_picture_right_of_it",
    "test_compare_modes.py::test_side_by_side_shows_the_same_place_twice",
    "test_compare_modes.py::test_a_difference_shows_the_difference_times_the_gain",
    "test_picture.py::test_a_decoded_picture_is_drawn_without_resampling",
)
TRUE = (
    "test_pixel_truth.py::test_the_canvas_is_what_the_command_line_decodes",
    "test_pixel_truth.py::test_both_halves_of_a_comparison_are_true",
)
"""With the real engine, which takes longer: at one density."""


@pytest.mark.parametrize("density", ["1.25", "2"])
@pytest.mark.long
def test_pictures_and_comparisons_are_exact_at_another_density(density: str) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": density}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        *(str(HERE / one) for one in (*EXACT, *(TRUE if density == "2" else ()))),
    ]
    done = subprocess.run(command, cwd=HERE.parents[1], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
