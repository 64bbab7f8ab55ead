"""Clips coded by a real encoder at their small size before a method sees them, as footage from elsewhere is.

The whole clip is shrunk and encoded at its own frame order, every frame, not only the inputs: what an encoder does to a
frame depends on the frames around it. The file is then read as the program reads any clip. The files are not always
the same: the x264 inside PyAV may encode the same frames otherwise the second time (findings/x264_varies.sh).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from videoinr.clip import Clip, open_clip
from videoinr.colour import ColourSpec
from videoinr.errors import UsageError
from videoinr.exporting.codecs import Codec, check_encodes, codec_for
from videoinr.exporting.coding import Coding, FrameConverter
from videoinr.exporting.decode_times import mux_frames
from videoinr.exporting.tags import tags_from_colour
from videoinr.images import rgbx_from_tensor, tensor_from_pixels
from videoinr.writing.words import write_errors

GOP_FRAMES = 250
"""Most frames from one key frame to the next; the encoder also places one at a change of scene."""
FPS = Fraction(30)
_ENDING = ".mkv"
_COLOUR = ColourSpec(matrix="bt709", range="tv", primaries="bt709", transfer="bt709")


@dataclass(frozen=True, slots=True)
class CodedInputs:
    """An encoder and its constant quality, 0 (best) ... 51 or 63. ``name``: as it was asked for."""

    name: str
    crf: int

    @property
    def codec(self) -> Codec:
        """The encoder."""
        return codec_for(_ENDING, self.name)

    def __str__(self) -> str:
        return (
            f"LR then coded as a whole clip by {self.codec.encoder} at constant quality {self.crf}, {FPS} fps, "
            f"key frames at most {GOP_FRAMES} apart, 4:2:0 (BT.709, limited range) where both sides are even"
        )


def coded_inputs(text: str) -> CodedInputs:
    """Read ``h264:28``: a codec's name and its quality.

    Raises:
        UsageError: the text has another form, there is no such codec, or no such quality.
    """
    name, _, quality = text.strip().partition(":")
    hint = "Write a codec and its constant quality: h264:28, h265:30, vp9:40."
    codec = codec_for(_ENDING, name) if name else None
    if codec is None or codec.crf is None or not quality.isascii() or not quality.isdigit():
        raise UsageError(f"{text!r} is no coding.", hint=hint)
    crf = int(quality[:4])
    if not codec.crf.least <= crf <= codec.crf.most:
        raise UsageError(f"{codec.word} has no quality {quality[:20]}.", hint=hint)
    return CodedInputs(codec.encoder, crf)


@contextmanager
def coded_clip(
    frame: Callable[[int], Tensor], count: int, inputs: CodedInputs, device: torch.device
) -> Iterator[Callable[[int], Tensor]]:
    """Encode a clip into a temporary file, and open that.

    Args:
        frame: Returns the small frame of a number, float32 [3, h, w] in 0 ... 1. Asked for each number once, in order.
        count: The number of frames.
        inputs: The encoder.
        device: Where the decoded frames are wanted.

    Yields:
        A function that returns the decoded frame of a number, float32 [3, h, w] in 0 ... 1.

    Raises:
        ExportError: the encoder does not work on this machine, or the disk is full.
    """
    check_encodes(inputs.codec)
    with TemporaryDirectory(prefix="videoinr-") as folder:
        path = Path(folder) / f"coded{_ENDING}"
        with write_errors(path):
            _encode(path, frame, count, inputs)
        with open_clip(path) as clip:
            yield _reader(clip, device)


def _reader(clip: Clip, device: torch.device) -> Callable[[int], Tensor]:
    return lambda number: tensor_from_pixels(clip.frame(number), device)


def _encode(path: Path, frame: Callable[[int], Tensor], count: int, inputs: CodedInputs) -> None:
    import av

    first = frame(0)
    coding = _coding(inputs, width=first.shape[2], height=first.shape[1])
    converter = FrameConverter(coding)
    with av.open(path, "w", format=coding.muxer) as file:
        stream: Any = file.add_stream(coding.codec.encoder, rate=FPS)
        coding.configure(stream.codec_context)
        stream.codec_context.options = coding.options
        stream.codec_context.gop_size = GOP_FRAMES
        small = (first if number == 0 else frame(number) for number in range(count))
        pictures = (rgbx_from_tensor(pixels.permute(1, 2, 0)).cpu().numpy() for pixels in small)
        mux_frames(file, stream, map(converter.frame, pictures), FPS)


def _coding(inputs: CodedInputs, *, width: int, height: int) -> Coding:
    tags = tags_from_colour(_COLOUR, rgb=False, full_range=True)
    return Coding(inputs.codec, _ENDING, width, height, FPS, inputs.crf, tags, Fraction(1))
