"""What tasks on chats share: features of a chat, batches, outputs asked of a causal model, text as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from burnish.models.decoding import Decoding
from burnish.tasks._contract import Arrays, Batch, Collated, Encoded, Feature
from burnish.tasks._packing import packed_inputs
from burnish.tasks._rows import pad_inputs
from burnish.tasks._writing import Places, check_decoding, gold_nll, packed, targets_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.chat import Chat, ChatTokenizer
    from burnish.models.network import Network

Turns = Sequence[Mapping[str, str]]


def load_chat_reader(
    folder: Path, max_length: int | None, prompt: str, decoding: Decoding, template: str | None
) -> ChatTokenizer:
    """The reader of chats for the base or bundle in `folder`; `template` null takes its own.

    Raises:
        UserError: the base does not go on with a text, has no usable tokenizer or template, or cannot be held to the
            schema that its text must fit.
    """
    from burnish.models.chat import load_chat_tokenizer
    from burnish.models.lm import refuse_unless_decoder

    refuse_unless_decoder(folder)
    reader = load_chat_tokenizer(folder, max_length, prompt, decoding.max_new_tokens, template)
    check_decoding(decoding, reader.tokenizer.backend, reader.ends)
    return reader


def encode_chat(turns: Turns, gold: str | None, reader: ChatTokenizer) -> Encoded:
    """input_ids [T]; n_prompt [1], the tokens before the answer; ends [E]; is_learned [T] where the answer is known."""
    chat = reader.asked(turns) if gold is None else reader.answered(turns, gold)
    feature = _feature(chat, reader.ends, is_labelled=gold is not None)
    return Encoded([feature], len(chat.ids) + chat.n_cut, chat.n_cut, chat.notes)


def _feature(chat: Chat, ends: Sequence[int], *, is_labelled: bool) -> Feature:
    feature = {
        "input_ids": np.asarray(chat.ids, np.int32),
        "n_prompt": np.array([chat.n_prompt], np.int32),
        "ends": np.asarray(ends, np.int32),
    }
    if is_labelled:
        feature["is_learned"] = np.asarray(chat.is_learned, np.int32)
    return feature


def collate_chats(features: Sequence[Feature], pad_id: int) -> Collated:
    """Chats, or rows of packed ones, with what they learn."""
    inputs, n_tokens = pad_inputs(features, pad_id)
    n_rows = len(features)
    if "n_each" in features[0]:
        n_rows = sum(len(feature["n_each"]) for feature in features)
        inputs |= packed_inputs(features, inputs["input_ids"].shape[1])
    targets: Arrays = {"ends": features[0]["ends"].astype(np.int64)}
    if "is_learned" in features[0]:
        width = inputs["input_ids"].shape[1]
        places = [_places(feature, row * width) for row, feature in enumerate(features)]
        inputs["places"], learned = targets_of(places)
        targets |= learned
    targets["n_prompt"] = np.array([feature["n_prompt"][0] for feature in features], np.int64)
    return Collated(inputs, targets, n_rows, n_tokens)


def _places(feature: Feature, offset: int) -> Places:
    """Each learned token is told from the one before it; a text's first token never is."""
    learned = np.flatnonzero(feature["is_learned"][1:]) + 1
    return Places(offset + learned - 1, feature["input_ids"][learned], learned >= feature["n_prompt"][0])


def ask_for_answers(network: Network, batch: Batch, how: Decoding, *, is_written: bool) -> Tensor:
    """The outputs of chats, as `_writing` packs them; without texts where none is to be written."""
    from burnish.models.writing import write

    nll, counts = gold_nll(network, batch)
    if not is_written:
        return packed(nll, counts, ())
    return packed(nll, counts, write(network, _prompts(batch), how, batch.targets["ends"].tolist()))


def stream_answer(network: Network, batch: Batch, how: Decoding) -> Iterator[str]:
    """Pieces of the answer to the one chat of a batch."""
    from burnish.models.streaming import stream

    [prompt] = _prompts(batch)
    return stream(network, prompt, how, batch.targets["ends"].tolist())


def _prompts(batch: Batch) -> list[Tensor]:
    """Of each row [T] the tokens before the answer."""
    rows = zip(batch.inputs["input_ids"], batch.targets["n_prompt"].tolist(), strict=True)
    return [ids[:n_prompt] for ids, n_prompt in rows]
