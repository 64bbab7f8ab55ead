"""The words for the progress of an encoding: percentage and seconds left, only where it takes long."""

from __future__ import annotations

from videoinr.cancel import CancelToken
from videoinr.text.encoding_progress import EncodingProgress


class Clock:
    def __init__(self) -> None:
        self.secs = 100.0

    def __call__(self) -> float:
        return self.secs


def told_of(reports: list[tuple[float, int, int]]) -> list[str]:
    """The words for reports (second, done, total)."""
    words, clock = list[str](), Clock()
    token = CancelToken(EncodingProgress(words.append, clock).report)
    for secs, done, total in reports:
        clock.secs = 100.0 + secs
        token.report(done, total)
    return words


def test_long_work_gets_a_percentage_and_the_seconds_left() -> None:
    assert told_of([(0, 0, 100), (1, 10, 100), (5, 50, 100), (9.5, 95, 100)]) == [
        "encoding 10 %, 9 s",
        "encoding 50 %, 5 s",
        "encoding 95 %, 1 s",
    ]


def test_short_work_gets_no_words() -> None:
    assert told_of([(0, 0, 100), (0.6, 50, 100), (1.2, 100, 100)]) == []


def test_words_do_not_come_more_often_than_a_few_times_a_second() -> None:
    assert len(told_of([(step / 100, step, 1000) for step in range(200)])) < 10


def test_work_of_unknown_size_gets_the_seconds_passed() -> None:
    assert told_of([(0, 0, 0), (1, 0, 0), (3, 0, 0)]) == ["encoding for 3 s"]


def test_another_pair_begins_anew() -> None:
    words = told_of([(0, 0, 100), (5, 50, 100), (10, 0, 100), (10.3, 5, 100), (12, 20, 100)])
    assert words == ["encoding 50 %, 5 s", "", "encoding 20 %, 8 s"]


def test_a_token_without_a_listener_takes_reports() -> None:
    CancelToken().report(1, 2)


def test_what_comes_after_an_end_begins_anew() -> None:
    words, clock = list[str](), Clock()
    progress = EncodingProgress(words.append, clock)
    for secs, done in ((0, 0), (5, 50), (10, 100)):
        clock.secs = 100.0 + secs
        progress.report(done, 100)
    progress.clear()
    for secs, done in ((60, 0), (62, 20)):
        clock.secs = 100.0 + secs
        progress.report(done, 100)
    assert words == ["encoding 50 %, 5 s", "encoding 100 %, 0 s", "", "encoding 20 %, 8 s"]
