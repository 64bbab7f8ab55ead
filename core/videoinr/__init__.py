"""Continuous space-time video super-resolution: decode a clip at any time, scale and region.

    import videoinr

    with videoinr.open("clip.mp4", model="base") as video:
        rgb = video.decode(time=0.54, scale=4)              # uint8 [height, width, 3]
        flow = video.encode(12).flow(t=0.25)                # float32 [2, height, width, 2]
    videoinr.export("clip.mp4", "slow.mp4", fps=120, speed=0.25)

``import videoinr`` loads neither torch nor PyAV: the names below are imported when they are first used.
"""

import os

TYPE_CHECKING = False  # as typing's, which takes as long to import as everything else here
if TYPE_CHECKING:
    from videoinr.api import Pair, Video, estimate, evaluate, export, load_model
    from videoinr.api import open as open  # noqa: A004 - the verb that Python's readers expect, as in io.open
    from videoinr.cancel import CancelToken
    from videoinr.errors import Cancelled, VideoInrError

__version__ = "0.1.0"
__all__ = [
    "CancelToken",
    "Cancelled",
    "Pair",
    "Video",
    "VideoInrError",
    "__version__",
    "estimate",
    "evaluate",
    "export",
    "load_model",
    "open",
]

_MODULES = {
    "CancelToken": "videoinr.cancel",
    "Cancelled": "videoinr.errors",
    "Pair": "videoinr.api",
    "Video": "videoinr.api",
    "VideoInrError": "videoinr.errors",
    "estimate": "videoinr.api",
    "evaluate": "videoinr.api",
    "export": "videoinr.api",
    "load_model": "videoinr.api",
    "open": "videoinr.api",
}
"""The module that defines each public name."""

# Must be set before torch loads its OpenMP. By default an idle OpenMP thread spins for milliseconds waiting for work;
# with a viewer and an export side by side (or any other busy program) that made a picture 20 to 160 times slower.
# Spinning only briefly costs a lone process less than a factor of two.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
