"""The compiled code that computes beside torch on a device: whether there is some, and a switch that turns it off."""

from __future__ import annotations

import torch

from videoinr.model import kernels
from videoinr.model.native import build as native


def use_plain_code(device: torch.device) -> None:
    """Compute by plain torch on devices of this kind from now on, in this process and in those that it starts."""
    if device.type == "cpu":
        native.switch_off()
    else:
        kernels.switch_off()


def fast_code_name(device: torch.device) -> str:
    """Return a name for the code that computes on ``device`` beside torch, other for another version; empty if none."""
    if device.type == "cpu":
        return native.made().name
    return kernels.version() if device.type == "cuda" else ""


def fast_code_absence(device: torch.device) -> str:
    """Return why plain torch computes alone on ``device``, in a few words; empty if it does not."""
    if device.type == "cpu":
        return native.made().absence
    return (
        "" if device.type == "cuda" and kernels.version() else "there are no kernels for it, or they are switched off"
    )


def fast_code_problem(device: torch.device) -> str:
    """Return a sentence for the user if the fast code for ``device`` was to be compiled and could not be."""
    made = native.made()
    if device.type != "cpu" or not made.has_failed:
        return ""
    return f"The fast code for this CPU cannot be used, so slower code is ({made.absence})."
