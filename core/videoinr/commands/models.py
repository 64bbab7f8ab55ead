"""``videoinr models``: lists the shipped models, imports released checkpoints, averages weights, writes ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import JsonOption
from videoinr.commands.screen import show_json, show_table
from videoinr.text.phrases import format_count

if TYPE_CHECKING:
    from videoinr.model.onnx_export import OnnxFolder
    from videoinr.model.released.importing import Imported
    from videoinr.model.weights import ModelCard

models = typer.Typer(add_completion=False, name="models")


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the models that ship with the program; import a released one; average several; write one as ONNX files."""
    if context.invoked_subcommand is not None:
        return
    from videoinr.model.weights import shipped_models

    cards = shipped_models()
    if as_json:
        show_json([_facts(card) for card in cards])
    else:
        header = ("name", "parameters", "trained for", "description")
        show_table("", header, [(card.name, _millions(card), _scales(card), card.description) for card in cards])


@models.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A released .pth file: VideoINR's or Zooming SlowMo's.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the model. Default: official.")
    ] = None,
    corrected: Annotated[
        bool,
        typer.Option(
            "--corrected", help="Correct the borders, the pixel centres, and the motion's dependence on the zoom."
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder of the model. Default: that of FILE.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Convert the checkpoint that VideoINR's authors released to a model for --model of every command and the window.

    No code in the file is run. From Zooming SlowMo's file it makes the paper's model with that encoder, to be trained.
    """
    from videoinr.model.released.outer_form import check_outer_form

    check_outer_form(file)
    # Not before: it imports torch, which takes seconds.
    from videoinr.model.released.importing import import_checkpoint

    imported = import_checkpoint(file, name=name, folder=out or file.parent, corrected=corrected)
    if as_json:
        show_json({**_facts(imported.card), "published_file": imported.known, "git_blob": imported.blob})
    else:
        show_table("", (), _import_rows(imported))


@models.command("mean")
def average_models(
    files: Annotated[list[str], typer.Argument(metavar="NAME|PATH", help="Models of the same configuration.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The .safetensors file to write; its card goes beside it.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Average the weights of several runs that started from the same weights; often better than any of them."""
    from videoinr.errors import OutputExistsError, UsageError
    from videoinr.model.names import check_model_name

    if out.suffix != ".safetensors":
        raise UsageError(f"{out} is not the name of a weights file.", hint="End it in .safetensors.")
    for taken in (out, out.with_suffix(".json")):
        if taken.exists():
            raise OutputExistsError(f"{taken} already exists.", hint="Give another name, or remove the file first.")
    if len(files) < 2:
        raise UsageError("A mean needs two models or more.", hint="Name several weights files.")
    for file in files:
        check_model_name(file)
    # Not before: they import torch, which takes seconds.
    from videoinr.model.averaging import save_mean
    from videoinr.model.weights import load_model

    card = save_mean([load_model(file) for file in files], out, name=out.stem)
    if as_json:
        show_json(_facts(card))
    else:
        show_table("", (), [("mean of", format_count(len(files), "model")), ("saved to", str(card.path))])


@models.command("export")
def export_model(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A model.")],
    onnx: Annotated[Path, typer.Option("--onnx", metavar="FOLDER", help="Folder of the ONNX files to write.")],
    size: Annotated[str, typer.Option("--size", metavar="WxH", help="Size of the frames, which the files fix.")],
    scale: Annotated[str, typer.Option("--scale", metavar="F", help="How many times larger the pictures are.")] = "2",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a model as ONNX files, for runtimes without torch, and check them where ONNX Runtime is installed."""
    from videoinr.model.names import check_model_name
    from videoinr.text import parsing

    frames, factor = parsing.size(size), parsing.number(scale)
    check_model_name(name)
    # Not before: they import torch, which takes seconds.
    from videoinr.model.onnx_export import export_onnx
    from videoinr.model.weights import load_model

    written = export_onnx(load_model(name), onnx, size=frames, scale=factor, replace=overwrite)
    if as_json:
        files = [str(path) for path in written.files]
        show_json({"files": files, "difference": written.difference, "onnxruntime": written.runtime})
    else:
        show_table("", (), _onnx_rows(written))


def _onnx_rows(written: OnnxFolder) -> list[tuple[str, str]]:
    rows = [("wrote", f"{path} ({path.stat().st_size / 1e6:.1f} MB)") for path in written.files]
    if written.difference is None:
        return [*rows, ("not checked", "ONNX Runtime is not installed")]
    return [*rows, ("checked", f"ONNX Runtime {written.runtime}, largest difference {written.difference:.1e} of 1")]


def _import_rows(imported: Imported) -> list[tuple[str, str]]:
    card = imported.card
    known = {True: "yes, bit for bit", False: "no, it differs from the known file", None: "no such file is known"}
    return [
        ("format", imported.source),
        ("is the published file", known[imported.known]),
        ("git hash-object", imported.blob),
        ("tensors", f"{imported.tensors}, of which {imported.unused} are unused"),
        ("parameters", f"{card.parameters:,}"),
        ("saved to", str(card.path)),
        ("to use it", f"videoinr export CLIP --model {card.path}"),
    ]


def _facts(card: ModelCard) -> dict[str, object]:
    facts = card.to_dict()
    del facts["self_test"]  # Kilobytes of base64 for the doctor alone.
    return {**facts, "path": card.path}


def _millions(card: ModelCard) -> str:
    return f"{card.parameters / 1e6:.2f} M"


def _scales(card: ModelCard) -> str:
    least, most = card.trained_scales
    return f"x{least:g}" if least == most else f"x{least:g} to x{most:g}"
