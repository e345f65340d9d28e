"""A trained model on disk.

manifest.json      SHA-256 of every other file
README.md          the model card
recipe.yaml        the filled recipe
burnish.json       task, labels, how logits become answers
stock/             what the task answers from beside the model, such as the index of retrieval; most have none
model/             plain Hugging Face layout: config.json, model.safetensors, tokenizer.json
data_card.json .md what the model was trained on
report/            how it was judged
training/          steps.jsonl
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from burnish.bundle.runtimes._contract import Runtime
from burnish.bundle.runtimes.torch import Torch
from burnish.core.errors import UserError
from burnish.core.files import read_json, write_json
from burnish.core.manifest import verify_manifest
from burnish.core.shelves import Shelf
from burnish.models.locate import MODEL
from burnish.tasks._contract import Decision, Model, Task

STATE = "burnish.json"
STOCK = "stock"
STATE_FORMAT = 1


@dataclass(frozen=True)
class Knowledge:
    """What a predictor must know beside weights and tokenizer."""

    task: Task
    labels: tuple[str, ...]
    decision: Decision
    max_length: int
    base: str
    prompt: str = ""
    runtime: Runtime = field(default_factory=Torch)

    def save(self, folder: Path) -> None:
        state = {
            "format": STATE_FORMAT,
            "task": self.task.as_recipe(),
            "labels": list(self.labels),
            "decision": _told(self.decision),
            "max_length": self.max_length,
            "base": self.base,
            "prompt": self.prompt,
            "runtime": self.runtime.as_recipe(),
        }
        write_json(folder / STATE, state)


@dataclass(frozen=True)
class Bundle:
    """A verified bundle."""

    folder: Path
    knowledge: Knowledge

    @property
    def model_folder(self) -> Path:
        return self.folder / MODEL


def open_bundle(folder: str | Path) -> Bundle:
    """Verify a bundle's files, then read what it knows.

    Raises:
        UserError: it is missing, incomplete, damaged, changed, or of another format.
    """
    folder = Path(folder)
    verify_manifest(folder)
    knowledge = _knowledge(read_json(folder / STATE), folder)
    return Bundle(folder, replace(knowledge, task=knowledge.task.restored(folder / STOCK, _load_model)))


def _load_model(folder: Path) -> Model:
    from burnish.bundle.predictor import load_predictor  # which needs this file

    return load_predictor(folder)


def _knowledge(state: Any, folder: Path) -> Knowledge:
    number = state.get("format") if isinstance(state, dict) else None
    if number != STATE_FORMAT:
        raise UserError(f"{folder}: its {STATE} is of format {number}; this Burnish reads {STATE_FORMAT}.")
    try:
        return _read(state)
    except KeyError as error:
        raise UserError(f"{folder}: its {STATE} lacks {error}; copy the bundle again.") from None
    except (TypeError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{folder}: its {STATE} cannot be used ({reason}); was it made by a newer Burnish?") from None


def _read(state: dict[str, Any]) -> Knowledge:
    return Knowledge(
        task=cast("Task", Shelf("tasks").build(state["task"])),
        labels=tuple(state["labels"]),
        decision=_decision(state["decision"]),
        max_length=state["max_length"],
        base=state["base"],
        prompt=state["prompt"],
        runtime=cast("Runtime", Shelf("runtimes").build(state.get("runtime", "torch"))),
    )


def _told(decision: Decision) -> dict[str, Any]:
    """A decision as JSON; those of several tasks stand in it."""
    members = {name: _told(one) for name, one in decision.members.items()}
    return {
        "calibration": decision.calibration,
        "parameters": decision.parameters,
        "abstain_below": decision.abstain_below,
        "scope_below": decision.scope_below,
        "label_thresholds": list(decision.label_thresholds),
        **({"members": members} if members else {}),
    }


def _decision(told: dict[str, Any]) -> Decision:
    return Decision(
        calibration=told["calibration"],
        parameters=told["parameters"],
        abstain_below=told["abstain_below"],
        scope_below=told.get("scope_below"),
        label_thresholds=tuple(told["label_thresholds"]),
        members={name: _decision(one) for name, one in told.get("members", {}).items()},
    )
