"""What a joined file says of the sound that it could not get."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from helpers.clicks import write_clicks
from helpers.held_frames import HeldFrames
from videoinr.clip import open_clip
from videoinr.exporting import joining
from videoinr.exporting.export import export_job
from videoinr.exporting.job import job_for
from videoinr.exporting.parts import Share
from videoinr.exporting.video_file import assemble
from videoinr.exporting.video_mux import CompanionError


def test_sound_that_cannot_be_written_is_in_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_clicks(tmp_path / "clip.mkv", list(range(0, 800, 40)), [3], end_msecs=800)
    with HeldFrames(open_clip(clip)) as engine:
        for number in (1, 2):
            export_job(
                job_for(engine.opened.info, tmp_path / "out.mkv", share=Share(number, 2), fps=Fraction(100)), engine
            )

    def without_sound(file: Any, coding: Any, parts: Any, companions: Any, token: Any) -> None:
        if companions is not None:
            raise CompanionError("It is damaged.")
        assemble(file, coding, parts, companions, token)

    monkeypatch.setattr(joining, "assemble", without_sound)
    report = joining.join_shares(tmp_path / "out.mkv")
    assert (report.sound, report.dropped) == ("", ("The sound and other streams were left out. It is damaged.",))
