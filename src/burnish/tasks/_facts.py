"""Facts for an answer: what a retriever finds for the newest turn of the user, put before what the model is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from burnish.core.errors import UserError, hint, listed
from burnish.models.chat import SYSTEM, USER, Message
from burnish.tasks._contract import LoadModel, Model
from burnish.tasks.retrieval import Hit

if TYPE_CHECKING:
    from burnish.tasks.retrieval import Retrieval, Retrieved

NAME = re.compile(r"\{(\w+)\}")
OWN = ("text", "id")
"""What every fact has; the further names are columns of its row."""


@dataclass(frozen=True)
class Retriever:
    """A bundle of the task `retrieval`, and the folder that it lies in."""

    folder: Path
    model: Model

    def hits(self, chats: Sequence[Sequence[Mapping[str, str]]], n_most: int) -> list[list[Hit]]:
        """The best hits for what the user said last in each chat."""
        asked = [next((one["content"] for one in reversed(turns) if one["role"] == USER), "") for turns in chats]
        found = cast("list[Retrieved]", list(self.model.predict(asked)))
        return [one.hits[:n_most] for one in found]

    def refuse_unknown_names(self, fact: str) -> None:
        """Raise `UserError` where a fact is to hold a column that the corpus lacks."""
        index = cast("Retrieval", self.model.task).index
        known = [*OWN, *index.payload(0)]
        for name in NAME.findall(fact):
            if name not in known:
                raise UserError(
                    f"task.fact: the corpus of the retriever has no column '{name}'.{hint(name, known)} "
                    f"It has: {listed(known)}."
                )


def open_retriever(folder: Path, load_model: LoadModel) -> Retriever:
    """The retriever in a bundle's folder.

    Raises:
        UserError: it is no bundle, or one of another task than retrieval.
    """
    model = load_model(folder)
    if model.task.part_name != "retrieval":
        raise UserError(
            f"task.retriever: {folder} does {model.task.part_name}; a retriever is a bundle of the task retrieval."
        )
    return Retriever(folder, model)


def with_facts(turns: Sequence[Message], hits: Sequence[Hit], fact: str, facts: str) -> list[Message]:
    """The chat with the facts before its system text; as it is where nothing was found."""
    if not hits:
        return list(turns)
    told = filled(facts, {"facts": "\n".join(filled(fact, _values(hit)) for hit in hits)})
    has_system = bool(turns) and turns[0]["role"] == SYSTEM
    said = turns[0]["content"] if has_system else ""
    return [{"role": SYSTEM, "content": f"{told}{said}".strip()}, *(turns[1:] if has_system else turns)]


def filled(template: str, values: Mapping[str, Any]) -> str:
    """A text with `{name}` replaced by the value of that name. Nothing else in braces means anything."""
    return NAME.sub(lambda found: str(values.get(found[1], found[0])), template)


def _values(hit: Hit) -> dict[str, Any]:
    return {
        **{name: "" if value is None else value for name, value in hit.payload.items()},
        "text": hit.text,
        "id": hit.id,
    }
