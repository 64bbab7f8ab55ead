"""The keyword arguments of :func:`videoinr.open`, checked, and the engine that they open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.open_options import OpenOptions
from videoinr.isolation.helpers import warm_up_for
from videoinr.model.names import check_device_name, check_model_name
from videoinr.render.arguments import Number, as_across_cuts, device_name, exact, optional_whole, path, text
from videoinr.text.parsing import AcrossCutsName

if TYPE_CHECKING:
    import torch

    from videoinr.clip.memory_clip import Frames, MemoryClip
    from videoinr.model.weights import LoadedModel
    from videoinr.render.engine import Engine


class OpenArguments(TypedDict, total=False):
    """The keyword arguments of :func:`videoinr.open`, which :func:`videoinr.export` takes too."""

    model: str | PathLike[str] | LoadedModel | None
    device: str | torch.device | None
    memory: int | None
    picture_fps: Number
    stream: int | None
    background: str
    deinterlace: str
    across_cuts: AcrossCutsName
    cuts: str


def options_from(opening: OpenArguments) -> OpenOptions:
    """Return how to read a clip. Raises UsageError if an argument makes no sense."""
    return OpenOptions(
        picture_fps=exact(opening.get("picture_fps", 24), "picture_fps"),
        stream=optional_whole(opening.get("stream"), "stream"),
        background=text(opening.get("background", "black"), "background"),
        deinterlace=text(opening.get("deinterlace", "auto"), "deinterlace"),
        cuts=text(opening.get("cuts", ""), "cuts"),
    )


def engine_from(
    clip: str | PathLike[str] | Frames | Sequence[Frames] | torch.Tensor,
    options: OpenOptions,
    token: CancelToken = NEVER,
    notice: Callable[[str], None] | None = None,
    **opening: Unpack[OpenArguments],
) -> Engine:
    """Open a clip and a model.

    Args:
        clip: as for :func:`videoinr.open`.
        options: those of :func:`options_from`.
        token: cancels the opening.
        notice: called with each sentence that a user should read meanwhile.
        opening: the other arguments; those in ``options`` are not read again.

    Raises as :func:`videoinr.open` does.
    """
    across_cuts = as_across_cuts(opening.get("across_cuts", "hold"))
    device, memory = device_name(opening.get("device")), optional_whole(opening.get("memory"), "memory")
    check_device_name(device)
    if isinstance(named := opening.get("model"), str | PathLike) and str(named):
        check_model_name(str(named))
    if isinstance(clip, str | PathLike):
        # Its helper process starts while this one imports torch.
        warm_up_for(path(clip, "clip"))
    from videoinr.clip.memory_clip import open_frames
    from videoinr.model.weights import named_or_loaded
    from videoinr.render.engine import open_engine
    from videoinr.render.forks import fit_for_forks
    from videoinr.render.torch_state import plain_torch

    fit_for_forks()
    model = named_or_loaded(opening.get("model"))
    if isinstance(clip, str | PathLike):
        source: Path | MemoryClip = path(clip, "clip")
    else:
        source = open_frames(clip, fps=options.picture_fps)
        source.cut_edits = options.cut_edits
    with plain_torch():
        return open_engine(
            source, model=model, device=device, memory_bytes=memory, options=options, across_cuts=across_cuts,
            notice=notice, token=token,
        )  # fmt: skip
