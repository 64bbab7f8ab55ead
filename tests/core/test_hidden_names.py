"""Names and paths of files are hidden in texts that others may read; what explains an error is not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from videoinr.text.hidden_names import HiddenNames, traceback_without_folders

SECRET = re.compile("secret|geheim|party|%20|alice", re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [
        "the survey of /home/alice/My secret party.mp4 ended early: no frame",
        "[Errno 2] No such file or directory: '/home/alice/My secret: party'",
        "Cannot read secret_party.MKV: damaged",
        "open file:///home/alice/My%20party.webm failed",
        r"C:\Users\alice\secret.mov: busy",
        r"\\server\alice\secret party.mov: busy",
        "export: ['videoinr', '--json-progress', '/home/alice/secret party', '~/party/x4']",
        'PosixPath("/home/alice/secret party")',
    ],
)
def test_what_looks_like_a_path_or_a_media_file_is_hidden(text: str) -> None:
    hidden = HiddenNames().hide(text)
    assert not SECRET.search(hidden), hidden
    assert "<path>" in hidden or "<name>" in hidden


@pytest.mark.parametrize("path", ["/home/alice/My geheim pärty.mp4", "party", "clips/My secret: party 2", "/geheim"])
def test_a_file_that_was_opened_is_hidden_in_every_form(path: str) -> None:
    names, known = HiddenNames(), Path(path)
    names.remember(known)
    for form in (path, known.name, known.stem, f"{known.stem}_x4.png", f"{known.absolute()}"):
        for text in (form, json.dumps({"message": form}), repr(form.encode()), repr(form)):
            hidden = names.hide(f"before {text} after 3 frames")
            assert not re.search("secret|geheim|party|p.rty", hidden, re.IGNORECASE), hidden
            assert "before" in hidden


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29 02:20:31,123 INFO MainThread videoinr.render: frame 24/25 at 1.5 s, 3 / 4 done, and/or x: y",
        "ZeroDivisionError: division by zero",
        '  File "videoinr/clip/clip.py", line 3, in read_clip',
        "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 139.7 GiB total capacity)",
    ],
)
def test_what_explains_an_error_stays(text: str) -> None:
    names = HiddenNames()
    names.remember(Path("clip.mp4"))
    assert names.hide(text) == text


def test_a_traceback_names_files_from_their_package_on() -> None:
    try:
        try:
            HiddenNames().hide(3)  # type: ignore[arg-type]
        except TypeError as error:
            raise RuntimeError("outer") from error
    except RuntimeError as error:
        text = traceback_without_folders(error)
    assert f'File "{Path("videoinr/text/hidden_names.py")}", line' in text
    assert str(Path(__file__).parent) not in text
    assert text.index("TypeError") < text.index("RuntimeError: outer")
