"""Text to token ids, called on the Rust tokenizer directly: no padding, our own truncation, offsets kept.

`tokenizer.json` files often carry a padding length of their own (all-MiniLM's pads to 128); left in place it
would make every text as slow as the longest. It is taken out here, once, and stays out in the bundle.

Cutting is a setting of the whole tokenizer there. Here it is none: several threads read with one tokenizer, some of
them texts that must be cut and some that must not, and models of one process share it. What is too long is cut
afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Regex, Tokenizer, pre_tokenizers

from burnish.core.errors import UserError
from burnish.core.files import read_json, sha256_of, write_bytes, write_json

Int32s = NDArray[np.int32]

TOKENIZER = "tokenizer.json"
CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]"
LARGEST_MAX_LENGTH = 8192


@dataclass(frozen=True)
class TextTokenizer:
    """A base's tokenizer. `max_length` counts special tokens; `prefix` and `suffix` are the tokens around one text.

    `prompt` is put before every text (before the first of a pair read at once), and its tokens end `prefix`.
    """

    backend: Tokenizer
    """Nobody changes it: others may be reading with it."""
    max_length: int
    pad_id: int
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    prompt: str = ""
    digest: str = ""
    """What `backend` is like: equal only where it is equal; empty where that cannot be told."""

    @cached_property
    def has_pair_types(self) -> bool:
        """Whether the tokens of the second text of a pair have a type of their own, as BERT's have."""
        return any(self.backend.encode("a", "a").type_ids)

    @cached_property
    def between(self) -> tuple[int, ...]:
        """The special tokens between the two texts of a pair."""
        probe = self.backend.encode("a", "a")
        second = probe.sequence_ids.index(1)
        last_of_first = second - 1 - probe.sequence_ids[:second][::-1].index(0)
        return tuple(probe.ids[last_of_first + 1 : second])

    @property
    def vocabulary(self) -> dict[str, int]:
        """Every token → its number; made anew each time."""
        return dict(self.backend.get_vocab())

    def ids(self, texts: Sequence[str | tuple[str, str]]) -> list[Encoding]:
        """Encodings with special tokens, cut to `max_length`; `overflowing` is not empty where a text was cut."""
        asked = [self._prompted(text) for text in texts] if self.prompt else texts
        found = list(self.backend.encode_batch_fast(asked))
        for at, one in enumerate(found):
            if len(one) > self.max_length:
                found[at] = self._cut(asked[at])
        return found

    def _cut(self, text: str | tuple[str, str]) -> Encoding:
        """The longer one of a pair is cut first, as the Rust tokenizer itself cuts (strategy `longest_first`)."""
        is_pair = not isinstance(text, str)
        parts = self.backend.encode_batch_fast(list(text) if is_pair else [text], add_special_tokens=False)
        room = self.max_length - self.backend.num_special_tokens_to_add(is_pair)
        for part, length in zip(parts, _fitting([len(part) for part in parts], room), strict=True):
            part.truncate(length)
        return self.backend.post_process(parts[0], parts[1] if is_pair else None)

    def _prompted(self, text: str | tuple[str, str]) -> str | tuple[str, str]:
        return self.prompt + text if isinstance(text, str) else (self.prompt + text[0], text[1])

    def pieces(self, texts: Sequence[str]) -> list[Encoding]:
        """Encodings without special tokens and never cut, with character offsets into each text."""
        return list(self.backend.encode_batch(list(texts), add_special_tokens=False))

    def save(self, folder: Path, source: Path) -> None:
        """The tokenizer as it was used, with the settings of the base in `source` beside it for other tools."""
        write_bytes(folder / TOKENIZER, self.backend.to_str(pretty=False).encode())
        settings = read_json(source / "tokenizer_config.json") if (source / "tokenizer_config.json").is_file() else {}
        kept = {name: value for name, value in settings.items() if name != "auto_map"}
        write_json(folder / "tokenizer_config.json", {**kept, "model_max_length": self.max_length})

    def sharing(self, loaded: WeakValueDictionary[str, Tokenizer]) -> TextTokenizer:
        """The same with a backend that is loaded already, where one is equal to its own; else that is loaded now: of
        250,000 words one takes 70 MB.
        """
        return replace(self, backend=loaded.setdefault(self.digest, self.backend)) if self.digest else self


