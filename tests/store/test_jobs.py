import re
import threading
import time
from dataclasses import asdict, replace

import pytest

from burnish.core.errors import NotFound, UserError
from burnish.store import tables
from burnish.store.jobs import LEASE_S, LOG_CHARACTERS, MOST_ATTEMPTS, Jobs, StaleLease
from burnish.store.records import Job

STALE = r"^the job {} was taken over by another worker, or cancelled; this run ends\.$"


@pytest.fixture
def jobs(store, audit):
    return Jobs(store, audit)


def stale(job):
    return pytest.raises(StaleLease, match=STALE.format(re.escape(job.id)))


def test_a_job_is_waiting_until_a_worker_takes_it(jobs, audit):
    job = jobs.add("retrain", {"name": "意图"}, "ann")
    assert job == jobs.find(job.id)
    assert (job.state, job.fence, job.attempts) == ("waiting", 0, 0)
    assert job.due_at == pytest.approx(time.time(), abs=60)
    leased = jobs.lease("worker 1", ["retrain", "drift"])
    assert leased == jobs.find(job.id)
    assert leased == replace(
        job, state="running", worker="worker 1", fence=1, attempts=1, lease_until=leased.lease_until
    )
    assert jobs.lease("worker 2", ["retrain"]) is None
    [line] = audit.entries()
    assert (line.who, line.what, line.about, line.detail) == (
        "ann", "job added", job.id, {"kind": "retrain", "arguments": {"name": "意图"}},
    )  # fmt: skip


def test_a_lease_is_for_kinds_that_the_worker_can_do(jobs):
    jobs.add("retrain", {}, "ann")
    assert jobs.lease("w", ["drift"]) is None
    assert jobs.lease("w", []) is None
    assert jobs.lease("w", ["retrain"]) is not None


def test_the_job_that_has_been_due_longest_comes_first_and_none_before_it_is_due(jobs):
    later, soon, never = (jobs.add("a", {"due": due}, "ann", due_at=due) for due in (200.0, 100.0, 9e9))
    assert jobs.lease("w", ["a"], now=99.0) is None
    assert jobs.lease("w", ["a"], now=300.0).id == soon.id
    assert jobs.lease("w", ["a"], now=300.0).id == later.id
    assert jobs.lease("w", ["a"], now=300.0) is None
    assert jobs.find(never.id).state == "waiting"


def test_a_finished_job_has_its_result(jobs):
    jobs.add("a", {}, "ann")
    jobs.add("a", {}, "ann")
    good, bad = jobs.lease("w", ["a"]), jobs.lease("w", ["a"])
    jobs.finish(good, {"version": 3}, log="fine")
    jobs.finish(bad, {"reason": "no rows"}, is_done=False)
    found = jobs.find(good.id)
    assert (found.state, found.result, found.log) == ("done", {"version": 3}, "fine")
    found = jobs.find(bad.id)
    assert (found.state, found.result, found.log) == ("failed", {"reason": "no rows"}, "")
    assert jobs.lease("w", ["a"], now=time.time() + 1e6) is None


def test_a_renewed_lease_lasts_longer_and_tells_how_far_the_work_is(jobs):
    jobs.add("a", {}, "ann", due_at=0.0)
    job = jobs.lease("w", ["a"], now=1000.0)
    assert job.lease_until == 1000.0 + LEASE_S
    jobs.renew(job, {"share": 0.5}, "epoch 1\n", now=1020.0)
    found = jobs.find(job.id)
    assert (found.lease_until, found.progress, found.log) == (1020.0 + LEASE_S, {"share": 0.5}, "epoch 1\n")
    jobs.renew(job, now=1040.0)  # what is not given stays
    found = jobs.find(job.id)
    assert (found.lease_until, found.progress, found.log) == (1040.0 + LEASE_S, {"share": 0.5}, "epoch 1\n")
    assert jobs.lease("other", ["a"], now=1040.0 + LEASE_S) is None
    jobs.finish(job, None)
    assert jobs.find(job.id).log == "epoch 1\n"


def test_the_end_of_a_long_log_is_kept(jobs):
    jobs.add("a", {}, "ann")
    job = jobs.lease("w", ["a"])
    jobs.renew(job, log="x" * LOG_CHARACTERS + "end")
    assert len(jobs.find(job.id).log) == LOG_CHARACTERS
    assert jobs.find(job.id).log.endswith("xend")


