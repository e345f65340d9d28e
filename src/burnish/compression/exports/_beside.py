"""What lies beside a model in every export: its tokenizer, what its outputs mean, and a script that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from burnish.compression.exports._contract import Answering
from burnish.core.files import write_bytes, write_json
from burnish.core.shelves import need
from burnish.models.tokenizer import TextTokenizer
from burnish.tasks._choices import Classified
from burnish.tasks._decoding import tag_names
from burnish.tasks._words import WORD
from burnish.tasks.answers import FoundAnswer
from burnish.tasks.contrastive import Vector
from burnish.tasks.matching import Matched
from burnish.tasks.multilabel import Labelled
from burnish.tasks.relations import Relations
from burnish.tasks.retrieval import Retrieved
from burnish.tasks.tokens import Tagged


class Way(NamedTuple):
    """How a script answers: the name of its template, how it is called, and how logits become an answer."""

    name: str
    usage: str
    told: str


ONE, TWO = '"some text"', '"a text" "another text"'
WAYS = {
    Classified: Way("choice", ONE, "the label with the highest softmax of logits [1, L] / temperature"),
    Labelled: Way("several", ONE, "every label whose sigmoid of logits [1, L] / temperature reaches its threshold"),
    Matched: Way("score", TWO, "the sigmoid of the logit [1, 1], on the scale; no less than the threshold is a match"),
    Retrieved: Way("vector", ONE, "the vector [1, H] of length 1; texts are compared by the product of their vectors"),
    Vector: Way("vector", ONE, "the vector [1, H] of length 1; texts are compared by the product of their vectors"),
    Tagged: Way(
        "spans",
        ONE,
        "softmax of logits [1, T, tags] / temperature at the first token of each word, then the most probable tags "
        "(IOB2, Viterbi), joined to spans",
    ),
    FoundAnswer: Way(
        "piece",
        '"a question" "a text that may hold the answer"',
        "logits [1, T, 2] of starts and ends among the tokens of the text: a piece scores start + end, less both at "
        "the first token, which means no answer (0); softmax of the best 20 and no answer, / temperature",
    ),
}
"""Type of answer → the way; a script knows no others."""
APART = Way("cosine", TWO, "the product of both texts' vectors [1, H], on the scale; the threshold makes it a match")
SETTINGS = ("scale", "max_answer_tokens", "passage_prompt")
"""Settings of tasks that answers depend on."""
READ = ("rows", "pairs", "entities", "tokens", "spans", "vectors", "cosines")
"""What heads give whose tasks read text alone, at once."""


def refusal_of(subject: Answering) -> str | None:
    """Why no script could run the model, in whatever format; None where one can."""
    task = subject.task
    if task.head_part.gives not in READ:
        return f"the head '{task.head_part.part_name}' gives {task.head_part.gives}, which no export holds"
    if getattr(task, "both_orders", False):
        return "it reads each pair in both orders, which no script does"
    if task.answer not in WAYS or not isinstance(subject.reader, TextTokenizer):
        return f"no script is known that makes the answers of the task '{task.part_name}'"
    return None


def write_beside(
    subject: Answering, inputs: Sequence[str], folder: Path, needs: str, runtime: str, **further: Any
) -> None:
    """tokenizer.json, labels.json and run.py into the folder of a model that reads `inputs`.

    `needs` is what whoever runs the script must install beside numpy and tokenizers, `runtime` the name of the
    template that computes logits, `further` what that template asks for.
    """
    subject.reader.save(folder, subject.folder)
    write_json(folder / "labels.json", _told(subject, inputs))
    way = _way_of(subject)
    script = render(
        f"runtimes/{runtime}",
        task=subject.task.part_name,
        usage=_usage(subject, way),
        needs=" ".join(dict.fromkeys(["numpy", "tokenizers", *needs.split()])),
        reading=_reading(subject, way),
        answer=way.name,
        inputs=tuple(inputs),
        is_bent="low" in subject.decision.parameters,
        **further,
    )
    write_bytes(folder / "run.py", script)


def render(script: str, **known: Any) -> bytes:
    """A script, filled in: `script` names its template."""
    jinja2 = need("jinja2", "train")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("burnish.compression.exports", "_scripts"),
        autoescape=False,  # what is written is Python
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    text: str = environment.get_template(f"{script}.py.j2").render(**known)
    return text.rstrip().encode() + b"\n"


def _way_of(subject: Answering) -> Way:
    way = WAYS[subject.task.answer]
    return APART if way.name == "score" and subject.task.head_part.gives == "vectors" else way


def _reading(subject: Answering, way: Way) -> str:
    if isinstance(subject.task, Relations):
        return "marked"
    return "pieces" if way.name in ("spans", "piece") else "rows"


def _usage(subject: Answering, way: Way) -> str:
    return '"<e1>this</e1> text has <e2>two</e2> marks"' if isinstance(subject.task, Relations) else way.usage


def _told(subject: Answering, inputs: Sequence[str]) -> dict[str, Any]:
    """Everything but the weights that an answer depends on."""
    task, reader, way, decision = subject.task, subject.reader, _way_of(subject), subject.decision
    assert isinstance(reader, TextTokenizer), "others are refused"
    settings = {
        name: getattr(task, name) for name in ("scale", "max_answer_tokens", "passage_prompt") if hasattr(task, name)
    }
    return {
        "task": task.part_name,
        "labels": list(tag_names(subject.labels) if way.name == "spans" else subject.labels),
        "inputs": list(inputs),
        "answer": way.told,
        "max_length": reader.max_length,
        "prompt": reader.prompt,
        "prefix": list(reader.prefix),
        "between": list(reader.between),
        "suffix": list(reader.suffix),
        "pad_id": reader.pad_id,
        "calibration": decision.calibration,
        "parameters": dict(decision.parameters),
        "abstain_below": decision.abstain_below,
        "label_thresholds": list(decision.label_thresholds),
        **settings,
        **({"word_pattern": WORD.pattern} if way.name == "spans" else {}),
    }
