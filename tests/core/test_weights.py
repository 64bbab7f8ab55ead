"""Weights and their cards: a saved model is loaded unchanged, and files that do not match are refused by name."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from helpers.tiny_model import load_tiny_model, save_tiny_model, tiny_video_inr
from videoinr.errors import ModelError, UnknownModelError
from videoinr.model import weights
from videoinr.model.build_limit import TooManyParametersError, parameters_limited
from videoinr.model.card_file import check_card, check_sizes
from videoinr.model.config import LITE, TINY, ModelConfig
from videoinr.model.weights import load_model, read_card, save_model, self_test, shipped_models

CPU = torch.device("cpu")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_tiny_model(tmp_path)


def change_card(weights: Path, **changes: Any) -> None:
    card = weights.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), **changes}))


def change_tensors(weights: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    """Change the tensors and adapt the card's checksum, so that only the contents are wrong."""
    tensors = load_file(weights)
    change(tensors)
    save_file(tensors, weights)
    change_card(weights, sha256=hashlib.sha256(weights.read_bytes()).hexdigest())


def assert_refused(weights: Path, *words: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(str(weights))
    assert weights.stem in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert caught.value.hint


def test_a_saved_model_is_loaded_unchanged(saved: Path) -> None:
    loaded, original = load_model(str(saved)), tiny_video_inr().state_dict()
    for name, tensor in loaded.model.state_dict().items():
        assert torch.equal(tensor, original[name].half().float()), name
    card = loaded.card
    assert (card.name, card.description, card.protocol) == ("tiny", "random weights, for tests", "none")
    assert (card.config, card.path, card.trained_scales) == (TINY, saved, (1.0, 4.0))
    assert card.parameters == sum(tensor.numel() for tensor in original.values())
    assert card.sha256 == hashlib.sha256(saved.read_bytes()).hexdigest()


def test_a_loaded_model_is_in_evaluation_mode_without_gradients(saved: Path) -> None:
    model = load_model(str(saved)).model
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_weights_that_half_precision_cannot_hold_are_not_saved(tmp_path: Path) -> None:
    model = tiny_video_inr()
    model.get_parameter("encoder.first.weight").fill_(1e6)
    with pytest.raises(ModelError, match=r"encoder\.first\.weight"):
        save_model(model, tmp_path / "large.safetensors")
    assert not list(tmp_path.iterdir())


def test_the_self_test_finds_no_difference_on_the_same_computer(tmp_path: Path) -> None:
    assert self_test(load_tiny_model(tmp_path), CPU) == 0


def test_the_self_test_detects_other_weights(tmp_path: Path) -> None:
    loaded = load_tiny_model(tmp_path)
    loaded.model.get_parameter("decoder_head.last.bias").add_(0.1)
    assert self_test(loaded, CPU) > 10


@pytest.mark.parametrize("stored", ["", "AAAA", "not base64!"])
def test_a_card_without_a_self_test_is_reported(saved: Path, stored: str) -> None:
    change_card(saved, self_test=stored)
    with pytest.raises(ModelError, match="tiny"):
        self_test(load_model(str(saved)), CPU)


def test_a_card_without_the_depth_of_the_search_keeps_its_levels_and_pictures(saved: Path) -> None:
    encoder = {
        key: value for key, value in TINY.to_dict()["encoder"].items() if key not in {"coarsest_lines", "propagation"}
    }
    frames = torch.rand(1, 2, 3, 120, 40)
    before = load_model(str(saved)).model.encode(frames)
    change_card(saved, config={**TINY.to_dict(), "encoder": encoder})
    loaded = load_model(str(saved))
    assert loaded.card.config == TINY
    after = loaded.model.encode(frames)
    for name in ("spatial", "prior"):
        assert torch.equal(getattr(before, name), getattr(after, name))


def test_the_fingerprint_tells_weights_and_sizes_apart(saved: Path) -> None:
    first = load_model(str(saved))
    assert load_model(str(saved)).fingerprint == first.fingerprint
    encoder = {**TINY.to_dict()["encoder"], "flow_limit": 16}
    change_card(saved, config={**TINY.to_dict(), "encoder": encoder})
    second = load_model(str(saved))
    assert second.card.sha256 == first.card.sha256
    assert second.fingerprint != first.fingerprint
    assert len(first.fingerprint) == 64


def test_weights_that_differ_from_the_cards_hash_are_refused(saved: Path) -> None:
    change_card(saved, sha256="0" * 64)
    assert_refused(saved, "are not the ones")


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_truncated_file_is_refused(saved: Path, kept: int) -> None:
    saved.write_bytes(saved.read_bytes()[:kept])
    assert_refused(saved, "cannot be read")


def test_one_flipped_bit_is_refused(saved: Path) -> None:
    blob = bytearray(saved.read_bytes())
    blob[-7] ^= 1
    saved.write_bytes(blob)
    assert_refused(saved)


def test_a_missing_tensor_is_refused(saved: Path) -> None:
    change_tensors(saved, lambda tensors: tensors.pop("encoder.first.weight"))
    assert_refused(saved, "encoder.first.weight")


def test_an_extra_tensor_is_refused(saved: Path) -> None:
    change_tensors(saved, lambda tensors: tensors.update(extra=torch.zeros(1)))
    assert_refused(saved, "extra")


def test_a_tensor_of_another_shape_is_refused(saved: Path) -> None:
    change_tensors(saved, lambda tensors: tensors.update({"spatial_head.last.bias": torch.zeros(99)}))
    assert_refused(saved, "spatial_head.last.bias")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_refused(saved: Path, value: float) -> None:
    change_tensors(saved, lambda tensors: tensors["encoder.fuse.bias"].fill_(value))
    assert_refused(saved, "encoder.fuse.bias")


def test_a_missing_card_is_refused(saved: Path) -> None:
    saved.with_suffix(".json").unlink()
    assert_refused(saved, "tiny.json")


def test_missing_weights_are_refused(saved: Path) -> None:
    saved.unlink()
    assert_refused(saved, "tiny.safetensors")


def test_a_folder_instead_of_weights_is_refused(saved: Path) -> None:
    saved.unlink()
    saved.mkdir()
    assert_refused(saved, "tiny.safetensors")


def test_an_unknown_kind_of_encoder_is_refused(saved: Path) -> None:
    config = TINY.to_dict()
    config["encoder"]["kind"] = "transformer"
    change_card(saved, config=config)
    assert_refused(saved, "transformer")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("encoder", {"kind": "motion_prior"}),
        ("encoder", {**TINY.to_dict()["encoder"], "levels": "two"}),
        ("encoder", {**TINY.to_dict()["encoder"], "frame_channels": -3}),
        ("spatial_hidden", []),
        ("spatial_hidden", "wide"),
        ("spatial_hidden", [8.5]),
        ("spatial_channels", None),
        ("unknown", 3),
    ],
)
def test_an_invalid_config_is_refused(saved: Path, field: str, value: object) -> None:
    change_card(saved, config={**TINY.to_dict(), field: value})
    assert_refused(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "\x00\xff", '{"config": 3}'])
