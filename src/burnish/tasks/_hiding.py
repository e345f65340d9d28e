"""Texts with hidden words as features, and what a network says about them.

Fields of a feature: `input_ids` [T] as they are; `words` [T], see `_masking`; `hidden` [P] and `shown` [P], what is
hidden of it; `blanks` [2 G], start and end of each mask that the text itself holds, in its characters; `vocabulary` [2],
the mask's id and how many ids there are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.core.seeds import generator
from burnish.data.segmentation import words_of_tokens
from burnish.tasks._blocks import Tokens, cut_in_blocks, tokens_of
from burnish.tasks._contract import Batch, Encoded, Feature
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


@dataclass(frozen=True)
class MaskingReader:
    """A tokenizer that has a token for what is hidden. `special_ids` are never hidden."""

    tokenizer: TextTokenizer
    mask: str
    mask_id: int
    special_ids: Ints

    @property
    def pad_id(self) -> int:
        return self.tokenizer.pad_id

    @property
    def max_length(self) -> int:
        return self.tokenizer.max_length

    @property
    def prompt(self) -> str:
        return self.tokenizer.prompt

    @property
    def room(self) -> int:
        """Tokens of a text that fit into a block, beside those around it."""
        return self.max_length - len(self.tokenizer.prefix) - len(self.tokenizer.suffix)

    @property
    def n_ids(self) -> int:
        return int(self.tokenizer.backend.get_vocab_size())

    def save(self, folder: Path, source: Path) -> None:
        """The tokenizer. It may read as much at once as the base allows, however short the blocks were."""
        from burnish.models.tokenizer import allowed_length

        replace(self.tokenizer, max_length=allowed_length(source)).save(folder, source)


def load_masking_reader(folder: Path, tokenizer: TextTokenizer) -> MaskingReader:
    """The reader of the model in `folder`.

    Raises:
        UserError: it does not read a text from both sides, or has no mask.
    """
    from burnish.models.masked import mask_of, refuse_unless_masked

    refuse_unless_masked(folder)
    mask = mask_of(tokenizer.backend, folder)
    added = tokenizer.backend.get_added_tokens_decoder()
    special = sorted(number for number, token in added.items() if token.special)
    return MaskingReader(tokenizer, mask, tokenizer.backend.token_to_id(mask), np.array(special, np.int32))


def encode_blocks(texts: Sequence[str], reader: MaskingReader, share: float, is_whole: bool) -> list[Encoded]:
    """The blocks of each text. Hidden is what a digest of the text tells: the same in every epoch and run.

    Nothing is hidden in a text that holds masks itself: what stands there is asked for.
    """
    masking = Masking(share, reader.mask_id, reader.n_ids)
    asked = [text.replace(MASK, reader.mask) for text in texts]
    encoded = []
    for text, given, tokens in zip(asked, texts, tokens_of(asked, reader.tokenizer), strict=True):
        blanks = _blanks(given, reader.mask)
        words = words_of_tokens(text, tokens.offsets)
        features = []
        for number, block in enumerate(cut_in_blocks(text, tokens.offsets, reader.room)):
            feature = _block(Tokens(tokens.ids[block], tokens.offsets[block]), words[block], reader, is_whole)
            n_blanks = int((feature["input_ids"] == reader.mask_id).sum())
            draw = generator(0, "masks", number, text)
            nothing = {name: np.zeros(0, np.int32) for name in ("hidden", "shown")}
            drawn = nothing if blanks else masking.draw(feature["input_ids"], feature["words"], draw)
            spans = np.array(blanks[:n_blanks], np.int32).reshape(-1)
            blanks = blanks[n_blanks:] if n_blanks else blanks
            vocabulary = np.array([reader.mask_id, reader.n_ids], np.int32)
            features.append({**feature, **drawn, "blanks": spans, "vocabulary": vocabulary})
        encoded.append(Encoded(features, n_tokens=len(tokens.ids)))
    return encoded


def _blanks(text: str, mask: str) -> list[tuple[int, int]]:
    return [found.span() for found in re.finditer(f"{re.escape(MASK)}|{re.escape(mask)}", text)]


def _block(tokens: Tokens, words: Ints, reader: MaskingReader, is_whole: bool) -> Feature:
    prefix, suffix = reader.tokenizer.prefix, reader.tokenizer.suffix
    numbers = renumbered(words, np.isin(tokens.ids, reader.special_ids), is_whole)
    around = [np.full(len(ids), -1, np.int32) for ids in (prefix, suffix)]
    ids = np.concatenate([np.array(prefix, np.int32), tokens.ids, np.array(suffix, np.int32)])
    return {"input_ids": ids, "words": np.concatenate([around[0], numbers, around[1]])}


def masked_anew(feature: Feature, share: float, draw: np.random.Generator) -> Feature:
    """The feature with other words hidden."""
    mask_id, n_ids = feature["vocabulary"].tolist()
    return {**feature, **Masking(share, mask_id, n_ids).draw(feature["input_ids"], feature["words"], draw)}


def collate_hidden(features: Sequence[Feature], pad_id: int) -> Batch:
    """Blocks with the hidden tokens covered.

    Inputs: `places` [M], through the batch's rows, of hidden tokens and blanks, block after block. Targets: `wanted`
    [M], the token that stands there, -100 for a blank; `rows` [M], the block of each.
    """
    import torch

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
    inputs["places"] = torch.from_numpy(np.concatenate(places).astype(np.int64) + rows * width)
    targets = {"wanted": torch.from_numpy(np.concatenate(wanted).astype(np.int64)), "rows": torch.from_numpy(rows)}
    return Batch(inputs, targets, len(features), n_tokens, rows_each=[1 + len(gaps) for gaps in blanks])


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
    """Rows of numbers [B + G, 1 + …]: for each block one, and behind it one for each of its blanks.

    A block's row begins with the negative log-likelihood of its hidden tokens and their number; a blank's has the
    probabilities of its `N_WORDS` best words, then their letters.
    """
    import torch

    logits = network(**batch.inputs)[0].float()
    scores = logits.log_softmax(-1)  # [M, V]
    wanted, rows = batch.targets["wanted"], batch.targets["rows"]
    is_hidden = wanted >= 0
    assert batch.rows_each is not None
    each = torch.tensor(batch.rows_each, device=logits.device)
    starts = each.cumsum(0) - each
    outputs = logits.new_zeros(int(each.sum()), N_WORDS * (1 + WORD_LENGTH))
    told = -scores[is_hidden].gather(1, wanted[is_hidden].unsqueeze(1)).squeeze(1)
    outputs[:, 0].index_add_(0, starts[rows[is_hidden]], told)
    outputs[:, 1].index_add_(0, starts[rows[is_hidden]], torch.ones_like(told))
    is_blank = torch.ones(len(outputs), dtype=torch.bool, device=logits.device)
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
    width = N_WORDS * (1 + WORD_LENGTH)
    blocks = [np.asarray(one).reshape(-1, width) for one in outputs]
    nll = sum(float(rows[0, 0]) for rows in blocks)
    n_tokens = sum(int(rows[0, 1]) for rows in blocks)
    return Said(nll, n_tokens, [_words(row) for rows in blocks for row in rows[1:]])


def _words(row: NDArray[np.float32]) -> list[tuple[str, float]]:
    letters = row[N_WORDS:].reshape(N_WORDS, WORD_LENGTH).astype(int)
    words = ["".join(chr(code) for code in codes if code) for codes in letters]
    return list(zip(words, row[:N_WORDS].tolist(), strict=True))
