"""`stream`: the text that a bundle writes for one input, piece by piece while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from burnish.bundle.predictor import Input, Predictor, load_predictor
from burnish.core.errors import UserError


def stream(bundle: str | Path | Predictor, said: Input) -> Iterator[str]:
    """Pieces of the text; joined they are what `predict` answers. Whoever stops reading stops the writing.

    Raises:
        UserError: the bundle cannot be used or writes no text, or the input is no text and no row of its columns.
    """
    predictor = bundle if isinstance(bundle, Predictor) else load_predictor(bundle)
    try:
        yield from predictor.stream(said)
    except ValueError as error:
        raise UserError(f"inputs: {error}") from None
