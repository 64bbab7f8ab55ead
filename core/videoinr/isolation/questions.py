"""What a helper process is asked: the path of a clip and how to read it, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from videoinr.clip.open_options import OpenOptions
from videoinr.colour import ColourSpec


def question_about(where: Path, options: OpenOptions, folder: str) -> dict[str, Any]:
    """Return the question for opening ``where``, which may be relative to ``folder``."""
    return {
        "where": str(where),
        "folder": folder,
        "options": asdict(options) | {"picture_fps": str(options.picture_fps)},
    }


def asked_for(question: Mapping[str, Any]) -> tuple[Path, OpenOptions]:
    """Return the path and the options of a question."""
    values = dict(question["options"])
    fps, colour = Fraction(values.pop("picture_fps")), values.pop("colour")
    spec = None if colour is None else ColourSpec(**{**colour, "guessed": tuple(colour["guessed"])})
    return Path(question["where"]), OpenOptions(colour=spec, picture_fps=fps, **values)
