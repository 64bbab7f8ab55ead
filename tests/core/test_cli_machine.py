"""The commands probe, doctor and models."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import torch

import videoinr_resources
from helpers.clips import write_clip
from helpers.command_line import run_here
from videoinr import doctor
from videoinr.commands import displays, machine_facts
from videoinr.commands.window_libraries import can_be_loaded, missing_libraries
from videoinr.devices import half_type, profile_for
from videoinr.errors import ModelError
from videoinr.model.config import TINY
from videoinr.model.weights import ModelCard

DEMO = videoinr_resources.path("demo/demo.mp4")


def card(name: str = "lite", *, trained_scales: tuple[float, float] = (2.0, 4.0)) -> ModelCard:
    return ModelCard(
        name=name, description="Small and quick.", config=TINY, parameters=1_234_567, trained_scales=trained_scales,
        training={}, metrics={"psnr_y": 30.5}, protocol="none",
        sha256="0", self_test="AAAA", path=Path("w.safetensors"),
    )  # fmt: skip


Plug = Callable[..., None]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Return a function that replaces the module ``name`` by one that holds ``values``."""

    def plugged(name: str, **values: object) -> None:
        module = ModuleType(name)
        module.__dict__.update(values)
        monkeypatch.setitem(sys.modules, name, module)

    return plugged


