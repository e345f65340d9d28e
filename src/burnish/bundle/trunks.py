"""What several loaded models have in common: trunks, computed once for all that ask at a time, and tokenizers."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from burnish.bundle.core import Core, Outputs
from burnish.tasks._contract import Feature

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Trunk(Protocol):
    """What a core says that it shares with others. Any object that hashes by identity, so that it can be looked up."""

    def is_like(self, other: Any) -> bool:
        """Whether the other computes the same: by content, whatever it is called and wherever it lay."""

    def run(self, asked: Sequence[tuple[Any, Sequence[Feature]]]) -> list[Outputs]:
        """What `Core.run` gives for each of some cores that share this trunk, which reads their features together."""


T = TypeVar("T", bound=Trunk)


class Trunks:
    """The trunks that are loaded in one process, and what tokenizes for them. It keeps none alive: the last model that
    goes takes it along.

    A newcomer is compared with those that are there, tensor by tensor up to the first difference, so that who shares
    with nobody pays nothing, not even a digest.
    """

    def __init__(self) -> None:
        self._loaded: weakref.WeakSet[Any] = weakref.WeakSet()
        self._looking = threading.Lock()
        self.tokenizers: weakref.WeakValueDictionary[str, Tokenizer] = weakref.WeakValueDictionary()
        """Digest → backend of a `TextTokenizer`."""

    def known(self, trunk: T) -> T:
        """The trunk that is here and like this one; else this one, which is here from now on."""
        with self._looking:
            for one in list(self._loaded):
                if one.is_like(trunk):
                    return one  # type: ignore[no-any-return]
            self._loaded.add(trunk)
            return trunk


def run_together(asked: Sequence[tuple[Core, Sequence[Feature]]]) -> list[Outputs]:
    """The outputs of each of some cores for its features: of one as it is, of several through their common trunk."""
    if not asked:
        return []
    (core, features), *others = asked
    return core.trunk.run(asked) if others and core.trunk is not None else [core.run(features)]
