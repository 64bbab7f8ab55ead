"""Arguments from Python and the command line, made into curves and camera paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from os import PathLike
from pathlib import Path

import numpy as np

from videoinr.errors import UsageError
from videoinr.journey.camera import CameraPath, Easing
from videoinr.journey.curve import Place, RetimeCurve, curve_from_text, depends_on_clip

CameraArgument = CameraPath | str | PathLike[str] | Sequence[Mapping[str, object]]


def as_curve(curve: RetimeCurve | str | None, place: Place | None = None) -> RetimeCurve | None:
    """Return ``curve`` as a curve; UsageError if it is none, or its text describes none.

    ``place``: where the clip has a time that is not given in seconds; None: there is no clip.
    """
    if curve is None or isinstance(curve, RetimeCurve):
        return curve
    if not isinstance(curve, str):
        raise UsageError(f"retime = {curve!r} is no curve.", hint='Give its points as a text: "0=0 1=1~1/2 3=3/2".')
    return curve_from_text(curve, place)


def curve_ahead(curve: RetimeCurve | str | None) -> RetimeCurve | str | None:
    """Return ``curve`` as a curve before there is a clip; a text that depends on the clip stays, its words checked."""
    return curve if isinstance(curve, str) and depends_on_clip(curve) else as_curve(curve)


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
    if isinstance(camera, PathLike):
        return read_camera(Path(camera))
    if not isinstance(camera, Sequence):
        raise UsageError(f"camera = {camera!r} is no path.", hint="Give a list of keyframes, or a camera file.")
    return path_from_values([_plain(keyframe) for keyframe in camera])


def _plain(value: object) -> object:
    """Return ``value`` as a camera file has it: tuples and arrays as lists, fractions and numbers of NumPy as texts."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray) and not value.ndim:
        return _plain(value[()])
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    if isinstance(value, Easing):
        return value.value
    # A float32 means the decimal that it prints, as everywhere.
    return str(value) if isinstance(value, Fraction | np.number) else value
