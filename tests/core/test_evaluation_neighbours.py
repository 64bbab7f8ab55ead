"""The frames beside a pair in an evaluation: which models get them, which they are, and that figures name them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from helpers.clips import numbered_frames, write_pictures
from helpers.command_line import run_here
from helpers.tiny_model import save_tiny_model, tiny_video_inr
from videoinr.errors import UsageError
from videoinr.evaluation.clips import Method, blend_bicubic, degraded, method_from_model, open_windows, score_clip
from videoinr.evaluation.coded import CodedInputs
from videoinr.evaluation.journal import open_journal
from videoinr.evaluation.methods import NamedMethod, open_methods
from videoinr.evaluation.protocols import Protocol
from videoinr.geometry import Grid
from videoinr.model.config import TINY, MotionPriorConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.path_bend import Outer
from videoinr.model.features import PairFeatures
from videoinr.model.video_inr import VideoINR

CPU, GRID = torch.device("cpu"), Grid(48, 32)
Call = tuple[Tensor, Outer | None]


def bent_model() -> VideoINR:
    assert isinstance(TINY.encoder, MotionPriorConfig)
    torch.manual_seed(5)
    model = VideoINR(replace(TINY, encoder=replace(TINY.encoder, levels=3, bend_channels=8)))
    assert isinstance(model.encoder, MotionPriorEncoder)
    assert model.encoder.bend is not None
    torch.nn.init.normal_(model.encoder.bend.leave.weight, std=0.3)
    return model.eval().requires_grad_(requires_grad=False)


def clip(count: int) -> Tensor:
    """Return smooth random frames [count, 3, 32, 48] of 8-bit values."""
    small = torch.rand(count, 3, 8, 12, generator=torch.Generator().manual_seed(3))
    return (torch.nn.functional.interpolate(small, (32, 48), mode="bilinear") * 255).round() / 255


def recorded(model: VideoINR, monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Return what the model will be given to encode."""
    calls, encode = list[Call](), model.encode

    def noted(frames: Tensor, *, outer: Outer | None = None) -> PairFeatures:
        calls.append((frames, outer))
        return encode(frames, outer=outer)

    monkeypatch.setattr(model, "encode", noted)
    return calls


def check_outer(calls: Sequence[Call], low: Callable[[int], Tensor]) -> None:
    """``calls``: of the windows of a clip; ``low``: the LR frame [1, 3, h, w] that a window starts with."""
    for number, (pair, outer) in enumerate(calls):
        assert torch.equal(pair[0], torch.cat((low(number), low(number + 1))))
        assert outer is not None
        for beside, frame in ((outer.before, number - 1), (outer.after, number + 2)):
            if 0 <= frame <= len(calls):
                assert beside is not None
                assert torch.equal(beside, low(frame))
            else:
                assert beside is None


@pytest.mark.parametrize("count", [4, 5, 9, 10, 13])
def test_the_frames_beside_a_window_reach_the_model(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, frames = bent_model(), clip(count)
    calls = recorded(model, monkeypatch)
    score_clip(frames, "c", Protocol(2, 3), {"blend": blend_bicubic, "bent": method_from_model(model)})
    assert len(calls) == (count - 1) // 3
    check_outer(calls, lambda number: degraded(frames[3 * number][None], 2))


def test_pictures_are_those_of_the_model_with_the_frames_beside_the_pair() -> None:
    model, frames, made = bent_model(), clip(13), dict[tuple[str, int], Tensor]()
    methods = {"on": method_from_model(model), "off": method_from_model(model, neighbours=False)}
    keep = lambda name, frame, picture: made.update({(name, frame): picture})  # noqa: E731
    score_clip(frames, "c", Protocol(2, 4), methods, on_picture=keep)
    low, t = degraded(frames[::4], 2), [torch.tensor([0.5])]
    with torch.inference_mode():
        for name, outer in (("on", Outer(low[:1], low[3:])), ("off", None)):
            expected = model.encode(low[None, 1:3], outer=outer).render(GRID, t)[0][0].clamp(0, 1)
            assert torch.equal(made[name, 6], expected), name
        two = method_from_model(model, neighbours=False)(low[1:3], GRID, [0.5])
    assert torch.equal(two[0], made["off", 6])
    assert not torch.equal(made["on", 6], made["off", 6])


def test_coded_frames_beside_a_pair_come_from_the_coded_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    model, frames = bent_model(), clip(7)
    calls = recorded(model, monkeypatch)
    protocol = Protocol(1, 2, coding=CodedInputs("libx264", 40))
    score_clip(frames, "c", protocol, {"bent": method_from_model(model)})
    coded = [pair[:, 0] for pair, _ in calls] + [calls[-1][0][:, 1]]
    check_outer(calls, coded.__getitem__)
    for number, frame in enumerate(coded):
        assert (frame[0] - frames[2 * number]).abs().mean() > 1 / 255


class Reads:
    """A clip that notes which frames are read."""

    def __init__(self, frames: Tensor) -> None:
        self.frames, self.read = frames, list[int]()

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int, /) -> Tensor:
        self.read.append(index)
        return self.frames[index]


