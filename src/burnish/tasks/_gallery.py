"""What a bundle of pictures and texts searches: their names and their vectors in one space, in memory.

vectors.safetensors   pictures [P, W] and texts [M, W] float32, each of length 1
pictures.arrow        image, payload (JSON) of each picture; texts.arrow: text, image, payload of each text
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import Faults, UserError
from burnish.core.shelves import need
from burnish.data.columns import Wanted
from burnish.data.corpus import Corpus, CorpusWriter
from burnish.data.opening import open_sources
from burnish.data.paths import led_from
from burnish.models.weights import write_arrays
from burnish.tasks._contract import Example
from burnish.tasks._corpus import SETTING, read_rows

Floats = NDArray[np.float32]
VECTORS = "vectors.safetensors"
WANTED = (
    Wanted("image", False, "a picture to find", ("text",)),
    Wanted("text", False, "a text to find, or several of the same picture"),
)


@dataclass(frozen=True)
class Row:
    """One thing that can be found: a picture's name, or a text and the picture that it belongs to."""

    image: str
    payload: str
    text: str = ""


@dataclass(frozen=True)
class Gallery:
    """P pictures and M texts. Vectors are None until a network has read them."""

    pictures: Sequence[Row] = ()
    texts: Sequence[Row] = ()
    vectors: Mapping[str, Floats] | None = None

    def search(self, kind: str, query: Floats, n: int) -> list[tuple[Row, float]]:
        """The n pictures or texts nearest to a query of length 1, with their cosines; of equal ones the first."""
        assert self.vectors is not None, "the network has not read the corpus yet"
        rows = self.pictures if kind == "pictures" else self.texts
        cosines = self.vectors[kind] @ query
        order = np.argsort(-cosines, kind="stable")[:n]
        return [(rows[at], float(cosines[at])) for at in order.tolist()]

    def save(self, folder: Path) -> None:
        pa = need("pyarrow", "train")
        assert self.vectors is not None, "the network has not read the corpus yet"
        folder.mkdir(parents=True, exist_ok=True)
        schema = pa.schema([(name, pa.string()) for name in ("image", "payload", "text")])
        for kind, rows in (("pictures", self.pictures), ("texts", self.texts)):
            with CorpusWriter(folder / f"{kind}.arrow", schema) as writer:
                for row in rows:
                    writer.add(vars(row))
        write_arrays(self.vectors, folder / VECTORS)


def open_gallery(folder: Path) -> Gallery:
    """The gallery in a folder.

    Raises:
        UserError: it is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    pictures, texts = ([Row(**row) for row in Corpus(folder / f"{kind}.arrow")] for kind in ("pictures", "texts"))
    try:
        vectors = load_file(folder / VECTORS)
        is_whole = (len(vectors["pictures"]), len(vectors["texts"])) == (len(pictures), len(texts))
    except (OSError, KeyError, SafetensorError):
        is_whole = False
    if not is_whole:
        raise UserError(f"{folder / VECTORS}: is not the vectors of these pictures and texts; copy the bundle again.")
    return Gallery(pictures, texts, vectors)


@dataclass
class Gathered:
    """Rows of a corpus as a task read them, and the gallery without vectors that they make."""

    examples: list[Example] = field(default_factory=list)
    payloads: list[str] = field(default_factory=list)

    def gallery(self) -> Gallery:
        owned = list(zip(self.examples, self.payloads, strict=True))
        pictures = [Row(one["image"] or "", payload) for one, payload in owned if one["content"]]
        texts = [Row(one["image"] or "", payload, text) for one, payload in owned for text in one["texts"]]
        return Gallery(pictures, texts)


def read_gallery(value: Any, columns: Mapping[str, str], read: Any) -> Gathered:
    """The rows that `value` names, as `read` makes examples of them.

    Raises:
        UserError: every row that cannot be used, or there is no row.
    """
    found, faults = Gathered(), Faults()
    sources = open_sources(value, where=SETTING)
    for source in sources:
        for row, picked, payload in read_rows(source, WANTED, columns, faults):
            try:
                found.examples.append(read(led_from(source.folder(), picked, ("image",))))
                found.payloads.append(payload)
            except ValueError as error:
                faults.add(f"{source.place()}:{row.line}: {error}")
    faults.raise_if_any()
    if not found.examples:
        raise UserError(f"{sources[0].place()}: has no row; a corpus needs at least one picture or text to find.")
    return found


def split_vectors(output: Floats, n_rows: int) -> Floats:
    """[n, W] vectors of length 1 of what one feature holds, which lie side by side in its output."""
    rows = output.reshape(n_rows, -1).astype(np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def with_vectors(gallery: Gallery, vectors: Iterator[tuple[Floats | None, Floats]]) -> Gallery:
    """A gallery with the vectors of each row's picture, where it has one, and of its texts."""
    pictures, texts = [], []
    width = 0
    for picture, own in vectors:
        width = own.shape[1]
        texts.append(own)
        pictures += [] if picture is None else [picture]
    stacked = np.stack(pictures) if pictures else np.zeros((0, width), np.float32)
    return replace(gallery, vectors={"pictures": stacked, "texts": np.concatenate(texts)})
