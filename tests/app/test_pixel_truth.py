"""Pixel truth: what the screen shows is what ``videoinr decode`` writes, bit for bit, with the real engine."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from helpers.clips import write_clip
from helpers.screen import Shot, compare, corner, shot_of
from helpers.shots import pan
from helpers.stage import Stage
from helpers.tiny_model import save_tiny_model
from videoinr.cli import app
from videoinr.render.engine import open_engine
from videoinr.types import RegionQuery
from videoinr_viewer.clip_access.clip_frames import open_clip_frames
from videoinr_viewer.picture.comparing import Compare, Reference

TIME = Fraction(13, 100)


class Truth:
    """A window with the real engine on a small clip, and the command line on the same."""

    def __init__(self, stage_of: Callable[..., Stage], folder: Path) -> None:
        self.folder, self.clip = folder, write_clip(folder / "pan.mkv", list(pan(1, 5)), codec="ffv1")
        self.model = str(save_tiny_model(folder))
        self.stage = stage_of(size=(640, 400), frame_source=open_clip_frames)
        self.stage.viewer.loop._open_renderer = lambda path: open_engine(path, model=self.model, device="cpu")
        self.stage.open(str(self.clip))
        self.stage.viewer.session.seek(TIME)
        self.stage.wait_until_complete()

    def decoded(self, query: RegionQuery, *options: str) -> Shot:
        """Return what ``videoinr decode`` writes for ``query``, uint8 [height, width, 3]."""
        rect, out = query.rect, self.folder / "out.png"
        done = CliRunner().invoke(app, [
            "decode", str(self.clip), "--time", str(TIME), "-o", str(out), "--model", self.model, "--device", "cpu",
            "--size", f"{query.grid.width}x{query.grid.height}",
            "--region", f"{rect.x},{rect.y},{rect.width},{rect.height}", *options,
        ])  # fmt: skip
        assert done.exit_code == 0, done.output
        with av.open(str(out)) as container:
            return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)

    def expect(self, *options: str, pane: int = 0) -> Shot:
        """Check that pane ``pane`` shows the decoded picture, all of it that is in sight; return what was decoded."""
        session, view = self.stage.viewer.session, self.stage.viewer.window.frame_view
        full = view.full_for(session.last_query)
        assert full is not None
        wanted = self.decoded(full.query, *options)
        seen, inner = self.seen(wanted, pane)
        assert np.array_equal(seen, wanted[inner])
        assert seen.shape[0] * seen.shape[1] > 0.2 * session.screen_px[0] * session.screen_px[1]
        return wanted

    def seen(self, wanted: Shot, pane: int) -> tuple[Shot, tuple[slice, slice]]:
        """Return what the pane shows of the region whose pixels are ``wanted``, and which of them are in sight."""
        session, view = self.stage.viewer.session, self.stage.viewer.window.frame_view
        full = view.full_for(session.last_query)
        assert full is not None
        shot, (left, top), width = shot_of(self.stage), corner(self.stage, full), session.screen_px[0]
        rows = slice(max(top, 0), min(top + wanted.shape[0], shot.shape[0]))
        columns = slice(max(left, 0), min(left + wanted.shape[1], width))
        inner = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
        return shot[rows, pane * width + columns.start : pane * width + columns.stop, :3], inner


@pytest.fixture
def truth(stage_of: Callable[..., Stage], tmp_path: Path) -> Truth:
    return Truth(stage_of, tmp_path)


def test_the_canvas_is_what_the_command_line_decodes(truth: Truth) -> None:
    stage, session = truth.stage, truth.stage.viewer.session
    fitted = truth.expect()
    stage.viewer.window.actions_by_id["shutter-180"].trigger()
    stage.wait_until_complete()
    exposed = truth.expect("--shutter", "180")
    assert not np.array_equal(exposed, fitted)
    stage.viewer.window.actions_by_id["shutter-0"].trigger()
    session.zoom_to(7.3)
    session.pan((31, -17))
    session.settle()
    stage.wait_until_complete()
    truth.expect()


def test_both_halves_of_a_comparison_are_true(truth: Truth) -> None:
    stage, session = truth.stage, truth.stage.viewer.session
    session.zoom_to(4)
    full = compare(stage, Compare.SIDE_BY_SIDE, Reference.NEAREST)
    decoded = truth.expect(pane=1)
    frames = open_clip_frames(truth.clip)
    source = frames.rgbx(full.query.instant.source_frame)[..., :3]
    frames.close()
    enlarged = np.repeat(np.repeat(source, 4, axis=0), 4, axis=1)[full.query.rect.slices]
    seen, inner = truth.seen(decoded, 0)
    assert np.array_equal(seen, enlarged[inner])
