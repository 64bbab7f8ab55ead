"""Launches that repeat are recorded and replayed."""

from __future__ import annotations

from collections.abc import Callable

import torch

from videoinr.decode.recording import Repeated, cuda_graph

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Recorder:
    """Records by calling; ``made`` counts the recordings, ``replayed`` their replays."""

    def __init__(self, *, fails: bool = False) -> None:
        self.made, self.replayed, self._fails = 0, 0, fails

    def __call__(self, launch: Callable[[], None]) -> Callable[[], None]:
        self.made += 1
        if self._fails:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        launch()

        def replay() -> None:
            self.replayed += 1
            launch()

        return replay


def test_the_second_call_of_a_kind_records_and_later_ones_replay() -> None:
    recorder = Recorder()
    repeat = Repeated(recorder)
    for number in range(4):
        given = torch.full((3,), float(number))
        assert repeat("double", lambda x: x * 2, given).tolist() == [2.0 * number] * 3
    assert (recorder.made, recorder.replayed) == (1, 3)
    assert repeat("double", lambda x: x * 2, torch.ones(4)).tolist() == [2.0] * 4, "another shape"
    assert repeat("treble", lambda x: x * 3, torch.ones(4)).tolist() == [3.0] * 4, "another function"
    assert (recorder.made, recorder.replayed) == (1, 3)
    repeat("treble", lambda x: x * 3, torch.ones(4))
    repeat.forget()
    repeat("treble", lambda x: x * 3, torch.ones(4))
    assert (recorder.made, recorder.replayed) == (2, 4)


def test_a_buffer_that_is_filled_again_is_read_where_it_is_and_never_written() -> None:
    recorder, buffer = Recorder(), torch.zeros(3)
    repeat = Repeated(recorder)
    for number in range(4):
        assert repeat("double", lambda x: x * 2, buffer.fill_(number)).tolist() == [2.0 * number] * 3
    assert (recorder.made, recorder.replayed) == (1, 3)
    for number in range(4, 7):
        assert repeat("double", lambda x: x * 2, torch.full((3,), float(number))).tolist() == [2.0 * number] * 3
    assert (recorder.made, recorder.replayed) == (2, 6), "recorded once more, for tensors at other places"
    assert buffer.tolist() == [3.0] * 3
    assert repeat("double", lambda x: x * 2, buffer).tolist() == [6.0] * 3


def test_a_buffer_that_is_read_in_another_order_is_another_kind() -> None:
    recorder, buffer = Recorder(), torch.arange(9.0).view(3, 3)
    repeat = Repeated(recorder)
    for given in (buffer, buffer, buffer.t(), buffer.t(), buffer):
        assert torch.equal(repeat("double", lambda x: x * 2, given), given * 2)


def test_without_room_for_a_recording_the_launches_are_made() -> None:
    recorder = Recorder(fails=True)
    repeat = Repeated(recorder)
    for _ in range(3):
        assert repeat("double", lambda x: x * 2, torch.ones(2)).tolist() == [2.0, 2.0]
    assert recorder.made == 1, "the third call is the first of a kind again"


def test_a_cuda_graph_repeats_the_launch_and_there_is_none_without_a_gpu() -> None:
    launches = torch.zeros(1, device=DEVICE)

    def launch() -> None:
        launches.add_(1)

    launch()
    replay = cuda_graph(launch)
    if DEVICE.type != "cuda":
        assert replay is None
        return
    assert replay is not None
    replay()
    replay()
    assert launches.item() == 3