def test_a_card_that_is_not_one_is_refused(saved: Path, text: str) -> None:
    saved.with_suffix(".json").write_text(text, "utf-8")
    assert_refused(saved, "tiny.json")


@pytest.mark.parametrize(
    "changes", [{"trained_scales": 4}, {"trained_scales": [1, 2, 3]}, {"surplus": 1}, {"trained_scales": ["a", "b"]}]
)
def test_a_card_with_invalid_fields_is_refused(saved: Path, changes: dict[str, Any]) -> None:
    change_card(saved, **changes)
    assert_refused(saved, "tiny.json")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spatial_channels", 2**63), ("spatial_channels", 10**40), ("spatial_hidden", [2**31]),
        ("spatial_hidden", [8] * 99),
        ("encoder", {**TINY.to_dict()["encoder"], "trunk_blocks": 10**9}),
        ("encoder", {**TINY.to_dict()["encoder"], "levels": 60}),
        ("encoder", {**TINY.to_dict()["encoder"], "coarsest_lines": -1}),
        ("encoder", {**TINY.to_dict()["encoder"], "propagation": [0]}),
        ("encoder", {"kind": "zooming_slowmo", "channels": 2**40}), ("encoder", {"kind": "\x1b[31m"}), ("blend", 1),
    ],
)  # fmt: skip
def test_sizes_out_of_their_limits_are_refused_before_a_model_is_built(
    saved: Path, field: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(_config: object) -> None:
        raise AssertionError("a model must not be built")

    monkeypatch.setattr(weights, "build", build)
    change_card(saved, config={**TINY.to_dict(), field: value})
    assert_refused(saved)


def test_a_model_larger_than_its_weights_is_refused_while_it_is_built(saved: Path) -> None:
    encoder = {**TINY.to_dict()["encoder"], "feature_channels": 512, "trunk_blocks": 256}
    change_card(saved, config={**TINY.to_dict(), "encoder": encoder})
    started = time.process_time()
    assert_refused(saved, "more parameters than there are weights")
    assert time.process_time() - started < 10


def test_the_limit_on_parameters_ends_with_its_block() -> None:
    with pytest.raises(TooManyParametersError), parameters_limited(10):
        torch.nn.Linear(4, 4)
    with parameters_limited(20):
        torch.nn.Linear(4, 4)
    torch.nn.Linear(40, 40)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "line\nend"}, {"name": "\x1b[31mred"}, {"name": "\u202elite"}, {"name": ""}, {"description": "\x00"},
        {"trained_scales": [4, 1]}, {"trained_scales": [1, 1e308]}, {"parameters": -1}, {"parameters": 2**63},
        {"parameters": "many"}, {"sha256": "none"}, {"training": []}, {"self_test": 3}, {"protocol": None},
    ],
)  # fmt: skip
def test_values_out_of_their_limits_are_refused(saved: Path, changes: dict[str, Any]) -> None:
    change_card(saved, **changes)
    assert_refused(saved, "tiny.json", next(iter(changes)))


