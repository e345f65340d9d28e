"""Gold answers to a question: pieces of a context, from the forms in which corpora give them.

An offset that does not fit is put right where that is certain, and said; it is never believed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from burnish.data.spans import COUNTED, whole_offset

NEAR = (
    20  # characters within which a misplaced answer is looked for: a blank or a bracket too many, bytes for characters
)
SHOWN = 60
FORM = 'write [{"text": …, "start": …}], and [] where the context holds no answer'

_TEXTS = ("text", "answer")
_STARTS = ("start", "answer_start")


class Gold(NamedTuple):
    """A gold answer. `start` counts characters of the context, and is None where the context does not hold it."""

    text: str
    start: int | None


class Golds(NamedTuple):
    """Every gold answer of a question; none when there is no answer. `note` says what was put right or left aside."""

    answers: tuple[Gold, ...]
    note: str | None = None


def parse_answers(value: Any, context: str) -> Golds:
    """The gold answers that `value` gives for `context`.

    Read are `[{text, start}, …]` (`answer_start` too), SQuAD's `{"text": [...], "answer_start": [...]}`, one answer
    alone, or any of these as JSON in a string. A missing start is looked for. Of several answers some may stand nowhere
    in the context, as annotators write; they count when judging, and the note tells them.

    Raises:
        ValueError: a form that is none of these, an answer without words or reversed, or none that can be placed. The
            message goes on after `file:line: `.
    """
    placed, notes, problems = list[Gold](), list[str](), list[str]()
    for text, start in _items(_decoded(value)):
        bare = text.strip()
        shift = len(text) - len(text.lstrip())
        at, note = _place(bare, None if start is None else start + shift, context)
        placed.append(Gold(bare, at))
        (problems if at is None else notes).extend([note] if note else [])
    if problems and len(problems) == len(placed):
        raise ValueError(f"{problems[0]}; correct it, or take the row out (data.bad_rows: drop skips such rows).")
    notes += [f"{one}: it counts when judging, and is not learned" for one in problems]
    return Golds(tuple(placed), f"{notes[0]}." if notes else None)


def _place(text: str, start: int | None, context: str) -> tuple[int | None, str | None]:
    """Where an answer stands, and a note where that is not what the data says, or why it stands nowhere."""
    if start is not None and start >= 0 and context.startswith(text, start):
        return start, None
    places = [found.start() for found in re.finditer(f"(?={re.escape(text)})", context)]
    said = f"the answer '{text[:SHOWN]}'"
    if not places:
        return None, f"{said} is not in the context"
    if start is None:
        several = f"{said} stands {len(places)} times in the context; give its start"
        return (places[0], None) if len(places) == 1 else (None, several)
    nearest = min(places, key=lambda place: abs(place - start))
    if len(places) == 1 or abs(nearest - start) <= NEAR:
        return nearest, f"{said} starts at character {nearest}, not {start}; put right"
    there = context[max(start, 0) : max(start, 0) + len(text)]
    return (
        None,
        f"{said} is not at character {start}, where '{there[:SHOWN]}' stands, but {len(places)} times elsewhere",
    )


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value.tolist() if hasattr(value, "tolist") else value
    try:
        return json.loads(value) if value.strip() else None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"'answers' is not JSON ({error}); {FORM}.") from None


def _items(value: Any) -> Iterator[tuple[str, int | None]]:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise ValueError(f"has no 'answers'; {FORM}.")
    if isinstance(value, Mapping):
        yield from _of_mapping(value)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for item in value:
            yield _of_item(item)
    else:
        raise ValueError(f"'answers' is {value!r}, not a list; {FORM}.")


def _of_mapping(value: Mapping[str, Any]) -> Iterator[tuple[str, int | None]]:
    """SQuAD's columns as `datasets` writes them, or one answer alone."""
    texts, starts = _first(value, _TEXTS), _first(value, _STARTS)
    texts, starts = (one.tolist() if hasattr(one, "tolist") else one for one in (texts, starts))
    if isinstance(texts, str):
        yield _of_item(value)
        return
    if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
        raise ValueError("'answers' must hold as many in 'answer_start' as in 'text'.")
    for text, start in zip(texts, starts, strict=True):
        yield _of_item({"text": text, "start": start})


def _of_item(item: Any) -> tuple[str, int | None]:
    text = _first(item, _TEXTS) if isinstance(item, Mapping) else item
    if not isinstance(text, str):
        raise ValueError(f"the answer {item!r} has no text; {FORM}.")
    if not text.strip():
        raise ValueError("an answer is empty; where the context holds no answer, the list of answers is: [].")
    given = _first(item, _STARTS) if isinstance(item, Mapping) else None
    start = None if given is None else whole_offset(given)
    if start is not None and isinstance(item, Mapping) and item.get("end") is not None:
        _check_end(text, start, whole_offset(item["end"]))
    return text, start


def _check_end(text: str, start: int, end: int) -> None:
    if end < start:
        raise ValueError(f"the answer '{text[:SHOWN]}' [{start}, {end}] is reversed: it ends before it starts.")
    if end - start != len(text):
        raise ValueError(
            f"the answer '{text[:SHOWN]}' has {len(text)} characters, but [{start}, {end}] holds {end - start}; "
            f"{COUNTED}."
        )


def _first(item: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The value of the first of `names` that `item` has."""
    return next((item[name] for name in names if name in item), None)
