from dataclasses import replace

import pytest

from burnish.core.errors import SickRun
from burnish.training.health import Health, check_epoch
from burnish.training.steps import Step

NAN = float("nan")
STEP = Step(
    step=17,
    epoch=2,
    position=4,
    loss=1.5,
    learning_rate=2e-4,
    grad_norm=3.0,
    n_rows=8,
    n_tokens=64,
    seconds=0.1,
    is_epoch_end=False,
    is_skipped=False,
)


def check(losses, precision="fp32", health=None):
    health = health or Health()
    for loss in losses:
        health.check_step(replace(STEP, loss=loss), precision)


@pytest.mark.parametrize("loss", [NAN, float("inf")])
def test_a_loss_that_is_not_a_number_stops_the_run(loss):
    sentence = (
        rf"^training stopped at step 17 \(epoch 2\): the loss is {loss}\. Nothing was published\. Lower "
        r"train\.learning_rate \(the rate was 0\.0002\), keep train\.clip_norm at 1, or set train\.precision: fp32\.$"
    )
    with pytest.raises(SickRun, match=sentence):
        check([loss])


def test_a_gradient_that_is_not_a_number_stops_the_run():
    with pytest.raises(SickRun, match=r"step 17 \(epoch 2\): the gradient is inf\."):
        Health().check_step(replace(STEP, grad_norm=float("inf"), is_skipped=True), "bf16")


def test_fp16_may_overflow_now_and_then_but_not_for_ever():
    overflow = replace(STEP, loss=NAN, grad_norm=NAN, is_skipped=True)
    health = Health()
    for _ in range(3):
        for _ in range(24):
            health.check_step(overflow, "fp16")
        health.check_step(STEP, "fp16")
    for _ in range(24):
        health.check_step(overflow, "fp16")
    with pytest.raises(SickRun, match=r"25 steps in a row overflowed fp16; set train\.precision: bf16 or fp32\."):
        health.check_step(overflow, "fp16")


def test_a_loss_that_stays_ten_times_above_the_lowest_stops_the_run():
    before = [6.0, 5.0, 5.5]  # an explosion is above 10 × 5
    check(before + [49.0] * 30)
    check(before + ([51.0] * 9 + [5.0]) * 3)
    with pytest.raises(SickRun, match=r"the loss has exploded: it is 51 and was 5 before\."):
        check(before + [51.0] * 10)


def test_a_run_that_is_nearly_solved_may_have_bad_batches():
    check([0.01, *[9.0] * 30])  # nine nats are below ten times one nat, the least that counts as normal
    with pytest.raises(SickRun, match=r"it is 11 and was 0\.01 before"):
        check([0.01, *[11.0] * 10])


def test_a_dev_score_that_is_not_a_number_stops_the_run():
    sentence = (
        r"^training stopped after epoch 1: the dev score f1 is nan\. Nothing was published\. "
        r"Look for empty texts or labels in dev, or lower train\.learning_rate\.$"
    )
    with pytest.raises(SickRun, match=sentence):
        check_epoch(1, 5, {"f1": NAN}, "f1")


ONE_CLASS = {"f1": 0.3, "n_predicted_classes": 1}


def test_one_class_for_every_row_stops_the_run_after_half_of_the_epochs():
    check_epoch(2, 4, ONE_CLASS, "f1")
    sentence = (
        r"^training stopped after epoch 3 of 4: the network gives every dev row the same class\. "
        r"Nothing was published\. Lower train\.learning_rate, add epochs or rows, or set "
        r"train\.class_weights: balanced if one class is most of the data\.$"
    )
    with pytest.raises(SickRun, match=sentence):
        check_epoch(3, 4, ONE_CLASS, "f1")
    with pytest.raises(SickRun, match="epoch 1 of 1"):
        check_epoch(1, 1, ONE_CLASS, "f1")


def test_two_classes_are_healthy_and_so_is_one_where_dev_has_no_other():
    check_epoch(4, 4, {**ONE_CLASS, "n_predicted_classes": 2}, "f1")
    check_epoch(4, 4, {**ONE_CLASS, "n_gold_classes": 1}, "f1")
    check_epoch(4, 4, {"f1": 0.3}, "f1")
