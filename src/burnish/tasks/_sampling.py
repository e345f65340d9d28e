"""How often each of several tasks is seen in an epoch, and which of its features: pure functions of seed and epoch."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from burnish.core.seeds import generator

Sampling = Literal["proportional", "even", "temperature"]


def quotas(sizes: NDArray[np.int64], sampling: Sampling, temperature: float) -> NDArray[np.int64]:
    """How many features of each task an epoch holds; about as many in all as there are.

    proportional: every one once. even: as many of each task. temperature: shares in proportion to n^(1/T), between the
    two (Raffel et al. 2020, arXiv 1910.10683, §3.5.2).
    """
    power = {"proportional": 1.0, "even": 0.0, "temperature": 1 / temperature}[sampling]
    shares = (sizes / sizes.max()) ** power
    return np.asarray(np.maximum(np.rint(sizes.sum() * shares / shares.sum()), 1), np.int64)


def window(n: int, quota: int, seed: int, name: object, epoch: int) -> NDArray[np.int64]:
    """[quota] of the indices 0 … n-1 that an epoch takes.

    Epochs walk on through one endless row of permutations: none is seen a second time before all are seen once.
    """
    start, stop = epoch * quota, (epoch + 1) * quota
    laps = range(start // n, -(-stop // n))
    walked = np.concatenate([generator(seed, "sampling", name, lap).permutation(n) for lap in laps])
    return walked[start - laps.start * n : stop - laps.start * n]
