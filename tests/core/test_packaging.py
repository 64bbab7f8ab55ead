"""What packaging/ decides by rules: which hashes and parts are listed."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import videoinr_resources

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
LEFT_TO_THE_USER = {"torch", "triton"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (PACKAGING / "constraints.txt").read_text("utf-8").splitlines()
    return {canonical(name): version for name, _, version in (one.partition("==") for one in lines if one[:1] != "#")}


# ---- hashes, bill of materials ----


def test_every_pin_but_torch_has_its_hashes() -> None:
    text = (PACKAGING / "hashes.txt").read_text("utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", text, re.MULTILINE)
    listed = {canonical(name): version for name, version, _ in found}
    wanted = {name: version for name, version in pins().items() if name not in LEFT_TO_THE_USER}
    assert listed == wanted, "run make hashes"
    assert "://" not in text


def test_the_bill_of_materials_is_that_of_the_pins_and_of_the_files() -> None:
    bill = json.loads((PACKAGING / "sbom.cdx.json").read_text("utf-8"))
    parts = {part["name"]: part for part in bill["components"]}
    libraries = {name: part["version"] for name, part in parts.items() if part["type"] == "library"}
    assert libraries.items() <= pins().items(), "run make third-party"
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    direct = {canonical(re.split(r"[<>=!~]", line)[0]) for line in needed}
    assert direct <= libraries.keys()
    (own,) = [one for one in bill["dependencies"] if one["ref"] == "videoinr-viewer"]
    assert {one.split("/")[1].partition("@")[0] for one in own["dependsOn"]} == direct
    for name in ("lite", "base"):
        card = json.loads(videoinr_resources.path(f"models/{name}.json").read_text("utf-8"))
        assert parts[f"{name}.safetensors"]["hashes"][0]["content"] == card["sha256"]
    references = {part["bom-ref"] for part in bill["components"]} | {"videoinr-viewer"}
    assert {one for entry in bill["dependencies"] for one in [entry["ref"], *entry["dependsOn"]]} <= references
    assert "://" not in json.dumps(bill).replace("http://cyclonedx.org", "")
    assert "timestamp" not in bill["metadata"]
