"""Class numbers back to class names, for data sets of the `datasets` library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Decoder = Callable[[Any], Any]


def decoders_of(features: Mapping[str, Any] | None) -> dict[str, Decoder]:
    """For each column of class numbers (or of lists of them), what turns its values into names.

    The library's `ClassLabel` stores a number; -1 means that there is no label, as test sets on a hub have it.
    """
    found = {}
    for column, feature in (features or {}).items():
        if names := getattr(feature, "names", None):
            found[column] = _decoder(list(names))
        elif names := getattr(getattr(feature, "feature", None), "names", None):
            found[column] = _list_decoder(_decoder(list(names)))
    return found


def decode(values: Mapping[str, Any], decoders: Mapping[str, Decoder]) -> dict[str, Any]:
    """A row's values with its class numbers replaced."""
    return {str(name): decoders[name](value) if name in decoders else value for name, value in values.items()}


def _decoder(names: list[str]) -> Decoder:
    return lambda number: None if number is None or number < 0 else names[number]


def _list_decoder(decoder: Decoder) -> Decoder:
    return lambda numbers: None if numbers is None else [decoder(number) for number in numbers]
