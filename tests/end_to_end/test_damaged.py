"""300 damaged clips through probe and decode: an answer or an error in words, soon, and never a traceback."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from helpers.clips import write_clip, write_pictures
from helpers.command_line import Outcome, run_here
from helpers.damage import damaged_variants
from helpers.fork_server import run
from helpers.tiny_model import save_tiny_model

VARIANTS = 300
HANG_SECS = 10


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("damaged")
    sources = [
        write_clip(folder / "clip.mp4", 8),
        write_clip(folder / "clip.mkv", 8),
        write_clip(folder / "clip.ts", 8),
        write_clip(folder / "clip.webm", 8, codec="libvpx-vp9"),
        write_clip(folder / "clip.avi", 8, codec="mpeg4"),
        *write_pictures(folder / "pictures", 1),
    ]
    return list(damaged_variants(sources, folder / "variants", VARIANTS, seed=2))


def decode(variant: Path, model: Path, out: Path) -> list[object]:
    asked = ("--time", "0.02", "--scale", "1", "--region", "3,5,16,12")
    return ["decode", variant, *asked, "--model", model, "--device", "cpu", "-o", out]


def check(outcome: Outcome, *, as_json: bool = False) -> None:
    assert outcome.exit_code in (0, 1, 2)
    assert not outcome.has_traceback
    assert "unexpected error" not in outcome.stderr
    if outcome.exit_code:
        assert outcome.stderr.startswith("error: ")
        error = json.loads(outcome.stdout)["error"] if as_json else {"exit_code": outcome.exit_code}
        assert as_json or outcome.stdout == ""
        assert error["exit_code"] == outcome.exit_code


@pytest.mark.long
def test_every_variant_gets_an_answer_or_words(variants: list[Path], model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    codes: Counter[tuple[int, int]] = Counter()
    for variant in variants:
        started = time.process_time()
        probed, decoded = run_here("probe", "--json", variant), run_here(*decode(variant, model, out))
        try:
            check(probed, as_json=True)
            check(decoded)
            assert time.process_time() - started < HANG_SECS
            assert out.exists() == (decoded.exit_code == 0)
        except AssertionError as error:
            error.add_note(f"{variant.name}: {probed}, {decoded}")
            raise
        if probed.exit_code == 0:
            assert json.loads(probed.stdout)["width"] > 0
        codes[probed.exit_code, decoded.exit_code] += 1
        out.unlink(missing_ok=True)
    # The damage is worth the name: some of it is survived, and some is not.
    assert codes[0, 0] > VARIANTS // 10
    assert codes[1, 1] > VARIANTS // 10


@pytest.mark.parametrize("number", [0, 7, 14, 57, 63, 66, 84])
def test_variants_in_a_process_of_their_own(variants: list[Path], model: Path, tmp_path: Path, number: int) -> None:
    for arguments in (["probe", variants[number]], decode(variants[number], model, tmp_path / "out.png")):
        check(run(*arguments, timeout_secs=60))
