"""What is kept of an answer: as much as the settings say, with personal data masked before anything is written."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from burnish.bundle.predictor import Predictor
from burnish.core.ids import new_id
from burnish.data.features import COST_FIELD, cost_of
from burnish.data.masking import Mask
from burnish.data.privacy._contract import Found
from burnish.store.home import Home
from burnish.store.records import Prediction, Traffic
from burnish.tasks._contract import Answered

SHARE_WITH_VECTOR = 0.1
"""Of predictions are kept with their outputs: enough to tell drift and to choose what to label, a tenth of the room."""
MOST_OUTPUTS = 512
ALIKE = frozenset({"vector"})
"""Fields of an answer from which its text can be guessed, and which are large."""
QUOTES = frozenset({"text", "words", "tokens", "answer", "unknown"})
"""Fields of an answer that may quote the input."""
FOUND = ("hits", "items")
"""Fields of an answer that list rows of a corpus or a catalogue, each with its `id`."""
COUNTED = ("context", "text")
"""Columns whose characters the places in an answer count; the first that a row has."""
UNKNOWN = "[UNK]"
CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")
Keep = Literal["off", "hashed", "masked", "full"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked a version for what, and when it came (on the clock of `time.perf_counter`)."""

    name: str
    version: int
    key: str
    rows: Sequence[Mapping[str, Any]]
    arrived: float
    traffic: Traffic = "live"
    is_gone: Callable[[], bool] = bool
    """Whether whoever asked has left."""
    seen: Callable[[Any], None] | None = None
    """Is told of the batch that it was part of, where requests are traced."""


@dataclass(frozen=True)
class Recorder:
    """Makes records of answers."""

    home: Home
    mask: Mask
    keep: Keep
    is_piece: NDArray[np.bool_] | None = None
    """[V] whether a token is a later piece of a word or stands for what is unknown; None where that cannot be told."""

    labels: frozenset[str] = frozenset()
    """What an answer may say that is not quoted from its input, and so needs no masking."""

    ids: Collection[str] = ()
    """Those of the catalogue that a row may name, as in a history."""

    def knowing(self, predictor: Predictor) -> Recorder:
        """The same for the answers of one model."""
        catalogue = getattr(predictor.task, "catalogue", None)
        ids = () if catalogue is None else catalogue.number_of
        return replace(self, is_piece=_pieces(predictor), labels=frozenset(predictor.knowledge.labels), ids=ids)

    def look_ahead(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Begin to look for names in rows that will be recorded in a moment, while the model answers them."""
        ahead = getattr(self.mask.names, "ahead", None)
        if ahead is not None:
            ahead([value for row in rows for value in row.values() if isinstance(value, str)])

    def record(self, asked: Asked, row: Mapping[str, Any], answered: Answered, answer: dict[str, Any]) -> Prediction:
        """The record of one answer. `hashed` keeps of the input a keyed hash, `off` not even that."""
        texts = "\n".join(value for value in row.values() if isinstance(value, str))
        kept, private = self._kept(row)
        return Prediction(
            id=new_id("p"),
            at=time.time(),
            name=asked.name,
            version=asked.version,
            key=asked.key,
            input=kept,
            input_digest="" if self.keep == "off" else self.digest_of(row),
            answer=self._kept_answer(answer, row, kept, private),
            label=" + ".join(sorted(labels_in(answer))) or None,
            confidence=_number(answer.get("confidence")),
            is_abstained=bool(answer.get("abstained", False)),
            is_out_of_scope=bool(answer.get("out_of_scope", False)),
            n_tokens=sum(cost_of(feature) for feature in answered.features),
            n_characters=len(texts),
            share_cjk=round(len(CJK.findall(texts)) / max(1, len(texts)), 3),
            share_unknown=self._share_unknown(answered),
            ms=round((time.perf_counter() - asked.arrived) * 1000, 2),
            traffic=asked.traffic,
            private=private,
            vector=_vector(answered),
        )

    def digest_of(self, row: Mapping[str, Any]) -> str:
        """By what the same input is known again, and found when it must be erased."""
        return digest_of(self.home, row)

    def _kept(self, row: Mapping[str, Any]) -> tuple[Any, Mapping[str, int]]:
        masked, counts = self._masked_row(row)
        return (masked if self.keep == "masked" else dict(row) if self.keep == "full" else None), counts

    def _kept_answer(
        self, answer: dict[str, Any], row: Mapping[str, Any], kept: Any, private: Mapping[str, int]
    ) -> Any:
        if self.keep == "full":
            return answer
        if self.keep == "masked":
            column = next((name for name in COUNTED if isinstance(row.get(name), str)), None)
            if private and column is not None:
                answer = _moved(answer, self.mask(row[column]).found, kept[column])
            return self._masked(_without(answer, ALIKE))
        return self._masked(_without(answer, ALIKE | QUOTES))

    def _masked_row(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, int]]:
        """A row whose names are those of the task's columns: most often texts alone."""
        if not all(isinstance(value, str) or value is None for value in row.values()):
            return self.mask.values(dict(row), self.ids)
        found = {name: self.mask(value) for name, value in row.items() if value is not None}
        counts = Counter(one.kind for masked in found.values() for one in masked.found)
        return {**row, **{name: masked.text for name, masked in found.items()}}, dict(counts)

    def _masked(self, answer: Any) -> Any:
        ids = _ids_in(answer)
        known = self.labels | ids if ids else self.labels
        return answer if _says_only(answer, known) else self.mask.values(answer, known)[0]

    def _share_unknown(self, answered: Answered) -> float:
        if self.is_piece is None or not answered.features or "input_ids" not in answered.features[0]:
            return 0.0
        return round(float(self.is_piece[answered.features[0]["input_ids"]].mean()), 3)


def digest_of(home: Home, row: Mapping[str, Any]) -> str:
    """By what the same input is known again."""
    return home.digest_of(orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS))


