"""The Hugging Face folder: weights as safetensors, for transformers and all that reads its layout."""

from __future__ import annotations

import inspect
from pathlib import Path

from burnish.bundle.card import LOADERS
from burnish.compression.exports._beside import refusal_of, write_beside
from burnish.compression.exports._contract import Answering, Export
from burnish.compression.subject import Subject
from burnish.tasks._contract import Feature, Run

TOLD = ("mean", "max", "vector", "cosine", "token_cosine", "entities", "compare")
"""Heads that the script spells out, on what `AutoModel` gives; others are the architecture's own."""


class Safetensors(Export):
    """`config.json` and `model.safetensors`, and `head.safetensors` where the head is not the architecture's own."""

    def refusal(self, subject: Subject) -> str | None:
        head = subject.task.head_part.part_name
        if not subject.is_plain:
            return "the layers were cut to unlike numbers of heads, which transformers cannot build"
        if head not in TOLD and head not in LOADERS:
            return refusal_of(subject) or f"no script is known that computes the head '{head}'"
        return refusal_of(subject)

    def write(self, subject: Subject, examples: list[Feature], folder: Path) -> None:
        from burnish.compression.tracing import batch_of

        subject.network.save(folder)
        head = subject.task.head_part
        names = list(batch_of(subject, examples[:1]))
        known = inspect.signature(subject.network.trunk.forward).parameters
        write_beside(
            subject,
            names,
            folder,
            "torch transformers safetensors",
            "safetensors",
            head=head.part_name,
            settings=head.as_recipe(),
            is_own=head.part_name in LOADERS,
            has_weights=(folder / "head.safetensors").is_file(),
            loader=LOADERS.get(head.part_name, "AutoModel"),
            first_place=getattr(subject.network.readout, "first_place", 0),
            takes=tuple(name for name in names if name in known),
        )

    def runs(self, subject: Answering, folder: Path) -> Run | None:
        from burnish.bundle.runtimes.torch import Torch

        return Torch().load(folder, subject.task, subject.reader, subject.labels).run
