"""Disjoint sets of numbers (Galler & Fischer 1964) in two arrays, with a largest size that none may pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class DisjointSets:
    """Sets over 0 … n-1. A set is named by its smallest member and never holds more than `cap` members."""

    def __init__(self, n: int, cap: int) -> None:
        self.cap = cap
        self._parents = np.arange(n, dtype=np.int32)  # half the memory; two thousand million rows are enough
        self._sizes = np.ones(n, np.int32)
        self._is_full = np.zeros(n, bool)
        self._parent, self._size = self._parents.data, self._sizes.data  # far faster one by one

    def join(self, a: int, b: int) -> bool:
        """Join the sets of `a` and `b`; False when they were one already or would pass the cap."""
        low, high = sorted((self._root(a), self._root(b)))
        if low == high:
            return False
        if self._size[low] + self._size[high] > self.cap:
            self._is_full[[low, high]] = True
            return False
        self._parent[high] = low
        self._size[low] += self._size[high]
        return True

    def joinable(self, left: Ints, right: Ints) -> NDArray[np.bool_]:
        """[K] whether the sets of `left[k]` and `right[k]` are two, and together keep to the cap."""
        one, other = self.roots(left), self.roots(right)
        return np.asarray((one != other) & (self._sizes[one] + self._sizes[other] <= self.cap))

    def roots(self, members: Ints) -> Ints:
        """[K] the smallest member of the set of each."""
        found = self._parents[members]
        while not np.array_equal(above := self._parents[found], found):
            found = above
        return found.astype(np.int64)

    @property
    def n_full(self) -> int:
        """Sets that turned another set away."""
        return len(np.unique(self.roots(np.flatnonzero(self._is_full))))

    def _root(self, at: int) -> int:
        parent = self._parent
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at
