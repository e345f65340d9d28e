"""A memory of answers: the same input again is answered without the model."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Generic, TypeVar

import orjson

from burnish.tasks._contract import Example

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """The last `size` answers of one predictor, by exactly what its task keeps of an input; the least recently used
    goes first. Threads may share it. `hits` and `misses` count inputs.

    Raises:
        ValueError: there would be room for none.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a memory has room for at least one answer; got {size}.")
        self.size = size
        self.hits = 0
        self.misses = 0
        self._answers: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def through(
        self, examples: Sequence[Example], answer: Callable[[Sequence[Example]], Sequence[Value]]
    ) -> Iterator[Value]:
        """An answer to each example, in their order; `answer` is asked once for each that is not remembered."""
        recalled = self.recalled(examples)
        return recalled.filled(answer(recalled.new) if recalled.new else ())

    def recalled(self, examples: Sequence[Example]) -> Recalled[Value]:
        """What is remembered of some examples. Until the rest is filled in other threads go on: at worst two of them
        compute the same.
        """
        keys = [_key(example) or object() for example in examples]  # an object equals nothing but itself
        return Recalled(self, keys, self._known(keys), examples)

    def keep(self, fresh: dict[Hashable, Value]) -> None:
        """Remember answers by the keys of their examples."""
        with self._lock:
            self._answers |= {key: one for key, one in fresh.items() if isinstance(key, bytes)}
            while len(self._answers) > self.size:
                self._answers.popitem(last=False)

    def _known(self, keys: Sequence[Hashable]) -> dict[Hashable, Value]:
        with self._lock:
            known = {key: self._answers[key] for key in keys if key in self._answers}
            for key in known:
                self._answers.move_to_end(key)
            n_new = len(set(keys) - known.keys())
            self.hits, self.misses = self.hits + len(keys) - n_new, self.misses + n_new
            return known


class Recalled(Generic[Value]):
    """What a memory knew of some examples when it was asked."""

    def __init__(
        self, memory: Memory[Value], keys: Sequence[Hashable], known: dict[Hashable, Value], examples: Sequence[Example]
    ) -> None:
        self._memory = memory
        self._keys = keys
        self._known = known
        self._asked = {key: example for key, example in zip(keys, examples, strict=True) if key not in known}

    @property
    def new(self) -> list[Example]:
        """Those to be answered, each once."""
        return list(self._asked.values())

    @property
    def is_known(self) -> list[bool]:
        """Of each example, whether it needs no answer of its own: it was remembered, or stands here before."""
        asked, found = set(self._asked), []
        for key in self._keys:
            found.append(key not in asked)
            asked.discard(key)
        return found

    def filled(self, fresh: Sequence[Value]) -> Iterator[Value]:
        """The answer to each example, given those to `new`, which are remembered from now on."""
        found = dict(zip(self._asked, fresh, strict=True))
        self._memory.keep(found)
        return (self._known[key] if key in self._known else found[key] for key in self._keys)


def _key(example: Example) -> bytes | None:
    """A digest of everything that the task keeps of an input; None for what has no exact form, which is never kept.

    A file may change under its name: its bytes count through the digest that tasks put beside them as `content`.
    """
    said = {name: value.hex() if isinstance(value, bytes) else value for name, value in example.items()}
    try:
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY)).digest()
    except TypeError:
        return None
