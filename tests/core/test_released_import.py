"""The import of released files: valid files become models, others are refused, and no code in them is run."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.clips import numbered_frames, write_pictures
from helpers.command_line import run_here
from helpers.released_models import released_model, released_weights
from helpers.released_reference import Weights, zooming_slowmo_shapes
from videoinr.errors import ModelError, UsageError, VideoInrError
from videoinr.geometry import Grid, Rect
from videoinr.model.config import PAPER
from videoinr.model.released import importing, outer_form, reader
from videoinr.model.released.importing import Imported, import_checkpoint
from videoinr.model.released.names import encoder_names
from videoinr.model.released.network import ReleasedVideoINR
from videoinr.model.released.reader import git_blob_hash, read_tensors
from videoinr.model.video_inr import VideoINR
from videoinr.model.weights import load_model, self_test
from videoinr.render.engine import open_engine
from videoinr.training.recipe import load_recipe
from videoinr.training.trainer import load_initial
from videoinr.types import Instant, RegionQuery

CPU = torch.device("cpu")


def saved(state: Any, path: Path, *, legacy: bool = False) -> Path:
    """Save ``state`` as torch does now or (``legacy``) did before version 1.6."""
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    return path


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of the released tensors in torch's present format, for tests that do not change it."""
    return saved(weights(), tmp_path_factory.mktemp("published") / "latest_G.pth")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    folder = tmp_path_factory.mktemp("official")
    path = saved(OrderedDict(released_weights()), folder / "latest_G.pth", legacy=True)
    return import_checkpoint(path, folder=folder)


def weights(**changes: Tensor | None) -> Weights:
    """Return the released tensors, with some changed, added, or (None) left out."""
    return {name: tensor for name, tensor in {**released_weights(), **changes}.items() if tensor is not None}


def refused(path: Path, **how: Any) -> VideoInrError:
    with pytest.raises(VideoInrError) as caught:
        import_checkpoint(path, folder=path.parent / "out", **how)
    assert caught.value.hint
    assert not (path.parent / "out").exists()
    return caught.value


# ---- the imported model ----


def test_an_imported_model_has_the_files_weights_to_the_bit(imported: Imported) -> None:
    assert (imported.source, imported.tensors, imported.unused, imported.known) == ("VideoINR", 442, 8, False)
    assert imported.card.path.name == "official.safetensors"
    assert imported.card.parameters == 10_978_615
    loaded = load_model(str(imported.card.path))
    assert isinstance(loaded.model, ReleasedVideoINR)
    assert loaded.card.name == "official"
    wanted = released_model().state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in loaded.model.state_dict().items())
    assert self_test(loaded, CPU) == 0


def test_the_card_names_the_source(imported: Imported) -> None:
    card = json.loads(imported.card.path.with_suffix(".json").read_text("utf-8"))
    assert card["config"]["kind"] == "released"
    assert card["training"]["imported_from"] == "latest_G.pth"
    assert card["training"]["git_blob"] == imported.blob
    assert card["training"]["published_file"] is False
    assert card["trained_scales"] == [2.0, 4.0]


@pytest.mark.parametrize("prefix", ["", "module."])
def test_other_formats_of_the_same_weights_are_imported(prefix: str, tmp_path: Path) -> None:
    """In torch's present format, in half precision, with and without the prefix of a parallel training."""
    state = {f"{prefix}{name}": tensor.half() for name, tensor in weights().items()}
    card = import_checkpoint(saved(state, tmp_path / "any.pth"), name="mine", folder=tmp_path / "models").card
    assert card.path == tmp_path / "models" / "mine.safetensors"
    model = load_model(str(card.path)).model
    wanted = released_model().encoder.state_dict()["first.weight"]
    torch.testing.assert_close(model.encoder.state_dict()["first.weight"], wanted, rtol=1e-3, atol=1e-4)


def test_the_card_stores_corrected(published: Path, tmp_path: Path) -> None:
    card = import_checkpoint(published, folder=tmp_path, corrected=True).card
    assert card.name == "official-corrected"
    model = load_model(str(card.path)).model
    assert isinstance(model, ReleasedVideoINR)
    assert model.config.corrected
    assert torch.equal(
        model.encoder.state_dict()["first.weight"], released_model().encoder.state_dict()["first.weight"]
    )


