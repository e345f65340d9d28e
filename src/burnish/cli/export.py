"""`burnish export`: a bundle in a format that other tools run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from burnish.cli.say import say
from burnish.cli.screen import watching
from burnish.core.errors import UserError


def export(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder; it stays as it is.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the export.")],
    format: Annotated[
        str, typer.Option("--format", "-f", help="onnx, openvino, safetensors, … or '{name: gguf, converter: FILE}'.")
    ] = "onnx",
) -> None:
    """Write a bundle for other tools: the model, its tokenizer, its labels, a script that runs it without Burnish."""
    from burnish.flows.export import export as run

    with watching() as listen:
        result = run(bundle, _settings(format), out=out, listen=listen)
    if result.parity is None:
        say("Nothing here runs this format, so it was not held against the judged model.", "warning")
    else:
        n, largest = result.parity.n_edge, result.parity.largest_difference
        say(f"It answers {n} texts as the judged model does; no number differs by more than {largest:.1g}.", "good")
    script = result.folder / "run.py"
    say(f"The export is in {result.folder}." + (f" Try it: python {script}" if script.is_file() else ""), "good")


def _settings(said: str) -> str | dict[str, Any]:
    """A name as it is; what opens a brace as YAML."""
    if not said.lstrip().startswith("{"):
        return said
    import yaml

    try:
        return dict(yaml.safe_load(said))
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"--format '{said}': cannot be read ({' '.join(str(error).split())}).") from None
