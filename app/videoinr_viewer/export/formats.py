"""The formats that the export dialog offers: the codecs with a title, and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from videoinr.exporting.codecs import CODECS, Crf
from videoinr.exporting.picture_formats import PICTURES
from videoinr.exporting.picture_names import counted_out
from videoinr_viewer.style.language import tr


@dataclass(frozen=True, slots=True)
class Offered:
    """A format of the dialog.

    Attributes:
        name: by which a job names its codec.
        title: what the dialog shows.
        endings: the endings of its files; of pictures an empty one for a folder, and those of patterns.
        crf: its quality setting, if it has one.
        has_effort: whether it has a setting for the effort.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    crf: Crf | None = None
    has_effort: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether it writes pictures to a folder."""
        return not self.endings[0]

    def fitting(self, path: Path) -> Path:
        """Return ``path`` with an ending of this format; that of a pattern of pictures fits pictures alone."""
        if self.fits(path):
            return path
        # A pattern stands for the folder that it lies in.
        plain = path.parent if _is_pattern(path) else path
        return plain.with_suffix(self.endings[0])

    def fits(self, path: Path) -> bool:
        """Return whether ``path`` has an ending of this format, as it is."""
        ending = path.suffix.lower()
        return ending in self.endings and _is_pattern(path) == (self.is_folder and ending != "")


def _is_pattern(path: Path) -> bool:
    return "%" in counted_out(path).name


def offered() -> list[Offered]:
    """Return the formats, in the order of the dialog."""
    videos = [
        Offered(each.encoder, each.title, each.endings, each.crf, each.efforts is not None)
        for each in CODECS
        if each.title
    ]
    return videos + [Offered(each.name, tr(each.title), ("", *each.endings)) for each in PICTURES if each.is_offered]