def test_the_hash_equals_gits(tmp_path: Path) -> None:
    for content, blob in (
        (b"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
        (b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
    ):
        path = tmp_path / "file"
        path.write_bytes(content)
        assert git_blob_hash(path) == blob
    assert reader.KNOWN_BLOB == "bb2b4d0a3c2fe32d3bc51137eed4d53093f5ef7b"


def test_the_published_file_is_recognised_by_its_hash(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = published.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(importing, "KNOWN_BLOB", blob)
    assert import_checkpoint(published, folder=tmp_path).known is True


def test_zooming_slowmos_file_becomes_the_papers_encoder(tmp_path: Path) -> None:
    state = {f"module.{name}": released_weights()[name] for name in zooming_slowmo_shapes()}
    imported = import_checkpoint(saved(state, tmp_path / "xiang2020zooming.pth", legacy=True), folder=tmp_path)
    assert (imported.source, imported.known, imported.card.name) == ("Zooming SlowMo", None, "zooming-slowmo")
    assert "untrained" in imported.card.description
    loaded = load_model(str(imported.card.path))
    assert isinstance(loaded.model, VideoINR)
    assert loaded.card.config == PAPER
    wanted = released_model().encoder.state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in loaded.model.encoder.state_dict().items())


def test_correcting_an_encoder_is_refused(tmp_path: Path) -> None:
    state = {name: released_weights()[name] for name in zooming_slowmo_shapes()}
    assert isinstance(refused(saved(state, tmp_path / "e.pth"), corrected=True), UsageError)


# ---- the engine and the command ----


def test_an_imported_model_renders_a_clip_and_a_region_equals_the_crop(imported: Imported, tmp_path: Path) -> None:
    write_pictures(tmp_path / "clip", numbered_frames(3, width=22, height=18))
    with open_engine(tmp_path / "clip", model=str(imported.card.path), device="cpu") as engine:
        grid, rect, instant = Grid(77, 63), Rect(30, 11, 40, 45), Instant(1, Fraction(2, 5))
        whole = engine.render(RegionQuery(instant, grid, grid.rect)).rgbx
        region = engine.render(RegionQuery(instant, grid, rect)).rgbx
        assert engine.opened.model_name == "official"
    np.testing.assert_array_equal(region, whole[rect.y : rect.bottom, rect.x : rect.right])
    assert whole[..., :3].std() > 1


def test_the_command_imports_and_reports_the_file(tmp_path: Path) -> None:
    path = saved(weights(), tmp_path / "latest_G.pth")
    outcome = run_here("models", "import", path, "--name", "theirs", "--out", tmp_path / "models")
    assert outcome.exit_code == 0, outcome
    for words in ("VideoINR", "442, of which 8", "10,978,615", "no, it differs", "theirs.safetensors"):
        assert words in outcome.stdout
    told = json.loads(run_here("models", "import", path, "--name", "more", "--json").stdout)
    assert told["published_file"] is False
    assert told["path"] == str(tmp_path / "more.safetensors")
    again = run_here("models", "import", path, "--name", "more")
    assert again.exit_code == 1
    assert "already" in again.stderr


def test_the_error_names_a_target_that_cannot_be_written(published: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UsageError, match="cannot be written") as caught:
        import_checkpoint(published, folder=tmp_path / "file" / "models")
    assert "--out" in caught.value.hint


def test_the_command_reports_an_error_with_a_hint(tmp_path: Path) -> None:
    outcome = run_here("models", "import", tmp_path / "absent.pth")
    assert outcome.exit_code == 1
    assert "absent.pth cannot be read" in outcome.stderr
    assert "hint" in outcome.stderr


@pytest.mark.parametrize("name", ["../up", "a/b"])
def test_a_path_as_a_name_is_refused(name: str, published: Path) -> None:
    assert isinstance(refused(published, name=name), UsageError)


def test_training_from_a_released_network_is_refused(imported: Imported) -> None:
    recipe = replace(load_recipe("lite"), initial=str(imported.card.path))
    with pytest.raises(ModelError, match="render but not train"):
        load_initial(VideoINR(PAPER), recipe)


# ---- invalid files ----


def test_missing_and_unknown_tensors_are_counted_and_named(tmp_path: Path) -> None:
    gone = {f"recon_trunk.{k}.conv1.weight": None for k in range(5)}
    state = weights(**gone, **{"extra.weight": torch.zeros(1)})
    error = refused(saved(state, tmp_path / "a.pth"))
    assert isinstance(error, ModelError)
    assert "of 438 tensors, 5 missing (recon_trunk.0.conv1.weight, recon_trunk.1.conv1.weight" in str(error)
    assert "1 unknown (extra.weight)" in str(error)
    assert len(encoder_names(released_model().config)) == 442 - 8 - 26


def test_a_file_without_one_head_is_reported_as_an_incomplete_videoinr(tmp_path: Path) -> None:
    error = refused(saved(weights(**{"flow_imnet.net.3.bias": None}), tmp_path / "a.pth"))
    assert "1 missing (flow_imnet.net.3.bias)" in str(error)


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (torch.zeros(64, 128, 1, 1).expand(64, 128, 1, 1)[:, :64], "of another shape"),
        (torch.zeros(1).expand(10**6, 10**6, 10**3), "of another shape"),
        (torch.full((64, 128, 1, 1), float("nan")), "not finite"),
    ],
    ids=["shape", "vast", "nan"],
)
def test_wrong_tensors_are_reported_by_their_names_in_the_file(tensor: Tensor, words: str, tmp_path: Path) -> None:
    error = refused(saved(weights(**{"fusion.weight": tensor}), tmp_path / "a.pth"))
    assert f"1 {words} (fusion.weight)" in str(error)