@pytest.mark.parametrize("neighbours", [True, False])
def test_a_clip_is_read_once_and_in_order(neighbours: bool) -> None:
    frames, done = Reads(clip(7)), list[int]()
    method = method_from_model(bent_model(), neighbours=neighbours)
    score_clip(frames, "c", Protocol(4, 2), {"m": method}, on_window=lambda window, _: done.append(max(frames.read)))
    assert frames.read == [0, 1, 2, 2, 3, 4, 4, 5, 6]
    assert done == ([4, 6, 6] if neighbours else [2, 4, 6])  # Only who reads the window after waits for it.


def test_seams_are_the_same_with_and_without() -> None:
    model, low = bent_model(), degraded(clip(4), 2)
    with torch.inference_mode():
        straight, bent = (model.encode(low[None, 1:3], outer=outer) for outer in (None, Outer(low[:1], low[3:])))
        for t, same in ((0.0, True), (0.5, False), (1.0, True)):
            pictures = [features.render(GRID, [torch.tensor([t])])[0] for features in (straight, bent)]
            assert torch.equal(*pictures) == same


def opened(path: Path, *, neighbours: bool) -> NamedMethod:
    (method,) = open_methods(models=[str(path)], baselines=[], device=CPU, neighbours=neighbours).methods
    return method


def test_only_models_that_bend_are_told_apart_by_what_they_read(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("bent", "plain")]
    bent, plain = (
        [opened(save_tiny_model(path, model=model), neighbours=choice) for choice in (True, False)]
        for path, model in zip(paths, (bent_model(), tiny_video_inr()), strict=True)
    )
    assert [method.reads.partition(" (")[0] for method in bent] == ["up to four frames", "two frames"]
    assert [method.reads for method in plain] == ["", ""]
    assert bent[0].fingerprint != bent[1].fingerprint
    assert plain[0].fingerprint == plain[1].fingerprint
    assert len(plain[0].fingerprint) == 64  # A hash alone, as journals of before have it.


def test_a_journal_of_other_frames_is_refused(tmp_path: Path) -> None:
    path = str(save_tiny_model(tmp_path, model=bent_model()))
    on, off = (
        open_methods(models=[path], baselines=["nearest"], device=CPU, neighbours=each) for each in (True, False)
    )
    open_journal(tmp_path / "j", on, "cpu")
    assert open_journal(tmp_path / "j", on, "cpu").found == 0
    with pytest.raises(UsageError, match="with another choice of neighbours"):
        open_journal(tmp_path / "j", off, "cpu")


def test_the_command_names_what_models_that_bend_read(tmp_path: Path) -> None:
    write_pictures(tmp_path / "footage" / "a", numbered_frames(5, width=48, height=32))
    bent, plain = (
        save_tiny_model(tmp_path / name, model=model)
        for name, model in (("bent", bent_model()), ("plain", tiny_video_inr()))
    )
    models, footage = ("--model", bent, "--model", plain), tmp_path / "footage"
    usual = ("evaluate", "--data", footage, "--device", "cpu", "--time-scale", 2, *models)
    means = []
    for more, words in (((), "up to four frames (0 and T"), (("--neighbours", "off"), "two frames (0 and T)")):
        found = json.loads(run_here(*usual, *more, "--json").stdout)
        assert found["methods"][str(bent)]["reads"].startswith(words)
        assert set(found["methods"][str(plain)]) == set(found["methods"]["bicubic-blend"]) == {"parameters"}
        means.append({name: each["mean"]["between"]["psnr_db"] for name, each in found["runs"][0]["results"].items()})
    assert {name for name, value in means[0].items() if value != means[1][name]} == {str(bent)}
    shown = run_here(*usual, "--markdown").stdout
    (line,) = (line for line in shown.splitlines() if line.startswith("Protocol:"))
    assert line.endswith(f"; {bent} reads up to four frames (0 and T, and -T and 2T where the clip has them).")
    assert shown.count(" reads ") == 1
    assert run_here(*usual, "--seams", "--neighbours", "off").exit_code == 2


def test_methods_of_ones_own_get_the_pair_alone() -> None:
    frames, seen = clip(7), list[Tensor]()

    def own(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        seen.append(low)
        return blend_bicubic(low, grid, times)

    methods: dict[str, Method] = {"own": own, "bent": method_from_model(bent_model())}
    score_clip(frames, "c", Protocol(2, 3), methods)
    with open_windows(frames, Protocol(2, 3)) as window_at:
        for number, low in enumerate(seen):
            assert torch.equal(low, window_at(3 * number)[1])
    assert len(seen) == 2
