"""What can be said to be right, for every column in which a task keeps its gold: one table instead of a case per task.

A *gold* is what is right in a form that can be compared: a name, a number, or a set. `read` makes it of what somebody
said, `found` of a model's answer, and `written` makes of it what the task's column holds in a training row.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from burnish.core.errors import hint, listed
from burnish.data.answers import parse_answers
from burnish.data.spans import parse_spans

if TYPE_CHECKING:
    from burnish.tasks._contract import Task

Gold = str | float | frozenset[Any]
"""A label, a text or yes / no; a score; a set of labels, ids, spans (start, end, label) or pieces (start, text)."""

YES_NO = {True: "yes", False: "no", "yes": "yes", "no": "no", "true": "yes", "false": "no"}
LIST_FORMS = ("several", "names")


class Asked(NamedTuple):
    """What an answer was asked about, as far as it was kept."""

    row: Mapping[str, Any] | None
    n_characters: int = 0
    scale: tuple[float, float] | None = None


class Form(NamedTuple):
    """One form of gold. `has_labels` says that its names come from the model's labels."""

    name: str
    has_labels: bool
    read: Callable[[Any, Asked], Gold]
    found: Callable[[Mapping[str, Any]], Gold]
    written: Callable[[Any], Any]


@dataclass(frozen=True)
class GoldColumn:
    """A task's column of gold, the kind of feedback that fills it, and the form of what it holds."""

    column: str
    kind: str
    form: Form

    def labels_in(self, gold: Gold) -> set[str]:
        """The names in it that must be labels of the model."""
        if not self.form.has_labels:
            return set()
        if self.form.name == "spans":
            return {label for _, _, label in cast("frozenset[tuple[int, int, str]]", gold)}
        return set(gold) if isinstance(gold, frozenset) else {str(gold)}


def gold_column(task: Task) -> GoldColumn | None:
    """Where a correction of the task's answers goes; None where only whole rows could teach it, such as plain text."""
    wanted = {one.name for one in task.wanted}
    of_talk = not task.gold and {"messages", "turns"} <= wanted
    return TALK if of_talk else next((one for one in GOLDS if one.column in task.gold), None)


# Reading what somebody said. Each raises ValueError with one sentence.


