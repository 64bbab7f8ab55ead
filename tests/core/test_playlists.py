"""Texts in the forms of playlists, under the names of clips and pictures: no socket and no second file is opened."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest

from helpers.clips import write_clip
from helpers.playlists import playlist_texts
from videoinr.clip import formats, open_clip
from videoinr.errors import ClipError

SUFFIXES = (".mp4", ".mkv", ".ts", ".gif", ".png", ".jpg", ".avif", "")
STRACE = ("strace", "-f", "-qq", "-s", "4096", "-e", "trace=open,openat,openat2,socket,connect,bind,sendto,execve")
BAIT = "bait.ts"
FORBIDDEN_FORMATS = (
    *("hls", "dash", "concat", "sdp", "rtp", "rtsp", "sap", "imf", "image2", "vobsub", "mlv", "svg_pipe", "lavfi"),
    *("webm_dash_manifest", "tty", "bin", "xbin", "adf", "idf", "txd", "ffmetadata", "data", "rawvideo"),
)

OPENER = """
import os, sys
from videoinr.clip import open_clip
from videoinr.clip.picture_file import decode_picture, stored_size
from videoinr.errors import ClipError
from pathlib import Path

open_clip({clip!r}).close()
try: stored_size(Path({clip!r}))
except ClipError: pass
try: open("/begin" + " of the texts")
except OSError: pass
for name in sorted(os.listdir(sys.argv[1])):
    path = Path(sys.argv[1], name)
    for use in (open_clip, decode_picture, stored_size):
        try:
            use(path)
        except ClipError:
            print(name)
"""


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder of the texts, under every suffix; beside them the file that they name, which is a real clip."""
    folder = tmp_path / "texts"
    folder.mkdir()
    bait = write_clip(tmp_path / BAIT, 4)
    for name, text in playlist_texts(bait, port=47811).items():
        for suffix in SUFFIXES:
            (folder / f"{name}{suffix}").write_text(text)
    return folder


def test_thirty_texts_are_refused_in_words(texts: Path) -> None:
    names = {path.stem for path in texts.iterdir()}
    assert len(names) == 30
    for path in texts.iterdir():
        with pytest.raises(ClipError) as caught:
            open_clip(path)
        assert path.name in str(caught.value)
        assert caught.value.hint


def test_a_text_is_said_to_be_one(texts: Path) -> None:
    with pytest.raises(ClipError, match="it is text") as caught:
        open_clip(texts / "hls.mp4")
    assert "Playlists" in caught.value.hint


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace sees what FFmpeg opens")
def test_no_socket_and_no_second_file_is_opened(texts: Path) -> None:
    named = {str(path) for path in (texts, *texts.iterdir())}
    opened = set(opened_by(OPENER, texts))
    assert len(opened) > 30, "the trace must show the texts themselves"
    assert opened <= named, opened - named


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace sees what FFmpeg opens")
def test_the_search_finds_what_ffmpeg_opens_by_itself(texts: Path) -> None:
    """FFmpeg without our options opens the named file, and the trace shows it."""
    plain = OPENER.replace("for use in (open_clip, decode_picture, stored_size)", "for use in (av.open,)")
    plain = plain.replace("import os, sys", "import av, os, sys").replace("except ClipError", "except Exception")
    for each in texts.iterdir():
        if each.name != "ffconcat_relative.mp4":
            each.unlink()
    shutil.copy(texts.parent / BAIT, texts / BAIT)
    assert str(texts / BAIT) in opened_by(plain, texts)


def opened_by(code: str, folder: Path) -> list[str]:
    """Return the files that ``code`` opens after its imports, and ``socket`` for every socket."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    trace = folder.parent / "trace"
    clip = folder.parent / BAIT
    program = code.replace("{clip!r}", repr(str(clip)))
    done = subprocess.run(
        [*STRACE, "-o", trace, sys.executable, "-c", program, folder],
        env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if "ptrace" in done.stderr.lower() and "not permitted" in done.stderr:
        pytest.skip("strace is not allowed here")
    assert done.returncode == 0, done.stderr[-2000:]
    _, _, calls = trace.read_text(errors="replace").partition("/begin of the texts")
    found = re.findall(r"open(?:at2?)?\([^\"]*\"([^\"]*)\"|(socket|connect|bind|sendto|execve)\(", calls)
    return [name or call for name, call in found if not name.startswith("/proc")]


def test_formats_that_name_other_files_are_not_on_the_lists() -> None:
    for options in (formats.PICTURE_OPTIONS, formats.VIDEO_OPTIONS):
        assert not set(FORBIDDEN_FORMATS) & set(options["format_whitelist"].split(","))


def test_every_listed_format_is_one_of_ffmpegs() -> None:
    names = set()
    for name in av.formats_available:
        try:
            names |= set(av.ContainerFormat(name, "r").name.split(","))
        except ValueError:  # a format that is only written
            continue
    for options in (formats.PICTURE_OPTIONS, formats.VIDEO_OPTIONS):
        assert set(options["format_whitelist"].split(",")) <= names


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (b"#EXTM3U\n", True), ("Une liste : é\n" .encode() * 90, True), ("#EXTM3U\n".encode("utf-16"), True),
        (b"", True), (b"\x00\x00\x00\x18ftypmp42", False), (b"\x89PNG\r\n\x1a\n", False), (b"caf\xe9 au lait", False),
    ],
)  # fmt: skip
def test_what_is_text(tmp_path: Path, head: bytes, text: bool) -> None:
    path = tmp_path / "head"
    path.write_bytes(head)
    assert formats.is_text(path) is text


def test_what_cannot_be_read_is_not_called_text(tmp_path: Path) -> None:
    assert not formats.is_text(tmp_path / "nothing")