@pytest.fixture
def models(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Return a function that ships ``cards``, whose self-test returns or raises ``outcome``."""
    monkeypatch.setattr(machine_facts, "memory_bytes", lambda: (8 << 30, 16 << 30))
    monkeypatch.setattr(machine_facts, "font_count", lambda: 7)
    monkeypatch.setattr(doctor, "missing_libraries", lambda _: {})

    def ship(outcome: float | Exception, *, cards: tuple[ModelCard, ...] = (card(),)) -> None:
        def self_test(loaded: object, device: object) -> float:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        def load_model(name: str) -> str:
            return name

        plug("videoinr.model.weights", shipped_models=lambda: cards, load_model=load_model, self_test=self_test)
        plug(
            "videoinr.devices",
            available_devices=lambda: ("cpu",),
            pick_device=lambda name: name,
            profile_for=lambda _: profile_for(torch.device("cpu")),
            half_type=half_type,
        )
        plug("videoinr.render.device_check", deviation=lambda *_: (0.7, 0.1), MOST_LEVELS=12.0, MOST_MEAN_LEVELS=1.0)

    return ship


# ---- models ----


def test_models_are_listed(models: Plug) -> None:
    models(0.0, cards=(card(), card("fixed", trained_scales=(4.0, 4.0))))
    outcome = run_here("models")
    assert outcome.exit_code == 0
    for word in ("lite", "1.23 M", "x2 to x4", "Small and quick.", "fixed", "x4"):
        assert word in outcome.stdout
    cards = json.loads(run_here("models", "--json").stdout)
    assert [facts["name"] for facts in cards] == ["lite", "fixed"]
    assert cards[0]["metrics"] == {"psnr_y": 30.5}
    assert cards[0]["path"] == "w.safetensors"


# ---- doctor ----


@pytest.fixture
def config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home" / "config" / "videoinr-viewer"
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: folder)
    return folder


def test_doctor_passes_and_leaves_no_files(models: Plug, config_home: Path) -> None:
    models(0.4)
    outcome = run_here("doctor")
    assert outcome.exit_code == 0, outcome
    assert outcome.stderr == ""
    for word in ("torch", "cpu", "libx264", "lite", "at most 0.40 of 255", "can be written to", "pixels square"):
        assert word in outcome.stdout
    assert not config_home.parents[1].exists()


def test_doctor_prints_json(models: Plug, config_home: Path) -> None:
    models(0.4)
    report = json.loads(run_here("doctor", "--json").stdout)
    assert report["ok"] is True
    assert report["problems"] == []
    assert report["devices"] == ["cpu"]
    assert report["encoders"]["ffv1"] is True
    assert report["versions"]["numpy"]
    assert report["ways"].keys() == {"encoder", "tiles", "tile code", "deformable convolution"}
    assert (report["memory_bytes"], report["fonts"]) == ({"free": 8 << 30, "all": 16 << 30}, 7)
    assert report["missing_decoders"] == []
    assert [one["purpose"] for one in report["folders"]] == ["log", "unsaved work", "pictures for playback"]
    assert report["ways"]["encoder"] in {"bfloat16", "float32"}
    assert report["models"] == [
        {"model": "lite", "device": "cpu", "largest_steps": 0.4, "problem": "", "fast_steps": 0.7}
    ]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (40.0, "by 40.0 of 255 levels"),
        (ModelError("lite.safetensors is damaged."), "damaged"),
        (ValueError(), "ValueError"),
    ],
)
def test_doctor_reports_a_failing_model(models: Plug, config_home: Path, outcome: object, words: str) -> None:
    models(outcome)
    report = run_here("doctor")
    assert report.exit_code == 1
    assert "problem: lite fails on cpu" in report.stderr
    assert words in report.stderr
    assert json.loads(run_here("doctor", "--json").stdout)["ok"] is False


def test_doctor_reports_a_settings_folder_that_cannot_be_written_to(models: Plug, config_home: Path) -> None:
    models(0.0)
    config_home.parents[1].write_text("a file where a folder should be")
    outcome = run_here("doctor")
    assert outcome.exit_code == 1
    assert "Settings cannot be saved" in outcome.stderr


def test_doctor_names_the_missing_libraries_of_windows(
    models: Plug, config_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models(0.0)
    monkeypatch.setenv("DISPLAY", ":0")
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor, "missing_libraries", lambda _: {"libxcb-cursor.so.0": "libxcb-cursor0"})
    monkeypatch.setattr(displays, "connects_to_x", lambda display: display == ":0")
    outcome = run_here("doctor")
    assert outcome.exit_code == 1
    assert "windows can be shown" in outcome.stdout
    assert "libxcb-cursor.so.0" in outcome.stdout
    assert "missing: libxcb-cursor.so.0" in outcome.stderr
    assert "apt-get install libxcb-cursor0" in outcome.stderr
    monkeypatch.setenv("DISPLAY", ":4711")
    outcome = run_here("doctor")
    assert outcome.exit_code == 0, "nothing answers at that display, such as one of a session that has ended"
    assert "The screen at :4711 cannot be reached" in outcome.stdout
    monkeypatch.delenv("DISPLAY")
    assert run_here("doctor").exit_code == 0, "a machine without a screen opens no windows"
    assert "no screen" in json.loads(run_here("doctor", "--json").stdout)["screen_problem"]


def test_libraries_that_windows_need_are_tried_one_by_one() -> None:
    def loads(name: str) -> bool:
        return name not in {"libEGL.so.1", "libxcb-cursor.so.0"}

    found = partial(missing_libraries, loads=loads)
    assert found({"DISPLAY": ":0"}, platform="linux") == {
        "libEGL.so.1": "libegl1",
        "libxcb-cursor.so.0": "libxcb-cursor0",
    }
    assert found({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, platform="linux") == {"libEGL.so.1": "libegl1"}
    assert found({"QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":0"}, platform="linux") == {"libEGL.so.1": "libegl1"}
    assert found({"DISPLAY": ":0"}, platform="darwin") == {}
    assert not can_be_loaded("libno-such-library.so.7")


def test_doctor_reports_missing_encoders_and_models(models: Plug, config_home: Path) -> None:
    models(0.0, cards=())
    report = doctor.examine()
    broken = replace(report, encoders=(("libx264", False), ("h264_nvenc", False)))
    assert broken.problems == ("The video encoder libx264 does not work.", "No model ships with this installation.")


def test_doctor_says_what_is_missing_and_what_to_do(
    models: Plug, plug: Plug, config_home: Path, tmp_path: Path
) -> None:
    models(0.0)
    plug("videoinr.render.device_check", deviation=lambda *_: (80.0, 9.0), MOST_LEVELS=12.0, MOST_MEAN_LEVELS=1.0)
    report = replace(
        doctor.examine(), screen_problem="", fonts=0, memory=(100 << 20, 1 << 30), missing_decoders=("hevc", "av1"),
        folder_problems=(("log", tmp_path, "No space left on device"),), missing_libraries=(),
    )  # fmt: skip
    words = " ".join(report.problems)
    for part in (
        "lite fails on cpu: the fast code's pictures differ from the stored ones by 80.0", "apt-get install fonts-",
        "Only 100 MiB of memory are free", "Clips in hevc, av1 cannot be read", "The folder of log",
    ):  # fmt: skip
        assert part in words


def test_the_facts_of_this_machine(tmp_path: Path) -> None:
    assert machine_facts.missing_decoders() == ()
    memory = machine_facts.memory_bytes()
    assert memory is None or 0 < memory[0] <= memory[1]
    fonts = machine_facts.font_count()
    assert fonts is None or fonts >= 0
    assert len(machine_facts.folders()) == 4
    (tmp_path / "file").write_text("no folder")
    assert machine_facts.write_problem(tmp_path / "file" / "folder")
    assert machine_facts.write_problem(tmp_path / "new" / "folder") == ""
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# ---- probe ----


def test_probe_shows_the_properties_of_a_clip() -> None:
    outcome = run_here("probe", DEMO)
    assert outcome.exit_code == 0
    for word in ("320", "180", "h264", "bt709", "duration, seconds   2.666667 "):
        assert word in outcome.stdout
    assert len(json.loads(run_here("probe", "--json", DEMO).stdout)) == 18


def test_probe_takes_several_files_and_says_which_failed(tmp_path: Path) -> None:
    junk, missing = tmp_path / "junk.mp4", tmp_path / "none.mp4"
    junk.write_bytes(b"\x00\xff junk")
    outcome = run_here("probe", junk, DEMO, missing, DEMO)
    assert outcome.exit_code == 1
    assert outcome.stdout.count("320") == 2
    assert outcome.stdout.count(str(DEMO)) == 4, "a title, and the path"
    assert outcome.stderr.count("error: ") == 2
    assert f"2 of 4 files cannot be read: {junk}, {missing}." in outcome.stderr
    assert run_here("probe", DEMO, DEMO).exit_code == 0


def test_probe_goes_on_after_an_error_that_nobody_foresaw(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def describe(clip: object) -> dict[str, object]:
        asked.append(clip)
        return {"width": 320 // (len(asked) - 1)}

    monkeypatch.setattr("videoinr.clip.describe.describe", describe)
    outcome = run_here("probe", "--json", DEMO, DEMO)
    failed, found = json.loads(outcome.stdout)
    assert (outcome.exit_code, found) == (1, {"width": 320})
    assert "ZeroDivisionError" in failed["error"]["message"]


def test_probe_shows_the_rate_that_people_know(tmp_path: Path) -> None:
    outcome = run_here("probe", write_clip(tmp_path / "a.mp4", 3, fps=Fraction(24000, 1001)), DEMO)
    assert "  frames per second   23.976 (24000/1001) " in outcome.stdout
    assert "  frames per second   12 " in outcome.stdout


def test_probe_lists_what_was_guessed_on_one_line(tmp_path: Path) -> None:
    assert re.search(r"guessed (matrix|range) \w+ ", run_here("probe", write_clip(tmp_path / "a.mp4", 3)).stdout)


def test_probe_of_several_files_prints_a_list_as_json(tmp_path: Path) -> None:
    outcome = run_here("probe", "--json", tmp_path / "none.mp4", DEMO)
    missing, found = json.loads(outcome.stdout)
    assert (outcome.exit_code, found["width"], missing["path"]) == (1, 320, str(tmp_path / "none.mp4"))
    assert missing["error"]["exit_code"] == 1
    assert "There is no file" in missing["error"]["message"]
    both = run_here("probe", "--json", "--stream", "7", DEMO, DEMO)
    assert both.exit_code == 2, "wrong usage of both"
    assert [set(one) for one in json.loads(both.stdout)] == [{"path", "error"}] * 2


def test_probe_of_a_missing_file_is_an_error(tmp_path: Path) -> None:
    outcome = run_here("probe", tmp_path / "none.mp4")
    assert outcome.exit_code == 1
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("error: ")


def test_special_characters_in_a_file_name_are_printed_unchanged(tmp_path: Path) -> None:
    clip = tmp_path / "[red]täst 100%.mp4"
    clip.write_bytes(DEMO.read_bytes())
    assert "[red]täst 100%.mp4" in run_here("probe", clip).stdout
