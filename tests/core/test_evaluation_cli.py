"""``videoinr evaluate`` on a few frames and a tiny model: tables, JSON and errors."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.clips import numbered_frames, write_clip, write_footage, write_pictures
from helpers.command_line import Outcome, run_here
from helpers.damage import spoilt_clip
from helpers.shots import texture
from helpers.tiny_model import save_tiny_model
from videoinr.clip import open_clip
from videoinr.errors import DeviceError
from videoinr.evaluation import methods, names, run
from videoinr.evaluation.clips import score_clip
from videoinr.evaluation.report import Cell, Table, number

KINDS = {"average", "input", "between", "middle", "others", "center"}


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    return write_footage(tmp_path / "footage")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_tiny_model(tmp_path)


def evaluate(footage: Path, *more: object) -> Outcome:
    return run_here("evaluate", "--data", footage, "--device", "cpu", *more)


def figures(footage: Path, *more: object) -> Any:
    outcome = evaluate(footage, *more, "--json")
    assert outcome.exit_code == 0, outcome.stderr
    return json.loads(outcome.stdout)


def test_one_protocol_prints_clips_methods_and_the_protocol(footage: Path, model: Path) -> None:
    shown = evaluate(footage, "--model", model, "--scale", 2, "--time-scale", 4)
    assert shown.exit_code == 0, shown.stderr
    for words in ("bicubic-blend", "tiny", "b.mkv", "mean", "PSNR-Y", "SSIM", "s/frame", "2 clips, 16 frames"):
        assert words in shown.stdout
    assert "Protocol: clips, space x2, time x4 (T = 4): LR = antialiased bicubic" in " ".join(shown.stdout.split())
    assert "tOF" not in shown.stdout
    assert "space x2, time x4 (T = 4): b.mkv" in shown.stderr


def test_json_holds_every_figure(footage: Path, model: Path) -> None:
    result = figures(footage, "--model", model, "--scale", 2, "--flicker")
    assert result["notes"] == ["2 clips of 21 frames."]
    assert result["absent"] == {}
    assert set(result["methods"]) == {"bicubic-blend", "tiny"}
    assert result["methods"]["tiny"]["parameters"] > 1000
    (run,) = result["runs"]
    assert (run["space_scale"], run["time_scale"], run["left_out"]) == (2, 4, {})
    assert "tOF" in run["protocol"]
    for method in ("bicubic-blend", "tiny"):
        found = run["results"][method]
        assert set(found["clips"]) == {"a", "b.mkv"}
        # Each clip has two windows of T = 4, inputs 0, 4 and 8, outputs 0 ... 7.
        assert [found["mean"][kind]["frames"] for kind in ("average", "input", "middle", "others")] == [16, 4, 4, 8]
        for summary in (found["mean"], *found["clips"].values()):
            assert set(summary) == KINDS | {"secs_per_frame"}
            assert summary["secs_per_frame"] > 0
            for kind in KINDS:
                assert 5 < summary[kind]["psnr_db"] < 60
                assert 0 < summary[kind]["ssim"] < 1
                assert summary[kind]["flow_error_px"] >= 0
        parts = [found["clips"][clip]["between"]["psnr_db"] for clip in ("a", "b.mkv")]
        assert found["mean"]["between"]["psnr_db"] == pytest.approx(sum(parts) / 2)


def test_the_motion_of_each_clip_stands_beside_its_figures(model: Path, tmp_path: Path) -> None:
    footage = tmp_path / "moving"
    for name, step in (("slow", 1), ("fast", 5)):
        frames = np.stack([texture(3)[:64, 40 + step * k : 120 + step * k] for k in range(5)])
        write_pictures(footage / name, frames.astype(np.uint8))
    usual = ("--model", model, "--scale", 2)
    (run,) = (result := figures(footage, *usual))["runs"]
    assert "Lucas-Kanade" in result["motion_measure"]
    motion = run["motion"]
    for name, px in (("slow", 1), ("fast", 5)):
        assert motion["clips"][name]["px_per_frame"] == pytest.approx(px, rel=0.1)
        assert motion["clips"][name]["share_of_height"] == pytest.approx(px / 64, rel=0.1)
        assert motion["clips"][name]["agreeing_pixels"] > 0.8
    assert motion["mean"]["px_per_frame"] == pytest.approx(3, rel=0.1)
    for form in ((), ("--markdown",)):
        shown = evaluate(footage, *usual, *form).stdout
        for name in ("slow", "fast"):
            px, share = motion["clips"][name]["px_per_frame"], motion["clips"][name]["share_of_height"]
            (line,) = (line for line in shown.splitlines() if name in line)
            assert f"{px:.2f} ({100 * share:.1f} %)" in line
        assert "px a frame" in shown
        assert "Motion: motion = mean length of the optical flow" in " ".join(shown.split())


def test_the_native_protocol_keeps_the_size_and_names_short_clips(footage: Path, model: Path) -> None:
    shown = evaluate(footage, "--model", model, "--protocol", "native", "--markdown")
    assert shown.exit_code == 0, shown.stderr
    lines = shown.stdout.splitlines()
    rows = [line.split(" | ")[:3] for line in lines if line.startswith("| x")]
    # No clip has the 13 frames of T = 12.
    assert rows == [["| x4", "x1", "2"], ["| x4", "x2", "2"], ["| x8", "x1", "2"], ["| x8", "x2", "2"]]
    for clip, frames in (("a", 9), ("b.mkv", 12)):
        assert lines.count(f"Left out: {clip}: {frames} frames, and x12 in time needs 13.") == 1
    assert "Protocol: native, space x1, x2, time x4, x8, x12 (T)" in shown.stdout
    assert "| clip | motion, px/frame | bicubic-blend | minterpolate | tiny |" in lines
    assert "(1 of 12)" in shown.stderr
    only = figures(footage, "--model", model, "--protocol", "native", "--time-scale", 2, "--baseline", "nearest")
    assert [(run["space_scale"], run["time_scale"]) for run in only["runs"]] == [(1, 2), (2, 2)]
    assert set(only["methods"]) == {"nearest", "tiny"}


def test_rgb_is_another_channel(footage: Path, model: Path) -> None:
    results = [
        figures(footage, "--model", model, "--scale", 2, "--channel", channel)["runs"][0] for channel in ("y", "rgb")
    ]
    means = [run["results"]["bicubic-blend"]["mean"]["average"]["psnr_db"] for run in results]
    assert means[0] != means[1]
    assert "on RGB" in results[1]["protocol"]
    assert "PSNR-RGB average" in evaluate(footage, "--model", model, "--channel", "rgb", "--markdown").stdout


def test_several_scales_print_one_table_and_name_short_clips(footage: Path, model: Path) -> None:
    more = ("--model", model, "--scale", "2,3", "--scale", "4", "--time-scale", "8, 10")
    shown = evaluate(footage, *more, "--markdown")
    assert shown.exit_code == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert "| time | space | clips | motion, px/frame | bicubic-blend | tiny |" in lines
    assert lines.count("| clip | motion, px/frame | bicubic-blend | tiny |") == 6  # One table for each scale.
    rows = [line for line in lines if line.startswith("| x")]
    assert [row.split(" | ")[2] for row in rows] == ["2"] * 3 + ["1"] * 3
    assert [row[:11] for row in rows] == [f"| x{t} | x{s} |"[:11] for t in (8, 10) for s in (2, 3, 4)]
    assert all(row.count("**") == 2 for row in rows)  # The best figure of each row.
    assert lines.count("Left out: a: 9 frames, and x10 in time needs 11.") == 1
    assert "Protocol: clips, space x2, x3, x4, time x8, x10 (T): LR" in shown.stdout
    result = figures(footage, *more)
    assert [(run["time_scale"], run["space_scale"]) for run in result["runs"]] == [
        (t, s) for t in (8, 10) for s in (2, 3, 4)
    ]
    assert [set(run["left_out"]) for run in result["runs"]] == [set()] * 3 + [{"a"}] * 3


@pytest.mark.parametrize(
    ("option", "column"), [(("--flicker",), "tOF, px"), (("--center", "bf-stvsr"), "PSNR-Y center")]
)
def test_what_is_asked_for_is_shown_for_each_of_several_scales(
    footage: Path, option: tuple[str, ...], column: str
) -> None:
    shown = evaluate(footage, "--baseline", "nearest", "--scale", "2,4", "--time-scale", "8", "--markdown", *option)
    assert shown.exit_code == 0, shown.stderr
    assert sum(f"| {column} |" in line for line in shown.stdout.splitlines()) == 2


def test_at_x1_the_frames_between_are_compared(footage: Path, model: Path) -> None:
    shown = evaluate(footage, "--model", model, "--scale", "1,2", "--markdown")
    first, second = (line for line in shown.stdout.splitlines() if line.startswith("| x4"))
    results = [run["results"] for run in figures(footage, "--model", model, "--scale", "1,2")["runs"]]
    assert results[0]["bicubic-blend"]["mean"]["input"]["psnr_db"] is None
    for row, kind, result in ((first, "between", results[0]), (second, "average", results[1])):
        best = max(result, key=lambda method: result[method]["mean"][kind]["psnr_db"])
        cells = row.strip("| ").split(" | ")[4:]
        assert [cell.startswith("**") for cell in cells] == [method == best for method in result]
    assert "∞" in first


def test_baselines_are_chosen_and_absent_ones_explained(
    footage: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str) -> Any:
        raise DeviceError("It needs a program that is not here.")

    monkeypatch.setattr(names, "EXTERNAL_NAMES", ("other",))
    monkeypatch.setattr(
        methods, "_external_baselines", lambda: type("External", (), {"open_baseline": staticmethod(gone)})
    )
    more = ("--model", model, "--baseline", "nearest", "--baseline", "other")
    shown = evaluate(footage, *more)
    assert shown.exit_code == 0, shown.stderr
    assert "Not run: other: It needs a program that is not here." in shown.stdout
    assert "bicubic-blend" not in shown.stdout
    result = figures(footage, *more)
    assert set(result["methods"]) == {"nearest", "tiny"}
    assert result["absent"] == {"other": "It needs a program that is not here."}


def test_standard_sets_set_the_scales_and_are_checked(footage: Path, model: Path) -> None:
    gopro = figures(footage, "--model", model, "--protocol", "gopro")
    (run,) = gopro["runs"]
    assert (run["space_scale"], run["time_scale"]) == (4, 8)
    assert gopro["notes"] == ["gopro is 11 clips; found 2 clips of 21 frames: NOT the standard set."]
    assert run["results"]["tiny"]["mean"]["center"]["frames"] == 4
    assert "PSNR-Y center" in evaluate(footage, "--model", model, "--protocol", "adobe").stdout
    assert figures(footage, "--model", model, "--protocol", "vid4")["runs"][0]["time_scale"] == 2


def test_output_frames_are_saved(footage: Path, model: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    result = figures(footage, "--model", model, "--time-scale", 2, "--save-pictures", kept)
    assert result["runs"]
    folder = kept / "x4-t2" / "bicubic-blend" / "b.mkv"
    assert len(list(kept.rglob("*.png"))) == 2 * (8 + 10)
    assert sorted(path.name for path in folder.iterdir()) == [f"{index:05d}.png" for index in range(10)]
    truth = next(numbered_frames(1)).astype(float)
    with open_clip(folder / "00000.png") as clip:
        picture = clip.frame(0)
    assert picture.shape == (48, 64, 3)
    error = np.square(picture - truth) @ (np.array([65.481, 128.553, 24.966]) / 255)
    assert 15 < -10 * math.log10(error.mean() / 255**2) < 50


def test_seams_are_measured(footage: Path, model: Path) -> None:
    shown = evaluate(footage, "--model", model, "--seams", "--time-scale", "1,4")
    assert shown.exit_code == 0, shown.stderr
    for words in ("largest step", "mean motion", "seam = mean |difference|", "Below bicubic: tiny"):
        assert words in shown.stdout
    result = figures(footage, "--model", model, "--seams", "--time-scale", "1,4")
    every, fourth = result["seams"]
    assert [(each["clip"], each["frame"]) for each in fourth["seams"]] == [("a", 4), ("b.mkv", 4)]
    assert len(every["seams"]) == 7 + 10
    assert every["largest_step"] == max(each["step"] for each in every["seams"]) > 0
    assert len(every["ends"]) == 2 * (8 + 11)
    assert every["ends_below_bicubic"] == sum(each["psnr_db"] < each["bicubic_db"] for each in every["ends"])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--time-scale", "50"), "50 in time needs 51"),
        (("--time-scale", "50", "--seams"), "50 in time needs 51"),
        (("--protocol", "reds"), "'reds' is not one of"),
        (("--baseline", "no-such-baseline"), "There is no baseline 'no-such-baseline'"),
        (("--model", "no-such-model"), "no-such-model"),
        (("--scale", "0.5"), "'0.5' is not a scale"),
        (("--scale", "nan"), "'nan' is not a scale"),
        (("--scale", "4,"), "'' is not a scale"),
        (("--time-scale", "2.5"), "'2.5' is not a scale"),
        (("--time-scale", "0"), "'0' is not a scale"),
        (("--json", "--markdown"), "one of --json and --markdown"),
        (("--channel", "u"), "'u' is not one of"),
        (("--seams", "--baseline", "all"), "--baseline does not count with --seams"),
        (("--seams", "--flicker"), "--flicker does not count with --seams"),
        (("--seams", "--lpips"), "--lpips does not count with --seams"),
    ],
)
def test_invalid_arguments_are_usage_errors(footage: Path, more: tuple[str, ...], words: str) -> None:
    outcome = evaluate(footage, *more)
    assert outcome.exit_code == 2
    assert words in " ".join(outcome.stderr.replace("│", " ").split())
    assert not outcome.has_traceback
    if "--json" in more:
        assert words in json.loads(outcome.stdout)["error"]["message"]
    else:
        assert outcome.stdout == ""


def test_missing_clips_are_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "clip.mp4").touch()
    wanted = {"empty": "There are no clips", "missing": "There is no folder", "clip.mp4": "is a file"}
    for name, words in wanted.items():
        outcome = evaluate(tmp_path / name)
        assert outcome.exit_code == 1
        assert words in outcome.stderr
    write_pictures(tmp_path / "small" / "c", numbered_frames(5, width=64, height=12))
    outcome = evaluate(tmp_path / "small")
    assert outcome.exit_code == 2
    assert "64x12 pixels" in outcome.stderr


def test_a_clip_that_cannot_be_read_is_left_out_with_the_reason(footage: Path, model: Path) -> None:
    (footage / "junk.mp4").write_bytes(b"this is no clip")
    usual = ("--model", model, "--scale", 2, "--time-scale", 4)
    shown = evaluate(footage, *usual)
    assert shown.exit_code == 0, shown.stderr
    assert "Left out: junk.mp4: it cannot be read: “junk.mp4” can't be read as video" in " ".join(shown.stdout.split())
    assert "2 clips, 16 frames" in shown.stdout
    result = figures(footage, *usual)
    assert [list(run["left_out"]) for run in result["runs"]] == [["junk.mp4"]]
    seams = figures(footage, "--model", model, "--seams")
    assert [list(each["left_out"]) for each in seams["seams"]] == [["junk.mp4"]]


def test_a_damaged_clip_is_no_truth_to_compare_with(footage: Path, model: Path, tmp_path: Path) -> None:
    _, spoilt = spoilt_clip(tmp_path, 21)
    spoilt.rename(footage / "spoilt.mkv")
    journal = tmp_path / "journal.jsonl"
    (run,) = figures(footage, "--model", model, "--scale", 2, "--time-scale", 4, "--journal", journal)["runs"]
    assert run["left_out"] == {"spoilt.mkv": "it cannot be read: The file is damaged, which spoils 4 frames"}
    assert "spoilt.mkv" not in journal.read_text()


def test_a_damaged_clip_costs_no_protocol_the_time_of_the_models(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, scored = tmp_path / "clips", list[str]()
    folder.mkdir()
    write_clip(folder / "a.mkv", numbered_frames(6, width=64, height=48), codec="ffv1", pix_fmt="bgr0")
    spoilt_clip(tmp_path, 21)[1].rename(folder / "spoilt.mkv")

    def noted(frames: Any, name: str, *more: Any, **options: Any) -> Any:
        scored.append(name)
        return score_clip(frames, name, *more, **options)

    monkeypatch.setattr(run, "score_clip", noted)
    usual = ("--model", model, "--scale", 4, "--time-scale", 4, "--time-scale", 5)
    runs = figures(folder, *usual)["runs"]
    assert [list(each["left_out"]) for each in runs] == [["spoilt.mkv"]] * 2
    assert scored == ["a.mkv"] * 2


def test_a_clip_whose_frames_are_not_evenly_spaced_is_named(footage: Path, model: Path) -> None:
    usual = ("--model", model, "--scale", 2, "--time-scale", 4)
    assert [run["uneven"] for run in figures(footage, *usual)["runs"]] == [{}]
    write_clip(footage / "phone.mp4", 9, times=[0, 1, 2, 3, 5, 6, 7, 8, 9], time_base=Fraction(1, 25))
    write_pictures(footage / "gap", 6)
    (footage / "gap" / "img_2.png").unlink()
    shown = " ".join(evaluate(footage, *usual).stdout.split())
    assert "Uneven: phone.mp4: 1 frame not evenly spaced in time, but scored as if they were." in shown
    assert [run["uneven"] for run in figures(footage, *usual)["runs"]] == [{"phone.mp4": 1, "gap": 1}]


def test_clips_that_all_cannot_be_read_are_an_error(tmp_path: Path, model: Path) -> None:
    for name in ("a.mp4", "b.mkv"):
        (tmp_path / name).write_bytes(b"this is no clip")
    outcome = evaluate(tmp_path, "--model", model)
    assert outcome.exit_code == 1
    assert "b.mkv: it cannot be read" in outcome.stderr


def test_a_markdown_table_escapes_bars_and_marks_the_best() -> None:
    table = Table("Title", ("a", "b|c"), ((Cell("x"), Cell("1.00", best=True)),))
    assert table.to_markdown().splitlines() == ["Title", "", "| a | b\\|c |", "| --- | ---: |", "| x | **1.00** |"]
    assert [number(value, 2) for value in (None, math.nan, math.inf, 1.005, -2)] == ["–", "–", "∞", "1.00", "-2.00"]


def test_a_folder_for_pictures_that_cannot_be_made_is_said_before_the_work(footage: Path, model: Path) -> None:
    (footage / "taken").write_text("a file")
    outcome = evaluate(footage, "--model", model, "--save-pictures", footage / "taken")
    assert outcome.exit_code == 1
    assert "taken already exists" in outcome.stderr
    assert "space x4" not in outcome.stderr, "nothing was restored yet"
