"""Arguments from Python and the command line, made into curves and camera paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from videoinr.journey.camera import CameraPath
from videoinr.journey.curve import RetimeCurve, curve_from_text

CameraArgument = CameraPath | str | PathLike[str] | Sequence[Mapping[str, object]]


def as_curve(curve: RetimeCurve | str | None) -> RetimeCurve | None:
    """Return ``curve`` as a curve; UsageError if its text describes none."""
    return curve_from_text(curve) if isinstance(curve, str) else curve


def as_camera(camera: CameraArgument | None) -> CameraPath | None:
    """Return ``camera`` as a path: a camera file, JSON, or keyframes as plain values.

    Raises:
        UsageError: the keyframes make no path.
        InputError: the file cannot be read, or holds no path.
    """
    if camera is None or isinstance(camera, CameraPath):
        return camera
    from videoinr.journey.camera_file import path_from_text, path_from_values, read_camera

    if isinstance(camera, str):
        return path_from_text(camera)
    return read_camera(Path(camera)) if isinstance(camera, PathLike) else path_from_values(list(camera))
