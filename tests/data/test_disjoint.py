import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from burnish.data.disjoint import DisjointSets

pairs = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=25)


def components(edges, n=15):
    """Breadth-first, as an independent check."""
    names = list(range(n))
    for _ in range(n):
        for a, b in edges:
            names[a] = names[b] = min(names[a], names[b])
    return names


@given(pairs)
def test_sets_are_the_connected_components_named_by_their_smallest_member(edges):
    sets = DisjointSets(15, cap=15)
    for a, b in edges:
        sets.join(a, b)
    assert sets.roots(np.arange(15)).tolist() == components(edges)
    assert sets.n_full == 0


@given(pairs)
def test_no_set_passes_the_cap(edges):
    sets = DisjointSets(15, cap=3)
    for a, b in edges:
        sets.join(a, b)
    assert np.bincount(sets.roots(np.arange(15))).max() <= 3


def test_a_set_at_the_cap_turns_others_away_and_is_counted():
    sets = DisjointSets(4, cap=2)
    assert sets.join(0, 1)
    assert not sets.join(0, 1)
    assert not sets.join(1, 2)
    assert sets.joinable(np.array([0, 1, 2]), np.array([1, 2, 3])).tolist() == [False, False, True]
    assert sets.n_full == 2  # {0, 1} and the {2} that it turned away
