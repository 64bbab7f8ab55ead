"""Methods by name: models, built-in baselines, and the external baselines that this machine can run."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import torch
from torch import Tensor

from videoinr.devices import profile_for
from videoinr.errors import VideoInrError
from videoinr.evaluation.clips import Method, blend_bicubic, method_from_model
from videoinr.evaluation.names import BICUBIC_BLEND, baselines_named
from videoinr.geometry import Grid
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import LoadedModel, load_model
from videoinr.render.device_check import tell_first_use

LANCZOS_LOBES = 3
READS_NEIGHBOURS = "up to four frames (0 and T, and -T and 2T where the clip has them)"
READS_PAIR = "two frames (0 and T)"
"""The input of a model whose paths bend by the frames beside a pair, with them and without."""


class BaselineFailedError(VideoInrError):
    """The external baseline ``name`` was opened but failed on a pair."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} failed: {reason}")
        self.name, self.reason = name, reason


@dataclass(frozen=True, slots=True, eq=False)
class NamedMethod:
    """A method with its name.

    ``parameters``: a model's parameter count, None for a baseline. ``fingerprint``: a hash of a model's weights and
    settings, empty for a baseline. ``reads``: which frames a model reads that can read those beside a pair; of other
    methods empty, as they read two.
    """

    name: str
    restore: Method
    parameters: int | None = None
    fingerprint: str = ""
    reads: str = ""


@dataclass(slots=True, eq=False)
class MethodSet:
    """The methods to compare, in order. ``absent``: why other methods do not take part, by name."""

    methods: list[NamedMethod] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def reads(self) -> str:
        """Which frames the models read that can read more than two, in words to append to a protocol's; or nothing."""
        return "".join(f"; {method.name} reads {method.reads}" for method in self.methods if method.reads)

    def drop(self, name: str, reason: str) -> None:
        """Remove a method and note the reason."""
        self.methods = [method for method in self.methods if method.name != name]
        self.absent[name] = reason


def open_methods(
    *,
    models: Sequence[str | LoadedModel],
    baselines: Sequence[str],
    device: torch.device,
    notice: Callable[[str], None] | None = None,
    neighbours: bool = True,
) -> MethodSet:
    """Open baselines, then models.

    Args:
        models: Names of shipped models, paths of weights, or loaded models, which move to ``device``.
        baselines: Names as in :func:`~videoinr.evaluation.names.baseline_names`, or ``all``.
        device: Where the models run. External baselines run on the CPU.
        notice: Called with a sentence before what takes long: kernels are compiled at the first use of a GPU.
        neighbours: Whether models whose paths bend by the frames beside a pair get those, too.

    Returns:
        The methods. An external baseline that cannot run on this machine is listed in ``absent`` with its reason.

    Raises:
        UsageError: A baseline does not exist.
        ModelError: A model cannot be loaded.
    """
    method_set, wanted = MethodSet(), baselines_named(baselines)
    for name in wanted:
        if name in BUILT_IN:
            method_set.methods.append(NamedMethod(name, BUILT_IN[name]))
        else:
            _add_external(method_set, name)
    asked = {
        (str(each.card.path) if isinstance(each, LoadedModel) else each): (
            each if isinstance(each, LoadedModel) else load_model(each)
        )
        for each in models
    }
    taken = [*wanted, *(loaded.card.name for loaded in asked.values())]
    for name, loaded in asked.items():
        # Two models with the same name in their cards (a new `base` beside the shipped one) are listed as asked for.
        shown = loaded.card.name if taken.count(loaded.card.name) == 1 else name
        if notice is not None:
            tell_first_use(loaded, profile_for(device), notice)
        model = loaded.model.to(device).eval()
        restore, fingerprint = method_from_model(model, neighbours=neighbours), _fingerprint(loaded)
        bends = isinstance(model, VideoINR) and model.bends_paths
        reads = (READS_NEIGHBOURS if neighbours else READS_PAIR) if bends else ""
        marked = f"{fingerprint} {reads}".rstrip()
        method_set.methods.append(NamedMethod(shown, restore, loaded.card.parameters, marked, reads))
    return method_set


def nearest(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
    """Return the frame that is nearer in time, upsampled by nearest neighbour (see :data:`Method`)."""
    small = torch.stack([low[0 if t < 0.5 else 1] for t in times])
    return list(torch.nn.functional.interpolate(small, (grid.height, grid.width), mode="nearest-exact"))


def blend_lanczos(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
    """Return (1 - t) I0 + t I1, upsampled with a Lanczos kernel of three lobes (see :data:`Method`)."""
    rows = _lanczos_weights(low.shape[-2], grid.height).to(low)
    columns = _lanczos_weights(low.shape[-1], grid.width).to(low)
    large = rows @ low @ columns.T
    return [torch.lerp(large[0], large[1], t).clamp(0, 1) for t in times]


BUILT_IN: dict[str, Method] = {BICUBIC_BLEND: blend_bicubic, "lanczos-blend": blend_lanczos, "nearest": nearest}


def _lanczos_weights(size: int, target: int) -> Tensor:
    """Return float64 [target, size], target >= size: row i has the input weights of output pixel i, border extended."""
    position = (torch.arange(target, dtype=torch.float64) + 0.5) * size / target - 0.5
    taps = position.floor()[:, None] + torch.arange(1 - LANCZOS_LOBES, LANCZOS_LOBES + 1)
    distance = position[:, None] - taps
    weights = torch.sinc(distance) * torch.sinc(distance / LANCZOS_LOBES) * (distance.abs() < LANCZOS_LOBES)
    weights = weights / weights.sum(1, keepdim=True)
    return weights.new_zeros(target, size).scatter_add_(1, taps.clamp(0, size - 1).long(), weights)


def _fingerprint(loaded: LoadedModel) -> str:
    """Hash the weights and the settings on the card, some of which change pictures and not the weights."""
    config = json.dumps(loaded.card.config.to_dict(), sort_keys=True)
    return hashlib.sha256(f"{loaded.card.sha256} {config}".encode()).hexdigest()


def _add_external(method_set: MethodSet, name: str) -> None:
    try:
        method_set.methods.append(NamedMethod(name, _guarded(name, _external_baselines().open_baseline(name))))
    except Exception as error:  # A broken third-party package may raise anything.
        method_set.absent[name] = _words(error)


def _guarded(name: str, method: Method) -> Method:
    """Wrap an external baseline: run it on the CPU, check its output, and turn any error into BaselineFailedError."""

    def guarded(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        try:
            pictures = method(low.cpu(), grid, times)
        except Exception as error:
            raise BaselineFailedError(name, _words(error)) from error
        shapes = {tuple(picture.shape) for picture in pictures}
        if len(pictures) != len(times) or shapes != {(3, grid.height, grid.width)}:
            raise BaselineFailedError(
                name, f"it made {len(pictures)} pictures of {shapes}, not {len(times)} of {grid}."
            )
        return pictures

    return guarded


def _words(error: Exception) -> str:
    return error.in_words() if isinstance(error, VideoInrError) else f"{type(error).__name__}: {error}"


def _external_baselines() -> ModuleType:
    # Imported late: only evaluation needs the programs and packages that it looks for.
    return importlib.import_module("videoinr.evaluation.baselines")
