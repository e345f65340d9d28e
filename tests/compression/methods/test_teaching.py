import math
from types import SimpleNamespace

import pytest
import torch
from tests.compression.methods.conftest import assert_same_weights, weights_of

from burnish.compression.methods._teaching import Teacher, mixed_loss, soft_loss
from burnish.models.heads._contract import HeadPlan
from burnish.tasks._contract import Batch


def compared(gives, student, teacher, temperature=1.0, problem="single_label_classification", mask=None):
    task = SimpleNamespace(head_part=SimpleNamespace(gives=gives), head_plan=lambda labels: HeadPlan(labels, problem))
    batch = Batch({} if mask is None else {"attention_mask": torch.tensor(mask)}, {}, 1, 1)
    compare = soft_loss(SimpleNamespace(task=task, labels=("a", "b")), temperature)
    return float(compare(torch.tensor(student), torch.tensor(teacher), batch))


def kl(wanted, given):
    return sum(p * math.log(p / q) for p, q in zip(wanted, given, strict=True))


def log(*shares):
    return [math.log(share) for share in shares]


def test_rows_are_compared_by_the_divergence_of_their_softmax():
    found = compared("rows", [log(0.5, 0.5), log(0.9, 0.1)], [log(0.8, 0.2), log(0.9, 0.1)])
    assert found == pytest.approx(kl([0.8, 0.2], [0.5, 0.5]) / 2, rel=1e-5)


def test_the_temperature_softens_both_and_is_made_good_for_in_the_scale():
    # logits halved: shares go with their square roots; 0.8 : 0.2 becomes 2 : 1
    found = compared("rows", [log(0.5, 0.5)], [log(0.8, 0.2)], temperature=2.0)
    assert found == pytest.approx(4 * kl([2 / 3, 1 / 3], [0.5, 0.5]), rel=1e-5)


def test_labels_that_are_each_given_or_not_are_compared_one_by_one():
    odds = [[math.log(0.8 / 0.2), math.log(0.3 / 0.7)]]
    found = compared("rows", [[0.0, 0.0]], odds, problem="multi_label_classification")
    assert found == pytest.approx(kl([0.8, 0.2], [0.5, 0.5]) + kl([0.3, 0.7], [0.5, 0.5]), rel=1e-5)


def test_padding_of_tagged_texts_is_not_compared():
    student, teacher = [[log(0.5, 0.5), [3.0, 4.0]]], [[log(0.8, 0.2), [9.0, 0.0]]]
    found = compared("tokens", student, teacher, mask=[[1, 0]])
    assert found == pytest.approx(kl([0.8, 0.2], [0.5, 0.5]), rel=1e-5)


def test_starts_and_ends_are_compared_over_the_places_of_a_text():
    starts, ends = log(0.5, 0.5), log(0.4, 0.6)
    student = [[*map(list, zip(starts, ends, strict=True)), [9.0, 9.0]]]
    teacher = [[*map(list, zip(log(0.8, 0.2), ends, strict=True)), [-7.0, 2.0]]]
    found = compared("spans", student, teacher, mask=[[1, 1, 0]])
    assert found == pytest.approx(kl([0.8, 0.2], [0.5, 0.5]) / 2, rel=1e-5)


@pytest.mark.parametrize(("gives", "problem"), [("vectors", "single_label_classification"), ("rows", "regression")])
def test_vectors_and_scores_are_compared_by_squared_distance(gives, problem):
    assert compared(gives, [[0.0, 3.0], [1.0, 1.0]], [[4.0, 0.0], [1.0, 1.0]], problem=problem) == 12.5


def test_labels_and_teacher_are_mixed_by_a_share_where_there_are_labels():
    teacher = SimpleNamespace(logits=lambda batch: torch.tensor([8.0]))
    loss = mixed_loss(teacher, lambda own, other, batch: other - own, lambda logits, batch: torch.tensor(4.0), 0.25)
    assert loss(torch.tensor([6.0]), Batch({}, {"label": torch.zeros(1)}, 1, 1)) == 0.25 * 2 + 0.75 * 4
    assert loss(torch.tensor([6.0]), Batch({}, {}, 1, 1)) == 2


def test_a_teacher_answers_without_dropout_and_leaves_its_network_as_it_is(subject, material):
    before, is_training = weights_of(subject.network), subject.network.train().training
    teacher, batch = Teacher(subject.network), next(material.batches())
    assert torch.equal(teacher.logits(batch), teacher.logits(batch))
    assert not teacher.logits(batch).requires_grad
    assert subject.network.training == is_training
    assert all(parameter.requires_grad for parameter in subject.network.parameters())
    assert_same_weights(subject.network, before)
