"""The command line: help, errors, and the commands decode and export."""

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.command_line import Outcome, environment, run, run_here
from helpers.slow_cli import engine_module
from helpers.slow_renderer import SlowRenderer, gradient
from videoinr.errors import ClipError, UsageError
from videoinr.geometry import Grid, Rect
from videoinr.render.messages import Opened
from videoinr.render.output_area import rect_of
from videoinr.types import Instant, RegionQuery

COMMANDS = ("probe", "decode", "export", "queue", "bench", "doctor", "models")


@pytest.fixture(autouse=True)
def engines(monkeypatch: pytest.MonkeyPatch) -> list[SlowRenderer]:
    """The command line over renderers without a model: 160x90, 50 frames, 25 a second."""
    made: list[SlowRenderer] = []
    monkeypatch.setitem(sys.modules, "videoinr.render.engine", engine_module(made=made))
    return made


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a clip")
    return path


def pixels(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)


def frame_count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def events(outcome: Outcome) -> list[dict[str, object]]:
    return [json.loads(line) for line in outcome.stdout.splitlines()]


# ---- the program as a whole ----


def test_version_imports_no_heavy_module() -> None:
    code = (
        "import sys; sys.argv = ['videoinr', '--version']; from videoinr.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'torch', 'av', 'numpy', 'PySide6', 'videoinr.render.engine'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    version, loaded = done.stdout.splitlines()
    assert version.startswith("videoinr 0.")
    assert loaded == "[]"


def test_a_missing_clip_or_folder_is_told_before_torch_is_imported(tmp_path: Path) -> None:
    """That takes seconds, on a machine with an NVIDIA GPU longer than a stopped command may still run."""
    clip, out = tmp_path / "absent.mp4", tmp_path / "out.mp4"
    (tmp_path / "job.json").write_text(json.dumps({"videoinr_export": 1, "clip": str(clip), "out": str(out)}))
    commands = [
        ["decode", clip, "--time", "1", "-o", tmp_path / "out.png"],
        ["export", clip, out],
        ["export", tmp_path / "absent_%03d.png", out],
        ["export", clip, out, "--estimate"],
        ["export", "--job", tmp_path / "job.json"],
        ["bench", clip],
        ["bench", clip, "--export"],
        ["evaluate", "--data", tmp_path / "absent"],
        ["export", "--queue", tmp_path / "absent"],
        ["train", "finetune", "--data", tmp_path / "absent", "--out", tmp_path / "run"],
    ]
    code = (
        "import json, sys; sys.modules['torch'] = None  # An import of it fails.\n"
        "from helpers.command_line import run_here\n"
        "print(json.dumps([run_here(*each).stderr for each in json.loads(sys.argv[1])]))"
    )
    text = json.dumps(commands, default=str)
    done = subprocess.run([sys.executable, "-c", code, text], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    for command, said in zip(commands, json.loads(done.stdout), strict=True):
        words = ("error: There is no file", "error: There is no folder", "error: No picture matches")
        assert said.startswith(words), (command, said)
    assert [path.name for path in tmp_path.iterdir()] == ["job.json"]


def test_a_real_process_prints_its_version() -> None:
    outcome = run("--version")
    assert (outcome.exit_code, outcome.stderr) == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    outcome = run_here(command, "--help")
    assert outcome.exit_code == 0
    assert f"videoinr {command}" in outcome.stdout.replace("root", "videoinr")
    assert command in run_here("--help").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["decode", "CLIP"],
        ["decode", "CLIP", "--time", "soon", "-o", "OUT/a.png"],
        ["decode", "CLIP", "--time", "1/0", "-o", "OUT/a.png"],
        ["decode", "CLIP", "--time", "1e999999999", "-o", "OUT/a.png"],
        ["decode", "CLIP", "--time", "nan", "-o", "OUT/a.png"],
        ["decode", "CLIP", "--time", "-1", "-o", "OUT/a.png"],
        ["decode", "CLIP", "--time", "2.001", "-o", "OUT/a.png"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.jpg"],
        ["decode", "CLIP", "--time", "1", "-o", "CLIP"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--scale", "0"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--scale", "0.249"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--scale", "33"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--scale", "2", "--size", "320x180"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--size", "320"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--size", "0x180"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--size", "16000x180"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--region", "0,0,641,10"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--region", "0,0,10"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--region", "0,0,10,0"],
        ["decode", "CLIP", "--time", "1", "-o", "OUT/a.png", "--region", "-1,0,10,10"],
        ["export", "CLIP", "OUT/a.mp4", "--start", "1", "--end", "1"],
        ["export", "CLIP", "OUT/a.mp4", "--start", "1", "--end", "3"],
        ["export", "CLIP", "OUT/a.mp4", "--fps", "0"],
        ["export", "CLIP", "OUT/a.mp4", "--fps", "5000"],
        ["export", "CLIP", "OUT/a.mp4", "--fps", "30", "--time-scale", "2"],
        ["export", "CLIP", "OUT/a.mp4", "--speed", "0"],
        ["export", "CLIP", "OUT/a.mp4", "--crop", "10x10"],
        ["export", "CLIP", "OUT/a.mp4", "--crop", "10x10+315+0"],
        ["export", "CLIP", "OUT/a.mp4", "--crf", "99"],
        ["export", "CLIP", "OUT/a.mp4", "--codec", "divx"],
        ["export", "CLIP", "OUT/a.mp4", "--codec", "ffv1"],
        ["export", "CLIP", "OUT/a.avi"],
        ["export", "CLIP", "CLIP", "--overwrite"],
        ["bench", "CLIP", "--lr", "64x48"],
    ],
    ids=lambda arguments: " ".join(arguments[:1] + arguments[3:]),
)
def test_wrong_usage_exits_with_2_and_writes_nothing(arguments: list[str], clip: Path) -> None:
    filled = [each.replace("CLIP", str(clip)).replace("OUT", str(clip.parent)) for each in arguments]
    outcome = run_here(*filled)
    assert outcome.exit_code == 2, outcome
    assert outcome.stdout == ""
    assert "rror" in outcome.stderr
    assert not outcome.has_traceback
    assert [path.name for path in clip.parent.iterdir()] == ["clip.mp4"]
    assert clip.read_bytes() == b"a clip"


def test_an_error_is_a_message_and_a_hint(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = engine_module()

    def broken(*_: object, **__: object) -> None:
        raise ClipError("clip.mp4 is not a video.", hint="Try another file.")

    module.__dict__["open_engine"] = broken
    monkeypatch.setitem(sys.modules, "videoinr.render.engine", module)
    outcome = run_here("decode", clip, "--time", 0, "-o", clip.with_suffix(".png"))
    assert outcome == Outcome(1, "", "error: clip.mp4 is not a video.\nhint: Try another file.\n")


def raise_a_bug(*_: object, **__: object) -> None:
    raise RuntimeError("a bug")


def test_an_unexpected_error_is_one_line_and_names_debug(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlowRenderer, "render", raise_a_bug)
    arguments = ("decode", clip, "--time", 0, "-o", clip.with_suffix(".png"))
    outcome = run_here(*arguments)
    assert outcome.exit_code == 1
    assert "RuntimeError: a bug" in outcome.stderr
    assert "--debug" in outcome.stderr
    assert not outcome.has_traceback
    with pytest.raises(RuntimeError, match="a bug"):
        run_here("--debug", *arguments)


def test_a_lack_of_memory_anywhere_is_named(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(SlowRenderer, "render", without_memory)
    outcome = run_here("decode", clip, "--time", 0, "-o", clip.with_suffix(".png"))
    assert outcome.exit_code == 1
    message, hint = outcome.stderr.splitlines()
    assert message == "error: The memory of the computer or of its GPU does not suffice."
    assert hint.startswith("hint: Close other programs")


def test_ctrl_c_exits_with_130(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SlowRenderer, "render", interrupted)
    assert run_here("decode", clip, "--time", 0, "-o", clip.with_suffix(".png")).exit_code == 130


def test_a_picture_too_large_for_a_file_is_refused() -> None:
    assert rect_of(Grid(20_000, 20_000), Rect(0, 0, 2000, 2000)) == Rect(0, 0, 2000, 2000)
    with pytest.raises(UsageError, match="larger than a file can hold"):
        rect_of(Grid(20_000, 20_000), None)


# ---- decode ----


@pytest.mark.parametrize(
    ("extra", "grid", "rect"),
    [
        ([], Grid(640, 360), Rect(0, 0, 640, 360)),
        (["--scale", "5/2"], Grid(400, 225), Rect(0, 0, 400, 225)),
        (["--scale", "0.25"], Grid(40, 23), Rect(0, 0, 40, 23)),
        (["--size", "321x201", "--region", "5,6,70,80"], Grid(321, 201), Rect(5, 6, 70, 80)),
    ],
)
def test_decode_writes_the_requested_picture(clip: Path, extra: list[str], grid: Grid, rect: Rect) -> None:
    out = clip.with_name("picture.PNG")
    outcome = run_here("decode", clip, "--time", "1.01", *extra, "-o", out)
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert f"{rect.width}x{rect.height}" in outcome.stderr
    query = RegionQuery(Instant(25, Fraction(1, 4)), grid, rect)
    np.testing.assert_array_equal(pixels(out), gradient(query, Fraction(101, 200))[..., :3])
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4", "picture.PNG"]


@pytest.mark.parametrize(("size", "is_told"), [("320x180", False), ("320x320", True)])
def test_decode_says_that_a_size_stretches_the_picture(clip: Path, size: str, is_told: bool) -> None:
    outcome = run_here("decode", clip, "--time", 1, "--size", size, "-o", clip.with_suffix(".png"))
    words = f"note: {size} has another shape than the clip (160x90): the picture is stretched. A scale keeps its shape."
    assert (outcome.exit_code, words in outcome.stderr.splitlines()) == (0, is_told)


@pytest.mark.parametrize(("size", "aspect"), [("160x90", Fraction(4, 3)), ("213x90", None)])
def test_decode_keeps_the_shape_of_the_pixels(
    clip: Path, monkeypatch: pytest.MonkeyPatch, size: str, aspect: Fraction | None
) -> None:
    plain: Any = SlowRenderer.opened

    def opened(renderer: SlowRenderer) -> Opened:
        made: Opened = plain.fget(renderer)
        return replace(made, info=replace(made.info, pixel_aspect=Fraction(4, 3)))

    monkeypatch.setattr(SlowRenderer, "opened", property(opened))
    out = clip.with_suffix(".png")
    outcome = run_here("decode", clip, "--time", 1, "--size", size, "-o", out)
    assert "stretched" not in outcome.stderr
    with av.open(str(out)) as container:
        assert (container.streams.video[0].sample_aspect_ratio or None) == aspect


def test_decode_closes_its_engine(clip: Path, engines: list[SlowRenderer]) -> None:
    run_here("decode", clip, "--time", 0, "-o", clip.with_suffix(".png"))
    assert [engine.closed for engine in engines] == [True]


def test_decode_accepts_the_end_of_the_clip(clip: Path) -> None:
    assert run_here("decode", clip, "--time", 2, "--scale", 1, "-o", clip.with_suffix(".png")).exit_code == 0


@pytest.mark.parametrize("command", ["decode", "export"])
def test_warnings_about_a_clip_are_printed(clip: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    plain = SlowRenderer().opened
    odd = replace(plain, info=replace(plain.info, warnings=("The clip is interlaced.",)))
    monkeypatch.setattr(SlowRenderer, "opened", odd)
    extra = ["--time", "0", "-o", clip.with_suffix(".png")] if command == "decode" else [clip.with_name("out.mp4")]
    outcome = run_here(command, clip, *extra, "--scale", 1)
    assert outcome.exit_code == 0
    assert "note: The clip is interlaced." in outcome.stderr


# ---- export ----


def test_export_writes_the_whole_clip_at_scale_2_by_default(clip: Path) -> None:
    out = clip.with_name("out.mp4")
    outcome = run_here("export", clip, out)
    assert outcome == Outcome(0, "", f"Saved 50 frames to {out}\n")
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (320, 180)
        assert stream.frames == 50
        assert stream.average_rate == 25
        assert Fraction(container.duration or 0, av.time_base) == 2


@pytest.mark.parametrize(
    ("extra", "frames"),
    [
        (["--start", "0.5", "--end", "1.5", "--fps", "120"], 120),
        (["--end", "1/5", "--time-scale", "4"], 20),
        (["--end", "0.2", "--speed", "1/4"], 20),
        (["--start", "1.999", "--fps", "24000/1001"], 1),
    ],
)
def test_export_counts_its_frames(clip: Path, extra: list[str], frames: int) -> None:
    out = clip.with_name("out.mkv")
    assert run_here("export", clip, out, "--scale", 1, *extra).exit_code == 0
    assert frame_count(out) == frames


def test_export_shows_the_instants_of_the_segment(clip: Path, engines: list[SlowRenderer]) -> None:
    arguments = ("--start", "1/2", "--end", "0.6", "--fps", 30, "--speed", "1/2", "--crop", "20x10+3+4")
    out = clip.with_name("out.mkv")
    assert run_here("export", clip, out, "--codec", "ffv1", *arguments).exit_code == 0
    times = [Fraction(1, 2) + Fraction(index, 60) for index in range(6)]
    expected = [
        RegionQuery(engines[0].timeline.instant_from_time(each), Grid(320, 180), Rect(3, 4, 20, 10)) for each in times
    ]
    assert engines[0].asked("full") == expected
    with av.open(str(out)) as container:
        for frame, query in zip(container.decode(video=0), expected, strict=True):
            position = (query.instant.pair + query.instant.phase) / 50
            np.testing.assert_array_equal(frame.to_ndarray(format="rgb24"), gradient(query, position)[..., :3])


def test_export_prints_progress_as_json(clip: Path) -> None:
    out = clip.with_name("out.mp4")
    outcome = run_here("export", clip, out, "--end", "0.2", "--json-progress")
    lines = events(outcome)
    assert outcome.exit_code == 0
    assert {(each["event"], each.get("total")) for each in lines[:-1]} == {("progress", 5)}
    done = [int(str(each["done"])) for each in lines[:-1]]
    assert done[:2] == [0, 1]
    assert done == sorted({*done, 5}), "each once, to the last one"
    assert lines[0]["remaining_secs"] is None
    assert isinstance(lines[1]["elapsed_secs"], float)
    assert lines[-1] == {"event": "finished", "path": str(out), "frames": 5, "sound": "", "dropped": [], "warnings": []}


def test_export_prints_an_error_as_json(clip: Path) -> None:
    outcome = run_here("export", clip, clip.with_name("no") / "out.mp4", "--json-progress")
    assert outcome.exit_code == 1
    (failed,) = events(outcome)
    assert failed["event"] == "failed"
    assert "no folder" in str(failed["message"])
    assert failed["hint"]
    assert "error:" in outcome.stderr


@pytest.mark.parametrize(("error", "code"), [(RuntimeError("a bug"), 1), (KeyboardInterrupt(), 130)])
def test_export_prints_every_other_end_as_json(
    clip: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(SlowRenderer, "render", fail)
    outcome = run_here("export", clip, clip.with_name("out.mp4"), "--json-progress")
    assert outcome.exit_code == code
    assert [each["event"] for each in events(outcome)] == ["progress", "failed"]
    assert [path.name for path in clip.parent.iterdir()] == ["clip.mp4"]


def test_export_replaces_a_file_only_with_overwrite(clip: Path) -> None:
    out = clip.with_name("out.mp4")
    out.write_bytes(b"mine")
    outcome = run_here("export", clip, out, "--end", "0.1")
    assert outcome.exit_code == 1
    assert "--overwrite" in outcome.stderr
    assert out.read_bytes() == b"mine"
    assert run_here("export", clip, out, "--end", "0.1", "--overwrite").exit_code == 0
    assert frame_count(out) == 3  # 2.5 frames: half goes up


def test_export_writes_pictures(clip: Path) -> None:
    outcome = run_here("export", clip, clip.with_name("frames"), "--end", "0.08", "--scale", 1)
    assert outcome.exit_code == 0
    assert sorted(path.name for path in clip.with_name("frames").iterdir()) == ["00000.png", "00001.png"]


def test_export_prints_a_note_about_odd_sides(clip: Path) -> None:
    outcome = run_here("export", clip, clip.with_name("out.mp4"), "--end", "0.04", "--size", "161x90")
    assert outcome.exit_code == 0
    assert "odd side" in outcome.stderr
