"""The page that is shown while no clip is open."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from helpers.stage import Stage


def test_the_sentences_have_the_height_that_their_font_needs(stage: Stage) -> None:
    """The style sheet, and with it the font, comes after the page was made."""
    labels = stage.viewer.window.findChildren(QLabel, "emptyHint")
    heights = [(label.height(), label.heightForWidth(label.width())) for label in labels if label.wordWrap()]
    assert len(heights) == 1
    assert heights[0][0] >= heights[0][1] > 0
