"""A canary on trial: promoted, taken back or waited for, by what came of it on live requests."""

import time

import pytest
from tests.store.conftest import feedback, prediction, release

from burnish.core.errors import UserError
from burnish.core.events import Message
from burnish.evaluation.promotion import Policy
from burnish.flows import canary as module
from burnish.flows.canary import Trial, begin, decide_on, finish_canary
from burnish.flows.failures import add_errors
from burnish.flows.traffic import Traffic, set_traffic, traffic_now
from burnish.flows.work import work
from burnish.monitoring.twosample import more_often

SINCE = time.time() - 10_000


@pytest.fixture
def tried(new_home):
    """Three versions; the first is in production, the second has 10 % of the requests on trial, a shadow is there."""
    for _ in range(3):
        new_home.releases.register(release())
    new_home.releases.promote("intent", 1, "user ann")
    set_traffic(new_home, "intent", Traffic(shadow=3), "user ann")
    begin(new_home, "intent", Trial(version=2, against=1, inputs=40, since=SINCE, policy=Policy()), 10, "user ann")
    return new_home


def answer(home, version, n, *, wrong=0, right=0, **fields):
    """`n` answers of a version, of which some were called wrong and some right."""
    traffic = "live" if version == 1 else "canary"
    ids = [f"p_{version}_{len(fields)}_{number}" for number in range(n)]
    usual = {"ms": 10.0, "traffic": traffic, "at": SINCE + 5, "label": "refund"}
    rows = [prediction(one, version=version, **{**usual, **fields}) for one in ids]
    home.predictions.add(rows)
    said = [("complaint", one) for one in ids[:wrong]] + [("refund", one) for one in ids[wrong : wrong + right]]
    home.corrections.add(
        [
            feedback(f"f_{one}", prediction=one, version=version, value=value, at=SINCE + 9)
            for value, one in said
        ],
        None,
        "",
    )  # fmt: skip


def aliases(home):
    return {one.alias: one.version for one in home.releases.aliases()}


def test_it_begins_with_a_share_beside_what_was_set_and_a_job_that_decides(tried):
    assert traffic_now(tried, "intent") == Traffic(canary=2, percent=10, shadow=3)
    [job] = tried.jobs.all()
    assert (job.kind, job.arguments) == ("canary", {"name": "intent", "every_s": 60.0})
    begin(tried, "intent", Trial(version=3, against=1, inputs=40, since=SINCE, policy=Policy()), 5, "user ann")
    assert traffic_now(tried, "intent") == Traffic(canary=3, percent=5, shadow=3)
    assert len(tried.jobs.all()) == 1


def test_too_little_is_waited_for_and_told(tried):
    answer(tried, 1, 40)
    answer(tried, 2, 39)
    assert decide_on(tried, "intent", "user ann") == (
        "waiting",
        "intent:2 answered 39 inputs and version 1 40; it is decided when each has answered 40.",
    )
    assert traffic_now(tried, "intent").canary == 2


def test_a_good_one_is_promoted_and_says_why(tried):
    answer(tried, 1, 400, wrong=20, right=20)
    answer(tried, 2, 40, ms=12, wrong=3, right=7)
    told = []
    found = decide_on(tried, "intent", "job j1", told.append)
    assert found.state == "promoted"
    assert found.sentence.startswith(
        "the canary is good: intent:2 answered 40 inputs and version 1 400. 0 of its 40 requests failed; of "
        "production's 0 of 400. 3 of its 10 answers that people judged were wrong; of production's 20 of 40. It took 1"
    )
    assert aliases(tried) == {"production": 2, "previous": 1, "candidate": 3}
    assert traffic_now(tried, "intent") == Traffic(shadow=3)
    promoted = next(one for one in tried.audit.entries() if one.what == "promote" and one.about == "intent:2")
    assert (promoted.who, promoted.detail["why"]) == ("job j1", found.sentence)
    assert told == [Message(found.sentence, "good")]
    assert decide_on(tried, "intent", "user ann") is None


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"wrong": 10}, "10 of its 10 answers that people judged were wrong; of production's 2 of 40."),
        ({"ms": 40.0}, "ms in the median, and production 10.2"),
    ],
)
def test_one_that_is_worse_is_taken_back_and_stays_a_candidate(tried, own, sentence):
    answer(tried, 1, 400, wrong=2, right=38)
    answer(tried, 2, 40, **own)
    found = decide_on(tried, "intent", "user ann")
    assert found.state == "withdrawn"
    assert found.sentence.startswith("the canary is taken back: intent:2 answered 40 inputs and version 1 400.")
    assert sentence in found.sentence
    assert traffic_now(tried, "intent") == Traffic(shadow=3)
    assert aliases(tried)["production"] == 1


