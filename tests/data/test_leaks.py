"""Leaks between given splits, with the rows and lines that show them."""

import pytest

from burnish.data import leaks as leaks_module
from burnish.data.leaks import leaks

LONG = "could you please tell me how much money is left in my savings account today"


def similarity(one, other):
    """Jaccard similarity of the 5-grams, by Python's sets."""
    grams = [{text[at : at + 5] for at in range(len(text) - 4)} for text in (one, other)]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


class Rows(list):
    """A side in memory; the lines start at 2, below a header."""

    def __init__(self, texts):
        super().__init__({"text": text, "line": at + 2} for at, text in enumerate(texts))

    def take(self, indices):
        return [self[at] for at in indices]


def found(tmp_path, mode="near", **sides):
    texts = {name: Rows(texts) for name, texts in sides.items()}
    return {(leak.side, leak.other): leak for leak in leaks(texts, mode, 0.8, tmp_path)}


def test_each_later_side_is_compared_with_each_earlier_one(tmp_path):
    sides = found(tmp_path, train=["a"], dev=["b"], test=["c"])
    assert list(sides) == [("dev", "train"), ("test", "train"), ("test", "dev")]
    assert {leak.n_rows for leak in sides.values()} == {0}


def test_exact_and_near_copies_are_counted_and_shown(tmp_path):
    train = ["something else entirely", LONG, "play some jazz"]
    test = ["PLAY  some jazz", "unseen words here", LONG + " thanks", "nothing like it"]
    leak = found(tmp_path, train=train, test=test)["test", "train"]
    assert (leak.n_rows, leak.n_exact, leak.share) == (2, 1, 0.5)
    near, exact = leak.examples
    assert (near.text, near.line, near.other_text, near.other_line) == (test[2], 4, LONG, 3)
    # The 75 characters of LONG make 71 different 5-grams; " thanks" adds 7.
    assert near.similarity == pytest.approx(71 / 78, abs=1e-4)
    assert (exact.line, exact.other_line, exact.similarity) == (2, 4, 1.0)


def test_the_ends_of_a_chain_are_no_leak_of_each_other(tmp_path):
    chain = [LONG, LONG + " or else now", LONG + " or else now and then again"]
    assert similarity(chain[0], chain[2]) < 0.8 < min(similarity(*chain[:2]), similarity(*chain[1:]))
    sides = found(tmp_path, train=[chain[1]], dev=[chain[0]], test=[chain[2]])
    counts = {names: leak.n_rows for names, leak in sides.items()}
    assert counts == {("dev", "train"): 1, ("test", "train"): 1, ("test", "dev"): 0}


def test_the_most_similar_row_is_shown(tmp_path):
    train = [LONG + " or else now", LONG + " now", "other words"]
    [example] = found(tmp_path, train=train, test=[LONG])["test", "train"].examples
    assert example.other_line == 3


def test_many_rows_are_compared_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(leaks_module, "N_COMPARED", 2)
    train = [f"{LONG} says {name}" for name in ("anna", "bert", "carl", "dora", "emil")]
    leak = found(tmp_path, train=train, test=[text + " x" for text in train])["test", "train"]
    assert [example.other_line for example in leak.examples] == [2, 3, 4, 5, 6]


def test_copies_within_one_side_are_no_leak(tmp_path):
    assert found(tmp_path, train=["a b c", "a b c"], test=["d e f", "d e f"])["test", "train"].n_rows == 0


def test_only_exact_copies_are_looked_for_when_asked(tmp_path):
    assert found(tmp_path, "exact", train=[LONG], test=[LONG + " thanks"])["test", "train"].n_rows == 0


def test_templates_are_leaks_however_many(tmp_path):
    rows = [
        f"dear customer, your order {number:05d} has left our warehouse and will reach you soon" for number in range(60)
    ]
    leak = found(tmp_path, train=rows[:30], test=rows[30:])["test", "train"]
    assert leak.n_rows == 30
    assert len(leak.examples) == 10


def test_an_empty_side_leaks_nothing(tmp_path):
    leak = found(tmp_path, train=["a"], test=[])["test", "train"]
    assert (leak.n_rows, leak.share, leak.examples) == (0, 0.0, ())