@pytest.mark.parametrize(
    "state",
    [
        {},
        [torch.zeros(1)],
        {1: torch.zeros(1)},
        {"epoch": 3, "state_dict": {"a": torch.zeros(1)}},
        {"a": torch.zeros(2, dtype=torch.int64)},
        {"a": torch.zeros(2, 2).to_sparse()},
    ],
    ids=["empty", "list", "numbers", "training", "integers", "sparse"],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_files_without_weights_are_refused(state: Any, legacy: bool, tmp_path: Path) -> None:
    refused(saved(state, tmp_path / "a.pth", legacy=legacy))


class Attack:
    """Makes a folder when a plain unpickler loads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_the_attack_of_these_tests_works_with_a_plain_unpickler(tmp_path: Path) -> None:
    path = saved({"a": Attack(tmp_path / "naive")}, tmp_path / "a.pth")
    torch.load(path, weights_only=False)
    assert (tmp_path / "naive").is_dir()


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle", "hidden", "storage", "tar"])
def test_a_malicious_file_is_refused_and_nothing_in_it_is_run(form: str, tmp_path: Path) -> None:
    path, attack = tmp_path / "latest_G.pth", Attack(tmp_path / "attacked")
    match form:
        case "zip" | "legacy":
            saved(weights(attack=attack), path, legacy=form == "legacy")  # type: ignore[arg-type]
        case "pickle":
            path.write_bytes(pickle.dumps(attack))
        case "hidden":  # After a valid state.
            saved({"a": torch.zeros(1)}, path, legacy=True)
            path.write_bytes(pickle.dumps(attack) + path.read_bytes())
        case "storage":  # Instead of one of the first pickles of the old format.
            path.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps(attack, 2))
        case "tar":
            write_tar(path, pickle.dumps(attack, 2))
    refused(path)
    assert not (tmp_path / "attacked").exists()


def write_tar(path: Path, content: bytes) -> None:
    """Write the oldest format: a tar of pickles whose first name begins like a pickle."""
    import io
    import tarfile

    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT, encoding="latin-1") as tar:
        for name in ("\x80", "sys_info", "pickle", "storages", "tensors"):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_truncated_file_is_refused(legacy: bool, tmp_path: Path) -> None:
    whole = saved({"a": torch.rand(3000), "b": torch.rand(500)}, tmp_path / "whole.pth", legacy=legacy).read_bytes()
    path = tmp_path / "a.pth"
    for size in (0, 1, 3, 4, 30, 200, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert isinstance(refused(path), ModelError), size


def test_flipped_bits_are_detected(tmp_path: Path) -> None:
    path = saved({"a": torch.zeros(4000)}, tmp_path / "a.pth")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "damaged" in str(refused(path))


def test_a_compressed_archive_is_refused_without_reading_it(tmp_path: Path) -> None:
    source = saved({"a": torch.zeros(10**6)}, tmp_path / "small.pth")
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, old.read(entry))
    assert path.stat().st_size < source.stat().st_size // 100
    assert "compressed" in str(refused(path))


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"PK\x03\x04", struct.pack("<Q", 8) + b"{}      "])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    refused(path)
    assert isinstance(refused(tmp_path), ModelError)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "a zip of something else")
    assert "PyTorch did not write it" in str(refused(path))


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved({"a": torch.zeros(4000)}, tmp_path / "a.pth")
    monkeypatch.setattr(outer_form, "MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(torch, "load", None)
    assert "MB" in str(refused(path))


def test_a_storage_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    """In the old format the file states the length, which may be wrong."""
    path = saved({"a": torch.zeros(1000)}, tmp_path / "a.pth", legacy=True)
    content = path.read_bytes()
    count = struct.pack("<q", 1000)
    assert content.count(count) == 1
    path.write_bytes(content.replace(count, struct.pack("<q", 10**15)))
    refused(path)


def test_tensors_are_read_unchanged(tmp_path: Path) -> None:
    wanted = {"a": torch.rand(3, 4), "b": torch.rand(5).half()}
    for legacy in (False, True):
        read = read_tensors(saved(wanted, tmp_path / f"{legacy}.pth", legacy=legacy))
        assert all(torch.equal(read[name], tensor) for name, tensor in wanted.items())
