"""The torch runtime on a network that answers with what it was given, so that order and padding can be seen."""

import numpy as np
import pytest
import torch
from torch import nn

from burnish.bundle.core import TOKENS_PER_BATCH
from burnish.bundle.torch_core import TorchCore
from burnish.core.shelves import Shelf

PAD = 99


class Echo(nn.Module):
    """Logits that are the ids themselves: of the first token, or of every token."""

    def __init__(self, gives):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.gives = gives
        self.seen = []

    def forward(self, input_ids, attention_mask):
        self.seen.append((tuple(input_ids.shape), self.training, torch.is_inference_mode_enabled()))
        assert ((input_ids == PAD) == (attention_mask == 0)).all()
        ids = input_ids.float() * self.weight
        return ids[:, :1] if self.gives == "rows" else ids.unsqueeze(-1)


def core_of(gives):
    task = Shelf("tasks").build("classification" if gives == "rows" else "tokens")
    return TorchCore(Echo(gives), task, PAD, 2)


def features(lengths):
    draw = np.random.default_rng(0)
    return [{"input_ids": draw.integers(0, 50, length).astype(np.int32)} for length in lengths]


LENGTHS = [5, 1, 900, 2, 2, 40, 1, 3, 899, 17] * 3


def test_outputs_of_rows_come_in_the_order_of_the_features():
    given = features(LENGTHS)
    outputs = core_of("rows").run(given)
    assert [output.tolist() for output in outputs] == [[feature["input_ids"][0]] for feature in given]


def test_outputs_of_tokens_come_in_order_without_padding():
    given = features(LENGTHS)
    outputs = core_of("tokens").run(given)
    assert [output[:, 0].tolist() for output in outputs] == [feature["input_ids"].tolist() for feature in given]
    assert all(output.dtype == np.float32 for output in outputs)


def test_a_batch_holds_rows_of_like_length_and_a_bounded_number_of_tokens():
    core = core_of("rows")
    lengths = np.random.default_rng(1).permutation(np.repeat(np.arange(1, 61), 50))
    core.run(features(lengths))
    shapes = [shape for shape, _, _ in core.network.seen]
    assert len(shapes) > 1
    assert max(rows * length for rows, length in shapes) <= TOKENS_PER_BATCH
    assert sum(rows * length for rows, length in shapes) < 1.1 * lengths.sum()


def test_a_network_in_training_is_run_in_evaluation_mode_without_gradients():
    core = core_of("rows")
    core.network.train()
    core.run(features([3]))
    assert core.network.seen == [((1, 3), False, True)]


@pytest.mark.parametrize("gives", ["rows", "tokens"])
def test_nothing_gives_nothing(gives):
    assert core_of(gives).run([]) == []