def test_failing_requests_end_it_before_it_has_answered_enough(tried):
    """Of 11 requests 6 failed, of 100 none: 9.9 % of the requests, and so by chance in 0.099⁶ of all cases."""
    answer(tried, 1, 100)
    answer(tried, 2, 5)
    add_errors(tried, {("intent:2", int(time.time() // 60)): 6})
    found = decide_on(tried, "intent", "user ann")
    assert (found.state, "6 of its 11 requests failed; of production's 0 of 100." in found.sentence) == (
        "withdrawn", True,
    )  # fmt: skip


def test_before_that_one_failure_or_what_is_seen_by_looking_often_ends_nothing(tried):
    """4 of 20 beside 6 of 160: 1.5 % by Fisher's test, if that were asked once; but it is asked every minute."""
    answer(tried, 1, 154)
    answer(tried, 2, 16)
    add_errors(tried, {("intent:2", int(time.time() // 60)): 4, ("intent:1", int(time.time() // 60)): 6})
    assert more_often(4, 20, 6, 160) < Policy().significance / 2
    assert decide_on(tried, "intent", "user ann").state == "waiting"


def test_errors_of_before_of_production_and_as_many_as_by_chance_do_no_harm(tried):
    minute = int(time.time() // 60)
    add_errors(tried, {("intent:2", int(SINCE // 60) - 60): 50, ("intent:1", minute): 10, ("intent:2", minute): 2})
    answer(tried, 1, 400)
    answer(tried, 2, 40)
    assert decide_on(tried, "intent", "user ann").state == "promoted"


def test_what_failed_in_the_same_hour_before_it_began_is_not_counted(tried):
    """Else 30 failures of production from before would hide 5 of the canary."""
    minute = int(SINCE // 60)
    add_errors(tried, {("intent:1", minute): 30})
    begin(tried, "intent", Trial(version=3, against=1, inputs=40, since=SINCE, policy=Policy()), 5, "user ann")
    answer(tried, 1, 400)
    answer(tried, 3, 40)
    add_errors(tried, {("intent:3", minute): 5})
    found = decide_on(tried, "intent", "user ann")
    assert found.state == "withdrawn"
    assert "5 of its 45 requests failed; of production's 0 of 400." in found.sentence


def test_only_what_was_asked_since_and_answered_counts(tried):
    answer(tried, 1, 40)
    answer(tried, 2, 40, traffic="shadow")
    answer(tried, 2, 40, at=SINCE - 1)
    assert decide_on(tried, "intent", "user ann").sentence.startswith("intent:2 answered 0 inputs and version 1 40;")


def test_one_that_nobody_asks_is_taken_back_after_a_week(tried):
    answer(tried, 1, 400)
    answer(tried, 2, 3)
    found = decide_on(tried, "intent", "user ann", now=SINCE + module.MOST_S)
    assert found == (
        "withdrawn",
        (
            "the canary is taken back: intent:2 answered 3 inputs and version 1 400; each must have answered 40 within "
            "7 days. It stays the candidate."
        ),
    )


def test_what_somebody_decided_by_hand_stays(tried):
    tried.releases.promote("intent", 3, "user ann")
    assert decide_on(tried, "intent", "user ann") == (
        "withdrawn",
        "the canary intent:2 is taken back: intent:3 came into production, and the trial was against version 1.",
    )
    assert aliases(tried)["production"] == 3


def test_one_that_was_promoted_by_hand_is_left_there(tried):
    tried.releases.promote("intent", 2, "user ann")
    assert decide_on(tried, "intent", "user ann") == ("promoted", "intent:2 is production already")
    assert traffic_now(tried, "intent").canary is None


def test_one_whose_share_was_taken_by_hand_is_on_trial_no_more(tried):
    other = Traffic(canary=3, percent=50)
    set_traffic(tried, "intent", other, "user ann")
    assert decide_on(tried, "intent", "user ann").sentence == (
        "intent:2 has no share of the requests any more, so its trial ends."
    )
    assert traffic_now(tried, "intent") == other


def test_a_worker_looks_again_until_it_is_decided(tried, monkeypatch):
    clock = time.time

    def work_in(seconds):
        monkeypatch.setattr("burnish.store.jobs.time.time", lambda: clock() + seconds)
        work(is_once=True)

    answer(tried, 1, 40)
    work_in(100)
    assert sorted(one.state for one in tried.jobs.all()) == ["done", "waiting"]
    answer(tried, 2, 40)
    waiting = next(one for one in tried.jobs.all() if one.state == "waiting")
    work_in(300)
    done = tried.jobs.find(waiting.id)
    assert (done.state, done.result["state"], done.result["is_over"]) == ("done", "promoted", True)
    assert {one.state for one in tried.jobs.all()} == {"done"}


def test_without_a_trial_it_is_told_how_to_begin_one(new_home):
    new_home.releases.register(release())
    new_home.releases.promote("intent", 1, "user ann")
    with pytest.raises(UserError, match=r"^intent: no canary is on trial; burnish retrain intent --canary 5 begins on"):
        finish_canary("intent")
    new_home.jobs.add("canary", {"name": "intent", "every_s": 60}, "user ann")
    work(is_once=True)
    [job] = new_home.jobs.all()  # it does not come again
    assert job.result == {"state": "none", "reason": "no canary is on trial", "is_over": True}


def test_finish_decides_at_once(tried):
    answer(tried, 1, 40)
    assert finish_canary("intent").state == "waiting"
