"""Texts that are written: what makes two models alike though their texts part."""

import numpy as np
import pytest
import torch

from burnish.bundle.bundle import Knowledge
from burnish.compression.parity import parity
from burnish.compression.written import MOST_NATS, are_as_likely, writes
from burnish.core.shelves import Shelf
from burnish.models.writing import Draft
from burnish.tasks._contract import Answered, Decision
from burnish.tasks._writing import packed


def written(nll, n_tokens, text="x"):
    row = packed(torch.tensor([float(nll)]), torch.tensor([float(n_tokens)]), [Draft(text, True)])[0]
    return Answered({}, [], [row.numpy()])


@pytest.mark.parametrize("name", ["generation", "dialogue", "seq2seq"])
def test_tasks_that_write_are_known(name):
    assert writes(Shelf("tasks").build(name))


@pytest.mark.parametrize("name", ["classification", "tokens", "causal_lm", "retrieval"])
def test_others_do_not_write(name):
    assert not writes(Shelf("tasks").build(name))


@pytest.mark.parametrize(("moved", "is_alike"), [(0.0, True), (0.9, True), (-0.9, True), (1.1, False), (-1.1, False)])
def test_gold_may_become_a_tenth_less_likely_for_each_token(moved, is_alike):
    """Ten tokens: 0.1 nats each are one nat."""
    assert MOST_NATS == 0.1
    assert are_as_likely(written(20, 10, "a"), written(20 + moved, 10, "another")) is is_alike


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_likelihood_that_is_no_number_is_not_alike(broken):
    assert not are_as_likely(written(20, 10), written(broken, 10))


def test_parity_of_texts_looks_at_numbers_and_not_at_letters():
    """One of two gold answers is 2 nats of 10 tokens further off; what was written has other letters and lengths."""
    task = Shelf("tasks").build("generation")
    knowledge = Knowledge(task, (), Decision(), 16, "base")
    judged = [written(20, 10, "a"), written(30, 10, "bb"), written(0, 0, "edge")]
    found = [written(20, 10, "aaa"), written(32, 10, ""), written(0, 0, "other")]
    told = parity(judged, found, knowledge, "quantised", 1)
    assert (told.n_held_out, told.n_edge) == (2, 1)
    assert (told.largest_difference, told.agreement, told.edge_agreement) == (2.0, 0.5, 1.0)
