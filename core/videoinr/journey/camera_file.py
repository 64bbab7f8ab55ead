"""Camera files: a camera path as JSON. They come from other people too, so types and limits are checked first.

{"videoinr_camera": 1, "keyframes": [{"time": "0", "centre": [160, 90], "zoom": 1}, {"time": "3/2", ...}]}
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from videoinr.errors import InputError, UsageError
from videoinr.journey.camera import MOST_DENOMINATOR, MOST_KEYFRAMES, CameraPath, Easing, Keyframe
from videoinr.text import parsing
from videoinr.text.clip_time import clip_seconds
from videoinr.text.schemas import Name, Strict, content_of, validated

_MOST_BYTES = 1 << 20

_Number = Annotated[int, Field(ge=-(10**6), le=10**6)] | Annotated[float, Field(ge=-1e6, le=1e6)] | Name


class KeyframeValues(Strict):
    """A keyframe in a file; times, places and zooms are numbers, or texts as on the command line."""

    time: _Number
    centre: Annotated[list[_Number], Field(min_length=2, max_length=2)]
    zoom: _Number
    easing: Literal["smooth", "linear", "hold"] = "smooth"


Keyframes = Annotated[list[KeyframeValues], Field(min_length=1, max_length=MOST_KEYFRAMES)]


class _CameraFile(Strict):
    videoinr_camera: Literal[1]
    keyframes: Keyframes


class _KeyframeList(Strict):
    keyframes: Keyframes


def path_from_values(keyframes: list[Any]) -> CameraPath:
    """Return the path of ``keyframes``, as :attr:`~videoinr.journey.camera.CameraPath.values` gives them.

    Raises:
        UsageError: they make no path.
    """
    try:
        checked = validated(_KeyframeList, {"keyframes": keyframes}).keyframes
    except ValueError as error:
        hint = 'A keyframe is {"time": 0, "centre": [160, 90], "zoom": 2}.'
        raise UsageError(f"This is no camera path: {error}.", hint=hint) from None
    return CameraPath(tuple(_keyframe(one) for one in checked))


def path_from_text(text: str) -> CameraPath:
    """Return the path that ``text`` means: the name of a camera file, or a list of keyframes as JSON.

    Raises:
        UsageError: the list makes no path.
        InputError: the file cannot be read, or holds no path.
    """
    if not text.lstrip().startswith("["):
        return read_camera(Path(text))
    try:
        keyframes = json.loads(text)
    except (ValueError, RecursionError) as error:
        hint = "Give a camera file, or a list of keyframes."
        raise UsageError(f"This is no camera path: {error}.", hint=hint) from None
    return path_from_values(keyframes)


def read_camera(path: Path) -> CameraPath:
    """Read a camera file.

    Raises:
        InputError: it cannot be read, or holds no path; the message says which value is wrong.
    """
    text = content_of(path, most_bytes=_MOST_BYTES)
    try:
        if len(text) > _MOST_BYTES:
            raise ValueError("it is too long")
        values = validated(_CameraFile, json.loads(text)).keyframes
        return CameraPath(tuple(_keyframe(one) for one in values))
    except (ValueError, RecursionError, UsageError) as error:
        reason = str(error).removesuffix(".")
        hint = 'It looks like {"videoinr_camera": 1, "keyframes": [{"time": 0, "centre": [160, 90], "zoom": 2}]}.'
        raise InputError(f"{path} is no camera file: {reason}.", hint=hint) from None


def _keyframe(values: KeyframeValues) -> Keyframe:
    x, y = map(_exact, values.centre)
    time = clip_seconds(values.time) if isinstance(values.time, str) else _exact(values.time)
    return Keyframe(time.limit_denominator(MOST_DENOMINATOR), x, y, _exact(values.zoom), Easing(values.easing))


def _exact(value: float | str) -> Fraction:
    if isinstance(value, str):
        number = parsing.factor(value) if value.strip()[:1] in "x×" else parsing.number(value)
    else:
        number = Fraction(repr(value))
    return number.limit_denominator(MOST_DENOMINATOR)