def _fitting(lengths: Sequence[int], room: int) -> list[int]:
    """How many tokens of one or two texts have room together."""
    if len(lengths) == 1:
        return [room]
    shorter, longer = sorted(lengths)
    longer = shorter if shorter > room else max(shorter, room - shorter)
    if shorter + longer > room:
        shorter, longer = room // 2, room - room // 2
    return [shorter, longer] if lengths[0] <= lengths[1] else [longer, shorter]


def load_tokenizer(
    folder: Path, max_length: int | None = None, is_cjk_split: bool = False, prompt: str = ""
) -> TextTokenizer:
    """The tokenizer of a model folder.

    Args:
        folder: the model's.
        max_length: most tokens a text may have; None takes what the model allows.
        is_cjk_split: cut at every Chinese, Japanese or Korean character, so that each can carry a label of its own.
        prompt: put before every text, such as E5's `query: `.

    Raises:
        UserError: there is no usable tokenizer, `max_length` is more than the model allows, or `prompt` fills half.
    """
    backend = load_backend(folder)
    backend.no_padding()
    if is_cjk_split:
        _split_cjk(backend)
    allowed = allowed_length(folder)
    if max_length is not None and max_length > allowed:
        raise UserError(f"data.max_length: this base takes at most {allowed} tokens; got {max_length}.")
    backend.no_truncation()
    probe = backend.encode("a")
    body = [i for i, is_special in enumerate(probe.special_tokens_mask) if not is_special]
    first, last = (body[0], body[-1]) if body else (len(probe.ids), len(probe.ids))
    said = backend.encode(prompt, add_special_tokens=False).ids
    if 2 * len(said) > (max_length or allowed):
        raise UserError(f"data.prompt: takes {len(said)} of {max_length or allowed} tokens; leave half to the texts.")
    return TextTokenizer(
        backend=backend,
        max_length=max_length or allowed,
        pad_id=_pad_id(folder, backend),
        prefix=(*probe.ids[:first], *said),
        suffix=tuple(probe.ids[last + 1 :]),
        prompt=prompt,
        digest=f"{sha256_of(file)}{is_cjk_split}" if (file := folder / TOKENIZER).is_file() else "",
    )


def allowed_length(folder: Path) -> int:
    """Most tokens the model takes, by its positions and its tokenizer's own limit, at most 8,192."""
    config = _json(folder / "config.json")
    limits = [LARGEST_MAX_LENGTH]
    if isinstance(positions := config.get("max_position_embeddings"), int):
        # RoBERTa and its family number positions from pad_token_id + 1 (Liu et al. 2019; fairseq).
        is_roberta_like = any(word in config["model_type"] for word in ("roberta", "camembert", "mpnet", "xmod"))
        limits.append(positions - (int(config.get("pad_token_id") or 0) + 1 if is_roberta_like else 0))
    own = _json(folder / "tokenizer_config.json").get("model_max_length")
    if isinstance(own, int | float) and own < LARGEST_MAX_LENGTH:
        limits.append(int(own))
    return min(limits)


def load_backend(folder: Path) -> Tokenizer:
    """The Rust tokenizer in a model folder, as it lies there.

    Raises:
        UserError: there is none that can be read.
    """
    file = folder / TOKENIZER
    try:
        if file.is_file():
            return Tokenizer.from_file(str(file))
        from transformers import AutoTokenizer  # only bases without tokenizer.json need the conversion

        return Tokenizer.from_str(
            AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer.to_str()
        )
    except Exception as error:  # the Rust library raises bare Exception
        reason = str(error).strip().split("\n")[0][:200]
        raise UserError(f"base: {folder} has no tokenizer that can be read ({reason}).") from None


def _split_cjk(backend: Tokenizer) -> None:
    """Isolate CJK characters before the tokenizer's own pre-tokenizer, without giving each a word-start mark."""
    own = backend.pre_tokenizer
    if isinstance(own, pre_tokenizers.Metaspace):
        own = pre_tokenizers.Metaspace(replacement=own.replacement, prepend_scheme="first", split=own.split)
    isolate = pre_tokenizers.Split(Regex(CJK), "isolated")
    backend.pre_tokenizer = pre_tokenizers.Sequence([isolate, own] if own else [isolate])


def _pad_id(folder: Path, backend: Tokenizer) -> int:
    declared = _json(folder / "config.json").get("pad_token_id")
    if isinstance(declared, int):
        return declared
    token = _json(folder / "tokenizer_config.json").get("pad_token")
    name = token.get("content") if isinstance(token, dict) else token
    return (backend.token_to_id(name) if name else None) or 0


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}
