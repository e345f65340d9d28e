"""Chats to token ids: a base's tokenizer with its chat template, and which tokens are learned.

A chat is rendered up to each answer and behind it; what the second has more is the answer, with the token that ends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from burnish.core.errors import UserError
from burnish.core.files import read_json, write_bytes, write_json
from burnish.models.chat_template import ChatTemplate
from burnish.models.lm import GENERATION, end_ids
from burnish.models.tokenizer import TextTokenizer, load_tokenizer

Message = dict[str, str]
Messages = Sequence[Mapping[str, str]]

PLAIN = """{% for message in messages %}{% if message.role == 'system' %}{{ message.content }}

{% elif message.role == 'user' %}User: {{ message.content }}

{% else %}Assistant: {{ message.content }}{{ eos_token }}
{% endif %}{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"""
"""For bases that were never taught to chat. A space belongs to the word behind it, as tokenizers have it."""
TEMPLATE_FILE = "chat_template.jinja"
SETTINGS_FILE = "tokenizer_config.json"
TOKEN_NAMES = ("bos_token", "eos_token", "unk_token", "pad_token")
SYSTEM, USER, ASSISTANT = "system", "user", "assistant"


class Chat(NamedTuple):
    """Token ids [T], how many of them stand before the last answer, which are learned [T], and how many were cut."""

    ids: list[int]
    n_prompt: int
    is_learned: list[bool]
    n_cut: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChatTokenizer:
    """A reader of chats. `ends` are the tokens at which an answer ends, the one that is learned first.

    `room` is how many tokens stay for an answer; `prompt` is put before what the user says first.
    """

    tokenizer: TextTokenizer
    template: ChatTemplate
    ends: tuple[int, ...]
    room: int

    @property
    def pad_id(self) -> int:
        return self.tokenizer.pad_id

    @property
    def max_length(self) -> int:
        return self.tokenizer.max_length

    @property
    def prompt(self) -> str:
        return self.tokenizer.prompt

    def asked(self, messages: Messages) -> Chat:
        """A chat whose next answer is to be written."""
        return self._asked(messages)[0]

    def answered(self, messages: Messages, answer: str) -> Chat:
        """A chat with the answer that it got; that one and those before it are learned."""
        asked, kept = self._asked(messages)
        written = self._answer_ids(kept, asked.ids, answer)
        fitting = written[: self.max_length - asked.n_prompt]
        spans, notes = self._earlier(kept, asked.ids), []
        if None in spans:
            notes.append("the chat template writes answers otherwise once more follows; only the last is learned.")
        if len(written) > self.room:
            notes.append(f"the answer has {len(written)} tokens, and none above max_new_tokens ({self.room}) is given.")
        is_learned = [False] * asked.n_prompt + [True] * len(fitting)
        for start, end in filter(None, spans):
            is_learned[start:end] = [True] * (end - start)
        n_cut = asked.n_cut + len(written) - len(fitting)
        return Chat(asked.ids + fitting, asked.n_prompt, is_learned, n_cut, tuple(notes))

    def save(self, folder: Path, source: Path) -> None:
        """Tokenizer and template as they were used, and where answers end, for other tools."""
        self.tokenizer.save(folder, source)
        settings = read_json(folder / SETTINGS_FILE)
        write_json(folder / SETTINGS_FILE, {key: value for key, value in settings.items() if key != "chat_template"})
        write_bytes(folder / TEMPLATE_FILE, self.template.source.encode())
        written = read_json(folder / GENERATION) if (folder / GENERATION).is_file() else {}
        write_json(folder / GENERATION, {**written, "eos_token_id": list(self.ends)})

    def _asked(self, messages: Messages) -> tuple[Chat, list[Message]]:
        """Too long a chat loses its oldest turns first, then the end of its longest text; and what is left of it."""
        kept = [{**one, "content": self._harmless(one["content"])} for one in messages]
        ids = self._ids(kept, is_asked=True)
        if not ids:
            raise UserError(
                "base: its chat template makes nothing of a chat; set task.template: plain, or another one."
            )
        n_whole, most = len(ids), self.max_length - self.room
        while len(ids) > most and (shorter := _without_oldest(kept)) != kept:
            kept = shorter
            ids = self._ids(kept, is_asked=True)
        while len(ids) > most:
            kept = self._with_less_said(kept, len(ids) - most)
            ids = self._ids(kept, is_asked=True)
        return Chat(ids, len(ids), [False] * len(ids), n_whole - len(ids)), kept

    def _ids(self, messages: Messages, *, is_asked: bool) -> list[int]:
        """A chat as tokens; the template itself writes the special ones."""
        text = self.template.render(self._prompted(messages), add_generation_prompt=is_asked)
        return list(self.tokenizer.pieces([text])[0].ids)

    def _prompted(self, messages: Messages) -> list[Message]:
        first = next((number for number, one in enumerate(messages) if one["role"] == USER), None)
        return [
            {**one, "content": self.prompt + one["content"]} if number == first else dict(one)
            for number, one in enumerate(messages)
        ]

    def _harmless(self, text: str) -> str:
        """A turn's text without the base's special tokens: nobody may end a turn, or begin one, from inside."""
        pattern = _special_pattern(self.tokenizer)
        while pattern is not None and (cleaned := pattern.sub("", text)) != text:
            text = cleaned  # what is left may spell another
        return text

    def _answer_ids(self, messages: Messages, asked: list[int], answer: str) -> list[int]:
        """The answer and the token that ends it."""
        said = {"role": ASSISTANT, "content": self._harmless(answer)}
        whole = self._ids([*messages, said], is_asked=False)
        if whole[: len(asked)] == asked:
            tail = whole[len(asked) :]
        else:  # the template, or the tokenizer at the seam, reads a finished answer otherwise than one to be written
            tail = list(self.tokenizer.pieces([said["content"]])[0].ids)
        return [*tail[: tail.index(self.ends[0])], self.ends[0]] if self.ends[0] in tail else [*tail, self.ends[0]]

    def _earlier(self, messages: Messages, asked: list[int]) -> list[tuple[int, int] | None]:
        """First token of each earlier answer, and the one after its end; None where it does not stand as it would be
        written.
        """
        spans: list[tuple[int, int] | None] = []
        for number, one in enumerate(messages):
            if one["role"] == ASSISTANT:
                before = self._ids(messages[:number], is_asked=True)
                whole = before + self._answer_ids(messages[:number], before, one["content"])
                spans.append((len(before), len(whole)) if asked[: len(whole)] == whole else None)
        return spans

    def _with_less_said(self, messages: Sequence[Message], n_less: int) -> list[Message]:
        """The same chat with the end of its longest text, of `n_less` tokens, cut off.

        Raises:
            UserError: there is nothing left to cut.
        """
        longest = max(range(len(messages)), key=lambda number: len(messages[number]["content"]), default=None)
        text = "" if longest is None else messages[longest]["content"]
        if longest is None or not text:
            raise UserError(
                f"data.max_length: {self.max_length} tokens, {self.room} of them kept for the answer, leave no room "
                "for what is asked; raise it, or lower task.decoding.max_new_tokens."
            )
        offsets = self.tokenizer.pieces([text])[0].offsets
        n_left = min(max(len(offsets) - n_less, 0), len(offsets) - 1)
        cut = text[: offsets[n_left][0]] if n_left > 0 else ""
        return [{**one, "content": cut} if number == longest else dict(one) for number, one in enumerate(messages)]


@lru_cache(maxsize=8)
def _special_pattern(tokenizer: TextTokenizer) -> re.Pattern[str] | None:
    special = [token.content for token in tokenizer.backend.get_added_tokens_decoder().values() if token.special]
    return re.compile("|".join(map(re.escape, sorted(special, key=len, reverse=True)))) if special else None


def _without_oldest(messages: list[Message]) -> list[Message]:
    """Without the first turn of the user and what followed it, where another one comes later."""
    asked = [number for number, one in enumerate(messages) if one["role"] == USER]
    if len(asked) < 2:
        return messages
    system = [one for one in messages[:1] if one["role"] == SYSTEM]
    return [*system, *messages[asked[1] :]]


def load_chat_tokenizer(
    folder: Path, max_length: int | None, prompt: str, room: int, template: str | None
) -> ChatTokenizer:
    """The reader of chats for the base in `folder`.

    Args:
        folder: the model's.
        max_length: most tokens of a chat with its answer; None takes what the model allows.
        prompt: put before what the user says first.
        room: tokens kept for the answer.
        template: a Jinja template, or `plain`; None takes the base's own.

    Raises:
        UserError: there is no usable tokenizer or template, or no room for a chat.
    """
    tokenizer = load_tokenizer(folder, max_length, prompt=prompt)
    if 2 * room > tokenizer.max_length:
        raise UserError(
            f"task.decoding.max_new_tokens: at most half of the {tokenizer.max_length} tokens that this base takes may "
            f"be written, {tokenizer.max_length // 2}; got {room}."
        )
    tokens = {name: _token(folder, tokenizer, name) for name in TOKEN_NAMES}
    own = end_ids(folder)
    tokens["eos_token"] = tokens["eos_token"] or tokenizer.backend.id_to_token(own[0]) or ""
    made = ChatTemplate(_source(folder, tokenizer, template, tokens["bos_token"]), tokens)
    reader = ChatTokenizer(tokenizer, made, own, room)
    return replace(reader, ends=tuple(dict.fromkeys([_learned_end(reader, own), *own])))


def _learned_end(reader: ChatTokenizer, own: tuple[int, ...]) -> int:
    """The special token that the template puts behind an answer; the base's own where it puts none."""
    asked = [{"role": USER, "content": "a"}]
    said = {"role": ASSISTANT, "content": "b"}
    before, after = reader._ids(asked, is_asked=True), reader._ids([*asked, said], is_asked=False)
    special = {
        number for number, token in reader.tokenizer.backend.get_added_tokens_decoder().items() if token.special
    } | set(own)
    return next((token for token in after[len(before) :] if token in special), own[0])


def _source(folder: Path, tokenizer: TextTokenizer, template: str | None, bos: str) -> str:
    """The template's text: the one asked for, or the base's own.

    Raises:
        UserError: none is asked for and the base has none.
    """
    if template == "plain":
        starts = tokenizer.backend.token_to_id(bos) in tokenizer.prefix if bos else False
        return ("{{ bos_token }}" if starts else "") + PLAIN
    if template is not None:
        return template
    if (folder / TEMPLATE_FILE).is_file():
        return (folder / TEMPLATE_FILE).read_text("utf-8")
    found = _settings(folder).get("chat_template")
    if isinstance(found, list):  # several by name, as tokenizer_config.json may hold them
        found = {one.get("name"): one.get("template") for one in found}.get("default")
    if not isinstance(found, str):
        raise UserError(
            f"base: {folder.name} has no chat template, so how it reads a chat is open; set task.template: plain, or "
            "a Jinja template of your own."
        )
    return found


def _token(folder: Path, tokenizer: TextTokenizer, name: str) -> str:
    """A special token's text by its usual name; empty where the base has none."""
    found = _settings(folder).get(name)
    text = found.get("content") if isinstance(found, dict) else found
    if isinstance(text, str):
        return text
    number = read_json(folder / "config.json").get(f"{name}_id")
    return (tokenizer.backend.id_to_token(number) if isinstance(number, int) else None) or ""


def _settings(folder: Path) -> dict[str, Any]:
    return dict(read_json(folder / SETTINGS_FILE)) if (folder / SETTINGS_FILE).is_file() else {}
