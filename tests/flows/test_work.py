"""What a worker does with jobs: one run counts, a failure says why, and what repeats comes again."""

import time
from types import SimpleNamespace

import pytest
from tests.store.conftest import feedback, prediction

from burnish.core.errors import UserError
from burnish.core.events import Message, Progress
from burnish.flows import work as module
from burnish.flows.work import refuse_unknown_job, work
from burnish.store import tables
from burnish.store.corrections import Token
from burnish.store.jobs import LEASE_S, Jobs
from burnish.store.store import StoreUnavailable

DAY_S = 86_400


@pytest.fixture
def kind(monkeypatch):
    """`kind(verb)`: jobs of the kind `monitor` do that instead."""

    def replace(verb):
        monkeypatch.setattr(module, "KINDS", {**module.KINDS, "monitor": verb})

    return replace


def queued(home, **more):
    return home.jobs.add("monitor", {"name": "intent", **more}, "user ann")


def done_now(home, told=None):
    return work(is_once=True, listen=(told if told is not None else []).append)


def texts(told):
    return [one.text for one in told if isinstance(one, Message)]


# Each kind.


def test_purge_deletes_what_is_old_and_was_not_corrected(new_home):
    old, now = time.time() - 91 * DAY_S, time.time()
    for identity, at in (("p_1", old), ("p_2", old), ("p_3", now)):
        new_home.predictions.add([prediction(identity, at=at)])
    new_home.corrections.add([feedback(prediction="p_2")], Token("k1", "once", "digest"), "{}")
    job, told = new_home.jobs.add("purge", {}, "user ann"), []
    assert done_now(new_home, told) == 1
    assert [one.id for one in new_home.predictions.of_period("intent")] == ["p_2", "p_3"]
    assert new_home.corrections.known_answer(Token("k1", "once", "digest")) == "{}"  # of today: it may come again
    done = new_home.jobs.find(job.id)
    assert (done.state, done.result) == ("done", {"deleted": 1})
    assert "deleted 1 predictions older than 90 days" in done.log
    assert [(one.who, one.what) for one in new_home.audit.entries()][-1] == (f"job {job.id}", "purged")


def test_purge_deletes_jobs_that_ended_long_ago(new_home):
    new_home.jobs.add("purge", {}, "user ann")
    done_now(new_home)
    with new_home.store.writing() as connection:
        connection.execute(tables.jobs.update().values(at=time.time() - 91 * DAY_S))
    newer = new_home.jobs.add("purge", {}, "user ann")
    done_now(new_home)
    assert [(job.id, job.state) for job in new_home.jobs.all()] == [(newer.id, "done")]


def test_monitor_looks_at_the_newest_window(home):
    job = queued(home)
    done_now(home)
    done = home.jobs.find(job.id)
    assert (done.state, done.result["inputs"], done.result["alerts"]) == ("done", 0, [])


def test_retrain_is_told_what_its_job_says(home, monkeypatch):
    seen = []

    def retrain_once(home, name, overrides, settings, by, listen):
        seen.append((name, overrides, settings, by))
        listen(Message("learning"))
        release = SimpleNamespace(version=7, is_passed=True)
        verdict = SimpleNamespace(to_dict=lambda: {"is_passed": True})
        taught = SimpleNamespace(rows=[1, 2])
        return SimpleNamespace(release=release, verdict=verdict, taught=taught, is_promoted=False, is_canary=True)

    monkeypatch.setattr("burnish.flows.retrain.retrain_once", retrain_once)
    told = {"name": "intent", "least": 5, "anchor": "ewc", "overrides": ["train.epochs=1"], "every_s": 60}
    job = home.jobs.add("retrain", told, "user ann")
    done_now(home)
    [(name, overrides, settings, by)] = seen
    assert (name, overrides, by) == ("intent", ["train.epochs=1"], f"job {job.id}")
    assert (settings.least, settings.anchor.part_name, settings.epochs) == (5, "ewc", 3)
    assert home.jobs.find(job.id).result == {
        "version": 7, "is_passed": True, "is_promoted": False, "is_canary": True, "verdict": {"is_passed": True},
        "learned": 2,
    }  # fmt: skip


def test_a_retraining_that_cannot_be_done_keeps_its_reason(home):
    job, told = home.jobs.add("retrain", {"name": "intent"}, "user ann"), []
    assert done_now(home, told) == 1
    failed = home.jobs.find(job.id)
    reason = "intent: 0 inputs have new corrections; 20 are wanted, or fewer with --least."
    assert (failed.state, failed.result) == ("failed", {"reason": reason})
    assert reason in failed.log
    assert texts(told) == [f"retrain intent ({job.id}, try 1)", reason]


# How a job ends.


def test_what_a_job_tells_is_kept_while_it_runs(home, kind):
    seen = []

    def verb(home, arguments, by, listen):
        listen(Progress("train", 3, 10, "steps"))
        listen(Message("第一步"))
        [job] = home.jobs.all()
        seen.append((job.state, job.progress, job.log.splitlines()[-1][9:]))
        return {}

    kind(verb)
    queued(home)
    done_now(home)
    assert seen == [("running", {"stage": "train", "done": 3, "total": 10, "unit": "steps"}, "第一步")]


