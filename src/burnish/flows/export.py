"""`export`: a bundle in a format that other tools run, held against the model that was judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from burnish.bundle.bundle import open_bundle
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.bundle.runtimes.torch import Torch
from burnish.compression.edges import edge_texts
from burnish.compression.exports._contract import Export
from burnish.compression.parity import Parity, examples_at_the_edge, parity
from burnish.compression.subject import subject_of
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import new_folder, refuse_occupied
from burnish.core.shelves import Shelf
from burnish.tasks._contract import Answered, Example, Feature, Run

N_EXAMPLES = 16
BESIDE = "another text"


@dataclass(frozen=True)
class ExportResult:
    """The folder, and how it compares with the judged model; None where nothing here runs the format."""

    folder: Path
    parity: Parity | None


def export(
    bundle: str | Path, format: str | Mapping[str, Any], *, out: str | Path, listen: Listener = ignore
) -> ExportResult:
    """Write a bundle in another format, with its tokenizer, its labels and a script that runs it without Burnish.

    Args:
        bundle: its folder; it stays as it is.
        format: a part of the shelf `exports`: its name, or a mapping with settings.
        out: the folder to write.
        listen: is told of progress.

    Raises:
        UserError: the bundle cannot be used or was shrunk, the format is unknown or does not hold such a model, or what
            was written gives other numbers than the judged model; nothing is left.
    """
    opened, target = open_bundle(bundle), Path(out)
    if not isinstance(opened.knowledge.runtime, Torch):
        raise UserError(
            f"{bundle}: was shrunk, so its weights are no longer there; export the bundle it was made from."
        )
    if target.resolve().is_relative_to(opened.folder.resolve()):
        raise UserError(f"{target}: lies in the bundle, which stays as it is; choose another with --out.")
    refuse_occupied(target)
    part = _part(format)
    predictor = load_predictor(opened)
    subject = subject_of(predictor, opened.model_folder)
    if (refusal := part.refusal(subject)) is not None:
        raise UserError(f"{part.part_name}: {refusal.rstrip('.')}.")
    examples = _examples(predictor)
    with new_folder(target) as folder:
        part.write(subject, _some(predictor, examples), folder)
        found = _checked(part, part.runs(subject, folder), predictor, examples)
    listen(Message(f"wrote {target}", "good"))
    return ExportResult(target, found)


def _part(asked: str | Mapping[str, Any]) -> Export:
    try:
        return cast("Export", Shelf("exports").build(asked if isinstance(asked, str) else dict(asked)))
    except ValueError as error:
        raise UserError(f"format: {' '.join(str(error).split())}") from None


def _examples(predictor: Predictor) -> list[Example]:
    """Texts at the edge, alone or, where a task reads none alone, beside another."""
    texts = edge_texts(predictor.reader.max_length)
    return examples_at_the_edge(predictor, texts, {}) or examples_at_the_edge(predictor, texts, {"text_pair": BESIDE})


def _some(predictor: Predictor, examples: Sequence[Example]) -> list[Feature]:
    """Features of unlike lengths to trace the network with."""
    some = examples[:: max(1, len(examples) // N_EXAMPLES)]
    encoded = predictor.task.encode(some, predictor.reader, predictor.knowledge.labels)
    return [feature for one in encoded for feature in one.features]


def _checked(part: Export, run: Run | None, predictor: Predictor, examples: Sequence[Example]) -> Parity | None:
    """How what was written compares on texts at the edge.

    Raises:
        UserError: it gives other numbers.
    """
    if run is None:
        return None
    judged = predictor.answer(examples)
    outputs = iter(run([feature for row in judged for feature in row.features]))
    found = [Answered(row.example, row.features, [next(outputs) for _ in row.features]) for row in judged]
    told = parity(judged, found, predictor.knowledge, "float32", len(examples))
    if told.fault is not None:
        raise UserError(f"{part.part_name}: what was written does not answer as the judged model does: {told.fault}.")
    return told
