import pytest
import torch
from tests.compression.methods.conftest import weights_of

from burnish.compression.methods._blocks import stack_of
from burnish.compression.methods._importance import columns_of, importances, most_important


def by_finite_differences(subject, material, layer, head, size=16):
    """Mean over rows of |loss with the head a little weaker − stronger|, each row read alone."""
    output = stack_of(subject.network).linears("output")[layer]
    columns = slice(head * size, (head + 1) * size)
    found = []
    for batch in material.batches():
        for row in range(batch.n_rows):
            inputs = {name: value[row : row + 1] for name, value in batch.inputs.items()}
            label = batch.targets["labels"][row : row + 1]
            losses = []
            for gate in (1.01, 0.99):
                kept = output.weight.detach().clone()
                with torch.no_grad():
                    output.weight[:, columns] *= gate
                    logits = subject.network(**inputs).double()
                    output.weight.copy_(kept)
                losses.append(torch.nn.functional.cross_entropy(logits, label).item())
            found.append(abs(losses[0] - losses[1]) / 0.02)
    return sum(found) / len(found)


def test_importance_of_a_head_is_what_its_gate_changes_in_the_loss_of_each_row(subject, material):
    linears = stack_of(subject.network).linears("output")
    found = importances(subject.network, linears, 16, material, 100)
    for layer in (0, 1):
        expected = [by_finite_differences(subject, material, layer, head) for head in (0, 1)]
        assert found[layer].tolist() == pytest.approx(expected, rel=0.02)


def test_measuring_leaves_no_gradient_no_hook_and_no_change(subject, material):
    before, linears = weights_of(subject.network), stack_of(subject.network).linears("down")
    importances(subject.network, linears, 1, material, 100)
    assert all(parameter.grad is None for parameter in subject.network.parameters())
    assert not any(linear._forward_pre_hooks for linear in linears)
    assert all(torch.equal(value, before[name]) for name, value in subject.network.state_dict().items())


def test_the_most_important_are_given_in_their_order():
    assert most_important(torch.tensor([3.0, 1.0, 9.0, 4.0]), 2).tolist() == [2, 3]
    assert most_important(torch.tensor([5.0, 1.0, 4.0]), 2).tolist() == [0, 2]


def test_units_stand_for_neighbouring_columns():
    assert columns_of(torch.tensor([0, 2]), 3).tolist() == [0, 1, 2, 6, 7, 8]