def test_a_bug_is_kept_with_its_place_and_the_next_job_has_its_turn(home, kind):
    calls = []

    def verb(home, arguments, by, listen):
        calls.append(by)
        if len(calls) == 1:
            raise IndexError("list index out of range")
        return {"ok": True}

    kind(verb)
    first, second = queued(home), queued(home)
    assert done_now(home) == 2
    failed = home.jobs.find(first.id)
    assert failed.result == {"reason": "This is a bug. The job stopped with IndexError: list index out of range."}
    assert "in verb" in failed.log
    assert home.jobs.find(second.id).state == "done"


def test_a_job_whose_arguments_cannot_be_used_fails_with_the_sentence(home):
    """Queued by a program that did not ask first."""
    job = home.jobs.add("monitor", {}, "user ann")
    done_now(home)
    assert home.jobs.find(job.id).result == {"reason": "a job 'monitor' needs the name of a model: name=intent."}


@pytest.mark.parametrize("is_good", [True, False])
def test_a_job_that_repeats_comes_again_whether_it_was_done_or_failed(home, kind, is_good):
    def verb(home, arguments, by, listen):
        if not is_good:
            raise UserError("it is not there.")
        return {}

    kind(verb)
    job = queued(home, every_s=600)
    assert done_now(home) == 1
    again = next(one for one in home.jobs.all() if one.id != job.id)
    assert (again.kind, again.arguments, again.state) == ("monitor", {"name": "intent", "every_s": 600}, "waiting")
    assert again.due_at == pytest.approx(time.time() + 600, abs=60)
    assert [one.who for one in home.audit.entries()][-1] == f"job {job.id}"


def test_a_job_that_says_that_it_is_over_does_not_come_again(home, kind):
    kind(lambda home, arguments, by, listen: {"is_over": True})
    queued(home, every_s=600)
    assert done_now(home) == 1
    assert len(home.jobs.all()) == 1


def test_a_worker_outlives_a_job_that_comes_after_no_time(home, kind):
    """`every_s: null`, as a program may send it."""
    kind(lambda home, arguments, by, listen: {})
    first, second = queued(home, every_s=None), queued(home)
    assert done_now(home) == 2
    assert [home.jobs.find(one.id).state for one in (first, second)] == ["done", "done"]
    assert len(home.jobs.all()) == 2


# A lease that is lost.


def test_a_cancelled_job_stops_at_its_next_word_and_has_no_effect(home, kind):
    effects = []

    def verb(home, arguments, by, listen):
        home.jobs.cancel(home.jobs.all()[0].id, "user ann")
        listen(Message("about to change something"))
        effects.append("changed")
        return {}

    kind(verb)
    job, told = queued(home, every_s=60), []
    done_now(home, told)
    assert effects == []
    assert (home.jobs.find(job.id).state, len(home.jobs.all())) == ("cancelled", 1)  # and it does not come again
    assert texts(told)[-1] == f"the job {job.id} was taken over by another worker, or cancelled; this run ends."


def test_a_worker_that_slept_through_its_lease_changes_nothing_and_its_end_does_not_count(home, kind):
    effects = []

    def verb(home, arguments, by, listen):
        taken = home.jobs.lease("another", ["monitor"], now=time.time() + LEASE_S + 1)
        assert taken.attempts == 2
        if arguments["every_s"] == 60:
            listen(Message("about to change something"))
        effects.append(arguments["every_s"])
        return {"who": "the first"}

    kind(verb)
    for every_s in (60, 70):
        job = queued(home, every_s=every_s)
        done_now(home)
        now = home.jobs.find(job.id)
        assert (now.state, now.worker, now.result) == ("running", "another", None)
        home.jobs.finish(now, {"who": "another"}, is_over=True)
    assert effects == [70]  # which had said nothing before: its result was refused
    assert len(home.jobs.all()) == 2  # and neither comes again by the word of the first worker


def test_a_lost_lease_is_seen_between_two_words_of_progress_too(home, kind, monkeypatch):
    monkeypatch.setattr(module, "RENEW_EVERY_S", 0.01)
    steps = []

    def verb(home, arguments, by, listen):
        home.jobs.cancel(home.jobs.all()[0].id, "user ann")
        for step in range(1000):
            steps.append(step)
            listen(Progress("train", step, 1000, "steps"))
            time.sleep(0.01)
        return {}

    kind(verb)
    queued(home)
    done_now(home)
    assert len(steps) < 900


def test_a_lease_is_renewed_while_a_job_says_nothing(home, kind, monkeypatch):
    monkeypatch.setattr(module, "RENEW_EVERY_S", 0.01)
    until = []

    def verb(home, arguments, by, listen):
        first = home.jobs.all()[0].lease_until
        for _ in range(500):
            time.sleep(0.01)
            if home.jobs.all()[0].lease_until > first:
                break
        until.append(home.jobs.all()[0].lease_until - first)
        return {}

    kind(verb)
    queued(home)
    done_now(home)
    assert until[0] > 0