def name_of(value: Any) -> str:
    """One name as text; numbers are names too."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        raise ValueError(f"the label must be one name; got {_shown(value)}.")
    return str(value).strip()


def _names(value: Any, _: Asked) -> Gold:
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError(f"the label must be a list of names, [] for none; got {_shown(value)}.")
    return frozenset(map(name_of, value))


def _ids(value: Any, _: Asked) -> Gold:
    found = frozenset(map(name_of, value if isinstance(value, list | tuple) else [value]))
    if not found:
        raise ValueError("the label must be the id of what is right, or a list of ids; got none.")
    return found


def _text(value: Any, _: Asked) -> Gold:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"the label must be the text that is right; got {_shown(value)}.")
    return value.strip()


def _yes_no(value: Any, _: Asked) -> Gold:
    said = YES_NO.get(value.strip().lower() if isinstance(value, str) else value) if _is_plain(value) else None
    if said is None:
        raise ValueError(f"the label must be yes or no; got {_shown(value)}.")
    return said


def _score(value: Any, asked: Asked) -> Gold:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    low, high = asked.scale or (-math.inf, math.inf)
    if not is_number or not low <= value <= high:
        within = f"a number from {low:g} to {high:g}" if asked.scale else "a number"
        raise ValueError(f"the score must be {within}; got {_shown(value)}.")
    return float(value)


def _spans(value: Any, asked: Asked) -> Gold:
    if not isinstance(value, list | tuple | Mapping):
        raise ValueError(f"the spans must be a list such as [[start, end, label], …]; got {_shown(value)}.")
    text = None if asked.row is None else asked.row.get("text")
    if not isinstance(text, str):  # the text was not kept: all that can be told is how long it was
        value, text = [_bare(one) for one in value], " " * asked.n_characters
    return frozenset(parse_spans(value, text))


def _bare(span: Any) -> Any:
    """A span without the surface, which cannot be compared with anything."""
    if not isinstance(span, Mapping):
        return span
    inner = span["value"] if isinstance(span.get("value"), Mapping) else span
    return {key: value for key, value in inner.items() if key != "text"}


def _pieces(value: Any, asked: Asked) -> Gold:
    context = None if asked.row is None else asked.row.get("context")
    if not isinstance(context, str):
        raise ValueError("the context of this answer was not kept, so no piece of it can be told to be right.")
    return frozenset((one.start, one.text) for one in parse_answers(value, context).answers)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | bool)


def _shown(value: Any) -> str:
    return repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:80]}…"


# Reading a model's answer, and writing a training row.


def _found_spans(answer: Mapping[str, Any]) -> Gold:
    return frozenset((one["start"], one["end"], one["label"]) for one in answer["spans"])


def _found_piece(answer: Mapping[str, Any]) -> Gold:
    return frozenset() if answer["start"] is None else frozenset({(answer["start"], answer["answer"])})


def _found_first(field: str) -> Callable[[Mapping[str, Any]], Gold]:
    return lambda answer: frozenset(str(one["id"]) for one in answer[field][:1])


def _written_pieces(gold: frozenset[tuple[int | None, str]]) -> list[dict[str, Any]]:
    return [{"text": text, "start": start} for start, text in sorted(gold, key=lambda one: (one[0] or 0, one[1]))]


def _as_it_is(gold: Any) -> Any:
    return gold


ONE = Form("one", True, lambda value, _: name_of(value), lambda answer: str(answer["label"]), _as_it_is)
SEVERAL = Form("several", True, _names, lambda answer: frozenset(one["label"] for one in answer["labels"]), sorted)
SPANS = Form("spans", True, _spans, _found_spans, lambda gold: [list(span) for span in sorted(gold)])
PIECES = Form("pieces", False, _pieces, _found_piece, _written_pieces)
SCORE = Form("score", False, _score, lambda answer: float(answer["score"]), _as_it_is)
FOLLOWS = Form("yes_no", False, _yes_no, lambda answer: YES_NO[bool(answer["follows"])], _as_it_is)
TEXT = Form("text", False, _text, lambda answer: str(answer["text"]).strip(), _as_it_is)
ITEMS = Form("names", False, _ids, _found_first("items"), sorted)
HITS = Form("names", False, _ids, _found_first("hits"), sorted)

GOLDS = (
    GoldColumn("label", "label", ONE),
    GoldColumn("labels", "label", SEVERAL),
    GoldColumn("spans", "spans", SPANS),
    GoldColumn("answers", "spans", PIECES),
    GoldColumn("score", "score", SCORE),
    GoldColumn("follows", "label", FOLLOWS),
    GoldColumn("response", "label", TEXT),
    GoldColumn("target", "label", TEXT),
    GoldColumn("text", "label", TEXT),
    GoldColumn("item", "label", ITEMS),
    GoldColumn("id", "label", HITS),
)
"""The first whose column is among a task's gold is meant."""
TALK = GoldColumn("messages", "label", TEXT)
"""The next turn of a talk: the gold is the last of its messages."""


def gold_in(answer: Any, column: GoldColumn) -> Gold | None:
    """What a model's answer says is right; None where it has nothing of the form, or is empty text."""
    try:
        found = column.form.found(answer)
    except (KeyError, TypeError, IndexError, ValueError):
        return None
    return None if found == "" or (column.form.name == "names" and not found) else found


def refuse_unknown(names: set[str], labels: Sequence[str], allow_new: bool) -> None:
    """Raise `ValueError` for a name that is no label; or, where new ones are allowed, that only seems to be new."""
    for name in sorted(names - set(labels)):
        twin = next((label for label in labels if label.casefold() == name.casefold()), None)
        if allow_new and twin is None:
            continue
        if allow_new:
            raise ValueError(f"the label '{name}' differs from '{twin}' in capitals only; write '{twin}'.")
        raise ValueError(f"there is no label '{name}'.{hint(name, labels)} The labels are: {listed(labels)}.")


def talk_of(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The turns of a talk that an answer was asked for, without the answer that a row may already hold."""
    messages = row.get("messages")
    if messages is not None:
        turns = list(json.loads(messages) if isinstance(messages, str) else messages)
        yield from turns[:-1] if turns and turns[-1]["role"] == "assistant" else turns
    elif row.get("turns") is not None:
        turns = json.loads(row["turns"]) if isinstance(row["turns"], str) else row["turns"]
        whole = list(turns)[: len(turns) - (len(turns) + 1) % 2]  # the user speaks first, and last
        yield from ({"role": ("user", "assistant")[number % 2], "content": one} for number, one in enumerate(whole))
    else:
        yield {"role": "user", "content": str(row["prompt"])}
