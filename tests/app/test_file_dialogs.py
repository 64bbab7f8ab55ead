"""The file dialogs."""

from __future__ import annotations

import re

from videoinr.clip.suffixes import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from videoinr_viewer.dialogs.files import open_filter


def test_the_open_dialog_offers_all_suffixes_that_the_engine_lists() -> None:
    videos, pictures, projects, everything = open_filter().split(";;")
    for entry, suffixes in ((videos, VIDEO_SUFFIXES), (pictures, PICTURE_SUFFIXES)):
        inside = re.search(r"\((.*)\)", entry)
        assert inside is not None
        assert inside[1].split() == [f"*{suffix}" for suffix in suffixes]
    assert projects == "Projects (*.vinr)"
    assert everything == "All files (*)"
