"""Neighbours: rows of a large corpus whose vectors are near a query's, found without a look at all of them.

Inverted lists of faiss (Sivic and Zisserman 2003; Johnson, Douze and Jégou 2017, arXiv 1702.08734): vectors lie in as
many lists as there are k-means centres, and a query looks into the lists of the centres next to it. They are rounded to
a byte a number there; who asks compares what is found by the vectors themselves.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.settings import settings
from burnish.core.shelves import need

LEARNT_FROM = 40
"""Vectors for each centre, at least and at most, that k-means learns from."""
LOOKED_INTO = 1 / 8
"""Share of the lists in which a query's neighbours are looked for."""


class Neighbours:
    """The rows of `vectors` [N, H], each of length 1, by nearness to queries.

    Raises:
        UserError: faiss is missing.
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        faiss = _faiss()
        n_rows, width = vectors.shape
        n_lists = max(1, min(round(4 * math.sqrt(n_rows)), n_rows // LEARNT_FROM))
        kept = np.ascontiguousarray(vectors, np.float32)
        self._lists = faiss.index_factory(width, f"IVF{n_lists},SQ8", faiss.METRIC_INNER_PRODUCT)
        step = max(1, n_rows // (n_lists * LEARNT_FROM))
        self._lists.train(np.ascontiguousarray(kept[::step]))
        self._lists.add(kept)
        self._lists.nprobe = math.ceil(n_lists * LOOKED_INTO)

    def near(self, queries: NDArray[np.float32], n: int) -> list[NDArray[np.int64]]:
        """For each of the queries [Q, H] the numbers of some n rows whose cosine with it is largest, fewer where the
        lists that were looked into hold fewer.
        """
        _, rows = self._lists.search(np.ascontiguousarray(queries, np.float32), n)
        return [found[found >= 0] for found in rows]


def _faiss() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its wrapper's own, when it is imported first
        faiss = need("faiss", "faiss")
    faiss.omp_set_num_threads(settings().n_threads)
    return faiss
