"""Sound of many channels, of channels in an order of their own, and of loudspeakers that have no name as a set."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from videoinr.clip.sound_channels import Channels, relabelled, settle_channels
from videoinr.exporting.sound import source
from videoinr.exporting.sound.blocks import block_of, frame_from_block, resampled
from videoinr.exporting.sound.copying import why_not_copied
from videoinr.exporting.sound.facts import SoundFacts


@dataclass
class _Context:
    """Stands for a codec context, whose layout PyAV does not hold safely."""

    layout: Any
    sample_rate: int = 48000
    codec: Any = field(default_factory=lambda: SimpleNamespace(name="pcm_s16le", canonical_name="pcm_s16le"))
    format: Any = None
    extradata: bytes | None = None


def _layout(*names: str) -> Any:
    channels = tuple(SimpleNamespace(name=name) for name in names)
    return SimpleNamespace(name=f"{len(names)} channels", nb_channels=len(names), channels=channels)


@pytest.mark.parametrize(
    ("names", "layout", "order"),
    [
        (["FL", "FR"], "stereo", ()),
        (["FR", "FL"], "stereo", (1, 0)),
        (["FL", "FR", "FC", "LFE", "SL", "SR", "BL", "BR"], "7.1", (0, 1, 2, 3, 6, 7, 4, 5)),
        (["FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC"], "7.1(wide)", ()),
        (["FL", "FC"], "stereo", ()),
        (["FR"], "mono", ()),
        (["FL", "FL"], "stereo", ()),
        (["UNSD"] * 9, "9 channels", ()),
        (["NONE"] * 4, "4 channels", ()),
        (["AMBI0", "AMBI1", "AMBI2", "AMBI3"], "4 channels", ()),
    ],
)
def test_channels_get_a_layout_that_filters_take(names: list[str], layout: str, order: tuple[int, ...]) -> None:
    context = _Context(_layout(*names))

    channels = settle_channels(context)  # type: ignore[arg-type]

    assert (channels.layout, channels.count, channels.order) == (layout, len(names), order)
    assert context.layout == layout


def test_channels_in_their_own_order_are_put_in_the_layouts_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _two_channels(tmp_path / "clip.mkv")
    plain = source.SoundSource(path, 0, 48000, "stereo", 2, Fraction(0))
    as_stored = np.concatenate(list(plain.blocks(Fraction(0), Fraction(1, 10))), axis=1)
    monkeypatch.setattr(source, "settle_channels", lambda _: Channels("stereo", 2, (1, 0), is_own=True))

    moved = np.concatenate(list(plain.blocks(Fraction(0), Fraction(1, 10))), axis=1)

    assert np.abs(as_stored[0]).max() > 0.4 > np.abs(as_stored[1]).max()
    np.testing.assert_array_equal(moved, as_stored[::-1])


def test_only_pcm_in_an_order_of_its_own_is_read_and_it_is_never_copied() -> None:
    stream = SimpleNamespace(metadata={}, disposition=0, start_time=None, time_base=None)
    own = _Context(_layout("FR", "FL"))
    stream.codec_context = own
    facts = SoundFacts.of(stream, 0)  # type: ignore[arg-type]
    stream.codec_context = replace(
        own, layout=_layout("FR", "FL"), codec=SimpleNamespace(name="aac", canonical_name="aac")
    )

    assert facts is not None
    assert facts.layout == "stereo"
    assert "order of their own" in why_not_copied(facts, "mov", "mov", Fraction(0))
    assert why_not_copied(replace(facts, has_own_order=False), "mov", "mov", Fraction(0)) == ""
    assert SoundFacts.of(stream, 0) is None  # type: ignore[arg-type]


def test_a_frame_of_loudspeakers_without_a_name_is_read() -> None:
    samples = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="FL+FC")
    frame.sample_rate, frame.pts, frame.time_base = 48000, 7, Fraction(1, 48000)

    named = relabelled(frame, "stereo")

    assert (named.layout.name, named.pts, named.sample_rate, named.time_base) == (
        "stereo",
        7,
        48000,
        Fraction(1, 48000),
    )
    np.testing.assert_array_equal(named.to_ndarray(), samples)
    assert relabelled(named, "mono") is named


@pytest.mark.parametrize(("layout", "count"), [("mono", 1), ("stereo", 2), ("5.1", 6)])
def test_blocks_become_interleaved_frames_and_back(layout: str, count: int) -> None:
    block = np.arange(count * 4, dtype=np.float32).reshape(count, 4)

    frame = frame_from_block(block, layout, 48000, 0)

    assert not frame.format.is_planar
    np.testing.assert_array_equal(block_of(frame), block)


def test_resampled_channels_stay_apart() -> None:
    block = np.stack([np.full(4800, level, np.float32) for level in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)])

    ready = np.concatenate(list(resampled([block], "5.1", 48000, "5.1", 24000)), axis=1)

    np.testing.assert_allclose(ready[:, 1000:1400].mean(axis=1), block[:, 0], atol=1e-3)


def _two_channels(path: Path) -> Path:
    """Write a file with a tenth of a second of sound, loud on the left and soft on the right."""
    samples = np.tile(np.array([16000, 1600], np.int16), 4800)[None]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=48000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path
