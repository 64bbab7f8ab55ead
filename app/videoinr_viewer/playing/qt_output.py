"""The computer's output of sound, through QtMultimedia, which comes with PySide6-Addons."""

from __future__ import annotations

import logging

import numpy as np
from PySide6.QtCore import QIODevice
from PySide6.QtMultimedia import QAudioDevice, QAudioFormat, QAudioSink, QMediaDevices, QtAudio

from videoinr.exporting.sound.blocks import Block

log = logging.getLogger(__name__)

BUFFER_SECS = 0.2
"""So much sound is written in advance: a stall of the window that is shorter is not heard."""
_USUAL_RATE = 48000


def open_output() -> QtOutput | None:
    """Return the computer's usual output, or None if it has none that plays stereo."""
    device = QMediaDevices.defaultAudioOutput()
    if device.isNull():
        return None
    usual = device.preferredFormat().sampleRate()
    for rate in (usual if usual > 0 else _USUAL_RATE, _USUAL_RATE):
        for kind in (QAudioFormat.SampleFormat.Float, QAudioFormat.SampleFormat.Int16):
            wanted = QAudioFormat()
            wanted.setSampleRate(rate)
            wanted.setChannelCount(2)
            wanted.setSampleFormat(kind)
            if device.isFormatSupported(wanted):
                return QtOutput(device, wanted)
    return None


class QtOutput:
    """A :class:`videoinr.playing.sound_output.SoundOutput` on a device. Lives on the GUI thread."""

    def __init__(self, device: QAudioDevice, wanted: QAudioFormat) -> None:
        self._format = wanted
        self._sink = QAudioSink(device, wanted)
        self._sink.setBufferSize(wanted.bytesForDuration(round(BUFFER_SECS * 1_000_000)))
        self._into: QIODevice | None = None
        self._written = 0

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self._format.sampleRate()

    @property
    def channels(self) -> int:
        """Two."""
        return self._format.channelCount()

    def begin(self) -> None:
        """Begin anew."""
        self._sink.reset()
        self._written, self._into = 0, self._sink.start()
        if self._sink.error() != QtAudio.Error.NoError:
            log.warning("the sound output does not start: %s", self._sink.error())

    def room(self) -> int:
        """Return how many samples may be written now."""
        return 0 if self._into is None else self._sink.bytesFree() // self._format.bytesPerFrame()

    def write(self, block: Block) -> None:
        """Write ``block``."""
        if self._into is None:
            return
        samples = np.ascontiguousarray(block.T)
        if self._format.sampleFormat() == QAudioFormat.SampleFormat.Int16:
            samples = np.rint(samples.clip(-1, 1) * 32767).astype(np.int16)
        self._into.write(samples.tobytes())
        self._written += block.shape[1]

    def played(self) -> int:
        """Return how many samples left the buffer."""
        if self._into is None:
            return 0
        waiting = (self._sink.bufferSize() - self._sink.bytesFree()) // self._format.bytesPerFrame()
        return max(0, self._written - waiting)

    def end(self) -> None:
        """Fall silent."""
        self._into = None
        self._sink.reset()

    def set_volume(self, volume: float) -> None:
        """Play at ``volume``, 0 ... 1, as loud as that sounds."""
        scale = QtAudio.VolumeScale
        self._sink.setVolume(QtAudio.convertVolume(volume, scale.LogarithmicVolumeScale, scale.LinearVolumeScale))
