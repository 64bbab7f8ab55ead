"""Write the software bill of materials of the program: CycloneDX 1.6, JSON, the same bytes for the same environment.

python packaging/sbom.py packaging/sbom.cdx.json

It names what the program needs to run, directly or not, with versions and licences of the installed distributions; the
libraries inside their wheels; weights and demo data with their hashes. The hashes of the libraries' archives, one for
each system, are in packaging/hashes.txt. Run it where packaging/third_party.py runs.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import third_party

ROOT = Path(__file__).resolve().parent.parent
NAMESPACE = uuid.UUID("2f0d1f64-9d3f-4f55-8f3c-5a4f5b3f6a10")
"""Of the serial numbers: each is made of the document's contents."""
PROGRAM = "videoinr-viewer"
Part = dict[str, Any]


def libraries(names: Iterable[str]) -> Iterator[Part]:
    """Yield a component for each distribution that the program needs."""
    for name in sorted(names):
        row = third_party.row_of(name, (third_party.PROGRAM,))
        part = {
            "type": "library", "bom-ref": _reference(name, row.version), "name": name, "version": row.version,
            "purl": _reference(name, row.version), "licenses": [{"license": {"name": row.licence}}],
        }  # fmt: skip
        if inside := third_party.bundled_in(name):
            part["components"] = [{"type": "library", "bom-ref": f"{name}/{one}", "name": one} for one in inside]
        yield part


def resources() -> Iterator[Part]:
    """Yield a component for each file of weights and for the demo clip."""
    for path in sorted((third_party.RESOURCES / "models").glob("*.safetensors")):
        yield _file(path, "machine-learning-model", "Apache-2.0")
    yield _file(third_party.RESOURCES / "demo" / "demo.mp4", "data", "CC-BY-2.0")


def dependencies(names: Iterable[str]) -> Iterator[Part]:
    """Yield what each distribution needs itself."""
    known = sorted(names)
    versions = {name: third_party.row_of(name, ()).version for name in known}
    for name in known:
        direct = sorted(third_party.directly_needed_by(name) & versions.keys())
        yield {
            "ref": _reference(name, versions[name]),
            "dependsOn": [_reference(one, versions[one]) for one in direct],
        }


def document() -> str:
    """Return the whole document."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    direct = {name for name, parts in third_party.declared(project).items() if third_party.PROGRAM in parts}
    names = direct | third_party.needed_by(direct)
    version = metadata.version(PROGRAM)
    versions = {name: third_party.row_of(name, ()).version for name in direct}
    components = [*libraries(names), *resources()]
    about = {
        "type": "application", "bom-ref": PROGRAM, "name": PROGRAM, "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }  # fmt: skip
    needs = {"ref": PROGRAM, "dependsOn": [_reference(name, versions[name]) for name in sorted(direct)]}
    body = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": about},
        "components": components, "dependencies": [needs, *dependencies(names)],
    }  # fmt: skip
    serial = uuid.uuid5(NAMESPACE, json.dumps(body, sort_keys=True))
    return json.dumps({"serialNumber": f"urn:uuid:{serial}", **body}, indent=1, sort_keys=True) + "\n"


def _reference(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _file(path: Path, kind: str, licence: str) -> Part:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "type": kind, "bom-ref": path.name, "name": path.name, "licenses": [{"license": {"id": licence}}],
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }  # fmt: skip


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    Path(sys.argv[1]).write_text(document(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
