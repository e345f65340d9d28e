"""Neighbours in a large corpus: found in lists, then compared as an exact search compares."""

import sys

import numpy as np
import pytest

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.tasks._contract import Answered, Decision
from burnish.tasks._index import Index
from burnish.tasks._neighbours import Neighbours


def clusters(n, n_clusters, width=24, seed=0):
    """Vectors of length 1 about as many far-away centres; row i belongs to cluster i mod `n_clusters`."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(n_clusters, width))
    vectors = np.tile(centres, (n // n_clusters, 1)) + 0.1 * draw.normal(size=(n, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def index_of(vectors, texts=None):
    n = len(vectors)
    texts = texts or [f"text {number}" for number in range(n)]
    return Index([str(i) for i in range(n)], texts, [""] * n, ["{}"] * n, vectors)


def test_the_nearest_rows_are_found_without_a_look_at_all():
    vectors = clusters(4000, 20)
    found = Neighbours(vectors).near(vectors[:40], 50)
    for query, rows in enumerate(found):
        exact = np.argsort(-(vectors @ vectors[query]))[:10]
        assert len(set(rows) & set(exact)) >= 9, "the byte that numbers are rounded to may swap the last ones"
        assert set(rows % 20) == {query % 20}, "nothing of another cluster is nearer"


@pytest.mark.parametrize("vector_share", [0.0, 0.4, 1.0])
def test_of_a_corpus_that_is_one_list_the_search_is_that_of_all_rows(vector_share):
    vectors = clusters(60, 3)
    queries, own = ["text 7", "nothing like it", "text 58 text"], vectors[[7, 9, 11]]
    exact = index_of(vectors).search(queries, own, vector_share)
    near = index_of(vectors).search(queries, own, vector_share, is_exact=False)
    for one, other in zip(exact, near, strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)
        np.testing.assert_allclose(one.cosines, other.cosines, atol=1e-6)


def test_a_row_with_the_querys_words_is_found_wherever_its_vector_lies():
    vectors = clusters(4000, 20)
    texts = [f"text {number}" for number in range(4000)]
    texts[13] = "zymurgy"
    [found] = index_of(vectors, texts).search(["zymurgy"], vectors[:1], 0.0, is_exact=False)
    assert found.rows[0] == 13
    assert found.cosines[0] == pytest.approx(float(vectors[0] @ vectors[13]), abs=1e-6)


def answered_by(task, index):
    opened = task.changed(index)
    row = Answered({"text": "text 8", "ids": []}, [], [index.vectors[8]])
    [answer] = opened.decode([row], (), Decision())
    return opened, answer


def test_the_setting_chooses_how_a_corpus_is_searched():
    index, other = index_of(clusters(60, 3)), index_of(clusters(60, 3))
    _, exact = answered_by(Shelf("tasks").build("retrieval"), index)
    _, near = answered_by(Shelf("tasks").build({"name": "retrieval", "search": "faiss"}), other)
    assert exact.hits[0].id == near.hits[0].id == "8"
    assert "neighbours" not in vars(index)
    assert "neighbours" in vars(other), "they are made when the corpus is opened"


def test_a_missing_library_is_told_with_its_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(UserError, match=r"this needs the library 'faiss': pip install 'burnish\[faiss\]'"):
        Shelf("tasks").build({"name": "retrieval", "search": "faiss"}).changed(index_of(clusters(60, 3)))
