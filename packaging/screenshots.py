"""Saves pictures of every panel and mode of the window: both themes, two pixel densities, German, small and large.

python packaging/screenshots.py FOLDER [CLIP]

FOLDER gets a folder of pictures for each variant, and beside each a sheet of them all. The screen is as large as the
window.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter

import videoinr_resources

COLUMNS, CELL, GAP_PX = 4, QSize(480, 320), 26


@dataclass(frozen=True)
class Variant:
    """One appearance of the window. ``density``: physical pixels for each logical one."""

    theme: str
    size: str = "1280x800"
    density: int = 1
    language: str = "en"

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.theme}-{self.size}-{self.density}x-{self.language}"

    @property
    def screen(self) -> dict[str, object]:
        """A screen of this size, for the offscreen platform."""
        width, height = (int(side) * self.density for side in self.size.split("x"))
        return {"name": "one", "x": 0, "y": 0, "width": width, "height": height, "logicalDpi": 96,
                "logicalBaseDpi": 96, "dpr": 1}  # fmt: skip


VARIANTS = (
    Variant("dark"),
    Variant("light"),
    Variant("dark", density=2),
    Variant("light", density=2),
    Variant("dark", language="de"),
    Variant("light", "640x400"),
    Variant("dark", "640x400", language="de"),
    Variant("dark", "1900x1150"),
    Variant("light", "1900x1150", language="de"),
)


def save(variant: Variant, clip: Path | None, folder: Path) -> None:
    """Let the viewer save its pictures in ``folder``; without a clip those of the first page."""
    view = ["--theme", variant.theme, "--size", variant.size, "--language", variant.language, "--device", "cpu"]
    opened = [] if clip is None else [str(clip), "--at", "0.54", "--model", "lite"]
    with tempfile.TemporaryDirectory() as place:
        screens = Path(place) / "screens.json"
        screens.write_text(json.dumps({"screens": [variant.screen]}))
        platform = f"offscreen:configfile={screens}"
        subprocess.run(
            [sys.executable, "-m", "videoinr_viewer.main", *opened, "--screenshot", str(folder), *view],
            check=True, env={**os.environ, "QT_QPA_PLATFORM": platform, "QT_SCALE_FACTOR": str(variant.density),
                             "XDG_CONFIG_HOME": place},
        )  # fmt: skip


def sheet(pictures: list[Path], out: Path) -> None:
    """Save all ``pictures``, reduced, with their names."""
    rows = -(-len(pictures) // COLUMNS)
    cell = CELL + QSize(10, GAP_PX)
    paper = QImage(COLUMNS * cell.width(), rows * cell.height(), QImage.Format.Format_RGB32)
    paper.fill(QColor("#808080"))
    painter = QPainter(paper)
    painter.setPen(QColor("#ffffff"))
    for index, path in enumerate(pictures):
        corner = QPoint(index % COLUMNS * cell.width() + 5, index // COLUMNS * cell.height())
        painter.drawText(QRect(corner, QSize(CELL.width(), GAP_PX)), Qt.AlignmentFlag.AlignVCenter, path.stem)
        picture = QImage(str(path))
        if picture.width() > CELL.width() or picture.height() > CELL.height():
            keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            picture = picture.scaled(CELL, keep, smooth)
        picture.setDevicePixelRatio(1)
        painter.drawImage(corner + QPoint(0, GAP_PX), picture)
    painter.end()
    paper.save(str(out))


def main() -> None:
    """Read the command line, and save the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("clip", nargs="?", type=Path, default=videoinr_resources.path("demo/demo.mp4"))
    parser.add_argument("--only", default="", help="the variants whose names contain this")
    options = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = QGuiApplication([])
    for variant in VARIANTS:
        if options.only in variant.name:
            folder = options.folder / variant.name
            folder.mkdir(parents=True, exist_ok=True)
            for clip in (None, options.clip):
                save(variant, clip, folder)
            sheet(sorted(folder.glob("*.png")), options.folder / f"{variant.name}.png")
            print(f"Saved {options.folder / variant.name}.png")
    del app


if __name__ == "__main__":
    main()
