"""causal_lm: every token but the first of a block is told, the end too; and bases that cannot go on with a text."""

import numpy as np
import pytest
import torch

from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.tasks._contract import Answered, Decision
from burnish.tasks.causal_lm import Rated


@pytest.fixture
def made(tiny_causal_base):
    task = Shelf("tasks").build("causal_lm")
    network = task.head_part.attach(tiny_causal_base, task.head_plan(()))
    return task, task.load_reader(tiny_causal_base, 16, ""), network


def test_a_long_text_is_told_block_by_block_and_ends_with_the_end(made):
    task, reader, _ = made
    text = "so bad a day. " * 8
    (one,) = task.encode([{"text": text}], reader, ())
    blocks = [feature["input_ids"] for feature in one.features]
    assert max(map(len, blocks)) <= 16
    joined = np.concatenate(blocks).tolist()
    assert joined[-1] == reader.mark_id
    assert reader.tokenizer.backend.decode(joined[:-1]) == text
    assert one.n_tokens == len(joined) - 1


def test_perplexity_is_that_of_each_token_from_those_before_it(made):
    """Against the network's own logits, block after block."""
    task, reader, network = made
    (one,) = task.encode([{"text": "all good 北京 " * 6}], reader, ())
    nll, n = 0.0, 0
    for feature in one.features:
        ids = torch.tensor(feature["input_ids"]).long()
        scores = network.eval().trunk(input_ids=ids[None]).logits[0].log_softmax(-1)
        nll -= scores[:-1].gather(1, ids[1:, None]).sum().item()
        n += len(ids) - 1
    row = Answered({"text": ""}, one.features, TorchCore(network, task, reader.pad_id, 0).run(one.features))
    outcome = task.outcome([row], (), Decision())
    assert outcome.n_tokens.tolist() == [n]
    assert outcome.nll.tolist() == pytest.approx([nll], rel=1e-4)
    (answer,) = task.decode([row], (), Decision())
    assert answer.perplexity == pytest.approx(np.exp(nll / n), rel=1e-4)


def test_an_answer_reads_as_a_line():
    assert Rated(perplexity=3.456, n_tokens=9).lines()[0].answer == "perplexity 3.46"
    assert Rated(perplexity=None, n_tokens=0).lines()[0].answer == "too short to tell"


def test_the_head_of_a_base_that_writes_is_not_new(made):
    assert made[2].head_modules() == ()


def test_a_base_that_reads_both_ways_is_refused(tiny_base):
    with pytest.raises(UserError, match=r"^base: .* \(bert\) reads a text from both sides and cannot go on with it"):
        Shelf("tasks").build("causal_lm").load_reader(tiny_base, None, "")
