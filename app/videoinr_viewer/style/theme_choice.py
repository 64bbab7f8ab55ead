"""The themes by name. No Qt, so that the command line is read before anything heavy is imported."""

from __future__ import annotations

from enum import Enum


class Theme(Enum):
    """What the person chose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"
