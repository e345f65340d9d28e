"""What a client is told of a fault."""

import json
import random

import pytest

from burnish.core.errors import GateMissed, NotFound, UserError
from burnish.serving.problems import BUG, Problem, is_bug, overloaded, place_of, problem_of, shown, too_many
from burnish.store.store import StoreUnavailable


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (Problem(418, "no."), 418, "no."),
        (StoreUnavailable("psycopg says secret things."), 503, "the store does not answer now; nothing was changed."),
        (NotFound("there is no key 'x'."), 404, "there is no key 'x'."),
        (GateMissed("intent:2 missed its gate."), 409, "intent:2 missed its gate."),
        (UserError("one.", "two."), 422, "one.\ntwo."),
        (ZeroDivisionError("with somebody's text"), 500, BUG),
    ],
)
def test_every_fault_has_its_status_and_its_sentence(error, status, detail):
    problem = problem_of(error)
    assert (problem.status, problem.detail) == (status, detail)
    assert is_bug(error) == (status == 500)


def test_a_problem_is_told_in_the_form_of_rfc_9457():
    assert json.loads(Problem(404, "there is no model 'x'.").body()) == {
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is no model 'x'.",
    }  # fmt: skip


def test_a_sentence_with_half_a_character_can_be_told():
    assert "\ufffd" in json.loads(Problem(422, "half \ud800 a character").body())["detail"]


@pytest.mark.parametrize(("wait_s", "least", "most"), [(0.0, 1, 1), (1.0, 1, 3), (2.4, 3, 5), (6400.0, 6400, 6411)])
def test_a_time_to_come_back_is_whole_seconds_never_too_soon_and_not_the_same_for_everybody(wait_s, least, most):
    random.seed(7)
    found = {int(make("", wait_s).headers["Retry-After"]) for make in (overloaded, too_many) for _ in range(300)}
    assert min(found) >= least
    assert max(found) <= most
    assert len(found) > 1 or most == least
    assert (overloaded("").status, too_many("", 1).status) == (503, 429)


def test_the_place_of_a_bug_names_files_and_lines_and_nothing_that_was_at_hand():
    def fail(secret):
        raise ValueError(secret)

    with pytest.raises(ValueError, match="13912345678") as caught:
        fail("13912345678")
    place = place_of(caught.value)
    assert place.startswith("test_problems.py:")
    assert "fail" in place
    assert "139" not in place


def test_what_a_client_sent_is_repeated_only_as_far_as_a_sentence_goes():
    assert shown("x" * 80) == "x" * 80
    assert shown("x" * 81) == "x" * 80 + "…"
    assert shown(None) == "None"
