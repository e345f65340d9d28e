import math
import re

import pytest

from burnish.core.errors import UserError
from burnish.evaluation.gates import check_gates, check_names

SCORES = {"accuracy": 0.95, "ece": 0.02, "macro_f1": math.nan}


@pytest.mark.parametrize(
    ("condition", "is_passed"),
    [(">= 0.95", True), ("> 0.95", False), ("<= 0.95", True), ("< 0.95", False), (" >=0.9 ", True), ("> -1", True)],
)
def test_a_gate_compares_its_score(condition, is_passed):
    (result,) = check_gates({"accuracy": condition}, SCORES)
    assert result.is_passed is is_passed
    assert (result.name, result.value, result.condition) == ("accuracy", 0.95, condition.strip())


def test_every_gate_is_reported_in_the_order_of_the_recipe():
    results = check_gates({"ece": "<= 0.01", "accuracy": ">= 0.9"}, SCORES)
    assert [(result.name, result.is_passed) for result in results] == [("ece", False), ("accuracy", True)]


def test_a_score_that_is_not_a_number_passes_no_gate():
    assert not check_gates({"macro_f1": "<= 1"}, SCORES)[0].is_passed


def test_an_unknown_score_is_refused_with_the_nearest_name():
    expected = (
        "judge.gates.acuracy: there is no score of that name. Did you mean 'accuracy'? "
        "This task has: accuracy, ece, macro_f1."
    )
    with pytest.raises(UserError, match=re.escape(expected)):
        check_gates({"acuracy": ">= 0.9"}, SCORES)


def test_all_faults_of_the_gates_are_told_at_once():
    with pytest.raises(UserError) as caught:
        check_names({"acuracy": ">= 0.9", "ece": "about 0.1"}, SCORES)
    assert len(caught.value.faults) == 2
    assert caught.value.faults[1] == (
        "judge.gates.ece: must read like '>= 0.95' (one of >= <= > <, then a number); got 'about 0.1'."
    )