@pytest.mark.parametrize(
    "text", ['{"a": NaN}', "[" * 100_000, '{"name": "a"} trailing', '{"name": 1' + "0" * 5000 + "}"]
)
def test_a_card_that_is_odd_json_is_refused(saved: Path, text: str) -> None:
    saved.with_suffix(".json").write_text(text)
    assert_refused(saved, "tiny.json")


def test_a_card_of_many_megabytes_is_refused_unread(saved: Path) -> None:
    with saved.with_suffix(".json").open("r+b") as file:
        file.truncate(1 << 33)
    assert_refused(saved, "larger than")


def test_weights_of_another_type_are_refused(saved: Path) -> None:
    change_tensors(saved, lambda tensors: tensors.update({"encoder.fuse.bias": tensors["encoder.fuse.bias"].int()}))
    assert_refused(saved, "encoder.fuse.bias")


@pytest.mark.parametrize("name", ["nobody", "model.pt", "lite.json"])
def test_an_unknown_name_is_refused_and_the_error_lists_the_shipped_models(name: str) -> None:
    with pytest.raises(UnknownModelError, match=name) as caught:
        load_model(name)
    assert "lite" in caught.value.hint


def test_a_config_is_the_same_after_its_json_form() -> None:
    for config in (TINY, LITE):
        assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_shipped_lite_model_is_the_default_and_passes_its_self_test() -> None:
    default = load_model()
    assert default.card.name == "lite"
    assert default.model.config == default.card.config
    assert default.card.parameters == sum(parameter.numel() for parameter in default.model.parameters())
    assert self_test(default, CPU) <= 1  # Another processor may round differently.


def test_the_shipped_models_are_listed_default_first() -> None:
    cards = shipped_models()
    assert cards[0].name == "lite"
    assert [card.path.is_file() for card in cards] == [True] * len(cards)
    assert read_card(cards[0].path.with_suffix(".json")).to_dict() == cards[0].to_dict()


def test_the_shipped_cards_fit_the_schema_that_is_not_asked_at_the_start() -> None:
    for card in shipped_models():
        values = json.loads(card.path.with_suffix(".json").read_text())
        check_card(values)
        check_sizes(values["config"])