def labels_in(answer: Mapping[str, Any]) -> list[str]:
    """The labels that an answer gives: one, or several where the task gives several."""
    label, labels = answer.get("label"), answer.get("labels")
    if isinstance(label, str):
        return [label]
    if isinstance(labels, list):
        return [str(one.get("label", one) if isinstance(one, dict) else one) for one in labels]
    return []


def _ids_in(answer: Any) -> frozenset[str]:
    """The ids of what was found or recommended: the task's own words, which masked could not be learned."""
    found = (one for field in FOUND for one in answer.get(field) or ()) if isinstance(answer, dict) else ()
    return frozenset(one["id"] for one in found)


def _says_only(value: Any, labels: frozenset[str]) -> bool:
    """Whether every text in a value is one of the labels."""
    if isinstance(value, str):
        return value in labels
    if isinstance(value, dict):
        return all(_says_only(one, labels) for one in value.values())
    return not isinstance(value, list) or all(_says_only(one, labels) for one in value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _without(value: Any, names: frozenset[str]) -> Any:
    """An answer without some of its fields, however deep they lie."""
    if isinstance(value, dict):
        return {name: _without(one, names) for name, one in value.items() if name not in names}
    return [_without(one, names) for one in value] if isinstance(value, list) else value


def _moved(value: Any, found: Sequence[Found], text: str) -> Any:
    """An answer whose places (`start`, `end`) are those of the same characters in the masked text; one that lies in
    what was masked is all of that. Its surface is what stands there now.
    """
    if isinstance(value, list):
        return [_moved(one, found, text) for one in value]
    if not isinstance(value, dict):
        return value
    start, end = value.get("start"), value.get("end")
    if not isinstance(start, int) or not isinstance(end, int):
        return {name: _moved(one, found, text) for name, one in value.items()}
    new = {"start": _place(start, found, is_end=False), "end": _place(end, found, is_end=True)}
    surface = {name: text[new["start"] : new["end"]] for name in ("text", "answer") if name in value}
    return {**value, **new, **surface}


def _place(at: int, found: Sequence[Found], *, is_end: bool) -> int:
    """Where a character's place is once what was found gave way to its kind in brackets."""
    moved = at
    for one in found:
        n_written = len(one.kind) + len("[]")
        if at >= one.end:
            moved += n_written - (one.end - one.start)
        elif at > one.start:
            return moved + (one.start - at) + (n_written if is_end else 0)
    return moved


def _vector(answered: Answered) -> list[float] | None:
    if random.random() > SHARE_WITH_VECTOR:  # noqa: S311  # no secret
        return None
    return vector_of(answered)


def kept_for_record(answered: Answered) -> Answered:
    """What a record needs of an example that is remembered: not its text, of its features one and what all cost, and
    outputs of its own that are not part of a batch's.
    """
    first, further = answered.features[:1], sum(cost_of(feature) for feature in answered.features[1:])
    features = [*first, {COST_FIELD: np.array([further], np.int32)}] if further else list(first)
    outputs = [one.copy() for one in answered.outputs[:1] if one.ndim == 1 and one.size <= MOST_OUTPUTS]
    return Answered({}, features, outputs)


def vector_of(answered: Answered) -> list[float] | None:
    """What tells like answers from others: the shares of the outputs; None where there are none, or too many."""
    outputs = np.asarray(answered.outputs[0], np.float64) if answered.outputs else np.zeros(0)
    if outputs.ndim != 1 or not 1 < outputs.size <= MOST_OUTPUTS:
        return None
    shares = np.exp(outputs - outputs.max())
    vector: list[float] = np.round(shares / shares.sum(), 4).tolist()
    return vector


def _pieces(predictor: Predictor) -> NDArray[np.bool_] | None:
    """[V] whether a token is a later piece of a word, or stands for what is unknown, in a vocabulary of WordPiece."""
    vocabulary = getattr(predictor.reader, "vocabulary", None)
    if vocabulary is None or not any(token.startswith("##") for token in vocabulary):
        return None
    is_piece = np.zeros(max(vocabulary.values()) + 1, np.bool_)
    for piece, number in vocabulary.items():
        is_piece[number] = piece.startswith("##") or piece == UNKNOWN
    return is_piece
