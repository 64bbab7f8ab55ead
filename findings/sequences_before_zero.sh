#!/bin/sh
# PySeq 0.9.3 and clique 2.0.0: pictures before frame 0 (shot.-002.exr) become frames 1 and 2 of a sequence of their own, in reverse order.
#
# Shots have handles, and renders that begin at frame 0 or 1 have negative numbers in them; OpenEXR tools, Nuke and Houdini write
# them with the sign before the padding. Both finders take the minus for a part of the name. Who reads what they return
# in order shows frame -1 before frame -2, as frames 1 and 2, and then frame 0 of another sequence. Fileseq 3.4.0 finds
# one sequence, from -2 to 1.
#
# Output seen (2026-11-30), of shot.-002.exr, shot.-001.exr, shot.0000.exr and shot.0001.exr:
#   fileseq: shot.-2-1#.exr: -2 -1 0 1
#   pyseq:   shot.: 0 1
#   pyseq:   shot.-: 1 2
#   clique:  shot.: 0 1
#   clique:  shot.-: 1 2
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q pyseq==0.9.3 clique==2.0.0 fileseq==3.4.0
venv/bin/python - <<'PY'
import sys

import clique
import fileseq
import pyseq

NAMES = [f"shot.{number:04d}.exr" for number in (-2, -1, 0, 1)]
(whole,) = fileseq.FileSequence.yield_sequences_in_list(NAMES)
print(f"fileseq: {whole}:", *whole.frameSet())
found = {"pyseq": [], "clique": []}
for one in pyseq.get_sequences(NAMES):
    found["pyseq"].append((one.head(), [int(frame) for frame in one.frames()]))
for one in clique.assemble(NAMES)[0]:
    found["clique"].append((one.head, [int(frame) for frame in one.indexes]))
for tool, sequences in found.items():
    for head, frames in sorted(sequences):
        print(f"{tool + ':':8s} {head}:", *frames)
wrong = [("shot.", [0, 1]), ("shot.-", [1, 2])]
right = list(whole.frameSet()) == [-2, -1, 0, 1]
sys.exit(0 if right and all(sorted(each) == wrong for each in found.values()) else 1)
PY
