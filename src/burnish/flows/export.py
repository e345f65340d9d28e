"""`export`: a bundle in a format that other tools run, held against the model that was judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from burnish.bundle.bundle import Bundle, open_bundle
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.bundle.runtimes.torch import Torch
from burnish.compression.edges import edge_texts
from burnish.compression.exports._beside import refusal_of
from burnish.compression.exports._contract import Export
from burnish.compression.parity import Parity, examples_at_the_edge, parity
from burnish.compression.subject import Subject, subject_of
from burnish.core.errors import UserError, listed
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import new_folder, refuse_occupied
from burnish.core.shelves import Shelf
from burnish.models.reader import Reader
from burnish.tasks._contract import Answered, Decision, Example, Feature, Run, Task

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
        UserError: the bundle cannot be used or was shrunk to files of another format, the format is unknown or does not
            hold such a model, or what was written gives other numbers than the judged model; nothing is left.
    """
    opened, target = open_bundle(bundle), Path(out)
    if target.resolve().is_relative_to(opened.folder.resolve()):
        raise UserError(f"{target}: lies in the bundle, which stays as it is; choose another with --out.")
    refuse_occupied(target)
    part = _part(format)
    _refuse_unless_carried(part, opened)
    predictor = load_predictor(opened)
    subject = _subject(predictor, opened)
    refusal = refusal_of(subject) if isinstance(subject, Shrunk) else part.refusal(subject)
    if refusal is not None:
        raise UserError(f"{part.part_name}: {refusal.rstrip('.')}.")
    examples = _examples(predictor)
    with new_folder(target) as folder:
        some = _some(predictor, examples)
        if isinstance(subject, Shrunk):
            part.hand_out(subject, _inputs(subject, some), folder)
        else:
            part.write(subject, some, folder)
        found = _checked(part, part.runs(subject, folder), predictor, examples)
    listen(Message(f"wrote {target}", "good"))
    return ExportResult(target, found)


@dataclass(frozen=True)
class Shrunk:
    """A bundle whose model is an artefact of a runtime: there is no network to convert."""

    task: Task
    labels: tuple[str, ...]
    reader: Reader
    folder: Path
    decision: Decision


def _subject(predictor: Predictor, bundle: Bundle) -> Subject | Shrunk:
    knowledge = predictor.knowledge
    if isinstance(knowledge.runtime, Torch):
        return subject_of(predictor, bundle.model_folder)
    return Shrunk(knowledge.task, knowledge.labels, predictor.reader, bundle.model_folder, knowledge.decision)


def _refuse_unless_carried(part: Export, bundle: Bundle) -> None:
    """Raise `UserError` where a bundle was shrunk to files that are of another format."""
    runtime = bundle.knowledge.runtime
    if isinstance(runtime, Torch) or runtime.part_name == part.carries:
        return
    shelf = Shelf("exports")
    able = [name for name in shelf.names() if getattr(shelf.get(name), "carries", None) == runtime.part_name]
    raise UserError(
        f"{part.part_name}: {bundle.folder} was shrunk to files for {runtime.part_name}, which this format cannot "
        f"carry; {f'take {listed(able)}, or ' if able else ''}export the bundle that it was made from."
    )


def _inputs(shrunk: Shrunk, features: Sequence[Feature]) -> list[str]:
    return list(shrunk.task.collate(features[:1], shrunk.reader.pad_id, len(shrunk.labels)).inputs)


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
