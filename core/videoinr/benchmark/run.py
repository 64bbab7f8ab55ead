"""Run the benchmark: all models at all sizes, the machine's ceilings and the plain reference, in one go."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from videoinr.benchmark.ceilings import Ceilings, measure_ceilings
from videoinr.benchmark.costs import Costs, costs_of
from videoinr.benchmark.ladder import Rung, measure_ladder
from videoinr.benchmark.plain import PlainResult, measure_plain
from videoinr.benchmark.report import BenchResult, Report, Step
from videoinr.benchmark.steps import DRAFT_DIVISOR, StepTimes, draft_grid, measure_steps
from videoinr.benchmark.subjects import subject
from videoinr.clip import open_clip
from videoinr.devices import ComputeProfile, current, pick_device, profile_for
from videoinr.geometry import Grid
from videoinr.model.weights import LoadedModel
from videoinr.render.device_check import tell_first_use
from videoinr.render.engine import Engine


@dataclass(frozen=True, slots=True)
class Footage:
    """A clip, its size, and the sizes to decode it to."""

    path: Path
    size: Grid
    grids: tuple[Grid, ...]


@dataclass(frozen=True, slots=True)
class _Machine:
    """The device and its ceilings."""

    profile: ComputeProfile
    ceilings: Ceilings

    def steps(self, times: StepTimes, costs: Costs, draft: Costs, *, half_encode: bool) -> tuple[Step, ...]:
        """Return the steps with their floors. Half precision counts where the engine computes in it."""
        half_decode = self.profile.device.type == "cuda"
        rows = (
            ("encode", times.encode_secs, costs.encode, half_encode),
            ("first_decode", times.first_decode_secs, costs.first, half_decode),
            ("next_phase", times.next_phase_secs, costs.instant, half_decode),
            ("draft", times.draft_secs, draft.first, half_decode),
        )
        return tuple(
            Step(name, secs, cost, self.ceilings.floor_secs(cost, half=half)) for name, secs, cost, half in rows
        )


def run(
    models: Sequence[str | None],
    footage: Sequence[Footage],
    *,
    device: str | None,
    repeats: int,
    tell: Callable[[str], None],
    quick: bool = False,
) -> Report:
    """Measure all models on all clips.

    Args:
        models: Models as in :func:`~videoinr.benchmark.subjects.subject`.
        footage: The clips and output sizes.
        device: A device's name; None: the fastest one.
        repeats: The number of pairs that medians are taken over.
        tell: Called with a line of progress before each measurement.
        quick: Measure the paper's heads on a few rows only, and no ceiling that no floor needs.

    Returns:
        The results.

    Raises:
        ModelError: A model cannot be loaded.
        DeviceError: The device does not exist, or has too little memory.
        ClipError: A clip cannot be read.
    """
    target, load_average = pick_device(device), _load_average()
    results: list[BenchResult] = []
    with current(target):
        subjects = [subject(name) for name in models]
        tell("Measuring this machine's ceilings ...")
        profile = profile_for(target)
        half, limit_secs = profile.half_encoder if quick else target.type != "mps", 0.0 if quick else None
        machine = _Machine(profile, measure_ceilings(target, half=half))
        for clip in footage:
            tell(f"Measuring the paper's heads in plain torch on a clip of {clip.size} ...")
            plain = [
                measure_plain(clip.size, grid, target, repeats=repeats, limit_secs=limit_secs) for grid in clip.grids
            ]
            for loaded in subjects:
                tell_first_use(loaded, profile, tell)
                tell(f"Measuring {loaded.card.name} on a clip of {clip.size} ...")
                results += _measure_model(loaded, clip, plain, machine, repeats=repeats)
    return Report(
        device=machine.profile.device_name,
        torch_version=torch.__version__,
        threads=torch.get_num_threads(),
        load_average=load_average,
        ceilings=machine.ceilings,
        results=tuple(results),
    )


def _measure_model(
    loaded: LoadedModel, clip: Footage, plain: Sequence[PlainResult], machine: _Machine, *, repeats: int
) -> list[BenchResult]:
    """Measure a model on a clip, at each of its grids."""
    with _engine(clip, loaded, machine) as engine:
        times = measure_steps(engine, clip.grids, repeats=repeats)
    ladders = list[tuple[Rung, ...]]()
    for grid in clip.grids:
        with _engine(clip, loaded, machine) as engine:  # A new one: it knows no pair.
            ladders.append(measure_ladder(engine, grid, repeats=repeats))
    loaded.model.cpu()  # Frees its memory on the device for the next model.
    costs = costs_of(loaded.card.config, clip.size, (*clip.grids, *map(draft_grid, clip.grids)))
    full, drafts = costs[: len(clip.grids)], costs[len(clip.grids) :]
    rows = zip(times, ladders, full, drafts, plain, strict=True)
    return [_result(loaded, clip, machine, *row) for row in rows]


def _engine(clip: Footage, loaded: LoadedModel, machine: _Machine) -> Engine:
    return Engine(open_clip(clip.path), loaded, profile_for(machine.profile.device))


def _result(
    loaded: LoadedModel,
    clip: Footage,
    machine: _Machine,
    times: StepTimes,
    ladder: tuple[Rung, ...],
    costs: Costs,
    draft: Costs,
    plain: PlainResult,
) -> BenchResult:
    profile = machine.profile
    half_encode = profile.half_encoder and loaded.model.encodes_in_half(profile.device)
    # What the process has on a GPU is none of a measurement on the CPU.
    on_gpu = profile.device.type == "cuda"
    return BenchResult(
        clip=str(clip.size), grid=str(times.grid), model=loaded.card.name, parameters=loaded.card.parameters,
        device=machine.profile.device_name, threads=torch.get_num_threads(), repeats=times.repeats,
        encode_secs=times.encode_secs, first_decode_secs=times.first_decode_secs,
        next_phase_secs=times.next_phase_secs, draft_secs=times.draft_secs, draft_divisor=DRAFT_DIVISOR,
        crop_draft_secs=times.crop_draft_secs,
        feature_bytes=costs.feature_bytes, view_bytes=costs.view_bytes,
        peak_ram_bytes=times.decode_peak.ram_bytes, peak_cuda_bytes=times.decode_peak.cuda_bytes if on_gpu else None,
        encode_peak_ram_bytes=times.encode_peak.ram_bytes,
        encode_peak_cuda_bytes=times.encode_peak.cuda_bytes if on_gpu else None,
        steps=machine.steps(times, costs, draft, half_encode=half_encode),
        encode_alone=costs.encode_alone, ladder=ladder, plain=plain,
    )  # fmt: skip


def _load_average() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None
