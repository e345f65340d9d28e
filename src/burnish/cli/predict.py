"""`burnish predict`: answers for a text, for lines, or for a file; by a bundle, or by a base as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from burnish.cli.answers import print_json, print_table
from burnish.cli.form import Form, takes_form
from burnish.cli.lines import lines
from burnish.cli.model_options import AskedModel, takes_model
from burnish.cli.say import is_terminal, say
from burnish.cli.screen import watching
from burnish.core.errors import UserError


@takes_form
@takes_model
def predict(
    asked: AskedModel,
    texts: Annotated[list[str] | None, typer.Argument(help="Texts; without any, lines are read from stdin.")] = None,
    pair: Annotated[
        str | None,
        typer.Option("--pair", "--context", help="A second text that goes with each; @FILE reads it from a file."),
    ] = None,
    source: Annotated[str | None, typer.Option("--input", "-i", help="A file of rows instead of texts.")] = None,
    out: Annotated[Path | None, typer.Option("--output", "-o", help="With --input: where the answers go.")] = None,
    form: Form = "table",
) -> None:
    """Answer with labels and honest confidence, or with text: texts, lines on stdin, or a file."""
    if source is not None or out is not None:
        _refuse_mixture(bool(texts) or pair is not None, form == "pieces", source, out)
        _answer_file(asked, f"{source}", Path(f"{out}"))
        return
    from burnish.flows.predict import predict as run

    inputs = _inputs(texts or [], _second(pair))
    if form == "pieces":
        _print_pieces(asked, inputs)
        return
    answers = run(asked.model, inputs, **asked.told)
    if form == "json" or not is_terminal(sys.stdout):
        print_json(answers)
    else:
        print_table(inputs if isinstance(inputs, list) else None, answers)


def _print_pieces(asked: AskedModel, inputs: Iterable[Any]) -> None:
    """The text for each input as it comes, and a line end behind it."""
    from burnish.flows.load import load
    from burnish.flows.stream import stream

    predictor = load(asked.model, **asked.told)
    for said in inputs:
        for piece in stream(predictor, said):
            sys.stdout.write(piece)
            sys.stdout.flush()
        sys.stdout.write("\n")
        sys.stdout.flush()


def _answer_file(asked: AskedModel, source: str, out: Path) -> None:
    from burnish.flows.predict import predict_file

    with watching() as listen:
        n_rows = predict_file(asked.model, source, out, listen=listen, **asked.told)
    say(f"{out} holds the answers; rows: {n_rows:,}.", "good")


def _refuse_mixture(has_texts: bool, is_streamed: bool, source: str | None, out: Path | None) -> None:
    if is_streamed:
        raise UserError("--stream prints text on stdout while it is written; it does not go with --input or --output.")
    if has_texts:
        raise UserError("give texts, or --input and --output, not both; answers to texts go to stdout.")
    if source is None:
        raise UserError("--output goes with --input; to keep the answers to lines, redirect them: > answers.jsonl")
    if out is None:
        raise UserError("--input wants --output FILE (.csv, .tsv, .jsonl or .parquet) for its answers.")


def _second(pair: str | None) -> str | None:
    """The text that goes with each of the others, where there is one.

    Raises:
        UserError: it is to be read from a file, which cannot be read.
    """
    if pair is None or not pair.startswith("@"):
        return pair
    path = Path(pair[1:])
    if not path.is_file():
        raise UserError(
            f"--pair {pair}: there is no file {path}; a text that begins with @ itself goes through --input."
        )
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text; convert it.") from None


def _inputs(texts: list[str], pair: str | None) -> list[Any] | Iterable[Any]:
    """The texts, or the lines of stdin as they come, each with its second text where there is one.

    Raises:
        UserError: there is nothing to answer.
    """
    if texts:
        return texts if pair is None else [(text, pair) for text in texts]
    if sys.stdin.isatty():
        raise UserError("there is nothing to answer: give a text in quotes, --input FILE, or pipe lines in.")
    return lines() if pair is None else ((line, pair) for line in lines())
