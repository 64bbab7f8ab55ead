"""The engine's messages in the language of the window: those that a window meets are translated, and none is stale."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtWidgets import QApplication

import videoinr
from helpers.scripts import load_script
from helpers.sentences import phrases, sentences
from videoinr.clip import open_clip
from videoinr.errors import UsageError, VideoInrError
from videoinr.render.messages import Failure
from videoinr.text import parsing
from videoinr_resources import path as resource_path
from videoinr_viewer.dialogs.clip_window import fact_in_words
from videoinr_viewer.panels.message_bar import MessageBar
from videoinr_viewer.render_bridge import RenderBridge
from videoinr_viewer.style import language
from videoinr_viewer.style.engine_words import GAP, NUMBER, engine_words
from videoinr_viewer.style.language import tr_error, translations

MESSAGES = Path(__file__).parents[2] / "packaging" / "manual" / "message_list.py"
MET = {"ClipError", "DeviceError", "DeviceLostError", "ExportError"}
NOT_IN_THE_WINDOW = (
    "share", "cluster", "frames of one size", "frames of its own size", "larger than a gigabyte", "--resume",
    "part again",
)  # fmt: skip
"""Messages of the command line and of training with these words need no translation."""
SILENT = (
    "benchmark/", "commands/", "evaluation/", "training/", "cli.py", "doctor.py", "model/onnx_export.py",
    "model/released/", "model/weights.py", "model/names.py", "exporting/cluster.py", "exporting/joining.py",
    "exporting/presets.py", "journey/", "render/arguments.py", "render/engine_access.py", "render/pair.py",
    "render/torch_state.py", "render/video.py", "clip/extent.py", "text/",
)  # fmt: skip
"""Files whose sentences are those of the command line, advice to errors, or texts that the window translates."""
ABOUT_COMPANIONS = (
    "exporting/companions.py", "exporting/sound/plan.py", "exporting/sound/copying.py", "exporting/subtitles.py",
)  # fmt: skip
"""Files whose phrases stand in the sentences of the export dialog."""
MOST_BEHIND = 4
"""So many messages of the engine may be newer than the translations: whoever writes one may speak no German."""


@pytest.fixture(scope="module")
def message_list() -> ModuleType:
    return load_script(MESSAGES)


@pytest.fixture(scope="module")
def words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(resource_path("languages/de.engine.json").read_text("utf-8"))
    return found


@pytest.fixture
def german(qapp: QApplication) -> Iterator[None]:
    translator = language._Words(translations("de"), engine_words("de"), qapp)
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def test_every_translated_message_is_one_of_the_program_and_keeps_its_gaps(
    message_list: ModuleType, words: dict[str, dict[str, str]]
) -> None:
    known = {text for one in message_list.messages() for text in (one.text, one.hint)}
    stale = words["messages"].keys() - known
    assert len(stale) <= MOST_BEHIND, stale
    for english, german_words in {**words["messages"], **words["warnings"], **words["phrases"]}.items():
        assert re.findall(f"[{GAP}{NUMBER}]", english) == re.findall(f"[{GAP}{NUMBER}]", german_words), english
    source = "\n".join(file.read_text("utf-8") for file in Path(videoinr.__file__).parent.rglob("*.py"))
    systems = {os.strerror(number) for number in range(1, 60)}
    for phrase in words["phrases"].keys() - systems:
        for chunk in re.findall(r"\w[\w ,]*\w", phrase.replace("Sound: ", "")):
            assert all(word in source for word in chunk.split()), phrase


def test_every_error_that_a_window_meets_is_translated(
    message_list: ModuleType, words: dict[str, dict[str, str]]
) -> None:
    about = ("Clips", "Devices and memory", "Exports")
    met = [one for one in message_list.messages() if one.kind in MET and one.about in about]
    texts = {text for one in met for text in (one.text, one.hint) if len(re.findall(r"[a-z]{2,}", text)) > 1}
    needed = {text for text in texts if not any(part in text for part in NOT_IN_THE_WINDOW)}
    assert len(needed) > 60
    missing = needed - words["messages"].keys()
    assert len(missing) <= MOST_BEHIND, missing


def test_every_sentence_of_the_engine_is_translated(words: dict[str, dict[str, str]]) -> None:
    said, german = sentences(but_not_of=SILENT), engine_words("de")
    assert len(said) > 60
    assert {text: file for text, file in said.items() if german.translate(text) is None} == {}
    assert words["warnings"].keys() - said.keys() == set(), "a translation of a sentence that is no longer there"


def test_the_window_names_no_options_of_the_command_line(words: dict[str, dict[str, str]]) -> None:
    window: dict[str, dict[str, str]] = json.loads(resource_path("languages/en.engine.json").read_text("utf-8"))
    for kind in ("messages", "warnings"):
        assert window[kind].keys() == {text for text in words[kind] if "--" in text}
        assert not [german for german in words[kind].values() if "--" in german]
        for text, shown in window[kind].items():
            assert "--" not in shown
            assert re.findall(f"[{GAP}{NUMBER}]", text) == re.findall(f"[{GAP}{NUMBER}]", shown), text
    english = "The file has 2 video streams. Stream 0 is shown; --stream chooses another one: 1 (320x180, h264)."
    assert "the clip's window" in language.tr_engine(english)
    assert language.tr_engine("a--b.mp4 is gone.") == "a--b.mp4 is gone."


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("english", "expected"),
    [
        ("3 frames decoded with errors: the file is damaged there.",
         "3 Bilder mit Fehlern gelesen: Die Datei ist dort beschädigt."),
        ("1 frame could not be decoded: the nearest frame is shown instead.",
         "1 Bild nicht lesbar: Das nächste lesbare Bild wird stattdessen gezeigt."),
        ("The sound starts 0.50 s before the picture.", "Der Ton beginnt 0,50 s vor dem Bild."),
        ("The clip has transparent pixels. They are shown on grey.",
         "Der Clip hat durchsichtige Pixel. Dahinter wird „grey“ gezeigt."),
        ("Pictures are missing in the sequence a1.png ... a9.png: 3, 5-7. They are shown as if none were missing.",
         "In der Bildfolge a1.png ... a9.png fehlen Bilder: 3, 5-7. Gezeigt wird, als ob keine fehlten."),
        ("The fast code for this CPU cannot be run (no), so slower code is used.",
         "Der schnelle Code für diese CPU lässt sich nicht ausführen (no); langsamerer wird benutzt."),
        ("“my frames” is gone.", "„my frames“ ist nicht mehr da."),
    ],
)  # fmt: skip
def test_warnings_speak_german(english: str, expected: str) -> None:
    assert language.tr_engine(english) == expected


@pytest.mark.usefixtures("german")
def test_warnings_are_shown_in_german() -> None:
    english, expected = (
        "All frames are deinterlaced, as asked.",
        "Alle Bilder durchlaufen das Deinterlacing, wie gewünscht.",
    )
    assert fact_in_words("warnings", [english]) == expected
    bridge, told = RenderBridge(), list[str]()
    bridge.warning.connect(told.append)
    bridge.warned((english, english))
    assert told == [f"{expected} {expected}"]


@pytest.mark.usefixtures("german")
def test_errors_of_opening_speak_german(tmp_path: Path) -> None:
    (tmp_path / "leer.mp4").touch()
    (tmp_path / "Brief.mp4").write_text("Liebe Oma, " * 30)
    for name, expected in (
        ("leer.mp4", "„leer.mp4“ ist leer. Kopieren oder erstellen Sie sie noch einmal."),
        ("Brief.mp4", "„Brief.mp4“ ist Text und kein Video. Abspiellisten und andere Dateien, die weitere Dateien "
                      "nennen, werden nicht geöffnet."),
        ("nie.mp4", "Es gibt keine Datei „nie.mp4“. Prüfen Sie den Namen, und ob das Laufwerk angeschlossen ist."),
    ):  # fmt: skip
        with pytest.raises(VideoInrError) as met:
            open_clip(tmp_path / name)
        assert tr_error(met.value).replace(f"{tmp_path}{os.sep}", "") == expected


def test_what_an_export_does_beside_the_pictures_is_translated(words: dict[str, dict[str, str]]) -> None:
    said, known = phrases(*ABOUT_COMPANIONS), words["phrases"]
    assert {"it starts before the picture", "sound that cannot be decoded"} <= said
    assert {
        text
        for text in said
        if not any(each.removeprefix("№ ").startswith(text.removesuffix(f", {GAP}")) for each in known)
    } == set()


@pytest.mark.usefixtures("german")
def test_phrases_in_gaps_are_translated_and_names_are_not() -> None:
    for english, expected in (
        ("“only sound.mp4” holds only sound.", "„only sound.mp4“ enthält nur Ton."),
        ("Sound: copied (aac); encoded as AAC, because the file cannot hold pcm_s16le.",
         "Ton: kopiert (aac); als AAC kodiert, weil die Datei pcm_s16le nicht enthalten kann."),
        ("Sound: encoded as PCM, because not every editing program reads aac there.",
         "Ton: als PCM kodiert, weil nicht jedes Schnittprogramm dort aac liest."),
        ("Left out: the sound, which GIF files do not hold; the tag title.",
         "Weggelassen: der Ton: GIF-Dateien enthalten das nicht; die Angabe title."),
        ("Left out: colour samples (the clip has RGB, the file 4:2:0). FFV1 and PNG keep them.",
         "Weggelassen: Farbwerte (der Clip hat RGB, die Datei 4:2:0). FFV1 und PNG behalten sie."),
        ("Left out: 1 stream of data; 2 other video streams.", "Weggelassen: 1 Datenspur; 2 andere Videospuren."),
        ("Left out: the timecode, which does not hold at 24 frames per second.",
         "Weggelassen: der Timecode, der bei 24 Bildern je Sekunde nicht gilt."),
        ("1 s to 9 s is outside the clip, which lasts 2.5 s (exactly 5/2 s).",
         "1 s bis 9 s liegt außerhalb des Clips, der 2,5 s dauert (genau 5/2 s)."),
        ("Left out: the timecode, which does not hold at 23.976 frames per second.",
         "Weggelassen: der Timecode, der bei 23,976 Bildern je Sekunde nicht gilt."),
        ("“1.5” is gone.", "„1.5“ ist nicht mehr da."),
        ("“1.5 s” holds only sound.", "„1.5 s“ enthält nur Ton."),
        ("a.mp4 could not be written: Permission denied.",
         "a.mp4 konnte nicht geschrieben werden: Keine Berechtigung."),
        ("Something that nobody translated.", "Something that nobody translated."),
    ):  # fmt: skip
        assert language.tr_engine(english) == expected


@pytest.mark.usefixtures("german")
def test_the_message_bar_and_a_field_speak_german() -> None:
    bar = MessageBar()
    bar.show_failure(Failure("The disk is full, so a.mp4 was not written.", "Free some space on it.", opening=False))
    assert bar.text.text() == "Das Laufwerk ist voll; a.mp4 wurde nicht geschrieben. Schaffen Sie dort Platz."
    with pytest.raises(UsageError) as met:
        parsing.number("viel")
    assert tr_error(met.value).startswith("„viel“ ist keine Zahl.")
