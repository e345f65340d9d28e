"""Pictures and texts in one space: what a feature of both holds, how they are learnt from each other, how judged.

pixels, frame     of the picture, as in `_pictures`; both of length 0 and 8 where there is none
input_ids, n_each [n]   the texts one after the other, and how many tokens each has
codes [1 + n]     by which equal pictures and equal texts of a batch know each other
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from burnish.metrics._pairings import PairingOutcome
from burnish.tasks._contract import Answered, Arrays, Encoded, Example, Feature
from burnish.tasks._contrast import code_of
from burnish.tasks._gallery import split_vectors
from burnish.tasks._pairs import side_by_side
from burnish.tasks._pictures import picture_feature

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.pictures import PictureReader

Floats = NDArray[np.float32]
TEXTS_AT_ONCE = 1024
WORDS_SHOWN = 3


def has_picture(feature: Feature) -> bool:
    return len(feature["pixels"]) > 0


def encode_pairings(examples: Sequence[Example], reader: PictureReader) -> list[Encoded]:
    """One feature an example: its picture, where it has one, and its texts."""
    assert reader.text is not None, "there is a tokenizer where texts are read"
    encodings = iter(reader.text.ids([text for example in examples for text in example["texts"]]))
    encoded = []
    for example in examples:
        texts = side_by_side([next(encodings) for _ in example["texts"]])
        picture = {"pixels": np.zeros(0, np.int32), "frame": np.zeros(8, np.int32)}
        if example["content"]:
            picture = picture_feature(example, reader)
        codes = [code_of(text) for text in (example["content"] or "", *example["texts"])]
        feature = {**picture, **texts.features[0], "codes": np.array(codes, np.int32)}
        n_units = reader.n_units * has_picture(feature)
        feature["n_units"] = np.array([max(1, n_units + len(feature["input_ids"]))], np.int32)
        encoded.append(Encoded([feature], n_units + texts.n_tokens, texts.n_cut))
    return encoded


def with_one_text(feature: Feature, draw: np.random.Generator) -> Feature:
    """The feature with one of its texts: a picture in several texts' company is learnt from one at a time."""
    chosen = int(draw.integers(len(feature["n_each"])))
    ends = np.cumsum(feature["n_each"])
    start = int(ends[chosen] - feature["n_each"][chosen])
    return {
        **feature,
        "input_ids": feature["input_ids"][start : int(ends[chosen])],
        "n_each": feature["n_each"][chosen : chosen + 1],
        "codes": feature["codes"][[0, 1 + chosen]],
    }


def output_order(features: Sequence[Feature]) -> NDArray[np.int64]:
    """[R] for rows feature by feature, picture first: which row it is of all pictures' rows and then all texts'."""
    is_picture = np.concatenate([[True] * has_picture(one) + [False] * len(one["n_each"]) for one in features])
    return np.asarray(np.argsort(np.argsort(~is_picture, kind="stable"), kind="stable"), np.int64)


def pairing_targets(features: Sequence[Feature]) -> Arrays:
    """Owner [M], the picture, of P, that a text belongs to; what else fits is no mistake and is put out of the way.

    is_twin [M, P]: other pictures that fit a text: copies of its own, or with the same text. is_sibling [M, M]: other
    texts that fit the picture of a text.
    """
    pictures = np.array([feature["codes"][0] for feature in features])
    texts = np.concatenate([feature["codes"][1:] for feature in features])
    owner = np.repeat(np.arange(len(features)), [len(feature["n_each"]) for feature in features])
    is_copy = pictures[owner][:, None] == pictures[None, :]
    is_same = texts[:, None] == texts[None, :]
    belongs = owner[:, None] == np.arange(len(features))[None, :]
    fits = is_copy | (is_same @ belongs)
    is_sibling = fits.T[owner] & ~np.eye(len(texts), dtype=bool)
    return {"owner": owner, "is_twin": fits & ~belongs, "is_sibling": is_sibling}


