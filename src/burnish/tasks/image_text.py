"""Pictures and texts in one space, to search either way: pictures by what they show, texts by a picture.

Two encoders, one for pictures and one for texts, learn from pictures with their captions to put what belongs together
in one place. With a corpus, the bundle keeps the vectors of its pictures and texts and finds the nearest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, cast

import numpy as np
import orjson
from pydantic import Field, PrivateAttr

from burnish.core.events import Listener, Progress
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._pairings import PairingOutcome
from burnish.models.heads._contract import Head, HeadPlan, TowerPlan, giving
from burnish.tasks import _pictures
from burnish.tasks._contract import (
    Answered,
    AnswerPart,
    Arrays,
    Batch,
    Collated,
    Decision,
    Encoded,
    Example,
    Feature,
    Line,
    LoadModel,
    Located,
    Prediction,
    Run,
    Task,
)
from burnish.tasks._gallery import Gallery, Gathered, Row, open_gallery, read_gallery, with_vectors
from burnish.tasks._pairing import (
    among_themselves,
    encode_pairings,
    has_picture,
    output_order,
    pairing_loss,
    pairing_targets,
    vectors_of,
    with_one_text,
)
from burnish.tasks._pairs import pad_apart
from burnish.tasks._rows import is_missing, text_of
from burnish.tasks._towers import located_text_base

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.network import Network
    from burnish.models.pictures import PictureReader


NEITHER = "the row has neither 'image' nor 'text'; give it one of them, or both."


class FoundPicture(AnswerPart):
    """A picture of the corpus."""

    image: str
    """Its path, as the corpus names it."""
    similarity: float
    """Cosine of its vector with that of what was asked."""
    payload: dict[str, Any]
    """The further columns of its row."""


class FoundText(AnswerPart):
    """A text of the corpus."""

    text: str
    """The text."""
    image: str
    """The picture that it belongs to; empty where it stands alone."""
    similarity: float
    """Cosine of its vector with that of what was asked."""
    payload: dict[str, Any]
    """The further columns of its row."""


class Found(Prediction):
    """The answer for a text, for a picture, or for both together."""

    pictures: list[FoundPicture]
    """The nearest pictures of the corpus, best first."""
    texts: list[FoundText]
    """For a picture alone: the nearest texts of the corpus, best first."""
    similarity: float | None
    """Where a text and a picture were given: the cosine of their vectors."""

    def lines(self) -> list[Line]:
        alike = [] if self.similarity is None else [Line(f"similarity {self.similarity:.3f}")]
        texts = [Line(f"{one.text}  {one.similarity:.3f}") for one in self.texts]
        return [*alike, *texts, *(Line(f"{one.image}  {one.similarity:.3f}") for one in self.pictures)]


class ImageText(Task):
    """Nearest pictures and texts of a corpus."""

    wanted = (
        Wanted("image", False, "a picture: a file's path, seen from the data file", ("text",)),
        Wanted("text", False, "a text that says what it shows, or a list of such"),
    )
    texts = ("text", "image")
    files = frozenset({"image"})
    gold: ClassVar[frozenset[str]] = frozenset()
    judged_as = PairingOutcome
    best_by = "pairing_mrr"
    least_labels = 0
    answer = Found
    rows_at_once = _pictures.ROWS_AT_ONCE

    head: Annotated[Part, Shelf("heads"), giving("space")] = Field(default="space", validate_default=True)
    """A head that leads pictures and texts into one space: space."""

    text_base: str = "minilm"
    """The base for texts: a name on `bases`, a folder, or `hub:<id>`."""

    augment: bool = False
    """Whether training sees pictures mirrored and moved a little, anew each pass; not where left and right matter."""

    corpus: str | list[str] | dict[str, Any] | None = None
    """What is searched when predicting: a file, several, or a source with settings, with the columns `image`, `text` or
    both; a hit gives all others back. Null searches nothing: only how alike a picture and a text are is told."""

    corpus_columns: dict[str, str] = Field(default_factory=dict)
    """What is read from the corpus → the column that holds it, e.g. `{image: photo, text: caption}`."""

    top: int = Field(default=5, ge=1, le=100)
    """How many hits of a kind an answer has."""

    _text_folder: Path | None = PrivateAttr(default=None)
    _gathered: Gathered | None = PrivateAttr(default=None)
    _gallery: Gallery | None = PrivateAttr(default=None)

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        towers = (TowerPlan("picture"), TowerPlan("text", self._text_folder))
        return HeadPlan(("vector",), problem="regression", towers=towers)

    def load_reader(
        self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False
    ) -> PictureReader:
        return _pictures.load_readers(folder, self._text_folder, max_length, prompt)

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "texts": "list<string>", **_pictures.FIELDS}

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    # reading and encoding

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        image, said = values.get("image"), values.get("text")
        if not is_labelled:
            image, said = _asked(image, said)
        texts = [] if said is None and not is_labelled else _texts_of(said, is_labelled)
        picture = _pictures.read_picture(image) if is_labelled or image is not None else _pictures.NOTHING
        shown = texts[0] if texts else picture["image"] or "a picture"
        return {"text": shown, "texts": texts, **picture}

    def encode(self, examples: Sequence[Example], reader: PictureReader, labels: tuple[str, ...]) -> list[Encoded]:
        return encode_pairings(examples, reader)

    # training

    def varied(self, features: Sequence[Feature], draw: np.random.Generator) -> Sequence[Feature]:
        """One text of each picture, another in every pass; and the picture a little changed where that is asked for."""
        chosen = [with_one_text(feature, draw) for feature in features]
        return [_pictures.augmented(feature, draw) for feature in chosen] if self.augment else chosen

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        seen = [feature for feature in features if has_picture(feature)]
        told = [feature for feature in features if len(feature["n_each"])]
        inputs: Arrays = {"picture.pixel_values": _pictures.stack_pictures(seen)} if seen else {}
        if told:
            texts, _ = pad_apart(told, pad_id)
            inputs |= {f"text.{name}": value for name, value in texts.items()}
        is_paired = len(seen) == len(told) == len(features)
        targets = {
            "order": output_order(features),
            **(pairing_targets(features) if is_paired else {}),
        }
        rows_each = [has_picture(feature) + len(feature["n_each"]) for feature in features]
        n_units = sum(int(feature["n_units"][0]) for feature in features)
        return Collated(inputs, targets, len(features), n_units, rows_each)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return pairing_loss(logits.float(), batch.targets, smoothing)

    def ask(self, network: Network, batch: Batch) -> Tensor:
        """The rows of each feature side by side, its picture's first."""
        rows: Tensor = network(**batch.inputs)
        return rows[batch.targets["order"]]

    # answers

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None  # a place in a ranking is no probability

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> PairingOutcome:
        """The rows' own pictures and texts searched by each other, whatever the corpus."""
        return among_themselves(answered)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Found]:
        return [self._found(row) for row in answered]

    def _found(self, row: Answered) -> Found:
        picture, texts = vectors_of(row)
        if picture is not None and len(texts):
            return Found(pictures=[], texts=[], similarity=float((texts @ picture).max()))
        gallery = self._gallery
        if gallery is None:
            return Found(pictures=[], texts=[], similarity=None)
        query = texts[0] if picture is None else picture
        found = [] if picture is None else gallery.search("texts", picture, self.top)
        return Found(
            pictures=[
                FoundPicture(image=one.image, similarity=cosine, payload=_payload(one))
                for one, cosine in gallery.search("pictures", query, self.top)
            ],
            texts=[
                FoundText(text=one.text, image=one.image, similarity=cosine, payload=_payload(one))
                for one, cosine in found
            ],
            similarity=None,
        )

    # the bases and the corpus

    def opened(self, located: Located, load_model: LoadModel) -> ImageText:
        known = self.model_copy()
        known._text_folder = located_text_base(located)
        if self.corpus is not None:
            known._gathered = read_gallery(
                located("corpus"), self.corpus_columns, lambda row: self.read(_some(row), is_labelled=False)
            )
        return known

    def completed(self, reader: PictureReader, run: Run, listen: Listener) -> ImageText:
        if self._gathered is None:
            return self
        examples, vectors = self._gathered.examples, []
        for start in range(0, len(examples), self.rows_at_once):
            chunk = examples[start : start + self.rows_at_once]
            encoded = self.encode(chunk, reader, ())
            outputs = run([one.features[0] for one in encoded])
            vectors += [
                vectors_of(Answered(example, one.features, [output]))
                for example, one, output in zip(chunk, encoded, outputs, strict=True)
            ]
            listen(Progress("index", len(vectors), len(examples), "rows"))
        return self._searching(with_vectors(self._gathered.gallery(), iter(vectors)))

    def _searching(self, gallery: Gallery) -> ImageText:
        known = self.model_copy()
        known._gathered, known._gallery = None, gallery
        return known

    def keep(self, folder: Path) -> None:
        if self._gallery is not None:
            self._gallery.save(folder)

    def restored(self, folder: Path, load_model: LoadModel) -> ImageText:
        return self if self.corpus is None else self._searching(open_gallery(folder))


