from __future__ import annotations

import numpy as np

from burnish.core.seeds import derive, generator


def test_a_seed_depends_on_every_name_and_on_nothing_else():
    assert derive(7, "order", 1) == derive(7, "order", 1)
    assert len({derive(7, "order", 1), derive(7, "order", 2), derive(8, "order", 1), derive(7, "order", "11")}) == 4
    assert derive(7, "ab", "c") != derive(7, "a", "bc")


def test_a_seed_fits_a_signed_64_bit_integer():
    assert all(0 <= derive(seed, "x") < 2**63 for seed in range(200))


def test_generators_of_one_name_are_equal_and_touch_nothing_global():
    before = np.random.get_state()[1].copy()  # noqa: NPY002  (the global state is what is looked at)
    assert generator(7, "a").random() == generator(7, "a").random()
    assert generator(7, "a").random() != generator(7, "b").random()
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
