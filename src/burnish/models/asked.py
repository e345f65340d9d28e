"""Which heads a batch asks, where several share a trunk: said by the keys of its inputs, so that no device is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

ASKED = "asked."


def asking(names: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """What among a batch's inputs asks for the heads of these names; the values say nothing."""
    return {f"{ASKED}{name}": np.ones(1, np.float32) for name in names}


def asked_in(inputs: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Those of `names` whose heads a batch asks."""
    return [name for name in names if f"{ASKED}{name}" in inputs]
