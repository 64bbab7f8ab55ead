"""The sound of playback: which second is heard, at any speed, in loops, and by how much it drifts from the pictures."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest

from helpers.clicks import write_clicks
from helpers.clips import write_clip
from helpers.waiting import wait_until
from videoinr.cancel import NEVER, CancelToken
from videoinr.clip import open_clip
from videoinr.errors import Cancelled
from videoinr.exporting.sound.source import SoundSource
from videoinr.playing.audio_clock import AudioClock
from videoinr.playing.sound_feed import SoundFeed
from videoinr.playing.sound_output import NullOutput
from videoinr.playing.sound_run import SoundRun, sound_of
from videoinr.types import Segment

RATE = 48000
CLICKS_MSECS = (400, 1000, 1520)
WHOLE = Segment(Fraction(0), Fraction(2))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> SoundSource:
    """The sound of a clip of two seconds with clicks at CLICKS_MSECS."""
    path = tmp_path_factory.mktemp("sound") / "clicks.mov"
    times = list(range(0, 2000, 40))
    write_clicks(path, times, [times.index(one) for one in CLICKS_MSECS], end_msecs=2000, sound="pcm_s16le", tone=0.02)
    with open_clip(path) as clip:
        found = sound_of(clip.info)
    assert found is not None
    return found


def clicks_in(samples: np.ndarray) -> list[int]:
    loud = np.flatnonzero(np.abs(samples[0]) > 0.45)
    return [int(at) for number, at in enumerate(loud) if number == 0 or at - loud[number - 1] > RATE // 50]


def taken(run: SoundRun, samples: int) -> np.ndarray:
    """Return the first ``samples`` samples of ``run``, [channels, samples]; fewer if it ends before."""
    blocks, count = [], 0
    for block in run.blocks(NEVER):
        blocks.append(block)
        count += block.shape[1]
        if count >= samples:
            break
    return np.concatenate(blocks, axis=1)[:, :samples]


@pytest.mark.parametrize("speed", [Fraction(1, 4), Fraction(1), Fraction(2)])
def test_each_click_sounds_when_playback_is_there(sound: SoundSource, speed: Fraction) -> None:
    run = SoundRun(sound, WHOLE, Fraction(1, 5), speed=speed)
    samples = taken(run, 10**9)
    assert samples.shape == (2, round(Fraction(9, 5) / speed * RATE))
    heard = [float(run.time_at(at)) for at in clicks_in(samples)]
    assert heard == pytest.approx([one / 1000 for one in CLICKS_MSECS], abs=0.004)
    for number in (0, 1, 777, 40000):
        assert run.samples_to(run.time_at(number)) == number


def test_slow_motion_keeps_the_pitch(sound: SoundSource) -> None:
    samples = taken(SoundRun(sound, WHOLE, Fraction(0), speed=Fraction(1, 2)), RATE // 2)[0]
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert np.argmax(power) * RATE / len(samples) == pytest.approx(440, abs=4)


def test_a_loop_goes_on_without_a_gap_and_decodes_once(sound: SoundSource, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Fraction] = []
    read = SoundSource.blocks

    def counted(source: SoundSource, start: Fraction, length: Fraction, token: CancelToken = NEVER) -> object:
        reads.append(start)
        return read(source, start, length, token)

    monkeypatch.setattr(SoundSource, "blocks", counted)
    stretch = Segment(Fraction(9, 10), Fraction(8, 5))
    run = SoundRun(sound, stretch, Fraction(6, 5), loops=True)
    samples, places = taken(run, 2 * RATE), []
    for at in clicks_in(samples):
        places.append(float(Fraction(at, RATE)))
        assert min(abs(float(run.time_at(at)) - one / 1000) for one in CLICKS_MSECS) < 0.001 or at < 0.7 * RATE
    assert places == pytest.approx([0.32, 0.5, 1.02, 1.2, 1.72, 1.9], abs=0.001)
    assert reads == [Fraction(6, 5), Fraction(9, 10)], "the third lap comes from memory"


def test_a_clip_without_sound_has_none_and_other_channels_become_two(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "silent.mp4", 3)) as clip:
        assert sound_of(clip.info) is None
    with open_clip(write_clip(tmp_path / "tone.mp4", 12, audio_secs=0.5)) as clip:
        found = sound_of(clip.info)
    assert found is not None
    assert (found.rate, found.channels) == (44100, 1)
    samples = taken(SoundRun(found, Segment(Fraction(0), Fraction(1, 2)), Fraction(0)), 10**9)
    assert samples.shape == (2, RATE // 2)
    assert np.abs(samples[:, 4000:20000]).max() > 0.1


def test_a_stretch_shorter_than_a_sample_is_silent(sound: SoundSource) -> None:
    tiny = Segment(Fraction(0), Fraction(1, 10**6))
    assert list(islice(SoundRun(sound, tiny, Fraction(0), loops=True).blocks(NEVER), 3)) == []


# ---- the output and its clock ----


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now_ns = 10**9

    def __call__(self) -> int:
        return self.now_ns

    def run(self, secs: float) -> None:
        self.now_ns += round(secs * 1e9)


def test_the_null_output_plays_at_the_clocks_speed_and_stops_where_nothing_is_left() -> None:
    clock = Clock()
    output = NullOutput(clock, buffer_samples=4800)
    assert output.room() == 0
    output.begin()
    output.write(np.zeros((2, output.room()), np.float32))
    clock.run(0.05)
    assert output.played() == 2400
    assert output.room() == 2400
    clock.run(1)
    assert output.played() == 4800
    output.write(np.zeros((2, 4800), np.float32))
    clock.run(0.05)
    assert output.played() == 7200, "silence in between does not count"
    output.end()
    clock.run(1)
    assert output.played() == 7200


def test_the_clock_smooths_coarse_reports_and_follows_another_speed() -> None:
    clock, random = AudioClock(RATE), Random(1)
    shown = []
    for tick in range(4000):
        secs = tick * 0.015 + random.uniform(0, 0.004)
        true = secs * 1.002 * RATE
        shown.append((clock.read(round(secs * 1e9), int(true // 960) * 960), true))
    late = [(true - read) / RATE for read, true in shown[200:]]
    assert max(late) < 0.02
    assert min(late) > -0.01
    assert all(second[0] >= first[0] for first, second in pairwise(shown))


def test_the_clock_waits_while_the_output_is_silent() -> None:
    clock = AudioClock(RATE)
    for tick in range(20):
        clock.read(tick * 10**7, tick * 480)
    at_rest = [clock.read((20 + tick) * 10**7, 19 * 480) for tick in range(60)]
    assert at_rest[-1] - 19 * 480 < 0.09 * RATE
    assert at_rest == sorted(at_rest)


# ---- the feed ----


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feed(clock: Clock) -> Iterator[SoundFeed]:
    with SoundFeed(NullOutput(clock), clock) as feed:
        yield feed
    assert not [one for one in threading.enumerate() if one.name == "videoinr-sound"]


def begin(feed: SoundFeed, clock: Clock, run: SoundRun, at: Fraction) -> Fraction:
    """Start ``run`` where playback is, ``at``, and return where playback is when it is heard."""
    feed.start(lambda _token: run)
    started_ns = clock.now_ns

    def now() -> Fraction:
        return at + Fraction(clock.now_ns - started_ns, 10**9)

    def has_begun() -> bool:
        clock.run(0.005)
        feed.pump(now())
        return feed.time_secs is not None

    wait_until(has_begun)
    return now()


def test_the_sound_begins_where_playback_is_by_then(feed: SoundFeed, clock: Clock, sound: SoundSource) -> None:
    now = begin(feed, clock, SoundRun(sound, WHOLE, Fraction(1, 2), loops=True), Fraction(1, 2))
    assert float(feed.output_secs or 0) == pytest.approx(float(now) % 2, abs=0.001)
    before = feed.time_secs
    clock.run(0.05)
    assert float((feed.time_secs or 0) - (before or 0)) % 2 == pytest.approx(0.05, abs=0.001)


def test_an_output_that_starts_late_makes_no_picture_wait(sound: SoundSource, clock: Clock) -> None:
    class Late(NullOutput):
        """Plays nothing for half a second."""

        def played(self) -> int:
            return max(0, super().played() - RATE // 2)

        def room(self) -> int:
            return self._buffer_samples + RATE // 2 - self._written + self.played()

    with SoundFeed(Late(clock), clock) as feed:
        now = begin(feed, clock, SoundRun(sound, WHOLE, Fraction(0), loops=True), Fraction(0))
        assert now > Fraction(1, 2)
        assert float(feed.output_secs or 0) == pytest.approx(float(now) % 2, abs=0.001)


def test_over_a_minute_of_loops_pictures_and_sound_stay_together(
    feed: SoundFeed, clock: Clock, sound: SoundSource
) -> None:
    run = SoundRun(sound, WHOLE, Fraction(0), loops=True)
    begin(feed, clock, run, Fraction(0))
    drifts = []
    for _ in range(60 * 66):
        clock.run(0.0151)
        feed.pump(Fraction(0))
        wait_until(lambda: feed.is_ready)
        shown, heard = feed.time_secs, feed.output_secs
        assert shown is not None
        assert heard is not None
        apart = float((shown - heard) % 2)
        drifts.append(min(apart, 2 - apart))  # one of them may be in the next lap
    assert max(drifts) <= 0.02


def test_it_falls_silent_at_the_end_and_starts_anew(feed: SoundFeed, clock: Clock, sound: SoundSource) -> None:
    begin(feed, clock, SoundRun(sound, WHOLE, Fraction(1)), Fraction(1))

    def is_silent() -> bool:
        clock.run(0.01)
        feed.pump(Fraction(2))
        return feed.time_secs is None

    wait_until(is_silent)
    begin(feed, clock, SoundRun(sound, WHOLE, Fraction(1)), Fraction(1))
    assert feed.time_secs is not None
    feed.stop()
    assert feed.time_secs is None
    feed.pump(Fraction(1))


def test_a_newer_run_cancels_the_decoding_of_the_one_before(feed: SoundFeed, clock: Clock, sound: SoundSource) -> None:
    started, ended = threading.Event(), threading.Event()

    def slow(token: CancelToken) -> None:
        started.set()
        while not token.cancelled:
            time.sleep(0.001)
        ended.set()
        raise Cancelled

    feed.start(slow)
    wait_until(started.is_set)
    feed.pump(Fraction(0))
    begin(feed, clock, SoundRun(sound, WHOLE, Fraction(1), loops=True), Fraction(1))
    assert ended.is_set()


def test_a_file_that_cannot_be_read_leaves_silence(feed: SoundFeed, tmp_path: Path) -> None:
    gone = SoundSource(tmp_path / "gone.mp4", 0, RATE, "stereo", 2, Fraction(0))
    done = threading.Event()

    def make(_token: CancelToken) -> SoundRun:
        done.set()
        return SoundRun(gone, WHOLE, Fraction(0))

    feed.start(make)
    wait_until(done.is_set)
    feed.start(lambda _token: None)
    feed.pump(Fraction(0))
    assert feed.time_secs is None
