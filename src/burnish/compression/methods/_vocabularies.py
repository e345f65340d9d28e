"""Tokenizers as JSON: which tokens must stay with those that were seen, and the same tokenizer with those only.

A cut must not change how a text is split whose tokens were all seen:

WordPiece takes the longest token that fits, from left to right: what it took was seen, so it stays the longest.
Unigram takes the best path; the paths that are left are some of those that were there, and the best was seen. The
    penalty of unknown characters hangs on the lowest score of all, so the token that has it stays.
BPE applies merges in the order of their ranks; whatever can be a step on the way to a token that stays, stays too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

KINDS = ("WordPiece", "Unigram", "BPE")
"""Those that can be cut."""

Told = dict[str, Any]
"""A tokenizer, or a piece of one, as its JSON tells it."""


def vocabulary_of(told: Told) -> dict[str, int]:
    """Token → id, those that were added to the model's own too."""
    own = told["model"]["vocab"]
    named = {token: index for index, (token, _) in enumerate(own)} if isinstance(own, list) else dict(own)
    return named | {added["content"]: added["id"] for added in told["added_tokens"]}


def needed_ids(told: Told, seen: Set[int], with_characters: bool) -> set[int]:
    """The ids `seen`, and those that the tokenizer cannot do without; `with_characters`, every single character."""
    vocabulary = vocabulary_of(told)
    numbers = set(seen) | {added["id"] for added in told["added_tokens"]} | set(_ids_around(told["post_processor"]))
    tokens = {token for token, number in vocabulary.items() if number in numbers}
    tokens |= set(_fallbacks(told["model"], vocabulary, with_characters))
    if told["model"]["type"] == "BPE":
        tokens = _with_steps(told["model"], tokens)
    return {vocabulary[token] for token in tokens}


def cut(told: Told, numbers: Mapping[int, int]) -> Told:
    """The tokenizer with the tokens whose ids `numbers` maps to new ones, which must grow with the old."""
    model = {**told["model"], **_CUT[told["model"]["type"]](told["model"], numbers)}
    added = [{**one, "id": numbers[one["id"]]} for one in told["added_tokens"]]
    post = _renumbered(told["post_processor"], numbers)
    return {**told, "model": model, "added_tokens": added, "post_processor": post, "padding": None, "truncation": None}


def _fallbacks(model: Told, vocabulary: Mapping[str, int], with_characters: bool) -> Iterator[str]:
    """Tokens that spell, or stand for, what is no token."""
    if model["type"] == "Unigram":
        yield min(model["vocab"], key=lambda piece: piece[1])[0]
        yield from [model["vocab"][model["unk_id"]][0]] if model.get("unk_id") is not None else []
    elif model.get("unk_token") in vocabulary:
        yield model["unk_token"]
    if model.get("byte_fallback"):
        yield from (f"<0x{byte:02X}>" for byte in range(256) if f"<0x{byte:02X}>" in vocabulary)
    if with_characters:
        yield from (token for token in vocabulary if len(_bare(model, token)) == 1)


def _bare(model: Told, token: str) -> str:
    """A token without the marks of its place in a word."""
    return token.removeprefix(model.get("continuing_subword_prefix") or "").removesuffix(
        model.get("end_of_word_suffix") or ""
    )


def _merged(model: Told) -> Iterator[tuple[list[str], str]]:
    """Every merge in the order of its rank, as what is joined and what it becomes."""
    prefix = model.get("continuing_subword_prefix") or ""
    for left, right in model["merges"]:
        yield [left, right], left + right.removeprefix(prefix)


def _with_steps(model: Told, tokens: Iterable[str]) -> set[str]:
    """The tokens, and all from which merges may make them."""
    sources: dict[str, list[str]] = {}
    for joined, result in _merged(model):
        sources.setdefault(result, []).extend(joined)
    found, open_ends = set(tokens), list(tokens)
    while open_ends:
        new = set(sources.get(open_ends.pop(), [])) - found
        found |= new
        open_ends.extend(new)
    return found


def _cut_named(model: Told, numbers: Mapping[int, int]) -> Told:
    return {"vocab": {token: numbers[number] for token, number in model["vocab"].items() if number in numbers}}


def _cut_unigram(model: Told, numbers: Mapping[int, int]) -> Told:
    unknown = model.get("unk_id")
    pieces = [piece for number, piece in enumerate(model["vocab"]) if number in numbers]
    return {"vocab": pieces, "unk_id": None if unknown is None else numbers[unknown]}


def _cut_bpe(model: Told, numbers: Mapping[int, int]) -> Told:
    named = _cut_named(model, numbers)
    stay = named["vocab"].keys()
    return {**named, "merges": [joined for joined, result in _merged(model) if {*joined, result} <= stay]}


_CUT = {"WordPiece": _cut_named, "Unigram": _cut_unigram, "BPE": _cut_bpe}


def _ids_around(post: Told | None) -> Iterator[int]:
    """Ids of the tokens that a post-processor puts around texts."""
    for one in _each(post):
        yield from (one[side][1] for side in ("cls", "sep") if side in one)
        yield from (number for token in one.get("special_tokens", {}).values() for number in token["ids"])


def _each(post: Told | None) -> list[Told]:
    return [] if post is None else post.get("processors", [post])


def _renumbered(post: Told | None, numbers: Mapping[int, int]) -> Told | None:
    """A post-processor (BERT's, RoBERTa's, a template, or a sequence of such) with new ids."""
    if post is None:
        return None
    if "processors" in post:
        return {**post, "processors": [_renumbered(one, numbers) for one in post["processors"]]}
    new: Told = {side: [post[side][0], numbers[post[side][1]]] for side in ("cls", "sep") if side in post}
    special = {
        name: {**token, "ids": [numbers[number] for number in token["ids"]]}
        for name, token in post.get("special_tokens", {}).items()
    }
    return {**post, **new, **({"special_tokens": special} if special else {})}
