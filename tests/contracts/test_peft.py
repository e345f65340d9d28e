"""Every way of tuning: it goes on any base and head, starts where the base is, and leaves the plain layout behind."""

import pytest
import torch

from burnish.core.shelves import Shelf
from burnish.models.heads._contract import HeadPlan

SHELF = Shelf("peft")
PLAN = HeadPlan(("bad", "good", "so-so"))
IDS = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]])
INPUTS = {"input_ids": IDS, "attention_mask": (IDS > 0).long()}


@pytest.fixture(params=SHELF.names())
def part(request):
    return SHELF.build(request.param)


@pytest.fixture(params=["cls", "mean", "cosine"])
def network(request, tiny_base):
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        return Shelf("heads").build(request.param).attach(tiny_base, PLAN).eval()


def stepped(network):
    """The network after a step that changes what is trained, and nothing else."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for _ in range(2):  # the first leaves LoRA's A as it is: B is zero
        network(**INPUTS).square().mean().backward()
        torch.optim.SGD(trained, lr=0.5).step()
    return network


def test_the_logits_are_as_before_until_something_is_trained(part, network):
    before = network(**INPUTS)
    part.put_on(network)
    torch.testing.assert_close(network.eval()(**INPUTS), before, atol=1e-6, rtol=0)


def test_folding_in_keeps_the_logits_and_leaves_the_weights_that_the_base_has(part, network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    part.put_on(network)
    trained = stepped(network).eval()(**INPUTS)
    part.fold_in(network)
    torch.testing.assert_close(network(**INPUTS), trained, atol=1e-5, rtol=0)
    after = network.state_dict()
    assert list(after) == list(before)
    assert not all(torch.equal(after[name], before[name]) for name in after)
    assert not hasattr(network.body, "peft_config")


def test_the_head_is_trained_in_full(part, network):
    head = network.head_modules()
    part.put_on(network)
    assert network.head_modules() == head
    assert all(p.requires_grad for name, p in network.named_parameters() if name.startswith(head))


def test_it_says_whether_the_base_is_kept(part, network):
    base = {id(parameter) for parameter in network.body.parameters()}
    part.put_on(network)
    assert part.keeps_base == (not any(p.requires_grad for p in network.parameters() if id(p) in base))


def test_it_is_written_in_the_recipe_and_read_back(part):
    assert SHELF.build(part.as_recipe()) == part
