"""Words for settings whose value this program does not know; the automatic choice stands in for them."""

from __future__ import annotations

from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.language import tr


def words_for_strange(settings: Settings) -> str:
    """Return sentences that name what the file of the settings asks for in vain; empty as a rule."""
    sentences = {
        "theme": tr("The settings name a theme {name}, which there is not: the system's is used."),
        "language": tr("The settings name a language {name}, which there is not: the system's is used."),
    }
    return " ".join(
        words.format(name=settings.strange[key]) for key, words in sentences.items() if key in settings.strange
    )
