"""What `feedback`, `jobs`, `worker`, `monitor`, `alerts`, `audit`, `erase` and `backup` print, and how they end."""

import math
import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest
from rich.cells import cell_len
from tests.store.conftest import alert, feedback, prediction, release

from burnish.core.events import Message
from burnish.core.settings import settings
from burnish.feedback.opinions import Unread
from burnish.store.home import open_home, whoami


@pytest.fixture
def intent(home):
    """An installation with `intent:1` in production."""
    home.releases.register(release())
    home.releases.promote("intent", 1, "user ann")
    return home


@pytest.fixture(autouse=True)
def own_signals():
    """A worker takes SIGTERM for itself."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def table(out):
    """Heading → cell of each row of a table whose columns stand under their headings, Chinese letters being wide."""
    head, *rows = ("".join(f"{one}\0" if cell_len(one) == 2 else one for one in line) for line in out.splitlines())
    starts = [(name, head.index(name)) for name in head.split()]
    ends = [start for _, start in starts[1:]] + [10_000]
    return [
        {name: row[start:end].replace("\0", "").strip() for (name, start), end in zip(starts, ends, strict=True)}
        for row in rows
    ]


# feedback.


def test_feedback_lists_what_was_said_and_how_far_users_agree(burnish, flow):
    said = [feedback("f_1", comment="", value=["a", "b"]), feedback("f_2", state="quarantined", reason="zu viel 太多")]
    flow("feedback", lambda name: SimpleNamespace(feedback=said, n_conflicts=1, agreement=0.5, unread=()), "overview")
    ended = burnish("feedback", "intent")
    rows = table(ended.out)
    assert [(row["id"], row["of"], row["by"], row["value"]) for row in rows] == [
        ("f_1", "intent:1", "k1", "['a', 'b']"), ("f_2", "intent:1", "k1", "投诉"),
    ]  # fmt: skip
    assert (rows[0]["state"], rows[1]["state"]) == ("accepted", "quarantined")
    assert ended.out.rstrip().endswith("zu viel 太多")
    assert ended.err == "2 in all; on 1 inputs users contradict each other; users agree with alpha 0.50\n"


def test_feedback_where_nothing_can_be_told_of_agreement_says_nothing_of_it(burnish, flow):
    flow(
        "feedback", lambda name: SimpleNamespace(feedback=[], n_conflicts=0, agreement=math.nan, unread=()), "overview"
    )
    assert burnish("feedback", "intent").err == "0 in all; on 0 inputs users contradict each other\n"


def test_feedback_tells_what_it_cannot_read(burnish, flow):
    unread = [Unread("f_9", "the label must be one name; got ['a'].")]
    made = SimpleNamespace(feedback=[], n_conflicts=0, agreement=math.nan, unread=unread)
    flow("feedback", lambda name: made, "overview")
    assert burnish("feedback", "intent").err.splitlines()[0] == (
        "warning: 1 of what was said cannot be read and is passed over: f_9: the label must be one name; got ['a']."
    )


def test_feedback_decides_on_several_at_once(burnish, home):
    home.predictions.add([prediction()])
    home.corrections.add([feedback(f"f_{number}") for number in range(3)], None, "")
    ended = burnish(
        "feedback", "intent", "--decide", "f_0=accepted", "--decide", "f_1=rejected", "--decide", "f_2=accepted"
    )
    assert (ended.code, ended.err) == (0, "2 accepted\n1 rejected\n")
    assert [one.reason for one in home.corrections.of_period("intent")] == [f"decided by {whoami()}"] * 3


def test_feedback_goes_out_and_comes_in_by_the_suffix_of_the_file(burnish, flow, tmp_path):
    out = flow("feedback", lambda *a: SimpleNamespace(n_written=1200, n_left_out=3), "export_feedback")
    chosen = flow("feedback", lambda *a: SimpleNamespace(n_written=20, n_left_out=0), "export_next")
    taken = flow("feedback", lambda *a: 1200, "import_feedback")
    ended = burnish("feedback", "intent", "--export", "o.json")
    assert ended.err == "wrote 1,200 to o.json; 3 left out, whose inputs were not kept\n"
    assert burnish("feedback", "intent", "--export", "o.csv", "--next", "20").err == "wrote 20 to o.csv\n"
    assert burnish("feedback", "intent", "--import", "i.jsonl", "--format", "doccano").err == "took in 1,200\n"
    assert (out[0][0][2], chosen[0][0][2:], taken[0][0][2]) == ("label_studio", ("csv", 20), "doccano")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--next", "5"], "--next needs a file to write them to: --export FILE."),
        (["--export", "a.csv", "--import", "b.csv"], "give one of --decide, --export and --import."),
        (["--export", "a.csv", "--decide", "f=accepted"], "give one of --decide, --export and --import."),
        (["--decide", "f_1=acepted"], "--decide f_1=acepted: there is no state 'acepted'. Did you mean 'accepted'?"),
        (["--decide", "f_1"], "--decide f_1: there is no state ''. There are accepted, quarantined, rejected."),
        (["--decide", "f_gone=accepted"], "1 of 1 ids are of no feedback; 0 are accepted now."),
        (["--export", "a.xlsx"], "a.xlsx: its suffix tells no format; say --format csv, jsonl, doccano or"),
        (["--exprot", "a.csv"], "No such option: --exprot"),
        (["--import", "gone.csv"], "there is no release of the name 'intent'"),
    ],
)
def test_feedback_refuses_what_cannot_be(burnish, home, words, sentence):
    ended = burnish("feedback", "intent", *words)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


# jobs and worker.


def test_a_job_is_added_listed_done_and_its_log_read(burnish, intent):
    added = burnish("jobs", "--add", "purge", "--every-hours", "24")
    identity = added.out.strip()
    assert (added.code, intent.jobs.find(identity).arguments) == (0, {"every_s": 86_400.0})
    [row] = table(burnish("jobs").out)
    assert (row["id"], row["kind"], row["state"], row["try"]) == (identity, "purge", "waiting", "0")
    assert row["arguments"] == "every_s=86400.0"
    ended = burnish("worker", "--once")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[-1] == "1 jobs done"
    rows = table(burnish("jobs").out)
    assert [(one["state"], one["result"]) for one in rows] == [("waiting", ""), ("done", "deleted=0")]
    assert "deleted 0 predictions older than 90 days" in burnish("jobs", "--log", identity).out


def test_what_a_new_job_takes_is_read_as_yaml_and_its_name_as_text(burnish, home):
    home.releases.register(release("2024"))
    home.releases.promote("2024", 1, "user ann")
    identity = burnish(
        "jobs", "--add", "retrain", "name=2024", "least=5", "overrides=[train.epochs=1]", "--in-hours", "2"
    ).out.strip()
    job = home.jobs.find(identity)
    assert job.arguments == {"name": "2024", "least": 5, "overrides": ["train.epochs=1"]}
    assert job.due_at == pytest.approx(time.time() + 7200, abs=60)


def test_a_job_that_waits_is_cancelled(burnish, intent):
    identity = burnish("jobs", "--add", "monitor", "name=intent").out.strip()
    assert burnish("jobs", "--cancel", identity).err == f"{identity} is cancelled\n"
    ended = burnish("jobs", "--cancel", identity)
    assert (ended.code, ended.err) == (
        2, f"the job '{identity}' has ended (cancelled); there is nothing to cancel.\n",
    )  # fmt: skip


def test_how_far_a_running_job_is_is_shown(burnish, intent):
    job = intent.jobs.add("monitor", {"name": "intent"}, "user ann")
    leased = intent.jobs.lease("one", ["monitor"])
    intent.jobs.renew(leased, {"stage": "train", "done": 1200, "total": 4000, "unit": "steps"})
    [row] = table(burnish("jobs").out.replace("how far", "how_far"))
    assert (row["id"], row["state"], row["how_far"]) == (job.id, "running", "train 1,200/4,000 steps")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--add", "retrian", "name=intent"], "there is no kind of job 'retrian'. Did you mean 'retrain'?"),
        (["--add", "retrain", "name=intnt"], "Did you mean 'intent'?"),
        (["--add", "retrain"], "a job 'retrain' needs the name of a model: name=intent."),
        (["--add", "retrain", "name=intent", "leest=3"], "a job 'retrain' takes no 'leest'. Did you mean 'least'?"),
        (["--add", "retrain", "name"], "'name' is no argument; write KEY=VALUE, e.g. name=intent."),
        (["--add", "retrain", "name=intent", "least=[3"], "'least=[3': the value cannot be read; quote a text, and"),
        (["--add", "purge", "--every-hours", "0"], "every_s must be a number of seconds above 0; got 0.0."),
        (["--add", "purge", "--cancel", "j_1"], "give one of --add, --cancel and --log."),
        (["name=intent"], "arguments and times are those of a new job; say its kind: --add KIND."),
        (["--every-hours", "3"], "arguments and times are those of a new job; say its kind: --add KIND."),
        (["--log", "j_gone"], "there is no job 'j_gone'; `burnish jobs` lists them."),
        (["--cancel", "j_gone"], "there is no job 'j_gone'; `burnish jobs` lists them."),
    ],
)
def test_jobs_refuses_what_cannot_be(burnish, intent, words, sentence):
    ended = burnish("jobs", *words)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err
    assert intent.jobs.all() == []


def test_a_worker_stops_between_two_jobs_when_it_is_told_to(burnish, intent):
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    ended = burnish("worker")
    timer.join()
    assert (ended.code, ended.err) == (0, "0 jobs done\n")


# monitor and alerts.


def test_monitor_shows_the_last_hour(burnish, intent):
    now = time.time()
    intent.predictions.add(
        [
            prediction(f"p_{number}", at=now - 30, label="退款" if number < 15 else "praise", ms=float(number + 1))
            for number in range(20)
        ]
    )
    intent.predictions.add([prediction("p_old", at=now - 4000)])
    intent.alerts.add([alert(sentence="标签变了。"), alert("a_2", state="resolved", sentence="It is over.")])
    for name in ("intent", "intent:1"):
        ended = burnish("monitor", name)
        assert ended.code == 0
        assert "intent:1  classification" in ended.out
        assert "20 in the last hour" in ended.out
        assert "20 in the last minute" in ended.out
        assert "median 11.0" in ended.out
        assert "75.0%" in ended.out
        assert "标签变了。" in ended.out
        assert "It is over." not in ended.out


def test_monitor_of_a_model_that_nobody_asks_shows_so(burnish, intent):
    out = burnish("monitor", "intent").out
    assert "0 in the last hour" in out
    assert "no open alerts" in out


def test_monitor_looks_once(burnish, intent, flow):
    told = []

    def run(home, name, by, listen):
        told.append((name, by))
        listen(Message("open: Labels moved.", "warning"))
        return {"inputs": 1200, "alerts": ["a_1"]}

    flow("monitor", run, "look")
    ended = burnish("monitor", "intent@production", "--look")
    assert told == [("intent", whoami())]
    assert ended.err == ("warning: open: Labels moved.\n1,200 inputs in the newest window; 1 new or changed alerts\n")


def test_monitor_writes_a_report(burnish, flow):
    calls = flow("monitor", lambda name, out, days, listen: listen(Message(f"wrote {out}", "good")), "write_report")
    assert burnish("monitor", "intent", "--report", "r.html", "--days", "30").err == "wrote r.html\n"
    assert [str(one) for one in calls[0][0][:3]] == ["intent", "r.html", "30.0"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["intnt"], "Did you mean 'intent'?"),
        (["intent", "--look", "--report", "r.html"], "give one of --report and --look."),
        (["intent", "--days", "0"], "Invalid value for '--days'"),
        (["intent:9"], "intent: there is no version 9"),
    ],
)
def test_monitor_refuses_what_cannot_be(burnish, intent, words, sentence):
    ended = burnish("monitor", *words)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


def test_alerts_are_listed_taken_care_of_and_listed_no_more(burnish, intent):
    intent.alerts.add([alert("a_1"), alert("a_2", name="other", sentence="标签变了。")])
    assert [row["id"] for row in table(burnish("alerts").out)] == ["a_2", "a_1"]
    [row] = table(burnish("alerts", "intent").out)
    assert (row["id"], row["state"], row["severity"], row["what"]) == ("a_1", "open", "warning", "There are few.")
    assert burnish("alerts", "--acknowledge", "a_1").err == "a_1 is acknowledged\n"
    assert burnish("alerts", "--resolve", "a_1").err == "a_1 is resolved\n"
    assert table(burnish("alerts", "intent").out) == []
    assert [row["state"] for row in table(burnish("alerts", "intent", "--all").out)] == ["resolved"]
    assert [(one.who, one.what) for one in intent.audit.entries()][-2:] == [
        (whoami(), "alert acknowledged"), (whoami(), "alert resolved"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["intnt"], "Did you mean 'intent'?"),
        (["--acknowledge", "a_gone"], "there is no alert 'a_gone'; `burnish alerts` lists them."),
        (["--resolve", "a", "--acknowledge", "a"], "give one of --acknowledge and --resolve."),
    ],
)
def test_alerts_refuses_what_cannot_be(burnish, intent, words, sentence):
    ended = burnish("alerts", *words)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


# audit, erase and backup.


def test_the_audit_log_is_checked_and_shown(burnish, intent):
    ended = burnish("audit")
    assert (ended.code, ended.err) == (0, "2 lines, all as they were written\n")
    assert [line.split()[0] for line in ended.out.splitlines()[1:]] == ["1", "2"]
    assert "promote" in ended.out
    assert len(burnish("audit", "--last", "1").out.splitlines()) == 2
    assert burnish("audit", "--verify").out == ""


def test_a_log_that_was_tampered_with_ends_with_2(burnish, intent):
    from burnish.store.tables import audit

    with intent.store.writing() as connection:
        connection.execute(audit.update().where(audit.c.number == 1).values(who="user nobody"))
    ended = burnish("audit", "--verify")
    assert (ended.code, ended.out) == (2, "")
    assert "1" in ended.err


def test_erase_tells_how_many_went(burnish, flow):
    calls = flow("erase", lambda **how: 1200)
    assert burnish("erase", "--key", "k1").err == "1,200 predictions and the feedback on them are deleted\n"
    burnish("erase", "--text", "我的名字")
    assert [options for _, options in calls] == [
        {"key": "k1", "subject": None, "text": None},
        {"key": None, "subject": None, "text": "我的名字"},
    ]


@pytest.mark.parametrize("words", [[], ["--key", "k1", "--text", "a"]])
def test_erase_wants_one_of_a_key_and_a_text(burnish, home, words):
    ended = burnish("erase", *words)
    assert (ended.code, ended.err) == (2, "give one of --key, --subject and --text.\n")


def test_erase_of_an_unknown_key_ends_with_2(burnish, home):
    ended = burnish("erase", "--key", "k_gone")
    assert ended.code == 2
    assert "k_gone" in ended.err


def test_a_backup_is_an_installation_itself(burnish, intent, tmp_path, monkeypatch):
    out = tmp_path / "copy"
    assert burnish("backup", str(out)).err == f"wrote {out}; use it with BURNISH_HOME={out}\n"
    monkeypatch.setenv("BURNISH_HOME", str(out))
    settings.cache_clear()
    copy = open_home()
    assert copy.releases.find("intent").version == 1
    copy.close()


def test_a_backup_into_a_folder_with_something_in_it_is_refused(burnish, intent, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("mine")
    ended = burnish("backup", str(tmp_path / "full"))
    assert ended.code == 2
    assert "the folder is not empty" in ended.err


# Tables.


def test_columns_stand_under_each_other_whatever_the_letters_and_nothing_a_terminal_obeys_is_printed(capsys):
    from burnish.cli.lists import moment, print_table

    print_table(["label", "value"], [["退款", 1], ["ab", None], ["\x1b[2J\x07two\nlines", "x"]])
    assert capsys.readouterr().out.splitlines() == [
        "label           value", "退款            1", "ab", "\ufffd[2J\ufffdtwo lines  x",
    ]  # fmt: skip
    assert moment(None) == ""
    assert len(moment(0.0)) == len("1970-01-01 00:00:00")
