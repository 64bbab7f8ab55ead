"""The suffixes by which files in a folder count as videos or as pictures, for opening, training and evaluation."""

from __future__ import annotations

from pathlib import Path

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mkv", ".mov", ".webm", ".avi", ".ts", ".m2ts"),
    *(".mpg", ".mpeg", ".gif", ".y4m", ".mxf", ".ogv"),
)
"""Suffixes of video files, lower case. Any file can be opened; this table is for searching folders and for dialogs."""

PICTURE_SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".exr", ".hdr"),
    *(".dpx", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".pfm", ".qoi", ".tga", ".sgi"),
    *(".avif", ".heic", ".heif", ".jxl"),
)
"""Suffixes of pictures, lower case."""


def has_video_suffix(path: Path) -> bool:
    """Return whether the name of ``path`` is that of a video file; hidden files are none."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".")


def has_picture_suffix(path: Path) -> bool:
    """Return whether the name of ``path`` is that of a picture; hidden files are none."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
