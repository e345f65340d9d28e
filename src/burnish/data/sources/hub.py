"""A data set of the Hugging Face hub, streamed through the `datasets` library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import Field, field_validator

from burnish.core.errors import UserError, hint, listed
from burnish.core.settings import settings
from burnish.core.shelves import need
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.data.sources._labels import decode, decoders_of


class Hub(Source):
    """A data set named `hub:<id>` or `hub:<id>:<split>`. HF_ENDPOINT is respected; remote code is never run."""

    id: str
    """Its name on the hub, e.g. `clinc/clinc_oos`."""

    split: str = Field(default="train", min_length=1)
    """Which of its splits, e.g. `train`, `validation`, `test`."""

    config: str | None = None
    """Which of its configurations (subsets), for a data set that has several."""

    revision: str | None = None
    """Commit or tag that pins its contents; null takes the newest."""

    @field_validator("id")
    @classmethod
    def _id_is_a_name(cls, value: str) -> str:
        # a leading dot would be a path, which the library would read from this machine
        if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", value):
            raise ValueError("a data set's name on the hub reads like 'owner/name', e.g. hub:clinc/clinc_oos:train")
        return value

    def place(self) -> str:
        return f"hub:{self.id}:{self.split}"

    def rows(self) -> Iterator[Row | BadRow]:
        if settings().offline:
            raise UserError(
                f"{self.place()}: BURNISH_OFFLINE is set; unset it, or save the data set as a file and name that."
            )
        datasets = need("datasets", "hub")
        number = 0
        try:
            stream = self._stream(datasets)
            decoders = decoders_of(stream.features)
            for number, values in enumerate(stream, 1):
                yield Row(number, decode(values, decoders))
        except UserError:
            raise
        except Exception as error:  # the library lets errors of half a dozen others through
            raise UserError(_unreachable(self.place(), error)) from error
        if not number:
            raise UserError(f"{self.place()}: has no rows.")

    def facts(self) -> dict[str, str]:
        return {"hub": self.id, "split": self.split, "revision": self.revision or "newest"}

    def _stream(self, datasets: Any) -> Any:
        splits = datasets.load_dataset(self.id, name=self.config, revision=self.revision, streaming=True)
        if self.split not in splits:
            raise UserError(
                f"{self.place()}: there is no split '{self.split}'.{hint(self.split, splits)} It has: {listed(splits)}."
            )
        return splits[self.split]


def _unreachable(place: str, error: Exception) -> str:
    reason = str(error).split("\n", maxsplit=1)[0].rstrip(".")
    return (
        f"{place}: cannot be read from the hub ({type(error).__name__}: {reason}); check the name and the network "
        "(HF_ENDPOINT names a mirror), or save the data set as a file and name that."
    )
