"""What is kept of an answer: as much as the settings say, with personal data masked before anything is written."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from burnish.bundle.predictor import Predictor
from burnish.core.ids import new_id
from burnish.data.features import cost_of
from burnish.data.masking import Mask
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


@dataclass(frozen=True)
class Recorder:
    """Makes records of answers."""

    home: Home
    mask: Mask
    keep: Keep
    is_piece: NDArray[np.bool_] | None = None
    """[V] whether a token is a later piece of a word or stands for what is unknown; None where that cannot be told."""

    def knowing(self, predictor: Predictor) -> Recorder:
        """The same for the answers of one model."""
        return replace(self, is_piece=_pieces(predictor))

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
            answer=self._kept_answer(answer),
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
        masked, counts = self.mask.values(dict(row))
        return (masked if self.keep == "masked" else dict(row) if self.keep == "full" else None), counts

    def _kept_answer(self, answer: dict[str, Any]) -> Any:
        if self.keep == "full":
            return answer
        return self.mask.values(_without(answer, ALIKE if self.keep == "masked" else ALIKE | QUOTES))[0]

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


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _without(value: Any, names: frozenset[str]) -> Any:
    """An answer without some of its fields, however deep they lie."""
    if isinstance(value, dict):
        return {name: _without(one, names) for name, one in value.items() if name not in names}
    return [_without(one, names) for one in value] if isinstance(value, list) else value


def _vector(answered: Answered) -> list[float] | None:
    if not answered.outputs or random.random() > SHARE_WITH_VECTOR:  # noqa: S311  # no secret
        return None
    outputs = np.asarray(answered.outputs[0])
    if outputs.ndim != 1 or outputs.size > MOST_OUTPUTS:
        return None
    vector: list[float] = np.round(outputs.astype(np.float64), 2).tolist()
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
