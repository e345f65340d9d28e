"""One reading for several tasks: what each makes of a text is united where the trunk would read the same tokens.

A feature of several tasks holds the tokens once; what else a task keeps of it stands under `task.field`. Its `kind`
has a bit for each task that asks something of it, so that a batch asks the same heads for all of its rows; the
outputs of several heads lie side by side, each flattened, and are taken apart here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.data.features import KIND_FIELD, kind_of
from burnish.tasks._contract import Encoded, Feature

TOKENS = ("input_ids", "token_type_ids")
"""What the trunk reads of a feature: where these say the same, one reading is enough."""
ORDER, PLACE = "order", "place"


def field_of(member: str, name: str) -> str:
    return f"{member}.{name}"


def own_feature(feature: Feature, member: str) -> Feature:
    """A feature as a member's task made it."""
    start = field_of(member, "")
    own = {name.removeprefix(start): values for name, values in feature.items() if name.startswith(start)}
    return {**{name: feature[name] for name in TOKENS if name in feature}, **own}


def united(of_members: Mapping[str, Encoded], bits: Mapping[str, int]) -> Encoded:
    """What several tasks made of one example, as features of which each is read once.

    A member's own features are never united with each other: two windows of a text may hold the same tokens.
    """
    features: dict[tuple[tuple[bytes, ...], int], Feature] = {}
    is_shared = len(of_members) > 1
    for member, encoded in of_members.items():
        for number, feature in enumerate(encoded.features):
            tokens, times = read_of(feature), 0
            while (key := (tokens, times)) in features and kind_of(features[key]) & bits[member]:
                times += 1
            one = features.setdefault(key, {KIND_FIELD: np.zeros(1, np.int32)})
            one[KIND_FIELD] |= bits[member]
            one.update({name if name in TOKENS else field_of(member, name): feature[name] for name in feature})
            if is_shared:
                one[field_of(member, ORDER)] = np.asarray([number], np.int32)
    return Encoded(
        list(features.values()),
        n_tokens=max(one.n_tokens for one in of_members.values()),
        n_cut=max(one.n_cut for one in of_members.values()),
        notes=tuple(note for one in of_members.values() for note in one.notes),
    )


def read_of(feature: Feature) -> tuple[bytes, ...]:
    """What the trunk reads of a feature; types that are all 0 are those that it takes where there are none."""
    types = feature.get("token_type_ids")
    return (feature["input_ids"].tobytes(), b"" if types is None or not types.any() else types.tobytes())


class SameTexts:
    """A reader that cuts the same texts into tokens once, however many tasks ask for them one after the other."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._known: list[tuple[Any, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def ids(self, texts: Sequence[Any]) -> Any:
        for known, encodings in self._known:
            if known == texts:
                return encodings
        encodings = self._reader.ids(texts)
        self._known.append((texts, encodings))
        return encodings


@dataclass(frozen=True)
class Layout:
    """Where each head's outputs lie. `sizes`: member → K; `of_tokens`: those whose head labels tokens."""

    sizes: Mapping[str, int]
    of_tokens: frozenset[str]

    def piece(self, outputs: NDArray[np.float32], asked: Sequence[str], member: str, n: int) -> NDArray[np.float32]:
        """One head's outputs, [K] or [T, K], of those of the heads `asked`; `n` is T, the feature's real tokens."""
        if len(asked) == 1:
            return outputs
        a_text = sum(self.sizes[name] for name in asked if name not in self.of_tokens)
        a_token = sum(self.sizes[name] for name in asked if name in self.of_tokens)
        n_padded = (len(outputs) - a_text) // a_token if a_token else 0
        start = 0
        for name in asked:
            size = self.sizes[name] * (n_padded if name in self.of_tokens else 1)
            if name == member:
                break
            start += size
        own = outputs[start : start + size]
        return own.reshape(n_padded, -1)[:n] if member in self.of_tokens else own