def test_a_lease_that_ran_out_goes_to_another_and_the_first_is_refused(jobs):
    jobs.add("a", {}, "ann", due_at=0.0)
    first = jobs.lease("first", ["a"], now=1000.0)
    second = jobs.lease("second", ["a"], now=1000.0 + LEASE_S + 0.1)
    assert (second.id, second.worker, second.fence, second.attempts) == (first.id, "second", 2, 2)
    with stale(first):
        jobs.renew(first)
    with stale(first):
        jobs.finish(first, {"version": 1})
    jobs.renew(second)
    jobs.finish(second, {"version": 2})
    assert jobs.find(first.id).result == {"version": 2}
    with stale(second):
        jobs.finish(second, {"version": 3})


def test_a_lease_that_ran_out_unnoticed_can_still_be_renewed(jobs):
    jobs.add("a", {}, "ann", due_at=0.0)
    job = jobs.lease("w", ["a"], now=1000.0)
    jobs.renew(job, now=9000.0)
    jobs.finish(job, "done")
    assert jobs.find(job.id).state == "done"


@pytest.mark.parametrize("jump_s", [-1e6, -3600.0, 3600.0, 1e6])
def test_a_clock_that_jumps_may_cost_a_run_and_never_lets_two_count(jobs, jump_s):
    jobs.add("a", {}, "ann", due_at=0.0)
    first = jobs.lease("first", ["a"], now=2e6)
    second = jobs.lease("second", ["a"], now=2e6 + jump_s)
    if jump_s < 0:  # it is not over on that clock
        assert second is None
        jobs.finish(first, "first")
        assert jobs.find(first.id).result == "first"
    else:
        with stale(first):
            jobs.finish(first, "first")
        jobs.finish(second, "second")
        assert jobs.find(first.id).result == "second"


def test_a_job_whose_workers_all_died_is_given_up_and_the_next_one_is_had(jobs):
    bad = jobs.add("a", {}, "ann", due_at=0.0)
    good = jobs.add("a", {}, "ann", due_at=1e5)
    now = 1000.0
    for attempt in range(MOST_ATTEMPTS):
        job = jobs.lease(f"worker {attempt}", ["a"], now=now)
        assert (job.id, job.attempts) == (bad.id, attempt + 1)
        now += LEASE_S + 1
    last = job
    assert jobs.lease("next", ["a"], now=2e5).id == good.id
    found = jobs.find(bad.id)
    assert (found.state, found.result, found.attempts) == ("failed", {"reason": "its worker died 5 times"}, 5)
    with stale(last):
        jobs.finish(last, "late")


def successor(jobs, job):
    [found] = [one for one in jobs.all() if one.id != job.id]
    return found


@pytest.mark.parametrize("is_done", [True, False])
def test_a_job_that_repeats_has_a_successor_when_it_ends_unless_it_need_not_come_again(jobs, audit, is_done):
    job = jobs.add("purge", {"every_s": 600, "a": "中"}, "ann")
    jobs.finish(jobs.lease("w", ["purge"]), {}, is_done=is_done)
    again = successor(jobs, job)
    assert (again.kind, again.arguments, again.state) == ("purge", {"every_s": 600, "a": "中"}, "waiting")
    assert again.due_at == pytest.approx(time.time() + 600, abs=60)
    line = list(audit.entries())[-1]
    assert (line.who, line.what, line.about) == (f"job {job.id}", "job added", again.id)
    jobs.finish(jobs.lease("w", ["purge"], now=again.due_at), {}, is_done=is_done, is_over=True)
    assert len(jobs.all()) == 2


def test_the_end_of_a_job_that_repeats_and_its_successor_are_one_transaction(jobs, audit, monkeypatch):
    job = jobs.add("purge", {"every_s": 600}, "ann")
    leased = jobs.lease("w", ["purge"])

    def fail(*arguments):
        raise OSError("the machine stops")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "add", fail)
        with pytest.raises(OSError, match="the machine stops"):
            jobs.finish(leased, {})
    assert jobs.all() == [leased]  # running still: another worker takes it over
    with stale(leased):
        jobs.lease("other", ["purge"], now=leased.lease_until + 1)
        jobs.finish(leased, {})
    assert len(jobs.all()) == 1
    assert jobs.find(job.id).worker == "other"


def test_a_job_that_repeats_comes_again_where_all_its_workers_died(jobs, audit):
    job = jobs.add("purge", {"every_s": 600}, "ann", due_at=0.0)
    for attempt in range(MOST_ATTEMPTS):
        assert jobs.lease("w", ["purge"], now=1000.0 * attempt).id == job.id
    assert jobs.lease("w", ["purge"], now=9000.0) is None
    again = successor(jobs, job)
    assert (jobs.find(job.id).state, again.state, again.attempts, again.due_at) == ("failed", "waiting", 0, 9600.0)
    assert [line.who for line in audit.entries()] == ["ann", f"job {job.id}"]
    assert jobs.lease("w", ["purge"], now=9600.0).id == again.id
    assert audit.fault() is None


