"""A model with fewer tokens: embeddings, config and tokenizer cut together, ids renumbered in their order."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from burnish.compression.methods import _vocabularies
from burnish.compression.methods._blocks import ENCODERS
from burnish.compression.subject import Material, Subject
from burnish.core.errors import UserError, listed
from burnish.core.events import Message
from burnish.core.files import read_json, write_json
from burnish.models.network import Network
from burnish.models.tokenizer import TextTokenizer, load_tokenizer
from burnish.tasks._contract import Feature


def refuse_cut(subject: Subject) -> str | None:
    """Why the tokens of a subject cannot be cut."""
    if subject.runtime is not None:
        return f"the model was already made into files for {subject.runtime.part_name}; tokens go before that."
    if not isinstance(subject.reader, TextTokenizer) or len(subject.network.bodies()) != 1:
        return "the model reads something else than text, so it has no vocabulary to cut."
    if subject.task.head_part.gives not in ENCODERS - {"hidden_words"}:
        return f"the head '{subject.task.head_part.part_name}' answers with tokens, which may be any of the vocabulary."
    if not hasattr(subject.network.trunk, "get_input_embeddings"):
        return "the network has no transformers trunk whose embeddings could be cut."
    kind = _told(subject.reader.backend)["model"]["type"]
    if kind not in _vocabularies.KINDS:
        return f"its tokenizer is of the kind {kind}; {listed(_vocabularies.KINDS)} can be cut."
    return None


def seen_ids(features: Iterable[Feature], least: int) -> set[int]:
    """Ids that occur at least `least` times."""
    counts = np.zeros(0, np.int64)
    for feature in features:
        found = np.bincount(feature["input_ids"], minlength=len(counts))
        found[: len(counts)] += counts
        counts = found
    return set(np.flatnonzero(counts >= least).tolist())


def cut_subject(subject: Subject, material: Material, seen: Set[int], with_characters: bool) -> Subject:
    """The subject with the tokens `seen`, and with those that its tokenizer and its config cannot do without.

    Raises:
        UserError: its tokenizer numbers tokens in a way that cannot be kept.
    """
    reader = subject.reader
    assert isinstance(reader, TextTokenizer), "refused before"
    told = _told(reader.backend)
    network = copy.deepcopy(subject.network)
    around = {*reader.prefix, *reader.suffix, reader.pad_id, *_named_ids(network), *_pinned_ids(network)}
    n_before = len(network.trunk.get_input_embeddings().weight)
    kept = sorted(_vocabularies.needed_ids(told, seen, with_characters) | around)
    numbers = {old: new for new, old in enumerate(kept)}
    _cut_embeddings(network, kept)
    backend = _rebuilt(told, numbers)
    folder = Path(tempfile.mkdtemp(prefix="vocabulary-", dir=material.work))
    network.trunk.config.save_pretrained(folder)
    replace(reader, backend=backend).save(folder, subject.folder)
    _renumber_settings(folder / "tokenizer_config.json", numbers)
    material.listen(Message(f"vocabulary: {len(kept):,} of {n_before:,} tokens stay."))
    return replace(
        subject,
        network=network,
        reader=load_tokenizer(folder, reader.max_length, prompt=reader.prompt),
        folder=folder,
    )


def _told(backend: Tokenizer) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(backend.to_str())
    return told


def _named_ids(network: Network) -> set[int]:
    """Ids that the config names: padding, start, end."""
    named = network.trunk.config.to_dict().items()
    return {number for name, number in named if name.endswith("token_id") and isinstance(number, int) and number >= 0}


def _pinned_ids(network: Network) -> range:
    """RoBERTa and its family count positions from the padding's id on, so nothing before it may go."""
    counted = [module for name, module in network.body.named_modules() if name.endswith("position_embeddings")]
    numbers = [getattr(module, "padding_idx", None) for module in counted]
    return range(max((number + 1 for number in numbers if number is not None), default=0))


def _cut_embeddings(network: Network, kept: Sequence[int]) -> None:
    numbers = {old: new for new, old in enumerate(kept)}
    old = network.trunk.get_input_embeddings()
    rows = old.weight.detach()[torch.tensor(kept, device=old.weight.device)]
    new = nn.Embedding(len(kept), rows.shape[1], padding_idx=numbers.get(old.padding_idx), _weight=rows.clone())
    new.weight.requires_grad_(old.weight.requires_grad)
    network.trunk.set_input_embeddings(new.to(rows.device))
    config = network.trunk.config
    config.vocab_size = len(kept)
    for name, number in config.to_dict().items():
        if name.endswith("token_id") and isinstance(number, int) and number in numbers:
            setattr(config, name, numbers[number])


def _rebuilt(told: dict[str, Any], numbers: dict[int, int]) -> Tokenizer:
    """The tokenizer with the new numbers.

    Raises:
        UserError: the library gave a token another number.
    """
    backend = Tokenizer.from_str(json.dumps(_vocabularies.cut(told, numbers)))
    for token, old in _vocabularies.vocabulary_of(told).items():
        if old in numbers and backend.token_to_id(token) != numbers[old]:
            raise UserError(
                f"vocabulary: the tokenizer's numbers have gaps, so the token '{token}' would get a wrong one."
            )
    return backend


def _renumber_settings(file: Path, numbers: dict[int, int]) -> None:
    """Added tokens stand in the settings for other tools by their ids."""
    settings = read_json(file)
    if isinstance(added := settings.get("added_tokens_decoder"), dict):
        new = {str(numbers[int(old)]): token for old, token in added.items() if int(old) in numbers}
        write_json(file, {**settings, "added_tokens_decoder": new})
