"""One label for a picture, or for a picture and a text together: what is on it, what a question about it asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from pydantic import PrivateAttr, model_validator

from burnish.core.errors import UserError
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._single import SingleOutcome
from burnish.models.heads._contract import Head, HeadPlan, TowerPlan, giving
from burnish.tasks import _pictures
from burnish.tasks._choices import (
    Classified,
    add_targets,
    choice_evidence,
    choice_loss,
    choice_outcome,
    choices,
    one_label,
    stacked_targets,
)
from burnish.tasks._contract import (
    Answered,
    Batch,
    Collated,
    Decision,
    Encoded,
    Evidence,
    Example,
    Feature,
    LoadModel,
    Located,
    Task,
)
from burnish.tasks._rows import encode_rows, pad_inputs, text_of
from burnish.tasks._towers import located_text_base

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.pictures import PictureReader


class ImageTask(Task):
    """Softmax over L labels."""

    wanted = (
        Wanted("image", True, "the picture: a file's path, seen from the data file"),
        Wanted("text", False, "a text about it, such as a question"),
        Wanted("label", True, "the label's name"),
    )
    texts = ("image", "text")
    files = frozenset({"image"})
    gold = frozenset({"label"})
    judged_as = SingleOutcome
    best_by = "accuracy"
    stratify_by = "label"
    answer = Classified
    rows_at_once = _pictures.ROWS_AT_ONCE

    head: Annotated[Part, Shelf("heads"), giving("pictures", "fused")] | None = None
    """picture (the architecture's own; the bundle loads in AutoModelForImageClassification), or with `text_base`
    fusion; null takes what fits."""

    text_base: str | None = None
    """A base for the text that goes with each picture: a name on `bases`, a folder, or `hub:<id>`. Null reads pictures
    alone."""

    augment: bool = False
    """Whether training sees pictures mirrored and moved a little, anew each pass; not where left and right matter."""

    _text_folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _head_reads_what_there_is(self) -> ImageTask:
        if self.head is not None and (self.head_part.gives == "fused") != self.is_fused:
            other = "needs a text_base" if self.head_part.gives == "fused" else "reads no text; take text_base out"
            raise ValueError(f"the head '{self.head.part_name}' {other}, or leave the head out")
        return self

    @property
    def is_fused(self) -> bool:
        """Whether a text is read with each picture."""
        return self.text_base is not None

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head or Shelf("heads").build("fusion" if self.is_fused else "picture"))

    def opened(self, located: Located, load_model: LoadModel) -> ImageTask:
        if self.text_base is None:
            return self
        known = self.model_copy()
        known._text_folder = located_text_base(located)
        return known

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        towers = (TowerPlan("picture"), TowerPlan("text", self._text_folder))
        return HeadPlan(labels, towers=towers if self.is_fused else ())

    def load_reader(
        self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False
    ) -> PictureReader:
        if self.is_fused:
            return _pictures.load_readers(folder, self._text_folder, max_length, prompt)
        if not is_bundle and (max_length is not None or prompt):
            name = "prompt" if prompt else "max_length"
            raise UserError(f"data.{name}: this task reads no text without task.text_base; take it out.")
        from burnish.models.pictures import load_pictures

        return load_pictures(folder)

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "text_pair": "string", "label": "string", **_pictures.FIELDS}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        label = one_label(values) if is_labelled else None
        if self.is_fused and values.get("text") is None and not is_labelled:
            raise ValueError(
                "'text' is missing: this task reads a text with each picture (--pair on the command line)."
            )
        text = text_of(values, "text", is_labelled) if self.is_fused else None
        picture = _pictures.read_picture(values.get("image"))
        name = picture["image"] or "a picture"
        if text is None:
            return {"text": name, "text_pair": None, "label": label, **picture}
        copies = f"{picture['content']} {text}"  # the same picture may be asked about twice
        return {"text": text, "text_pair": name, "label": label, **picture, "content": copies}

    def labels_of(self, example: Example) -> Iterable[str]:
        return (example["label"],)

    def encode(self, examples: Sequence[Example], reader: PictureReader, labels: tuple[str, ...]) -> list[Encoded]:
        units = reader.n_units
        texts: Sequence[Encoded] = [Encoded([{}], n_tokens=0)] * len(examples)
        if reader.text is not None:
            texts = encode_rows([{"text": example["text"]} for example in examples], reader.text)
        encoded = []
        for example, text in zip(examples, texts, strict=True):
            n_text = len(text.features[0].get("input_ids", ()))
            feature = {**text.features[0], **_pictures.picture_feature(example, reader)}
            feature["n_units"] = np.array([units + n_text], np.int32)
            encoded.append(Encoded([feature], units + text.n_tokens, text.n_cut))
        add_targets(encoded, examples, labels)
        return encoded

    def varied(self, features: Sequence[Feature], draw: np.random.Generator) -> Sequence[Feature]:
        return [_pictures.augmented(feature, draw) for feature in features] if self.augment else features

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        pictures = _pictures.stack_pictures(features)
        inputs = {"pixel_values": pictures}
        if "input_ids" in features[0]:
            texts, _ = pad_inputs(features, pad_id)
            inputs = {"picture.pixel_values": pictures, **{f"text.{name}": value for name, value in texts.items()}}
        n_units = sum(int(feature["n_units"][0]) for feature in features)
        return Collated(inputs, stacked_targets(features), len(features), n_units)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return choice_loss(logits, batch, weights, smoothing)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        return choice_evidence(answered, labels)

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> SingleOutcome:
        return choice_outcome(answered, labels, decision)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Classified]:
        return choices(answered, labels, decision)
