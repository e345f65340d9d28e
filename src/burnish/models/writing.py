"""Text written by a network, through transformers' own `generate`: greedy, with beams, or drawn.

What penalties look at is the text written so far and not the prompt, which is padded: a row's text must not depend on
the rows beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import (
    GenerationConfig,
    GenerationMixin,
    LogitsProcessor,
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    StoppingCriteria,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)
from transformers.generation.streamers import BaseStreamer

from burnish.core.seeds import derive
from burnish.models.decoding import Decoding
from burnish.models.json_schema import FitsSchema
from burnish.models.network import Network, quiet_transformers

TOKENS_AT_ONCE = 16_384
"""Rows × tokens, written ones counted, whose keys and values are held at once."""


class Draft(NamedTuple):
    """One text as it was written; `is_finished` says that it ended by itself and not at the most tokens allowed."""

    text: str
    is_finished: bool


class Opening(NamedTuple):
    """What writing begins with: the network's inputs, the prompt that a row's draws depend on, and tokens before it."""

    inputs: Mapping[str, Any]
    prompts: Sequence[Tensor]
    n_before: int


class Watch(NamedTuple):
    """Who is told each token, and what may end the writing before its end."""

    teller: BaseStreamer
    until: StoppingCriteria


def write(network: Network, prompts: Sequence[Tensor], how: Decoding, ends: Sequence[int]) -> list[Draft]:
    """A text for each prompt [T], in their order, few enough at once to be held; `ends` are the tokens that end one.

    What fills up shorter rows is masked, or stands behind an end, so any token will do.
    """
    longest = max((len(prompt) for prompt in prompts), default=0)
    n_at_once = max(TOKENS_AT_ONCE // ((longest + how.max_new_tokens) * how.num_beams), 1)
    drafts: list[Draft] = []
    for start in range(0, len(prompts), n_at_once):
        drafts += _write_at_once(network, prompts[start : start + n_at_once], how, ends)
    return drafts


def _write_at_once(network: Network, prompts: Sequence[Tensor], how: Decoding, ends: Sequence[int]) -> list[Draft]:
    vocabulary = _vocabulary_of(network)
    return [draft_of(row, vocabulary, how, ends) for row in generated(network, prompts, how, ends)]


def generated(
    network: Network, prompts: Sequence[Tensor], how: Decoding, ends: Sequence[int], watch: Watch | None = None
) -> list[list[int]]:
    """Token ids of each text, with what fills up those that ended before the longest."""
    is_encoded_apart = bool(network.trunk.config.is_encoder_decoder)
    inputs = padded(prompts, ends[0], on_the_left=not is_encoded_apart)
    n_before = 1 if is_encoded_apart else inputs["input_ids"].shape[1]
    return _ids_after(network, Opening(inputs, prompts, n_before), how, ends, watch)


def write_on(
    network: Network, sources: Mapping[str, Tensor], start: Sequence[int], how: Decoding, ends: Sequence[int]
) -> list[Draft]:
    """A text for each row [B, …] of what an encoder is given that is no text, such as sound; `start` begins each."""
    vocabulary = _vocabulary_of(network)
    main = next(iter(sources.values()))
    before = torch.tensor([list(start)], device=main.device).expand(len(main), -1)
    opening = Opening({**sources, "decoder_input_ids": before}, list(main), len(start))
    return [draft_of(row, vocabulary, how, ends) for row in _ids_after(network, opening, how, ends)]


def _vocabulary_of(network: Network) -> Tokenizer:
    assert network.vocabulary is not None, "a network that writes knows its vocabulary"
    return network.vocabulary


def _ids_after(
    network: Network, opening: Opening, how: Decoding, ends: Sequence[int], watch: Watch | None = None
) -> list[list[int]]:
    """Through the library's plain `generate`: Whisper has one of its own, for recordings of any length with times."""
    vocabulary, (inputs, prompts, n_before) = _vocabulary_of(network), opening
    stops: list[StoppingCriteria] = [StopTexts(vocabulary, how.stop, n_before)] if how.stop else []
    assert not isinstance(how.json_schema, str), "a schema in a file is read when its task is opened"
    fits = [] if how.json_schema is None else [FitsSchema(how.json_schema, vocabulary, ends, n_before)]
    with quiet_transformers():
        written = GenerationMixin.generate(
            network.trunk,
            **inputs,
            generation_config=_config(how, ends),
            logits_processor=LogitsProcessorList([*fits, *_processors(how, n_before, prompts)]),
            stopping_criteria=StoppingCriteriaList(stops if watch is None else [*stops, watch.until]),
            streamer=None if watch is None else watch.teller,
        )
    rows: list[list[int]] = written[:, n_before:].tolist()
    return rows


