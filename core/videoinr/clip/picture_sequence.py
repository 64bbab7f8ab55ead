"""Which of the pictures in a folder make up one sequence, and which numbers are missing in it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from videoinr.text.phrases import format_count

NUMBER = re.compile(r"((?:(?<![^._])-)?\d+)")
"""A number in a name. At its start, and after a dot or an underscore, a minus is a sign (-002.exr, shot.-002.exr);
elsewhere it is a dash."""

_LOSSY_SUFFIXES = (".jpg", ".jpeg", ".webp", ".avif", ".heic", ".heif", ".jxl")
"""Of two pictures of one name, that with another suffix is taken."""

_FAR = 10
"""Where numbers are this many times as far apart as pictures would be, they are hardly those of frames."""

_NAMED = 4
"""So many sequences or gaps are named in a sentence at most."""


@dataclass(frozen=True)
class PictureSequence:
    """The pictures of a clip, in order.

    Attributes:
        files: at least one picture.
        places: the frame at which each is shown, from 0 on, increasing. Missing numbers leave gaps.
        notes: sentences for the user about pictures that are missing or left out.
    """

    files: list[Path]
    places: list[int]
    notes: tuple[str, ...] = ()


def plain_sequence(files: list[Path]) -> PictureSequence:
    """Return ``files`` as a sequence without gaps."""
    return PictureSequence(files, list(range(len(files))))


def numbered_sequence(files: list[Path], numbers: list[int]) -> PictureSequence:
    """Return pictures as a sequence whose frames have the numbers of their names.

    Args:
        files: the pictures in order, at least one.
        numbers: the number of each, increasing. Missing ones leave gaps, and a note says so.

    Returns:
        The sequence; without gaps if the numbers are far apart, or if more pictures are missing than there are.
    """
    places, step = _places(numbers)
    if places[-1] + 1 == len(files):
        return plain_sequence(files)
    if places[-1] >= _FAR * len(files):
        note = f"The numbers of the pictures {_span(files)} are far apart. They are shown one after another."
        return PictureSequence(files, list(range(len(files))), (note,))
    present = set(numbers)
    missing = [number for number in range(numbers[0], numbers[-1], step) if number not in present]
    width = max(len(found) for found in NUMBER.findall(files[0].stem)) if NUMBER.search(files[0].stem) else 1
    note = f"Pictures are missing in the sequence {_span(files)}: {_ranges(missing, step, width)}."
    if len(missing) > len(files):
        return PictureSequence(files, list(range(len(files))), (f"{note} They are shown as if none were missing.",))
    return PictureSequence(files, places, (f"{note} Their time is kept, so that the motion has its own speed.",))


def matched_sequence(files: list[Path]) -> PictureSequence:
    """Return the pictures that a glob matches, all of them in natural order, and say what they are."""
    sequences = _sequences(files)
    if len(sequences) == 1:
        return main_sequence(files)
    if max(map(len, sequences)) < 2:
        return plain_sequence(files)
    note = f"The pattern matches {len(sequences)} sequences of pictures. They are shown in the order of their names."
    return PictureSequence(files, list(range(len(files))), (note,))


def main_sequence(files: list[Path]) -> PictureSequence:
    """Choose one sequence among the pictures of a folder: the longest, of equally long ones the first.

    Names belong to one sequence if they differ only in one number. Names without such a pattern are one sequence
    in their order.

    Args:
        files: the pictures of the folder in natural order, at least one.
    """
    sequences = _sequences(files)
    longest = max((len(each) for each in sequences), default=0)
    if longest < 2:
        return plain_sequence(files)
    chosen = next(each for each in sequences if len(each) == longest)
    numbers = sorted(chosen)
    found = numbered_sequence([chosen[number] for number in numbers], numbers)
    others = [[each[number] for number in sorted(each)] for each in sequences if each is not chosen]
    if not others:
        return found
    named = "; ".join(_described(each) for each in others[:_NAMED])
    named += f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    left_out = (
        f"The folder holds {len(sequences)} sequences of pictures. {_described(found.files)} is shown. "
        f"Left out: {named}. A pattern such as {_pattern(others[0])} opens another one."
    )
    return PictureSequence(found.files, found.places, (left_out, *found.notes))


def all_sequences(files: list[Path]) -> list[dict[int, Path]]:
    """Return every sequence among the pictures of a folder, for training, which leaves none out.

    Args:
        files: the pictures of the folder in natural order, at least one.

    Returns:
        The sequences in the order of their first pictures, each as its pictures by number, in order; all pictures
        as one if their names do not count.
    """
    sequences = _sequences(files)
    if max(map(len, sequences)) < 2:
        return [dict(enumerate(files))]
    return [dict(sorted(each.items())) for each in sequences]


def _sequences(files: list[Path]) -> list[dict[int, Path]]:
    """Return the sequences among ``files``, each as its pictures by number, in the order of their first pictures."""
    alike: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for file in files:
        alike[tuple(NUMBER.split(file.stem.casefold())[::2])].append(file)
    return [sequence for bucket in alike.values() for sequence in _split_by_number(bucket)]


def _split_by_number(bucket: list[Path]) -> list[dict[int, Path]]:
    """Split pictures whose names differ only in numbers into sequences that count in one of them."""
    numbers = [[int(found) for found in NUMBER.findall(file.stem)] for file in bucket]
    varying = [at for at in range(len(numbers[0])) if len({each[at] for each in numbers}) > 1]
    # Where several numbers vary, the last one counts frames: shot2_take1_0001.
    counted = varying[-1] if varying else len(numbers[0]) - 1
    groups: dict[tuple[int, ...], list[tuple[int, Path]]] = defaultdict(list)
    for file, each in zip(bucket, numbers, strict=True):
        fixed = tuple(number for at, number in enumerate(each) if at != counted)
        groups[fixed].append((each[counted] if each else 0, file))
    if len(varying) > 1 and not any(map(_counts_frames, groups.values())):
        # Dates and times, not frames: one sequence in the order of the names.
        return [dict(enumerate(bucket))]
    return [sequence for group in groups.values() for sequence in _split_by_suffix(group)]


def _counts_frames(group: list[tuple[int, Path]]) -> bool:
    """Return whether the numbers of ``group`` are close together."""
    numbers = [number for number, _ in group]
    return len(group) > 1 and max(numbers) - min(numbers) < _FAR * len(group)


def _split_by_suffix(group: list[tuple[int, Path]]) -> list[dict[int, Path]]:
    """Split pictures of one pattern by their suffix, if a number is there twice (a0.png beside a0.jpg)."""
    whole = dict(group)
    if len(whole) == len(group):
        return [whole]
    by_suffix: dict[str, dict[int, Path]] = defaultdict(dict)
    for number, file in group:
        by_suffix[file.suffix.lower()].setdefault(number, file)
    if sum(map(len, by_suffix.values())) < len(group):
        # img_1.png beside img_01.png.
        return [dict(enumerate(file for _, file in group))]
    return [by_suffix[suffix] for suffix in sorted(by_suffix, key=lambda each: each in _LOSSY_SUFFIXES)]


def _places(numbers: list[int]) -> tuple[list[int], int]:
    """Return the place of each of the increasing ``numbers`` from 0 on, and how far numbers are apart usually."""
    steps = [after - before for before, after in pairwise(numbers)]
    if not steps:
        return [0], 1
    usual = max(set(steps), key=lambda step: (steps.count(step), -step))
    if any(step % usual for step in steps):
        usual = 1
    return [(number - numbers[0]) // usual for number in numbers], usual


def _ranges(missing: list[int], step: int, width: int) -> str:
    runs = list[list[int]]()
    for number in missing:
        if runs and number - runs[-1][-1] == step:
            runs[-1].append(number)
        else:
            runs.append([number])
    ends = [(f"{run[0]:0{width}d}", f"{run[-1]:0{width}d}") for run in runs]
    named = [
        first if first == last else f"{first} ... {last}" if first.startswith("-") else f"{first}-{last}"
        for first, last in ends
    ]
    rest = f" and {len(named) - _NAMED} more gaps" if len(named) > _NAMED + 1 else ""
    return ", ".join(named[: _NAMED if rest else None]) + rest


def _span(files: Iterable[Path]) -> str:
    names = [file.name for file in files]
    return names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}"


def _described(files: list[Path]) -> str:
    return f"{_span(files)} ({format_count(len(files), 'picture')})"


def _pattern(files: list[Path]) -> str:
    """Return a glob that matches ``files``: what their names have in common, with * between."""
    first, last = files[0].name, files[-1].name
    start = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    # The digits that happen to be alike belong to the number.
    start = len(first[:start].rstrip("0123456789")) if start < len(first) else start
    end = next((at for at, (a, b) in enumerate(zip(first[::-1], last[::-1], strict=False)) if a != b), 0)
    tail = first[len(first) - end :].lstrip("0123456789") if end else ""
    return f"“{first[:start]}*{tail}”" if start < len(first) else f"“{first}”"
