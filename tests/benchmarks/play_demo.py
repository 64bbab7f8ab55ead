"""Measures cached playback of two seconds of the demo clip at 24 pictures a second, with sound into the null output.

    xvfb-run -a python tests/benchmarks/play_demo.py play SECS
    python tests/benchmarks/play_demo.py build PICTURES

``play``: in the real window, how many decoded pictures a second are painted, how far they are from the sound, and the
longest gap of the event loop. ``build``: how long the render loop takes to fill the play cache, against decoding the
same pictures with the engine alone; in turn, three times each.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ["VIDEOINR_SOUND"] = "null"
sys.path.insert(0, str(Path(__file__).parents[1]))

import av
import numpy as np
from PySide6.QtCore import QEventLoop, QTimer

from helpers.loop_under_test import Recorder
from helpers.loop_watch import LoopWatch
from videoinr.playing.cache import PlayCache
from videoinr.playing.picture_folder import PictureFolder
from videoinr.playing.plan import PlayPlan, play_times
from videoinr.render.engine import open_engine
from videoinr.render.render_loop import RenderLoop
from videoinr.types import Quality, Segment
from videoinr_resources import path as resource_path
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.start.program import engine_opener, make_app
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.viewer import Viewer

RATE, LENGTH = Fraction(24), Fraction(2)
MEMORY = 384 * 2**20


def with_sound(folder: Path) -> Path:
    """Return the demo clip with a tone."""
    target = folder / "demo.mov"
    with av.open(str(resource_path("demo/demo.mp4"))) as source, av.open(str(target), "w") as out:
        video = out.add_stream_from_template(source.streams.video[0])
        audio: Any = out.add_stream("pcm_s16le", rate=48000, layout="stereo")
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = video
                out.mux(packet)
        wave = (3000 * np.sin(np.arange(2 * 48000 * 27 // 20) * 2 * np.pi * 440 / 48000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48000, 0
        for sound in [*audio.encode(frame), *audio.encode(None)]:
            out.mux(sound)
    return target


def decode_secs(clip: Path, plan: PlayPlan) -> float:
    """Return how long the engine alone takes for the pictures of ``plan``."""
    with open_engine(clip) as engine:
        start = time.perf_counter()
        for index in range(plan.count):
            engine.render(plan.query(index), Quality.FULL)
        return time.perf_counter() - start


def build_secs(clip: Path, plan: PlayPlan, memory_bytes: int, folder: Path) -> float:
    """Return how long the render loop takes to fill a cache with the pictures of ``plan``."""
    told, cache = Recorder(), PlayCache(memory_bytes, PictureFolder(folder, 2**31))
    loop = RenderLoop(lambda path: open_engine(path), told, cache)
    loop.open(clip)
    told.wait_for(lambda: bool(told.opened))
    start = time.perf_counter()
    cache.set_plan(plan)
    loop.look_again()
    while cache.coverage().done < plan.count:
        time.sleep(0.01)
    elapsed = time.perf_counter() - start
    loop.close()
    cache.close()
    return elapsed


class Show:
    """The real window."""

    def __init__(self, clip: Path) -> None:
        self.app = make_app()
        opener = engine_opener(ReadingChoice(Reading()))
        self.viewer = Viewer(self.app, opener, settings=Settings(), play=PlayCache(MEMORY))
        self.viewer.show((1280, 800))
        self.viewer.session.open(clip)
        self.painted: list[tuple[float, Fraction, Quality]] = []
        self.drifts: list[float] = []
        self.viewer.window.frame_view.painted.connect(self._note)

    def _note(self, regions: tuple[Any, ...]) -> None:
        clip = self.viewer.session.clip
        if not regions or clip is None or not self.viewer.player.is_playing:
            return
        top = regions[-1]
        at = clip.timeline.time_from_instant(top.query.instant)
        if not self.painted or self.painted[-1][1] != at:
            self.painted.append((time.perf_counter(), at, top.quality))
            if (heard := self.viewer.sound.output_secs) is not None:
                self.drifts.append(float(heard - at))

    def wait(self, condition: Any, secs: float = 300) -> None:
        end = time.monotonic() + secs
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("it did not happen")
            self.wait_secs(0.05)

    def wait_secs(self, secs: float) -> None:
        loop = QEventLoop()
        QTimer.singleShot(round(secs * 1000), loop.quit)
        loop.exec()


def play(folder: Path, secs: float) -> None:
    """Fill the cache in the real window, and play for ``secs`` seconds."""
    show = Show(with_sound(folder))
    session, cache = show.viewer.session, show.viewer.play_cache
    show.wait(lambda: session.clip is not None)
    show.wait(lambda: show.viewer.window.frame_view.full_for(session.last_query) is not None)
    session.seek(LENGTH)
    session.mark_out()
    session.seek(Fraction(0))
    begun = time.perf_counter()
    show.wait(lambda: cache.coverage().wanted == 48 and cache.coverage().done == 48)
    print(f"cached while the window was at rest: 48 pictures in {time.perf_counter() - begun:.2f} s")
    watch = LoopWatch()
    watch.start()
    show.viewer.player.toggle()
    show.wait_secs(secs)
    show.viewer.player.pause()
    watch.stop()
    decoded = sum(one[2] is Quality.FULL for one in show.painted)
    secs = show.painted[-1][0] - show.painted[0][0]
    print(f"{decoded - 1} decoded pictures in {secs:.2f} s, {(decoded - 1) / secs:.2f} a second; "
          f"other pictures: {len(show.painted) - decoded}; size {cache.plan and cache.plan.rect}")  # fmt: skip
    late = [abs(one) for one in show.drifts if abs(one) < 1]
    print(f"{len(late)} pictures with sound: picture to sound in ms: median {statistics.median(late) * 1000:.1f}, "
          f"95 % {np.percentile(late, 95) * 1000:.1f}, most {max(late) * 1000:.1f}; "
          f"last 100: median {statistics.median(late[-100:]) * 1000:.1f}")  # fmt: skip
    print(f"longest gap of the event loop: {watch.longest_secs * 1000:.1f} ms {watch.where}")
    show.viewer.window.close()


def build(folder: Path, pictures: int) -> None:
    """Compare filling the cache with decoding alone, in turn."""
    clip = resource_path("demo/demo.mp4")
    with open_engine(clip) as engine:
        timeline, source, size = engine.clip.timeline, engine.opened.source_id, engine.clip.info.grid
    grid = size.scaled(1006 / 320)
    plan = PlayPlan(source, timeline, play_times(timeline, Segment(Fraction(0), pictures / RATE), 1 / RATE), grid,
                    grid.rect)  # fmt: skip
    few = max(2, pictures // 3) * plan.picture_bytes
    decode_secs(clip, plan)
    rows = []
    for _ in range(3):
        timed = [_timed(lambda: decode_secs(clip, plan)), _timed(lambda: build_secs(clip, plan, MEMORY, folder / "a")),
                 _timed(lambda: build_secs(clip, plan, few, folder / "b"))]  # fmt: skip
        rows.append(timed)
        print([f"{wall:.2f} s ({cpu:.2f} of CPU)" for wall, cpu in timed], flush=True)
    wall, cpu = ([statistics.median(row[column][kind] for row in rows) for column in range(3)] for kind in (0, 1))
    print(f"{pictures} pictures of {grid}: decoding {wall[0]:.2f} s; cache in memory {wall[1] / wall[0]:.3f} times "
          f"({cpu[1] / cpu[0]:.3f} of its CPU time), two thirds on disk {wall[2] / wall[0]:.3f} times "
          f"({cpu[2] / cpu[0]:.3f})")  # fmt: skip


def _timed(work: Callable[[], float]) -> tuple[float, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def main() -> None:
    what, number = sys.argv[1], float(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        if what == "play":
            play(Path(name), number)
        else:
            build(Path(name), int(number))


if __name__ == "__main__":
    main()