def test_the_job_of_a_worker_that_died_is_done_by_the_next(home, kind):
    kind(lambda home, arguments, by, listen: {})
    job = home.jobs.add("monitor", {"name": "intent"}, "user ann", due_at=time.time() - 100)
    home.jobs.lease("one that dies", ["monitor"], now=time.time() - LEASE_S - 1)
    assert done_now(home) == 1
    done = home.jobs.find(job.id)
    assert (done.state, done.attempts) == ("done", 2)


# A database that is away.


def test_a_job_during_which_the_database_goes_away_is_begun_anew(home, kind):
    def verb(home, arguments, by, listen):
        raise StoreUnavailable("the database does not answer.")

    kind(verb)
    job, told = queued(home), []
    done_now(home, told)
    left = home.jobs.find(job.id)
    assert (left.state, left.result) == ("running", None)
    assert texts(told)[-1] == (
        f"the database does not answer. The job {job.id} is begun anew once its lease has run out."
    )
    kind(lambda home, arguments, by, listen: {})
    again = home.jobs.lease("the next", ["monitor"], now=time.time() + LEASE_S + 1)
    assert (again.id, again.attempts) == (job.id, 2)


def test_a_worker_waits_for_a_database_that_is_away(home, kind, monkeypatch):
    kind(lambda home, arguments, by, listen: {})
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)
    lease, tries = Jobs.lease, []

    def leased(self, worker, kinds, now=None):
        tries.append(worker)
        if len(tries) < 3:
            raise StoreUnavailable("the database does not answer.")
        return lease(self, worker, kinds, now)

    monkeypatch.setattr(Jobs, "lease", leased)
    job, told = queued(home), []
    assert work(listen=told.append, is_stopped=lambda: home.jobs.find(job.id).state == "done") == 1
    assert texts(told)[:2] == ["the database does not answer."] * 2


# What is refused before it is queued.


@pytest.mark.parametrize(
    ("kind", "arguments", "sentence"),
    [
        (
            "retrian",
            {},
            "there is no kind of job 'retrian'. Did you mean 'retrain'? There are retrain, monitor, canary, purge.",
        ),
        ("retrain", {}, "a job 'retrain' needs the name of a model: name=intent."),
        ("monitor", {"name": 3}, "a job 'monitor' needs the name of a model: name=intent."),
        ("retrain", {"name": "intent:7"}, "a job 'retrain' needs the name of a model: name=intent."),
        ("monitor", {"name": "意图"}, "a job 'monitor' needs the name of a model: name=intent."),
        ("retrain", {"name": "intent", "leest": 3}, "a job 'retrain' takes no 'leest'. Did you mean 'least'?"),
        ("retrain", {"name": "intent", "least": 0}, "least must be 1 or more; got 0."),
        ("retrain", {"name": "intent", "least": "many"}, "least must be a whole number; got 'many'."),
        ("retrain", {"name": "intent", "anchor": "ewcc"}, "anchor: there is no part 'ewcc' on the shelf 'anchors'."),
        ("retrain", {"name": "intent", "policy": {"slow": 1}}, "policy.slow is not a setting."),
        ("retrain", {"name": "intent", "overrides": "a=b"}, "overrides must be a list of texts such as"),
        ("retrain", {"name": "intent", "overrides": [3]}, "overrides must be a list of texts such as"),
        ("monitor", {"name": "intent", "least": 3}, "a job 'monitor' takes no 'least'. It takes name, every_s."),
        ("purge", {"name": "intent"}, "a job 'purge' takes no 'name'. It takes every_s."),
        ("purge", {"every": 3}, "a job 'purge' takes no 'every'. Did you mean 'every_s'?"),
        ("purge", {"every_s": 0}, "every_s must be a number of seconds above 0; got 0."),
        ("purge", {"every_s": True}, "every_s must be a number of seconds above 0; got True."),
        ("purge", {"every_s": float("inf")}, "every_s must be a number of seconds above 0; got inf."),
        ("purge", {"every_s": float("nan")}, "every_s must be a number of seconds above 0; got nan."),
        ("purge", {"every_s": "3"}, "every_s must be a number of seconds above 0; got '3'."),
    ],
)
def test_a_job_that_no_worker_could_do_is_refused(kind, arguments, sentence):
    with pytest.raises(UserError) as caught:
        refuse_unknown_job(kind, arguments)
    assert str(caught.value).startswith(sentence)


def test_several_faults_of_a_job_are_told_at_once():
    with pytest.raises(UserError) as caught:
        refuse_unknown_job("retrain", {"name": "intent", "least": 0, "epochs": 0})
    assert caught.value.faults == ("least must be 1 or more; got 0.", "epochs must be 1 or more; got 0.")


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("retrain", {"name": "intent", "guard": {"caps": {"free": 3}}, "policy": {"significance": 0.01}}),
        ("retrain", {"name": "intent", "promote_if_better": True, "held_out": 0.5, "every_s": 3600.5}),
        ("monitor", {"name": "intent", "every_s": 3600}),
        ("purge", {}),
    ],
)
def test_a_job_that_can_be_done_is_let_through(kind, arguments):
    refuse_unknown_job(kind, arguments)
