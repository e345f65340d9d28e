"""Matching: scores on the user's scale, and the objectives of a bi-encoder by hand."""

import numpy as np
import pytest
import torch

from burnish.bundle.torch_core import TorchCore
from burnish.core.shelves import Shelf
from burnish.models.tokenizer import load_tokenizer
from burnish.tasks._contract import Answered, Decision
from burnish.tasks._pairs import pair_loss


def build(**settings):
    return Shelf("tasks").build({"name": "matching", **settings})


def row(score, text="good day", pair="so bad"):
    return {"text": text, "text_pair": pair, "score": score}


def test_scores_are_read_as_shares_of_the_scale():
    task = build(scale=[1, 5])
    assert task.read(row(1), True)["score"] == 0.0
    assert task.read(row("3.0"), True)["score"] == 0.5
    assert task.read(row(" Yes "), True)["score"] == 1.0
    assert task.read(row("false"), True)["score"] == 0.0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (row("alike"), "'score' must be a number from 0 to 5, or yes / no; got 'alike'."),
        (row(None), "'score' must be a number from 0 to 5, or yes / no; got None."),
        (row(5.1), "'score' must be a number from 0 to 5; got 5.1. The setting 'scale' of the task says what is"),
        (row(float("nan")), "'score' must be a number from 0 to 5; got nan."),
        (row(1, pair=" "), "'text_pair' is empty; give it a text"),
        (row(1, text=""), "'text' is empty; give it a text"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_in_one_sentence(values, sentence):
    with pytest.raises(ValueError, match="^" + sentence.replace("(", r"\(")):
        build(scale=[0, 5]).read(values, True)


def test_a_scale_that_falls_is_refused():
    with pytest.raises(ValueError, match=r"scale must rise, e\.g\. \[0, 5\]; got \[5, 0\]"):
        build(scale=[5, 0])


def vectors(*angles):
    """Unit vectors in the plane at these angles in degrees."""
    turned = torch.deg2rad(torch.tensor(angles, dtype=torch.float64))
    return torch.stack([turned.cos(), turned.sin()], dim=1)


def test_the_cosine_objective_is_the_squared_distance_of_cosine_and_score():
    # cosines 0.5 and 0; scores 1 and 0.5: ((0.5 - 1)² + (0 - 0.5)²) / 2
    loss = pair_loss("cosine", vectors(0, 60, 0, 90), torch.tensor([1.0, 0.5]), 0.0)
    assert loss.item() == pytest.approx(0.25)


def test_the_contrastive_objective_pulls_matches_and_pushes_others_to_the_margin():
    # distances 0.5 (match), 0 (no match, margin 0.5), 1 (no match, beyond it): (0.25 + 0.25 + 0) / 3 / 2
    loss = pair_loss("contrastive", vectors(0, 60, 0, 0, 0, 90), torch.tensor([1.0, 0.0, 0.0]), 0.0)
    assert loss.item() == pytest.approx(0.5 / 6)


def test_the_in_batch_objective_sets_each_match_against_every_second_text():
    # first texts at 0°; second texts at 0° (match) and 60° (only a negative): −log softmax([1, 0.5] / 0.05)[0]
    loss = pair_loss("in_batch", vectors(0, 0, 0, 60), torch.tensor([1.0, 0.0]), 0.0)
    assert loss.item() == pytest.approx(np.log1p(np.exp(-10)), rel=1e-4)


def test_a_batch_without_a_match_teaches_nothing_in_batch():
    given = vectors(0, 10).requires_grad_()
    loss = pair_loss("in_batch", given, torch.tensor([0.0]), 0.0)
    loss.backward()
    assert loss.item() == 0.0
    assert not given.grad.any()


def answered(task, examples, base, network):
    tokenizer = load_tokenizer(base)
    core = TorchCore(network, task, tokenizer.pad_id, 0)
    encoded = task.encode(examples, tokenizer, ())
    outputs = core.run([one.features[0] for one in encoded])
    return [
        Answered(example, one.features, [output])
        for example, one, output in zip(examples, encoded, outputs, strict=True)
    ]


@pytest.mark.parametrize("head", ["cls", "mean"])
def test_read_in_both_orders_a_pair_gets_the_mean_of_its_two_scores(head, tiny_base):
    once, both = build(head=head), build(head=head, both_orders=True)
    network = once.head_part.attach(tiny_base, once.head_plan(()))
    pairs = [("good day", "so bad all"), ("so bad all", "good day")]
    examples = [once.read(row(None, *pair), False) for pair in pairs]
    alone, together = (
        [one.score for one in task.decode(answered(task, examples, tiny_base, network), (), Decision())]
        for task in (once, both)
    )
    assert alone[0] != pytest.approx(alone[1], abs=1e-6)
    assert together == pytest.approx([sum(alone) / 2] * 2, abs=1e-6)


def test_both_orders_of_a_pair_are_learnt_with_its_score(tiny_base):
    task = build(both_orders=True)
    pairs = [("good day", "so"), ("all", "day")]
    encoded = task.encode(
        [task.read(row(n, *pair), True) for n, pair in enumerate(pairs)], load_tokenizer(tiny_base), ()
    )
    batch = task.collate([one.features[0] for one in encoded], 0, 0).to("cpu")
    assert len(batch.inputs["input_ids"]) == 4
    # logits 0, 0 (score 0) and 0, ln 3 (score 1): −ln ½, −ln ½, −ln ½, −ln ¾
    loss = task.loss(torch.tensor([[0.0], [0.0], [0.0], [np.log(3)]]), batch, None, 0.0)
    assert loss.item() == pytest.approx((3 * np.log(2) + np.log(4 / 3)) / 4)


@pytest.mark.parametrize("head", ["vector", "compare"])
def test_heads_that_know_no_order_cannot_read_both(head):
    with pytest.raises(
        ValueError, match=rf"both_orders is for the heads cls, mean and max; the head '{head}' knows no"
    ):
        build(head=head, both_orders=True)


@pytest.mark.parametrize("head", ["cls", "compare", "vector"])
def test_answers_are_on_the_users_scale_and_match_from_devs_threshold(head, tiny_base):
    task = build(head=head, scale=[0, 5])
    network = task.head_part.attach(tiny_base, task.head_plan(()))
    rows = answered(task, [task.read(row(None), False)], tiny_base, network)
    (found,) = task.decode(rows, (), Decision())
    assert 0 <= found.score <= 5
    unit = task.outcome([rows[0]._replace(example={"score": 1.0})], (), Decision()).predicted[0]
    assert found.score == pytest.approx(5 * min(max(unit, 0), 1))
    at, above = (task.decode(rows, (), Decision(label_thresholds=(cut,)))[0].is_match for cut in (unit, unit + 1e-6))
    assert (at, above) == (True, False)


def test_a_bi_encoder_compares_what_it_reads_apart(tiny_base):
    """The score of a pair is the cosine of the two texts' vectors, each computed alone."""
    task = build(head="vector")
    network = task.head_part.attach(tiny_base, task.head_plan(())).eval()
    tokenizer = load_tokenizer(tiny_base)
    example = task.read(row(None, "good day", "so bad all"), False)
    rows = answered(task, [example], tiny_base, network)
    alone = []
    for text in (example["text"], example["text_pair"]):
        ids = torch.tensor([tokenizer.ids([text])[0].ids])
        with torch.inference_mode():
            alone.append(network(input_ids=ids, attention_mask=torch.ones_like(ids))[0])
    expected = float(torch.dot(*alone))
    outcome = task.outcome([rows[0]._replace(example={"score": 1.0})], (), Decision())
    assert outcome.predicted[0] == pytest.approx(expected, abs=1e-5)


def test_sides_say_which_token_belongs_to_which_text(tiny_base):
    tokenizer = load_tokenizer(tiny_base)
    task = build(head="compare")
    (one,) = task.encode([task.read(row(1, "good day", "so"), True)], tokenizer, ())
    # [CLS] good day [SEP] [CLS] so [SEP]: each as it would stand alone
    assert one.features[0]["sides"].tolist() == [1, 1, 1, 1, 2, 2, 2]
    assert one.features[0]["input_ids"].tolist() == [*tokenizer.ids(["good day"])[0].ids, *tokenizer.ids(["so"])[0].ids]
    assert set(one.features[0]) == {"input_ids", "sides", "score_bits"}
    (longer,) = task.encode([task.read(row(1, "good day", "so bad"), True)], tokenizer, ())
    batch = task.collate([one.features[0], longer.features[0]], 0, 0).to("cpu")
    assert batch.inputs["sides"].tolist() == [[1, 1, 1, 1, 2, 2, 2, 0], [1, 1, 1, 1, 2, 2, 2, 2]]
