"""How the open clip is read and rendered: model, device and the options of reading, which the user may change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from videoinr.types import AcrossCuts

if TYPE_CHECKING:
    from videoinr.clip.open_options import OpenOptions


@dataclass(frozen=True)
class Reading:
    """One choice. None: the default model, the fastest device, the stream that a player would show.

    ``cuts``: what the user says about the clip's cuts; it belongs to this clip alone.
    """

    model: str | None = None
    device: str | None = None
    stream: int | None = None
    background: str = "black"
    deinterlace: str = "auto"
    across_cuts: AcrossCuts = AcrossCuts.HOLD
    cuts: str = ""

    def options(self) -> OpenOptions:
        """Return the options of reading; raises UsageError if one of them makes no sense."""
        # Imported here: the start of the program does without the readers.
        from videoinr.clip.open_options import OpenOptions

        return OpenOptions(
            stream=self.stream, background=self.background, deinterlace=self.deinterlace, cuts=self.cuts
        )  # fmt: skip


class ReadingChoice:
    """The present choice. Any thread may read :attr:`current`; the GUI thread changes it. ``proven``: the open clip's.

    ``first``: the command line's. ``is_remembered``: the present choice comes from a file of settings or a project, so
    that its model and device may be gone. ``memory_bytes``: the budget of the engine's caches; None: chosen by the
    device. ``tell``: called on any thread but the window's with what takes long while a clip opens, in words. A choice
    with which no clip could be opened is taken back: see :meth:`revert`.
    """

    def __init__(self, first: Reading) -> None:
        self.first = self.current = self.proven = first
        self.is_remembered = False
        self.memory_bytes: int | None = None
        self.tell: Callable[[str], None] = lambda _words: None
        self._used = (first, first)

    def choose(self, reading: Reading, *, is_remembered: bool = False) -> None:
        """Read with ``reading`` from the next opening on."""
        self.current, self.is_remembered = reading, is_remembered

    def note_used(self, asked: Reading, used: Reading) -> None:
        """Note, on any thread, that a clip was opened with ``used`` where ``asked`` was wanted."""
        self._used = (asked, used)

    def prove(self) -> None:
        """Keep the choice that a clip was opened with."""
        asked, used = self._used
        if asked == self.current:
            self.current = used
        self.proven = self.current

    def revert(self) -> None:
        """Return to the choice that the open clip was opened with."""
        self.current = self.proven
