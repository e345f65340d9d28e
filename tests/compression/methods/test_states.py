import math

import pytest
import torch
from torch import nn

from burnish.compression.methods._states import matched_layers, relation_loss, state_loss, watching

MASK = torch.tensor([[1, 1, 0]])


def test_what_modules_gave_last_is_seen_and_nothing_after_the_end():
    first, second = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    with watching([second, first]) as seen:
        second(first(torch.tensor([[2.0]])))
        second(first(torch.tensor([[3.0]])))
        inner = 3 * first.weight.item()
        expected = [inner * second.weight.item(), inner]
        assert [one.item() for one in seen] == pytest.approx(expected)
    first(torch.tensor([[100.0]]))
    assert seen[1].item() == pytest.approx(expected[1])


@pytest.mark.parametrize(
    ("student", "teacher", "expected"), [(3, 6, [1, 3, 5]), (2, 2, [0, 1]), (1, 4, [3]), (4, 12, [2, 5, 8, 11])]
)
def test_layers_are_matched_at_the_same_share_of_the_height(student, teacher, expected):
    assert matched_layers(student, teacher) == expected


def test_states_are_compared_at_real_tokens_only():
    own, other = torch.zeros(1, 3, 2), torch.tensor([[[1.0, 2.0], [3.0, 0.0], [50.0, 50.0]]])
    assert float(state_loss([own, own], [other, own], MASK)) == (1 + 4 + 9) / 4 / 2


def test_relations_are_the_divergence_of_scaled_products_softened_over_real_tokens():
    own = torch.zeros(1, 3, 4)  # both tokens are as near to each other as to themselves
    other = torch.tensor([[[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [9.0, 9.0, 9.0, 9.0]]])
    # one head of width 4: the first token's product with itself is 4 / √4 = 2, all others 0
    p = math.exp(2) / (math.exp(2) + 1)
    of_first = p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p))
    assert float(relation_loss([own], [other], MASK, 1)) == pytest.approx(of_first / 2, rel=1e-5)
    assert float(relation_loss([own] * 3, [other] * 3, MASK, 1)) == pytest.approx(3 * of_first / 2, rel=1e-5)


def test_more_relation_heads_see_finer_relations():
    draw = torch.Generator().manual_seed(0)
    own, other = torch.randn(1, 3, 4, generator=draw), torch.randn(1, 3, 8, generator=draw)
    assert not torch.isclose(relation_loss([own], [other], MASK, 1), relation_loss([own], [other], MASK, 2))
