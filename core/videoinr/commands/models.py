"""``videoinr models``: the models that ship with the program, the import of released ones, and means of several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import JsonOption
from videoinr.commands.screen import show_json, show_table

if TYPE_CHECKING:
    from videoinr.model.released.importing import Imported
    from videoinr.model.weights import ModelCard

models = typer.Typer(name="models")


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the models that ship with the program, and what they are worth; import a released one; average several."""
    if context.invoked_subcommand is not None:
        return
    from videoinr.model.weights import shipped_models

    cards = shipped_models()
    if as_json:
        show_json([_facts(card) for card in cards])
    else:
        header = ("name", "parameters", "trained for", "what it is")
        show_table("", header, [(card.name, _millions(card), _scales(card), card.description) for card in cards])


@models.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A released .pth file: VideoINR's or Zooming SlowMo's.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call it; official by default.")
    ] = None,
    corrected: Annotated[
        bool,
        typer.Option("--corrected", help="Clean borders and pixel centres, and motion that is the same at any zoom."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the model goes; beside FILE by default.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a model of the checkpoint that VideoINR's authors released, for --model of every command and the window.

    Nothing in the file is run. With Zooming SlowMo's file: the paper's model with that encoder, to train from.
    """
    from videoinr.model.released.importing import import_checkpoint

    imported = import_checkpoint(file, name=name, folder=out or file.parent, corrected=corrected)
    if as_json:
        show_json({**_facts(imported.card), "published_file": imported.known, "git_blob": imported.blob})
    else:
        show_table("", (), _told(imported))


@models.command("mean")
def mean_model(
    files: Annotated[list[str], typer.Argument(metavar="NAME|PATH...", help="Models of one configuration.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The .safetensors to write, its card beside it.")],
    as_json: JsonOption = False,
) -> None:
    """Average the weights of several runs that went on from the same ones: often better than any of them."""
    from videoinr.errors import UsageError
    from videoinr.model.averaging import save_mean
    from videoinr.model.weights import load_model

    if out.suffix != ".safetensors":
        raise UsageError(f"{out} is no name for weights.", hint="Let it end in .safetensors.")
    if out.exists():
        raise UsageError(f"{out} already exists.", hint="Name another file, or remove it first.")
    card = save_mean([load_model(file) for file in files], out, name=out.stem)
    if as_json:
        show_json(_facts(card))
    else:
        show_table("", (), [("mean of", f"{len(files)} models"), ("written to", str(card.path))])


def _told(imported: Imported) -> list[tuple[str, str]]:
    card = imported.card
    known = {True: "yes, bit for bit", False: "no: another file than the one that is known", None: "not known"}
    return [
        ("whose", f"{imported.source}'s"),
        ("the published file", known[imported.known]),
        ("git hash-object", imported.blob),
        ("tensors", f"{imported.tensors}, of which {imported.unused} are never used"),
        ("parameters", f"{card.parameters:,}"),
        ("written to", str(card.path)),
        ("use it", f"videoinr export CLIP --model {card.path}"),
    ]


def _facts(card: ModelCard) -> dict[str, object]:
    facts = card.to_dict()
    del facts["self_test"]  # Kilobytes of base64 that only the doctor reads.
    return {**facts, "path": card.path}


def _millions(card: ModelCard) -> str:
    return f"{card.parameters / 1e6:.2f} M"


def _scales(card: ModelCard) -> str:
    least, most = card.trained_scales
    return f"x{least:g}" if least == most else f"x{least:g} to x{most:g}"
