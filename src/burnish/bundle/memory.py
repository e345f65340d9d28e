"""A memory of answers: the same input again is answered without the model."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence

import orjson

from burnish.tasks._contract import Example, Prediction

Answer = Callable[[Sequence[Example]], Sequence[Prediction]]


class Memory:
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
        self._answers: OrderedDict[Hashable, Prediction] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def through(self, examples: Sequence[Example], answer: Answer) -> Iterator[Prediction]:
        """An answer to each example, in their order; `answer` is asked once for each that is not remembered.

        While it computes, other threads go on: at worst two of them compute the same.
        """
        keys = [_key(example) or object() for example in examples]  # an object equals nothing but itself
        known = self._recalled(keys)
        new = {key: example for key, example in zip(keys, examples, strict=True) if key not in known}
        if new:
            fresh = dict(zip(new, answer(list(new.values())), strict=True))
            self._keep(fresh)
            known |= fresh
        return (known[key] for key in keys)

    def _recalled(self, keys: Sequence[Hashable]) -> dict[Hashable, Prediction]:
        with self._lock:
            known = {key: self._answers[key] for key in keys if key in self._answers}
            for key in known:
                self._answers.move_to_end(key)
            n_new = len(set(keys) - known.keys())
            self.hits, self.misses = self.hits + len(keys) - n_new, self.misses + n_new
            return known

    def _keep(self, fresh: dict[Hashable, Prediction]) -> None:
        with self._lock:
            self._answers |= {key: one for key, one in fresh.items() if isinstance(key, bytes)}
            while len(self._answers) > self.size:
                self._answers.popitem(last=False)


def _key(example: Example) -> bytes | None:
    """A digest of everything that the task keeps of an input; None for what has no exact form, which is never kept.

    A file may change under its name: its bytes count through the digest that tasks put beside them as `content`.
    """
    said = {name: value.hex() if isinstance(value, bytes) else value for name, value in example.items()}
    try:
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY)).digest()
    except TypeError:
        return None
