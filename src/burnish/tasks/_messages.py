"""Chats in rows: one prompt and its response, or a list of turns; read, checked, and put into an example."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from burnish.core.errors import hint, listed
from burnish.models.chat import ASSISTANT, SYSTEM, USER, Message
from burnish.tasks._contract import Example
from burnish.tasks._rows import is_missing, text_of
from burnish.tasks._writing import golds_of

ROLES = (SYSTEM, USER, ASSISTANT)


def read_chat(values: Mapping[str, Any], is_labelled: bool, system: str) -> Example:
    """An example: `text` for readers and for finding copies, `messages` as JSON, and `golds`, None where unknown.

    Raises:
        ValueError: one sentence that goes on after `file:line: `.
    """
    if not is_absent(values.get("messages")) and not is_absent(values.get("prompt")):
        raise ValueError("the row has both 'prompt' and 'messages'; keep the one that holds the whole chat.")
    turns = _turns(values["messages"]) if not is_absent(values.get("messages")) else _prompt(values, is_labelled)
    golds = None
    if is_labelled:
        turns, golds = _with_gold(turns, values)
    elif turns[-1]["role"] == ASSISTANT:
        turns = turns[:-1]  # the answer that is to be written anew
    if not any(one["role"] == USER for one in turns):
        raise ValueError("'messages' has no turn of the user before the answer; nothing is asked.")
    if system and turns[0]["role"] != SYSTEM:
        turns = [{"role": SYSTEM, "content": system}, *turns]
    return {"text": _shown(turns), "messages": dump(turns), "golds": golds}


def is_absent(value: Any) -> bool:
    """Whether a column is not there, or its cell holds no value; an empty text is a value."""
    return value is None or (not isinstance(value, str) and is_missing(value))


def dump(turns: Sequence[Mapping[str, str]]) -> str:
    return json.dumps([[one["role"], one["content"]] for one in turns], ensure_ascii=False)


def turns_of(example: Example) -> list[Message]:
    return [{"role": role, "content": content} for role, content in json.loads(example["messages"])]


def _prompt(values: Mapping[str, Any], is_labelled: bool) -> list[Message]:
    if is_absent(values.get("prompt")):
        raise ValueError(
            "the row has neither 'prompt' nor 'messages'; give one of them, or say which column holds it: "
            "data.columns: {prompt: <column>}."
        )
    turns = [{"role": USER, "content": text_of(values, "prompt", is_labelled).strip()}]
    if not is_missing(values.get("system")):
        turns.insert(0, {"role": SYSTEM, "content": text_of(values, "system", False).strip()})
    return turns


def _turns(value: Any) -> list[Message]:
    """The turns of a chat, from a list or from JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"'messages' is not valid JSON ({error}).") from None
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise ValueError('\'messages\' must be a list of turns, such as [{"role": "user", "content": "Hello"}].')
    turns = [_turn(number, one) for number, one in enumerate(value, start=1)]
    n_system = sum(one["role"] == SYSTEM for one in turns)
    if n_system > 1:
        raise ValueError(f"'messages' has {n_system} system turns; one may stand first.")
    if n_system and turns[0]["role"] != SYSTEM:
        raise ValueError("'messages' has a system turn that is not the first; put it first.")
    return turns


def _turn(number: int, value: Any) -> Message:
    if not isinstance(value, Mapping) or not {"role", "content"} <= value.keys():
        raise ValueError(f"turn {number} of 'messages' needs a 'role' and a 'content'; got {str(value)[:60]}.")
    role, content = value["role"], value["content"]
    if role not in ROLES:
        near = hint(str(role), ROLES)
        raise ValueError(f"turn {number} of 'messages' has the role '{role}'.{near} Roles are: {listed(ROLES)}.")
    if not isinstance(content, str) or not content.strip():
        raise ValueError(f"turn {number} of 'messages' ({role}) has no text; give it one or take the turn out.")
    return {"role": str(role), "content": content.strip()}


def _with_gold(turns: list[Message], values: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
    """The turns up to the answer, and the texts that would do as it: the response, or the last turn."""
    if is_absent(values.get("messages")) or not is_absent(values.get("response")):
        if turns[-1]["role"] == ASSISTANT:
            raise ValueError("the row has a 'response', and 'messages' ends with an answer too; keep one of them.")
        return turns, golds_of(values.get("response"), "response")
    if not any(one["role"] == ASSISTANT for one in turns):
        raise ValueError("'messages' has no turn of the assistant, so there is nothing to learn; add the answer.")
    if turns[-1]["role"] != ASSISTANT:
        raise ValueError("'messages' ends with a turn that nobody answers; add the answer or take the turn out.")
    return turns[:-1], [turns[-1]["content"]]


def _shown(turns: Sequence[Message]) -> str:
    said = [one for one in turns if one["role"] != SYSTEM]
    return said[0]["content"] if len(said) == 1 else "\n".join(f"{one['role']}: {one['content']}" for one in said)
