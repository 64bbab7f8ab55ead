"""Tests a model on a device at its first use there, and settles how the device computes.

A tiny pair is encoded and decoded as the program's pictures are, with and without frames beside it if the model reads
such, and compared with the picture that is stored in the model's card, which plain torch computed on a CPU. If they
differ by more than rounding explains, or the fast code cannot be compiled, plain torch is used; if that is wrong as
well on a GPU, the CPU is. The result is kept for each version, device and model, so that later starts only read it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import platformdirs
import torch
from torch import Tensor

from videoinr.cancel import NEVER
from videoinr.decode.backends import decoder_for
from videoinr.decode.beside import FramesBeside
from videoinr.decode.pair_encoder import PairEncoder
from videoinr.devices import (
    ComputeProfile,
    computing_on,
    current,
    is_lost,
    pick_device,
    profile_for,
)
from videoinr.errors import VideoInrError, is_out_of_memory
from videoinr.geometry import Grid
from videoinr.model import fast_code
from videoinr.model.features import PairFeatures
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import SELF_TEST_GRID, SELF_TEST_PHASE, LoadedModel, self_test_frames, stored_self_test
from videoinr.types import Instant, PairKey, RegionQuery
from videoinr.writing.whole_files import write_file

log = logging.getLogger(__name__)

MOST_LEVELS, MOST_MEAN_LEVELS = 12.0, 1.0
"""The most that a picture may differ from the stored one, at any place and in the mean, in 8-bit levels: what half
precision explains. A faulty kernel is off by tens of levels in the mean."""
FAST, PLAIN, CPU, WRONG = "fast", "plain", "cpu", "wrong"
"""How a device computes a model: by its fast code; by plain torch; not at all, as the CPU does; wrongly."""
_MOST_BYTES, _MOST_FILES = 4096, 100
_TOLD = ".told"
"""The ending of a file that says that the first use of a model on a device was told."""


@dataclass(frozen=True)
class Verdict:
    """How a device computes a model, and what the user is told about it; nothing if all is well."""

    way: str
    words: str = ""


def checked_profile(
    loaded: LoadedModel, device: str | None, memory_bytes: int | None, notice: Callable[[str], None] | None = None
) -> tuple[ComputeProfile, tuple[str, ...]]:
    """Return how ``device`` computes the model, after its test, and what the user is told about it.

    Args:
        loaded: The model; it is on the returned profile's device afterwards.
        device: A name of :func:`~videoinr.devices.available_devices`; None means the fastest.
        memory_bytes: The budget of the caches; None chooses it from the device's memory.
        notice: Called before a test that takes long, with a sentence that says so.

    Raises:
        DeviceError: There is no such device, or it stopped working.
        UsageError: ``memory_bytes`` makes no sense.
    """
    chosen = pick_device(device)
    with computing_on(chosen, str(chosen)):
        profile, notices = settled(loaded, profile_for(chosen, memory_bytes=memory_bytes), notice)
        if profile.device != chosen:
            profile = profile_for(profile.device, memory_bytes=memory_bytes)
        return profile, notices


def settled(
    loaded: LoadedModel, profile: ComputeProfile, notice: Callable[[str], None] | None = None
) -> tuple[ComputeProfile, tuple[str, ...]]:
    """Test ``loaded`` on the profile's device, unless that was done before, and switch off what fails.

    Args:
        loaded: The model; it is on the returned profile's device afterwards.
        profile: The device, and how an engine would use it.
        notice: Called before a test that takes long, with a sentence that says so.

    Returns:
        The profile to use, of the same device or of the CPU, and sentences for the user.
    """
    if stored_self_test(loaded.card) is None:
        return profile, ()
    file = _file_of(loaded, profile)
    verdict = _read(file)
    if verdict is None:
        if notice is not None and (sentence := _about_kernels(profile)):
            notice(sentence)
        verdict, is_lasting = _tested(loaded, profile)
        if is_lasting:
            _write(file, verdict)
    words = tuple(each for each in (verdict.words, fast_code.fast_code_problem(profile.device)) if each)
    if verdict.way == CPU:
        cpu, more = settled(loaded, profile_for(torch.device("cpu")))
        return cpu, (verdict.words, *more)
    if verdict.way == FAST:
        return profile, words
    fast_code.use_plain_code(profile.device)
    return _plain(profile), words


def tell_first_use(loaded: LoadedModel, profile: ComputeProfile, notice: Callable[[str], None]) -> None:
    """Say that kernels are being compiled, if it is the first use of a model on a GPU, without a test of it.

    An evaluation and a benchmark compute without the test: it would change how the encoder's weights lie in memory, and
    so the last digits of their first run only.

    Args:
        loaded: The model.
        profile: The device, and how it is used.
        notice: Called with the sentence.
    """
    file, sentence = _file_of(loaded, profile), _about_kernels(profile)
    told = file.with_suffix(_TOLD)
    if sentence and not file.exists() and not told.exists():
        notice(sentence)
        _keep(told, "")


def _about_kernels(profile: ComputeProfile) -> str:
    """Return what to tell before the first use of a device; nothing where nothing is compiled, or in a moment."""
    if profile.device.type != "cuda" or not fast_code.fast_code_name(profile.device):
        return ""
    # Triton compiles them, those of a test and others with the first pair, and keeps them on the disk.
    return f"Preparing the kernels for {profile.device_name}, once: this takes up to a minute."


def deviation(loaded: LoadedModel, profile: ComputeProfile) -> tuple[float, float]:
    """Return the largest and the mean difference of pictures of ``profile`` from the stored one, in 8-bit levels."""
    grid, model = SELF_TEST_GRID, loaded.model.to(profile.device)
    model.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    decoder = decoder_for(model, profile)
    try:
        frames = self_test_frames().to(profile.device)
        encoder = PairEncoder(model, Grid(frames.shape[-1], frames.shape[-2]), profile)
        query = RegionQuery(Instant(0, Fraction(SELF_TEST_PHASE)), grid, grid.rect)
        with torch.inference_mode(), current(profile.device):
            pairs = [encoder.encode(frames, NEVER)]
            if isinstance(model, VideoINR) and model.bends_paths:
                pairs.append(_with_bend_of_zero(encoder, frames))
            pictures = [
                decoder.decode(PairKey("self-test", number, 1), decoder.compact(pair), query, NEVER).clone()
                for number, pair in enumerate(pairs)
            ]
    finally:
        decoder.close()
    stored = stored_self_test(loaded.card)
    assert stored is not None
    expected = stored.view(grid.height, grid.width, 3)
    differences = [(picture[..., :3].int() - expected).abs().float() for picture in pictures]
    return max(float(one.max()) for one in differences), max(float(one.mean()) for one in differences)


def _with_bend_of_zero(encoder: PairEncoder, frames: Tensor) -> PairFeatures:
    """Encode a pair with frames beside it, and take the bend away again: its picture is that of straight paths.

    What only such pairs need, such as kernels of their own, is compiled and run. Raises ArithmeticError if the bend
    holds values that are no numbers.
    """
    beside = FramesBeside((0, 3), read={0: frames[:, 1], 3: frames[:, 0]}.get)
    features = encoder.encode(frames, NEVER, names=(1, 2), beside=beside)
    assert isinstance(features, PairFeatures)
    flow, bend = features.prior[..., :4], features.prior[..., 4:]
    if not bend.isfinite().all():
        raise ArithmeticError("the bend of a path is no number")
    return replace(features, prior=torch.cat((flow, torch.zeros_like(bend)), -1))


def _tested(loaded: LoadedModel, profile: ComputeProfile) -> tuple[Verdict, bool]:
    """Return the verdict, and whether it will hold at the next start."""
    is_gpu, name = profile.device.type != "cpu", profile.device_name if profile.device.type != "cpu" else "this CPU"
    try:
        if not (fault := _fault(loaded, profile)):
            return Verdict(FAST), True
        fast_code.use_plain_code(profile.device)
        if not (plain_fault := _fault(loaded, _plain(profile))):
            return Verdict(PLAIN, f"The fast code for {name} {fault}, so slower code is used."), True
    except RuntimeError as error:
        if not is_out_of_memory(error) and not is_lost(error):
            raise
        log.warning("the self-test on %s ended early: %s", name, error)
        if is_gpu and is_lost(error):
            return Verdict(CPU, f"{name} does not work ({_first_line(error)}), so the CPU is used."), False
        return Verdict(FAST), False  # Too little memory now: nothing is known.
    if is_gpu:
        return Verdict(CPU, f"{name} {plain_fault} with the model {loaded.card.name}, so the CPU is used."), True
    return Verdict(WRONG, f"The model {loaded.card.name} {plain_fault} on this CPU. Do not trust its pictures."), True


def _fault(loaded: LoadedModel, profile: ComputeProfile) -> str:
    """Return what is wrong with the picture of ``profile``, as a predicate; nothing if it is right."""
    try:
        largest, mean = deviation(loaded, profile)
    except Exception as error:
        if is_out_of_memory(error) or is_lost(error):
            raise
        # Compilers and drivers raise errors of many classes.
        log.warning("the self-test on %s failed", profile.device, exc_info=error)
        return f"cannot be run ({_first_line(error)})"
    if largest <= MOST_LEVELS and mean <= MOST_MEAN_LEVELS:
        return ""
    return f"gives wrong pictures (off by {largest:.0f} of 255 levels)"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:120]


def _plain(profile: ComputeProfile) -> ComputeProfile:
    return replace(profile, half_encoder=False)


# ---- what is known from earlier starts ----


def _file_of(loaded: LoadedModel, profile: ComputeProfile) -> Path:
    """Return the file for the verdict on this version, device and model; another driver may be another device."""
    is_cpu = profile.device.type == "cpu"
    device = torch.backends.cpu.get_cpu_capability() if is_cpu else profile.device_name
    facts = (
        _version(), torch.__version__, torch.version.cuda, device, profile.half_encoder, profile.tile_side,
        fast_code.fast_code_name(profile.device), loaded.card.sha256, loaded.card.self_test,
    )  # fmt: skip
    name = sha256(repr(facts).encode()).hexdigest()[:24]
    return Path(platformdirs.user_cache_dir("videoinr", appauthor=False)) / "self-tests" / f"{name}.json"


def _version() -> str:
    try:
        return metadata.version("videoinr-viewer")
    except metadata.PackageNotFoundError:
        return ""


def _read(file: Path) -> Verdict | None:
    try:
        if file.stat().st_size > _MOST_BYTES:
            return None
        values = json.loads(file.read_text("utf-8"))
        verdict = Verdict(values["way"], values["words"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    is_known = verdict.way in (FAST, PLAIN, CPU, WRONG) and isinstance(verdict.words, str)
    return verdict if is_known and bool(verdict.words) is (verdict.way != FAST) else None


def _write(file: Path, verdict: Verdict) -> None:
    _keep(file, json.dumps({"way": verdict.way, "words": verdict.words}))


def _keep(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        alike = file.parent.glob(f"*{file.suffix}")
        for old in sorted(alike, key=lambda each: each.stat().st_mtime)[:-_MOST_FILES]:
            old.unlink(missing_ok=True)
        write_file(file, text, replace=True)
    except (OSError, VideoInrError) as error:
        log.info("the result of the self-test is not kept: %s", error)
