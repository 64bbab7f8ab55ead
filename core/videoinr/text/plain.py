"""Text that is safe to show: one line, without control characters."""

from __future__ import annotations

import unicodedata

_SHOWN_CHARS = 200
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the order in which a text is shown."""


def is_plain_line(text: str) -> bool:
    """Return whether ``text`` can be shown on one line: no control characters, no line ends, no change of direction."""
    return not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in _BIDIRECTIONAL for char in text)


def printable(text: str) -> str:
    """Return ``text``, cut to a line that is safe to print."""
    cut = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "..."
    return "".join(char if is_plain_line(char) else "\N{REPLACEMENT CHARACTER}" for char in cut)
