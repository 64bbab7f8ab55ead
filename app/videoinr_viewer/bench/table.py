"""Prints the figures of a bench as tables."""

from __future__ import annotations

from videoinr.commands.screen import show_table
from videoinr.text.phrases import format_count
from videoinr_viewer.bench.figures import BenchFigures, GestureFigures, PlayFigures

MIB = 2**20
_GESTURES = (
    "",
    "inputs",
    "first p50/p95/p99",
    "full p50/longest",
    "decode p50/p95",
    "motion/draft/full/source",
    "full/s",
    "gap",
)
_PLAY = ("speed", "shown/s", "decoded/s", "full/s", "behind p50/p95, ms", "gap")


def print_table(figures: BenchFigures) -> None:
    """Print the tables to stdout."""
    setting, machine = figures.setting, figures.machine
    print(
        f"{setting.clip} {setting.clip_size}, {format_count(setting.frames, 'frame')}, in a window of {setting.window}"
    )
    print(f"picture {setting.picture}, {setting.model} on {setting.device}")
    print(f"{machine.cores} cores, Qt {machine.qt} ({machine.qt_platform})")
    start = figures.start_up
    rows = [
        ("window", f"{start.window_secs:.2f} s"),
        ("source frame", f"{start.source_secs:.2f} s"),
        ("motion draft", f"{start.motion_secs:.2f} s"),
        ("first decoded picture", f"{start.first_decoded_secs:.2f} s"),
        ("full picture", f"{start.full_secs:.2f} s"),
        ("longest gap of the event loop", f"{start.longest_gap_msecs:.0f} ms"),
    ]
    show_table("From the start of the process", (), rows)
    if figures.gestures:
        show_table("Input to screen, ms", _GESTURES, [_gesture_row(each) for each in figures.gestures])
    if figures.play:
        show_table("Playback", _PLAY, [_play_row(each) for each in figures.play])
    if (soak := figures.soak) is not None:
        first, last = (memory / MIB for memory in (soak.round_bytes[0], soak.round_bytes[-1]))
        grown = f"{soak.growth_bytes / MIB:+.1f} MiB after the first quarter ({first:.0f} to {last:.0f} MiB in all)"
        print(f"{soak.steps} steps in {len(soak.round_bytes)} rounds, {soak.secs:.0f} s: {grown}")
    peak = figures.peak_memory_bytes
    print(f"longest gap {figures.longest_gap_msecs:.0f} ms" + ("" if peak is None else f"; peak {peak / MIB:.0f} MiB"))


def _gesture_row(gesture: GestureFigures) -> tuple[str, ...]:
    first, decode, full = gesture.first, gesture.decode, gesture.full
    return (
        gesture.name,
        f"{first.count}/{gesture.inputs}",
        "/".join(_msecs(value) for value in (first.p50_msecs, first.p95_msecs, first.p99_msecs)),
        f"{_msecs(full.p50_msecs)}/{_msecs(full.longest_msecs)}",
        f"{_msecs(decode.p50_msecs)}/{_msecs(decode.p95_msecs)}",
        f"{gesture.motions}/{gesture.drafts}/{gesture.fulls}/{gesture.sources}",
        f"{gesture.full_per_sec:.1f}",
        _msecs(gesture.longest_gap_msecs),
    )


def _play_row(play: PlayFigures) -> tuple[str, ...]:
    behind = f"{_msecs(play.behind.p50_msecs)}/{_msecs(play.behind.p95_msecs)}"
    return (
        play.speed, f"{play.shown_per_sec:.1f}", f"{play.decoded_per_sec:.1f}", f"{play.full_per_sec:.1f}", behind,
        _msecs(play.longest_gap_msecs),
    )  # fmt: skip


def _msecs(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
