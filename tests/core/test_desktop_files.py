"""The files for desktops agree with each other and with the program, and a wheel puts them where desktops look."""

from __future__ import annotations

import configparser
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

import videoinr
import videoinr_resources
from videoinr.clip.suffixes import VIDEO_SUFFIXES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "packaging" / "desktop"
MIME = "{http://www.freedesktop.org/standards/shared-mime-info}"
SUFFIXES_OF_TYPES = {
    "video/mp4": {".mp4"}, "video/x-m4v": {".m4v"}, "video/x-matroska": {".mkv"}, "video/quicktime": {".mov"},
    "video/webm": {".webm"}, "video/x-msvideo": {".avi"}, "video/vnd.avi": {".avi"}, "video/mp2t": {".ts", ".m2ts"},
    "video/mpeg": {".mpg", ".mpeg"}, "video/ogg": {".ogv"}, "application/mxf": {".mxf"}, "image/gif": {".gif"},
}  # fmt: skip
WITHOUT_A_TYPE = {".y4m"}
PROJECT = "application/x-videoinr-project"


@pytest.fixture(scope="module")
def entry() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(FOLDER / "videoinr-viewer.desktop", "utf-8")
    return parser["Desktop Entry"]


@pytest.fixture(scope="module")
def metainfo() -> ElementTree.Element:
    return ElementTree.parse(FOLDER / "videoinr-viewer.metainfo.xml").getroot()


def project() -> dict[str, object]:
    parsed: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return parsed


def test_the_desktop_entry_starts_the_window_with_its_icon(entry: configparser.SectionProxy) -> None:
    scripts = project()["project"]["gui-scripts"]  # type: ignore[index]
    assert entry["Exec"].split() == [*scripts, "%f"]
    assert videoinr_resources.path(f"icons/{entry['Icon']}.svg").is_file()
    assert entry["Type"] == "Application"
    assert all(value.endswith(";") for name, value in entry.items() if name.split("[")[0] in ("MimeType", "Keywords"))


def test_every_kind_of_video_that_dialogs_offer_has_its_type(entry: configparser.SectionProxy) -> None:
    types = entry["MimeType"].rstrip(";").split(";")
    assert len(types) == len(set(types))
    assert set(types) == SUFFIXES_OF_TYPES.keys() | {PROJECT}
    assert set().union(*SUFFIXES_OF_TYPES.values()) == set(VIDEO_SUFFIXES) - WITHOUT_A_TYPE


def test_project_files_have_a_type_of_their_own() -> None:
    tree = ElementTree.parse(FOLDER / "videoinr-viewer.xml").getroot()
    (kind,) = tree.findall(f"{MIME}mime-type")
    assert kind.get("type") == PROJECT
    source = (ROOT / "app" / "videoinr_viewer" / "project" / "project_text.py").read_text("utf-8")
    (glob,) = kind.findall(f"{MIME}glob")
    assert f'SUFFIX = "{str(glob.get("pattern")).lstrip("*")}"' in source


def test_software_centres_are_told_the_same(entry: configparser.SectionProxy, metainfo: ElementTree.Element) -> None:
    about = project()["project"]
    assert isinstance(about, dict)
    assert metainfo.findtext("project_license") == about["license"]
    assert metainfo.findtext("launchable") == "videoinr-viewer.desktop"
    assert (metainfo.findtext("name"), metainfo.findtext("summary")) == (entry["Name"], entry["Comment"])
    assert [one.text for one in metainfo.iter("mediatype")] == entry["MimeType"].rstrip(";").split(";")
    assert {one.text for one in metainfo.iter("binary")} == {*about["scripts"], *about["gui-scripts"]}
    release = metainfo.find("releases/release")
    assert release is not None
    assert str(release.get("version")) == videoinr.__version__.partition(".dev")[0]


def test_a_wheel_puts_them_where_desktops_look() -> None:
    build = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]  # type: ignore[index]
    assert {Path(source).name: Path(target).parent.as_posix() for source, target in build.items()} == {
        "videoinr-viewer.desktop": "share/applications",
        "videoinr-viewer.metainfo.xml": "share/metainfo",
        "videoinr-viewer.xml": "share/mime/packages",
        "videoinr-viewer.svg": "share/icons/hicolor/scalable/apps",
    }
    assert all((ROOT / source).is_file() for source in build)