def padded(prompts: Sequence[Tensor], pad_id: int, *, on_the_left: bool) -> dict[str, Tensor]:
    """input_ids and attention_mask [B, T]; on the left for what is continued, so that all rows end together."""
    shape = (len(prompts), max(len(prompt) for prompt in prompts))
    ids = prompts[0].new_full(shape, pad_id)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        place = slice(shape[1] - len(prompt), None) if on_the_left else slice(len(prompt))
        ids[row, place], mask[row, place] = prompt, 1
    return {"input_ids": ids, "attention_mask": mask}


def _config(how: Decoding, ends: Sequence[int]) -> GenerationConfig:
    """Everything that a base's own generation settings could change is said, so that the recipe alone decides."""
    return GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=how.max_new_tokens,
        num_beams=how.num_beams,
        length_penalty=how.length_penalty,
        eos_token_id=list(ends),
        pad_token_id=ends[0],
    )


def _processors(how: Decoding, n_before: int, prompts: Sequence[Tensor]) -> list[LogitsProcessor]:
    found: list[LogitsProcessor] = []
    if how.repetition_penalty != 1:
        found.append(OfWritten(RepetitionPenaltyLogitsProcessor(how.repetition_penalty), n_before))
    if how.no_repeat_ngram:
        found.append(OfWritten(NoRepeatNGramLogitsProcessor(how.no_repeat_ngram), n_before))
    if how.temperature:
        found.append(TemperatureLogitsWarper(how.temperature))
        found += [TopPLogitsWarper(how.top_p)] if how.top_p < 1 else []
        found.append(Draws(how.seed, prompts))
    return found


class OfWritten(LogitsProcessor):
    """Another processor, shown only what was written behind the first `n_before` tokens."""

    def __init__(self, processor: Any, n_before: int) -> None:
        self.processor = processor
        self.n_before = n_before

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        changed: Tensor = self.processor(input_ids[:, self.n_before :], scores)
        return changed


class Draws(LogitsProcessor):
    """Makes the greedy choice a draw: the largest of log-probability plus Gumbel noise is a sample (Gumbel 1954).

    The noise of a row depends on the seed and on its own prompt, so neither its company nor a global generator count.
    """

    def __init__(self, seed: int, prompts: Sequence[Tensor]) -> None:
        self.generators = [_generator(seed, prompt) for prompt in prompts]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        size = scores.shape[1]
        uniform = torch.stack([torch.rand(size, generator=one, dtype=torch.float64) for one in self.generators])
        noise = -torch.log(-torch.log(uniform.clamp(min=1e-300)))
        return scores + noise.to(scores)


def _generator(seed: int, prompt: Tensor) -> torch.Generator:
    digest = hashlib.sha256(prompt.cpu().numpy().tobytes()).hexdigest()
    return torch.Generator().manual_seed(derive(seed, "writing", digest))


class StopTexts(StoppingCriteria):
    """Ends a row once its text holds one of some texts."""

    def __init__(self, vocabulary: Tokenizer, stops: Sequence[str], n_before: int) -> None:
        self.vocabulary = vocabulary
        self.stops = stops
        self.n_before = n_before

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        texts = self.vocabulary.decode_batch(input_ids[:, self.n_before :].tolist())
        found = [any(stop in text for stop in self.stops) for text in texts]
        return torch.tensor(found, dtype=torch.bool, device=input_ids.device)


def draft_of(ids: list[int], vocabulary: Tokenizer, how: Decoding, ends: Sequence[int]) -> Draft:
    """The text of what was written up to its end, or to the first text at which it stops."""
    ends = [place for place, token in enumerate(ids) if token in ends]
    text = vocabulary.decode(ids[: ends[0]] if ends else ids)
    stops = [place for stop in how.stop if (place := text.find(stop)) >= 0]
    return Draft((text[: min(stops)] if stops else text).strip(), bool(ends or stops))