@pytest.mark.parametrize("every_s", [None, "600", True, 0, -1.0, [600]])
def test_a_job_that_says_no_number_of_seconds_comes_once(jobs, every_s):
    """Queued by a program that did not ask first."""
    jobs.add("purge", {"every_s": every_s}, "ann")
    jobs.finish(jobs.lease("w", ["purge"]), {})
    assert len(jobs.all()) == 1


def test_a_cancelled_job_is_not_done(jobs, audit):
    waiting, running = jobs.add("a", {}, "ann"), jobs.add("b", {}, "ann")
    job = jobs.lease("w", ["b"])
    jobs.cancel(waiting.id, "bob")
    jobs.cancel(running.id, "bob")
    assert [jobs.find(one.id).state for one in (waiting, running)] == ["cancelled", "cancelled"]
    with stale(job):
        jobs.renew(job)
    with stale(job):
        jobs.finish(job, "late")
    assert jobs.lease("w", ["a", "b"], now=time.time() + 1e6) is None
    assert [(line.who, line.what, line.about) for line in audit.entries()][2:] == [
        ("bob", "job cancelled", waiting.id),
        ("bob", "job cancelled", running.id),
    ]


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_a_job_that_has_ended_cannot_be_cancelled(jobs, audit, end):
    job = jobs.add("a", {}, "ann")
    if end == "cancelled":
        jobs.cancel(job.id, "ann")
    else:
        jobs.finish(jobs.lease("w", ["a"]), None, is_done=end == "done")
    before = len(list(audit.entries()))
    with pytest.raises(UserError) as caught:
        jobs.cancel(job.id, "ann")
    assert str(caught.value) == f"the job '{job.id}' has ended ({end}); there is nothing to cancel."
    assert len(list(audit.entries())) == before


def test_a_job_that_ends_while_it_is_cancelled_stays_as_it_ended(jobs, audit, monkeypatch):
    job = jobs.add("a", {}, "ann")
    jobs.finish(jobs.lease("w", ["a"]), "done")
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "find", lambda identity: job)  # as it was a moment ago
        with pytest.raises(UserError) as caught:
            jobs.cancel(job.id, "ann")
    assert str(caught.value) == f"the job '{job.id}' has just ended; there is nothing to cancel."
    assert jobs.find(job.id).state == "done"
    assert len(list(audit.entries())) == 1


def test_a_job_that_there_is_not_is_told(jobs):
    for action in (jobs.find, lambda one: jobs.cancel(one, "ann")):
        with pytest.raises(NotFound, match=r"^there is no job 'j_none'; `burnish jobs` lists them\.$"):
            action("j_none")


def test_jobs_are_listed_the_newest_first(jobs, store):
    with store.writing() as connection:
        for at in (1.0, 3.0, 2.0):
            connection.execute(tables.jobs.insert().values(**asdict(Job(f"j_{at}", at, "a", {}, at))))
    assert [job.at for job in jobs.all()] == [3.0, 2.0, 1.0]
    assert [job.at for job in jobs.all(n_newest=1)] == [3.0]


def test_many_workers_do_each_job_once(jobs):
    made = {jobs.add("a", {"n": n}, "ann").id for n in range(12)}
    had = []

    def work(name):
        while job := jobs.lease(name, ["a"]):
            had.append(job.id)
            jobs.finish(job, name)

    threads = [threading.Thread(target=work, args=(f"worker {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(had) == sorted(made)
    assert {job.state for job in jobs.all()} == {"done"}


def test_an_open_job_about_a_name_is_seen_however_many_came_after_it(jobs):
    first = jobs.add("retrain", {"name": "intent"}, "ann")
    jobs.add("purge", {}, "ann")
    for _ in range(101):
        jobs.add("a", {"name": "intent"}, "ann")
        jobs.finish(jobs.lease("w", ["a"]), None)
    assert jobs.has_open("retrain", "intent")
    assert not jobs.has_open("retrain", "mood")
    assert not jobs.has_open("a", "intent")
    assert not jobs.has_open("purge", "intent")
    jobs.cancel(first.id, "ann")
    assert not jobs.has_open("retrain", "intent")


def test_old_jobs_are_deleted_once_they_have_ended(jobs):
    ended, waiting, running = (jobs.add(kind, {}, "ann") for kind in ("a", "b", "c"))
    jobs.finish(jobs.lease("w", ["a"]), None)
    jobs.lease("w", ["c"])
    assert jobs.purge(ended.at) == 0
    assert jobs.purge(time.time() + 60) == 1
    assert {job.id for job in jobs.all()} == {waiting.id, running.id}