def _payload(row: Row) -> dict[str, Any]:
    return orjson.loads(row.payload)  # type: ignore[no-any-return]


def _asked(image: Any, said: Any) -> tuple[Any, Any]:
    """The picture and the text of a row that is not labelled, None where there is none; an empty text is one alone.

    Raises:
        ValueError: there is neither.
    """
    if is_missing(image):
        image, said = (said, None) if _names_picture(said) else (None, said)
    elif is_missing(said):
        said = None
    if image is None and said is None:
        raise ValueError(NEITHER)
    return image, said


def _some(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of the corpus, which must have something to find."""
    if is_missing(row["image"]) and is_missing(row["text"]):
        raise ValueError(NEITHER)
    return row


def _texts_of(value: Any, is_labelled: bool) -> list[str]:
    """The texts in a cell: one, or a list of them.

    Raises:
        ValueError: one is empty where it must not be, or no text.
    """
    several = value.tolist() if isinstance(value, np.ndarray) else value
    values = list(several) if isinstance(several, list | tuple) else [several]
    return [text_of({"text": one}, "text", is_labelled) for one in values or [None]]


def _names_picture(said: Any) -> bool:
    """Whether a bare text is the path of a picture: it ends as one, and has no spaces or is there.

    Names that lead nowhere count too, so that a mistyped one is told and not searched for.
    """
    if not isinstance(said, str) or not said.lower().endswith(_pictures.SUFFIXES):
        return False
    return not any(letter.isspace() for letter in said) or Path(said).is_file()
