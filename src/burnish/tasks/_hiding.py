"""Texts with hidden words as features, and what a network says about them.

Fields of a feature: `input_ids` [T] as they are; `words` [T], see `_masking`; `hidden` [P] and `shown` [P], what is
hidden of it; `blanks` [2 G], start and end of each mask that the text itself holds, in its characters; `vocabulary`
[2], the mask's id and how many ids there are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.core.seeds import generator
from burnish.data.segmentation import words_of_tokens
from burnish.tasks._blocks import BlockReader, Tokens, cut_in_blocks, tokens_of
from burnish.tasks._contract import Batch, Collated, Encoded, Feature
from burnish.tasks._masking import Ints, Masking, renumbered
from burnish.tasks._rows import pad_inputs

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.network import Network
    from burnish.models.tokenizer import TextTokenizer

MASK = "[MASK]"
"""How a mask may always be written, whatever the tokenizer calls its own."""
N_WORDS = 5
WORD_LENGTH = 32
"""Characters of a word that are kept; longer ones are cut."""
N_FACTS = 2  # numbers of a block
WIDTH = N_WORDS * (1 + WORD_LENGTH)  # numbers of a blank, and of a block beside one
NOTHING: Feature = {"hidden": np.zeros(0, np.int32), "shown": np.zeros(0, np.int32)}


def load_masking_reader(folder: Path, tokenizer: TextTokenizer) -> BlockReader:
    """The reader of the model in `folder`; its mark is the mask.

    Raises:
        UserError: it does not read a text from both sides, or has no mask.
    """
    from burnish.models.masked import mask_of, refuse_unless_masked

    refuse_unless_masked(folder)
    mask, number = mask_of(tokenizer.backend, folder)
    tokenizer.backend.add_special_tokens([mask])  # which it is already for most: a text's own mask stays one token
    return BlockReader(tokenizer, mask, number)


class Hiding(NamedTuple):
    """How words of a text are hidden: `special` ids never are; pieces of a word go together when `is_whole`."""

    masking: Masking
    special: Ints
    is_whole: bool


def encode_hidden(texts: Sequence[str], reader: BlockReader, share: float, is_whole: bool) -> list[Encoded]:
    """The blocks of each text. Hidden is what a digest of the text tells: the same in every epoch and run.

    Nothing is hidden in a text that holds masks itself: what stands there is asked for.
    """
    backend = reader.tokenizer.backend
    special = sorted(number for number, token in backend.get_added_tokens_decoder().items() if token.special)
    how = Hiding(Masking(share, reader.mark_id, backend.get_vocab_size()), np.array(special, np.int32), is_whole)
    asked = [text.replace(MASK, reader.mark) for text in texts]
    mark = re.compile(f"{re.escape(MASK)}|{re.escape(reader.mark)}")
    encoded = []
    for text, given, tokens in zip(asked, texts, tokens_of(asked, reader.tokenizer), strict=True):
        gaps = [found.span() for found in mark.finditer(given)]
        encoded.append(Encoded(_features(text, tokens, gaps, reader, how), n_tokens=len(tokens.ids)))
    return encoded


def _features(
    text: str, tokens: Tokens, gaps: list[tuple[int, int]], reader: BlockReader, how: Hiding
) -> list[Feature]:
    words, n_told = words_of_tokens(text, tokens.offsets), 0
    features = []
    for number, block in enumerate(cut_in_blocks(text, tokens.offsets, reader.room)):
        ids = tokens.ids[block]
        numbers = renumbered(words[block], np.isin(ids, how.special), how.is_whole)
        feature = {"input_ids": reader.around(ids), "words": reader.around(numbers, fill=-1)}
        draw = generator(0, "masks", number, text)
        drawn = NOTHING if gaps else how.masking.draw(feature["input_ids"], feature["words"], draw)
        end = n_told + int((ids == reader.mark_id).sum())
        blanks = np.array(gaps[n_told:end], np.int32).reshape(-1)
        vocabulary = np.array([how.masking.mask_id, how.masking.n_ids], np.int32)
        features.append({**feature, **drawn, "blanks": blanks, "vocabulary": vocabulary})
        n_told = end
    return features


def masked_anew(feature: Feature, share: float, draw: np.random.Generator) -> Feature:
    """The feature with other words hidden."""
    mask_id, n_ids = feature["vocabulary"].tolist()
    return {**feature, **Masking(share, mask_id, n_ids).draw(feature["input_ids"], feature["words"], draw)}


def collate_hidden(features: Sequence[Feature], pad_id: int) -> Collated:
    """Blocks with the hidden tokens covered.

    Inputs: `places` [M], through the batch's rows, of hidden tokens and blanks, block after block. Targets: `wanted`
    [M], the token that stands there, -100 for a blank; `rows` [M], the block of each.
    """
    covered = [{"input_ids": _covered(feature)} for feature in features]
    inputs, n_tokens = pad_inputs(covered, pad_id)
    width = inputs["input_ids"].shape[1]
    blanks = [np.flatnonzero(one["input_ids"] == one["vocabulary"][0])[: len(one["blanks"]) // 2] for one in features]
    places = [np.concatenate([one["hidden"], gaps]) for one, gaps in zip(features, blanks, strict=True)]
    wanted = [
        np.concatenate([one["input_ids"][one["hidden"]], np.full(len(gaps), -100)])
        for one, gaps in zip(features, blanks, strict=True)
    ]
    rows = np.repeat(np.arange(len(features)), [len(one) for one in places])
    inputs["places"] = np.concatenate(places).astype(np.int64) + rows * width
    targets = {"wanted": np.concatenate(wanted).astype(np.int64), "rows": rows}
    return Collated(inputs, targets, len(features), n_tokens, rows_each=[1 + len(gaps) for gaps in blanks])


def _covered(feature: Feature) -> Ints:
    ids = feature["input_ids"].copy()
    ids[feature["hidden"]] = feature["shown"]
    return ids


def hidden_loss(logits: Tensor, batch: Batch, smoothing: float) -> Tensor:
    """Mean cross-entropy of the hidden tokens: logits [1, M, V]. A batch that hides nothing teaches nothing."""
    from torch.nn.functional import cross_entropy

    wanted = batch.targets["wanted"]
    if not bool((wanted >= 0).any()):
        return logits.sum() * 0.0
    return cross_entropy(logits.float()[0], wanted, label_smoothing=smoothing)


def ask_hidden(network: Network, batch: Batch) -> Tensor:
    """Rows of numbers [B + G, N_FACTS], or [B + G, WIDTH] where there are blanks: one a block, then one a blank of it.

    A block's row begins with the negative log-likelihood of its hidden tokens in nats and their number; a blank's has
    the probabilities of its `N_WORDS` best words, then their letters.
    """
    import torch

    scores = network(**batch.inputs)[0].float().log_softmax(-1)  # [M, V]
    wanted, rows = batch.targets["wanted"], batch.targets["rows"]
    is_hidden = wanted >= 0
    assert batch.rows_each is not None
    each = torch.tensor(batch.rows_each, device=scores.device)
    starts = each.cumsum(0) - each
    has_blanks = not bool(is_hidden.all())
    outputs: Tensor = scores.new_zeros(int(each.sum()), WIDTH if has_blanks else N_FACTS)
    told = -scores[is_hidden].gather(1, wanted[is_hidden].unsqueeze(1)).squeeze(1)
    outputs[:, 0].index_add_(0, starts[rows[is_hidden]], told)
    outputs[:, 1].index_add_(0, starts[rows[is_hidden]], torch.ones_like(told))
    if has_blanks:
        is_blank = torch.ones(len(outputs), dtype=torch.bool, device=scores.device)
        is_blank[starts] = False
        best = scores[~is_hidden].topk(N_WORDS)
        outputs[is_blank] = torch.cat([best.values.exp(), _letters(network, best.indices)], 1)
    return outputs


def _letters(network: Network, ids: Tensor) -> Tensor:
    """[G, N_WORDS · WORD_LENGTH] code points of the words of ids [G, N_WORDS], zeros behind a word's last."""
    import torch

    vocabulary = network.vocabulary
    assert vocabulary is not None, "a network with a vocabulary"
    words = vocabulary.decode_batch([[number] for number in ids.flatten().tolist()], skip_special_tokens=False)
    codes = np.zeros((ids.numel(), WORD_LENGTH), np.float32)
    for row, word in enumerate(words):
        letters = [ord(letter) for letter in word.strip().removeprefix("##")[:WORD_LENGTH]]
        codes[row, : len(letters)] = letters
    return torch.from_numpy(codes.reshape(len(ids), N_WORDS * WORD_LENGTH)).to(ids.device)


class Said(NamedTuple):
    """What the network said of a text: nll and n_tokens of its hidden tokens; words [G] of its blanks."""

    nll: float
    n_tokens: int
    words: list[list[tuple[str, float]]]


def said_of(outputs: Sequence[NDArray[np.float32]]) -> Said:
    """From the outputs of all blocks of a text."""
    blocks = [one.reshape(-1, WIDTH if len(one) > N_FACTS else N_FACTS) for one in outputs]
    nll = sum(float(rows[0, 0]) for rows in blocks)
    n_tokens = sum(int(rows[0, 1]) for rows in blocks)
    return Said(nll, n_tokens, [_words(row) for rows in blocks for row in rows[1:]])


def _words(row: NDArray[np.float32]) -> list[tuple[str, float]]:
    letters = row[N_WORDS:].reshape(N_WORDS, WORD_LENGTH).astype(int)
    words = ["".join(chr(code) for code in codes if code) for codes in letters]
    return list(zip(words, row[:N_WORDS].tolist(), strict=True))