def pairing_loss(rows: Tensor, targets: dict[str, Tensor], smoothing: float) -> Tensor:
    """Mean of two cross-entropies: each text among all pictures, each text's picture among all texts.

    Rows [P + M, W] are those of pictures, then texts, whose products are logits (Radford et al. 2021, arXiv 2103.00020,
    figure 3).
    """
    import torch
    from torch.nn.functional import cross_entropy

    owner, is_twin = targets["owner"], targets["is_twin"]
    n_pictures = is_twin.shape[1]
    scores = rows[n_pictures:] @ rows[:n_pictures].T  # [M, P]
    least = scores.detach().min()
    own = torch.arange(len(owner), device=owner.device)
    by_text = cross_entropy(scores.masked_fill(is_twin, least), owner, label_smoothing=smoothing)
    by_picture = scores.T[owner].masked_fill(targets["is_sibling"], least)  # [M, M]
    return (by_text + cross_entropy(by_picture, own, label_smoothing=smoothing)) / 2


def vectors_of(row: Answered) -> tuple[Floats | None, Floats]:
    """[W] of a row's picture, where it has one, and [n, W] of its texts; each of length 1."""
    feature = row.features[0]
    n_texts, n_pictures = len(feature["n_each"]), int(has_picture(feature))
    vectors = split_vectors(row.outputs[0], n_pictures + n_texts)
    return vectors[0] if n_pictures else None, vectors[n_pictures:]


def among_themselves(answered: Sequence[Answered]) -> PairingOutcome:
    """Every text of the rows among all their pictures, and every picture among all their texts.

    Rows of one picture share it. What is exactly as near as the right one counts as nearer: a network that puts
    everything in one place has found nothing.
    """
    first: dict[str, int] = {}
    owner_of_row = np.array([first.setdefault(row.example["content"], len(first)) for row in answered], np.int64)
    found = [vectors_of(row) for row in answered]
    kept = {owner: row for row, owner in reversed(list(enumerate(owner_of_row.tolist())))}
    names = [answered[kept[owner]].example["image"] or f"picture {owner + 1}" for owner in range(len(first))]
    if not answered:
        return PairingOutcome([], np.zeros(0, np.int64))
    pictures = np.stack([_there(found[kept[owner]][0]) for owner in range(len(first))])
    n_texts = [len(texts) for _, texts in found]
    texts, owner = np.concatenate([texts for _, texts in found]), np.repeat(owner_of_row, n_texts)
    places, nearest = _picture_places(texts, owner, pictures)
    starts = np.cumsum([0, *n_texts[:-1]])
    return PairingOutcome(
        np.split(places, starts[1:]),
        _text_places(pictures, texts, owner)[owner_of_row],
        [str(row.example["content"]) for row in answered],
        [[names[at]] for at in owner_of_row],
        [[names[at] for at in nearest[start]] for start in starts],
    )


def _there(vector: Floats | None) -> Floats:
    assert vector is not None, "rows that are judged have pictures"
    return vector


def _picture_places(texts: Floats, owner: NDArray[np.int64], pictures: Floats) -> tuple[NDArray[np.int64], Floats]:
    """[M] the place of each text's picture among all, and [M, 3] the first found."""
    places, nearest = [], []
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        cosines = texts[start : start + TEXTS_AT_ONCE] @ pictures.T
        own = owner[start : start + TEXTS_AT_ONCE]
        right = cosines[np.arange(len(own)), own]
        places.append((cosines >= right[:, None]).sum(axis=1))  # itself among them: the first place is 1
        nearest.append(np.argsort(-cosines, axis=1, kind="stable")[:, :WORDS_SHOWN])
    return np.concatenate(places), np.concatenate(nearest)


def _text_places(pictures: Floats, texts: Floats, owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """[P] the place of the first of each picture's texts among all texts."""
    places = []
    for picture, vector in enumerate(pictures):
        cosines, is_own = texts @ vector, owner == picture
        places.append(1 + int((cosines[~is_own] >= cosines[is_own].max()).sum()))
    return np.array(places, np.int64)
