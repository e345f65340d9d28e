"""The tags of a head that a base already has, in whatever scheme, as the IOB2 tags that spans are read from."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from burnish.tasks._contract import Adopted
from burnish.tasks._decoding import tag_names

BEGINS, GOES_ON = "BSU", "IELM"
"""Letters before a label in IOB1, IOB2, IOE, BIOES, BMES and BILOU: this word begins a span, or goes on with it."""
_TAG = re.compile(rf"([{BEGINS}{GOES_ON}])[-_](.+)")


def read_scheme(outputs: tuple[str, ...]) -> Adopted | None:
    """The labels among the names of a head's outputs, and its logits as those of `tag_names`; None without an `O`.

    A label that carries no letter goes on, as in the scheme IO. A span may also begin with a word that goes on where
    nothing stands before it, at half of its weight: so I-x in the middle of a span stays in it.
    """
    begins: dict[str, list[int]] = defaultdict(list)
    goes_on: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(outputs):
        found = _TAG.fullmatch(name)
        label = found[2] if found else name
        if label != "O":
            (begins if found and found[1] in BEGINS else goes_on)[label].append(place)
    labels = tuple(sorted({*begins, *goes_on}))
    if "O" not in outputs or not labels:
        return None
    wanted = tag_names(labels)
    own = {"O": [outputs.index("O")]}
    own |= {f"B-{label}": begins[label] for label in labels} | {f"I-{label}": goes_on[label] for label in labels}

    def convert(logits: NDArray[np.float32]) -> NDArray[np.float32]:
        columns = [_sum(logits, own[name]) for name in wanted]
        for place in range(1, len(wanted), 2):
            columns[place] = np.logaddexp(columns[place], columns[place + 1] - np.log(2))
        return np.stack(columns, axis=-1).astype(np.float32)

    return Adopted(labels, convert)


def _sum(logits: NDArray[np.float32], places: Sequence[int]) -> NDArray[np.float64]:
    """The logit of any of some outputs; of none, one that is never chosen."""
    if not places:
        return np.full(logits.shape[:-1], -1e4)
    return np.asarray(np.logaddexp.reduce(logits[..., list(places)].astype(np.float64), axis=-1))
