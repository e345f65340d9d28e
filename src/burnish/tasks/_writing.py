"""What tasks that write text share: outputs packed as numbers, the loss of an answer's tokens, answers and outcome.

The outputs of a feature are one row of numbers: the negative log-likelihood of the gold answer's tokens in nats, how
many tokens those are, whether the text ended by itself, and the text as code points. A batch's targets are `wanted`
[M], the token ids that are learned; `rows` [M], which row each stands in; and `is_gold` [M], whether it belongs to the
answer that is judged. `places` [M], among the inputs, are the tokens from which they are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.data.measures import looks_chinese
from burnish.metrics._texts import TextOutcome
from burnish.models.decoding import Decoding
from burnish.tasks._contract import Answered, Arrays, Batch, Line, Located, Prediction
from burnish.tasks._rows import text_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

    from burnish.models.network import Network
    from burnish.models.writing import Draft

MOST_LOGITS = 1 << 26
"""Numbers in the logits [M, V] held at once when judging: 256 MiB."""
N_FACTS = 3  # numbers before the text
NOTHING = -1  # fills up behind a shorter text


class Written(Prediction):
    """A text that was written."""

    text: str
    """The text, without white space around it."""
    is_finished: bool
    """Whether it ended by itself or at a stop text, and not at `max_new_tokens`."""

    def lines(self) -> list[Line]:
        return [Line(self.text if self.is_finished else f"{self.text} …")]


class Told(NamedTuple):
    """What the outputs of one feature say."""

    nll: float
    n_tokens: int
    is_finished: bool
    text: str


def loss_of_answers(logits: Tensor, batch: Batch, smoothing: float) -> Tensor:
    """Mean cross-entropy of the learned tokens: logits [1, M, V]."""
    from torch.nn.functional import cross_entropy

    wanted = batch.targets["wanted"]
    total = cross_entropy(logits[0].float(), wanted, label_smoothing=smoothing, reduction="sum")
    return total / max(len(wanted), 1)


def gold_nll(network: Network, batch: Batch) -> tuple[Tensor, Tensor]:
    """[B] negative log-likelihood of each row's gold answer in nats, and [B] how many tokens it has; zeros without."""
    import torch
    from torch.nn.functional import cross_entropy

    nll, counts = torch.zeros(batch.n_rows), torch.zeros(batch.n_rows)
    if "places" not in batch.inputs:
        return nll, counts
    is_gold = batch.targets["is_gold"]
    places, wanted = batch.inputs["places"][is_gold], batch.targets["wanted"][is_gold]
    rows = batch.targets["rows"][is_gold].cpu()
    step = max(MOST_LOGITS // int(network.trunk.config.get_text_config().vocab_size), 1)
    for start in range(0, len(places), step):
        some = slice(start, start + step)
        logits = network(**{**batch.inputs, "places": places[some]})
        found = cross_entropy(logits[0].float(), wanted[some], reduction="none").cpu()
        nll.index_add_(0, rows[some], found)
        counts.index_add_(0, rows[some], torch.ones_like(found))
    return nll, counts


def packed(nll: Tensor, counts: Tensor, drafts: Sequence[Draft]) -> Tensor:
    """[B, 3 + K] outputs of a batch whose longest text has K characters; no drafts where nothing was to be written."""
    import torch

    texts = [[ord(letter) for letter in draft.text] for draft in drafts] or [[]] * len(nll)
    ended = [float(draft.is_finished) for draft in drafts] or [1.0] * len(nll)
    rows = torch.full((len(nll), N_FACTS + max(map(len, texts), default=0)), float(NOTHING))
    rows[:, 0], rows[:, 1], rows[:, 2] = nll, counts, torch.tensor(ended)
    for row, letters in zip(rows, texts, strict=True):
        row[N_FACTS : N_FACTS + len(letters)] = torch.tensor(letters, dtype=torch.float32)
    return rows


def told(output: NDArray[np.float32]) -> Told:
    """One row of `packed` read back. Code points are whole numbers below 2²⁴, which float32 holds exactly."""
    letters = output[N_FACTS:].astype(np.int64)
    text = "".join(map(chr, letters[letters != NOTHING].tolist()))
    return Told(float(output[0]), int(output[1]), bool(output[2]), text)


def written_texts(answered: Sequence[Answered]) -> list[Written]:
    """The answers of rows with one feature each."""
    found = [told(row.outputs[0]) for row in answered]
    return [Written(text=one.text, is_finished=one.is_finished) for one in found]


def text_outcome(answered: Sequence[Answered]) -> TextOutcome:
    """Gold and written texts side by side; `golds` of an example are the texts that would do."""
    found = [told(row.outputs[0]) for row in answered]
    return TextOutcome(
        gold=[tuple(row.example["golds"]) for row in answered],
        written=[one.text for one in found],
        nll=np.array([one.nll for one in found], float),
        n_tokens=np.array([one.n_tokens for one in found], np.int64),
        is_chinese=np.array([looks_chinese(row.example["golds"][0]) for row in answered], bool),
    )


def golds_of(value: Any, column: str) -> list[str]:
    """The texts that would do: one, or a list of several.

    Raises:
        ValueError: it is no text, or an empty one.
    """
    texts = list(value) if isinstance(value, list | tuple) else [value]
    return [text_of({column: text}, column, is_labelled=True).strip() for text in texts or [None]]


def opened_decoding(how: Decoding, located: Located) -> Decoding:
    """The settings with the schema itself where they name its file.

    Raises:
        UserError: the file cannot be used.
    """
    if not isinstance(how.json_schema, str):
        return how
    from burnish.models.json_schema import read_schema

    return how.model_copy(update={"json_schema": read_schema(Path(located("decoding.json_schema")))})


def check_decoding(how: Decoding, vocabulary: Tokenizer, ends: Sequence[int]) -> None:
    """Raise `UserError` where text of this tokenizer cannot be held to the schema."""
    if how.json_schema is None:
        return
    from burnish.models.json_schema import check_schema

    assert not isinstance(how.json_schema, str), "the task was opened"
    check_schema(how.json_schema, vocabulary, ends)


class Places(NamedTuple):
    """What one row learns, [m] each: at which tokens, counted through the batch; which ids; whether they are judged."""

    flat: NDArray[np.int64]
    wanted: NDArray[np.int32]
    is_gold: NDArray[np.bool_]


def targets_of(places: Sequence[Places]) -> tuple[NDArray[np.int64], Arrays]:
    """`places` [M] of a batch, and the targets that belong to them; of each row what it learns."""

    def joined(arrays: Sequence[NDArray[Any]], kind: type) -> NDArray[Any]:
        return np.concatenate(arrays).astype(kind)

    targets = {
        "wanted": joined([one.wanted for one in places], np.int64),
        "rows": joined([np.full(len(one.wanted), row) for row, one in enumerate(places)], np.int64),
        "is_gold": joined([one.is_gold for one in places], bool),
    }
    return joined([one.flat for one in places], np.int64), targets
