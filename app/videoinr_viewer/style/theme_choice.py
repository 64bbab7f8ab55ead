"""The names of the themes. No Qt: the command line is parsed before Qt is imported."""

from __future__ import annotations

from enum import Enum


class Theme(Enum):
    """The theme that the user chose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"
