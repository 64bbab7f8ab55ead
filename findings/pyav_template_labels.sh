#!/bin/sh
# PyAV 18.1.0: add_stream_from_template copies neither what a stream is for nor its language and title.
#
# A remux as PyAV's cookbook has it (add_stream_from_template, demux, mux) keeps every packet, but Matroska's streams lose
# their flags: the forced subtitles are no longer shown by themselves, the commentary is no longer told from the main
# sound, and no stream is the default. `ffmpeg -map 0 -c copy` keeps them. Set stream.disposition and stream.metadata.
#
# Output seen (2026-11-30, PyAV 18.1.0):
#   before:     audio eng default   audio ger comment   subtitle eng forced
#   remuxed:    audio - none   audio - none   subtitle - none
#   set again:  audio eng default   audio ger comment   subtitle eng forced
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np
from av.stream import Disposition


def labels(path):
    with av.open(path) as container:
        return "   ".join(
            f"{each.type} {each.metadata.get('language', '-')} {each.disposition.name or 'none'}"
            for each in container.streams
        )


with av.open("before.mkv", "w") as container:
    sounds = [container.add_stream("flac", rate=48000, layout="mono") for _ in range(2)]
    text = container.add_mux_stream("subrip")
    for stream, language, purpose in zip(
        (*sounds, text), ("eng", "ger", "eng"), (Disposition.default, Disposition.comment, Disposition.forced)
    ):
        stream.metadata["language"], stream.disposition = language, purpose
    container.start_encoding()
    for stream in sounds:
        for number in range(10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, 4800 * number, Fraction(1, 48000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    line = av.Packet(b"a sign")
    line.pts = line.dts = 100
    line.duration, line.time_base, line.stream = 500, Fraction(1, 1000), text
    container.mux(line)


def remux(out, again):
    with av.open("before.mkv") as source, av.open(out, "w") as container:
        targets = {each.index: container.add_stream_from_template(each) for each in source.streams}
        if again:
            for each in source.streams:
                targets[each.index].disposition = each.disposition
                targets[each.index].metadata["language"] = each.metadata["language"]
        for packet in source.demux():
            if packet.size:
                packet.stream = targets[packet.stream.index]
                container.mux(packet)


remux("remuxed.mkv", False)
remux("again.mkv", True)
found = [labels(name) for name in ("before.mkv", "remuxed.mkv", "again.mkv")]
for name, words in zip(("before:", "remuxed:", "set again:"), found):
    print(f"{name:11} {words}")
kept = "audio eng default   audio ger comment   subtitle eng forced"
sys.exit(0 if found == [kept, "audio - none   audio - none   subtitle - none", kept] else 1)
PY
