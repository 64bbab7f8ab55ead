"""What a user says about cuts, as one text: ``12,-40`` means that pair 12 is a cut, and pair 40 is none.

Pair k lies between frames k and k + 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from videoinr.errors import UsageError
from videoinr.text.plain import printable

MOST_EDITS = 5000
_EDIT = re.compile(r"(-?)([0-9]{1,9})")


def edits_from_text(text: str) -> dict[int, bool]:
    """Return the pairs that ``text`` names, and whether each is a cut; of two words on a pair, the last counts.

    Raises:
        UsageError: ``text`` is no list of pairs.
    """
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    found = [_EDIT.fullmatch(word) for word in words]
    if len(words) > MOST_EDITS or not all(found):
        raise UsageError(
            f"'{printable(text)}' is no list of cuts.", hint="Write pairs, with a minus those that are no cut: 12,-40."
        )
    return {int(each[2]): not each[1] for each in found if each is not None}


def text_of_edits(edits: Mapping[int, bool]) -> str:
    """Return the text that stands for ``edits``, its pairs in order."""
    return ",".join(str(pair) if edits[pair] else f"-{pair}" for pair in sorted(edits))
