"""Opens a clip although the model or the device that a file remembers is gone, and says what is used instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from videoinr.errors import ModelError, UnknownDeviceError
from videoinr.render.renderer import Renderer
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.style.language import tr, tr_engine

Attempt = Callable[[Reading, tuple[str, ...]], Renderer]
"""Opens the clip with a reading; the sentences for the user precede the clip's warnings."""


def open_as_remembered(choice: ReadingChoice, attempt: Attempt) -> Renderer:
    """Open a clip with the present choice, or with the automatic one in place of what is remembered but gone.

    What the user asks for now, by the command line or a menu, must be there. ``choice`` learns what was used.

    Raises:
        VideoInrError: the clip cannot be opened.
    """
    asked, may_change = choice.current, choice.is_remembered
    now = asked
    notices: tuple[str, ...] = ()
    while True:
        try:
            renderer = attempt(now, notices)
        except UnknownDeviceError:
            if not may_change or now.device in (None, choice.first.device):
                raise
            words = tr("The saved device {name} is not there: the fastest one is used.", name=now.device)
            now, notices = replace(now, device=None), (*notices, words)
        except ModelError as error:
            if not may_change or now.model in (None, choice.first.model):
                raise
            words = tr("The saved model {name} cannot be used: the default one is.", name=now.model)
            now, notices = replace(now, model=None), (*notices, f"{words} {tr_engine(str(error))}")
        else:
            choice.note_used(asked, now)
            return renderer
