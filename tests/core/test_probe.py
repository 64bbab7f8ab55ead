"""The description of a clip in plain values: its keys, their order, and that JSON can hold it."""

import json
from fractions import Fraction
from pathlib import Path

from helpers.clips import write_clip, write_pictures
from videoinr.clip import open_clip
from videoinr.clip.describe import describe
from videoinr.colour import ColourSpec

KEYS = [
    *("path", "stream", "width", "height", "pixel_aspect", "rotation", "fps", "frames", "duration_secs", "vfr"),
    *("timecode", "codec", "pix_fmt", "bit_depth", "colour", "audio", "interlaced", "warnings"),
]


def test_a_video_is_described_in_full(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "a.mp4",
        30,
        fps=Fraction(30000, 1001),
        pix_fmt="yuv420p10le",
        rotation=90,
        colour=ColourSpec("bt709", "tv", "bt709", "bt709"),
        audio_secs=0.5,
        sample_aspect=Fraction(4, 3),
        tags={"timecode": "01:00:00;02"},
    )
    with open_clip(path) as clip:
        described = describe(clip)
        warnings = list(clip.info.warnings)
    assert list(described) == KEYS
    assert described == json.loads(json.dumps(described))
    assert warnings
    assert described == {
        "path": str(path),
        "stream": 0,
        "width": 48,
        "height": 64,
        "pixel_aspect": "3:4",
        "rotation": 90,
        "fps": "30000/1001",
        "frames": 30,
        "duration_secs": 1.001,
        "vfr": False,
        "timecode": "01:00:00;02",
        "codec": "h264",
        "pix_fmt": "yuv420p10le",
        "bit_depth": 10,
        "colour": {"matrix": "bt709", "range": "tv", "primaries": "bt709", "transfer": "bt709", "guessed": []},
        "audio": [{"codec": "aac", "channels": 1, "sample_rate_hz": 44100}],
        "interlaced": False,
        "warnings": warnings,
    }


def test_pictures_are_described_with_the_same_keys(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    with open_clip(tmp_path) as clip:
        described = describe(clip)
    assert list(described) == KEYS
    assert (described["fps"], described["duration_secs"], described["codec"]) == ("24/1", 0.125, "png")
    assert described["colour"] == {
        "matrix": "rgb",
        "range": "pc",
        "primaries": "bt709",
        "transfer": "iec61966-2-1",
        "guessed": ["primaries", "transfer"],
    }
