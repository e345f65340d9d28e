"""`monitor`: windows, alerts on their way out, the file of rules, and the report."""

import json
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from types import SimpleNamespace

import pytest
from tests.monitoring.made import alert
from tests.store.conftest import feedback, prediction

from burnish.core.errors import NotFound, UserError
from burnish.core.events import Message, ignore
from burnish.flows import failures
from burnish.flows import monitor as module
from burnish.flows.failures import add_errors
from burnish.flows.monitor import look, monitoring_of, window_of, write_report
from burnish.flows.post import MOST_WAITING, Post
from burnish.monitoring.sinks import webhook
from burnish.monitoring.sinks._contract import NotDelivered
from burnish.monitoring.sinks.webhook import Webhook
from burnish.store.states import read_state

HOUR_S = 3_600
START = 480_000 * HOUR_S
"""A full hour; the window of an hour that begins here is the newest at START + HOUR_S."""
RULES = """
rulebook:
  window_s: 3600
  n_history: 3
  rules:
    - {watch: label_mix, name: 标签, silence_s: 0}
    - {watch: errors, severity: critical}
retrain_on: [标签]
"""


def answers(home, label, start=START, n=60, prefix="p"):
    """So many answers within the hour after `start`."""
    found = [
        prediction(f"{prefix}_{start}_{number}", at=start + number, answer={"label": label}, label=label)
        for number in range(n)
    ]
    home.predictions.add(found)
    return found


def mixed(home, start=START):
    """Labels in about the shares that they have on the test rows of intent:1."""
    kept = state(home, "reference intent:1")["answers"]["labels"]
    for label, n in kept.items():
        answers(home, label, start, n, prefix=label)


def state(home, name):
    with home.store.reading() as connection:
        return read_state(connection, name)


def rules(home, text=RULES):
    (home.folder / "monitoring.yaml").write_text(text, "utf-8")


def looked(home, hours=1, told=None, name="intent"):
    return look(home, name, "user ann", (told if told is not None else []).append, now=START + hours * HOUR_S + 5)


@pytest.fixture
def sent(monkeypatch):
    """What webhooks post, and what is answered to them; the network is left out."""
    monkeypatch.setenv("BURNISH_WEBHOOK_SECRET", "a secret of 密钥")
    posted, statuses = [], []

    def post(target, body, headers):
        posted.append(json.loads(body))
        return statuses.pop(0) if statuses else 200

    monkeypatch.setattr(webhook, "post", post)
    return SimpleNamespace(posted=posted, statuses=statuses)


SINK = "sinks: [{name: webhook, url: 'https://93.184.216.34/hook', n_tries: 1}]\n"


# A look.


def test_where_nothing_was_asked_nothing_is_found(home):
    found = looked(home)
    assert (found["inputs"], found["alerts"], found["values"]) == (0, [], {})
    assert state(home, "findings intent") == {}


def test_labels_that_change_open_an_alert_that_is_told_and_kept(home):
    rules(home)
    answers(home, "good")
    told = []
    found = looked(home, told=told)
    [kept] = home.alerts.all("intent")
    assert (found["alerts"], found["inputs"]) == ([kept.id], 60)
    assert (kept.state, kept.watch, kept.numbers["rule"], kept.name) == ("open", "label_mix", "标签", "intent")
    assert Message(f"open: {kept.sentence}", "warning") in told
    assert found["values"]["标签"] == state(home, "findings intent")["标签"] > 0.1


def test_an_alert_is_resolved_when_the_labels_are_as_usual_again(home):
    rules(home)
    answers(home, "good")
    looked(home)
    mixed(home, START + HOUR_S)
    told = []
    looked(home, hours=2, told=told)
    [kept] = home.alerts.all("intent")
    assert (kept.state, kept.by) == ("resolved", "burnish")
    assert [one.level for one in told] == ["good"]


def test_a_window_that_is_looked_at_twice_changes_nothing(home, sent):
    rules(home, RULES + SINK)
    answers(home, "good")
    looked(home)
    assert looked(home)["alerts"] == []
    assert (len(home.alerts.all("intent")), len(sent.posted)) == (1, 1)


def test_an_alert_asks_for_one_retraining_where_its_rule_says_so(home):
    rules(home)
    told = []
    for hour in range(3):
        kind = "good" if hour % 2 == 0 else None
        answers(home, kind, START + hour * HOUR_S) if kind else mixed(home, START + hour * HOUR_S)
        looked(home, hours=hour + 1, told=told)
    assert len(home.alerts.all("intent")) == 2
    [job] = home.jobs.all()  # the first one waits still
    assert (job.kind, job.arguments) == ("retrain", {"name": "intent"})
    assert [one.text for one in told].count("asked for a retraining of 'intent'") == 1
    assert [(one.who, one.what) for one in home.audit.entries() if one.what == "job added"] == [
        ("user ann", "job added")
    ]


def test_an_alert_of_another_rule_asks_for_none(home):
    rules(home)
    add_errors(home, {("intent", START // 60): 60})
    looked(home)
    [kept] = home.alerts.all("intent")
    assert (kept.watch, kept.severity, home.jobs.all()) == ("errors", "critical", [])


@pytest.mark.parametrize("name", ["intent:1", "intent@production"])
def test_a_version_is_looked_at_by_its_name(home, name):
    rules(home)
    answers(home, "good")
    assert looked(home, name=name)["inputs"] == 60
    assert home.alerts.all("intent")


def test_a_name_that_is_not_there_is_told(home):
    with pytest.raises(NotFound, match="Did you mean 'intent'"):
        looked(home, name="intnt")


# Windows.


def test_the_newest_window_is_read_again_once_it_is_past_and_then_kept(home):
    """What a journal held at the full hour comes into the database some seconds later."""
    rules(home)
    answers(home, "good")
    looked(home)
    answers(home, "good", START, 7, prefix="late")
    looked(home, hours=2)
    place = f"window intent {START} {START + HOUR_S}"
    assert state(home, place)["answers"]["n_rows"] == 67
    home.predictions.erase("user ann", key="k1")
    looked(home, hours=3)
    assert state(home, place)["answers"]["n_rows"] == 67


def test_hours_in_which_nothing_was_asked_are_history_once_something_was(home, monkeypatch):
    """What is quiet every night is usual then; what was quiet before anybody knew the name tells nothing."""
    rules(home)
    seen = []
    monkeypatch.setattr(
        "burnish.flows.monitor.look_at", lambda book, window, reference, history: seen.append(history) or {}
    )
    answers(home, "good", START + HOUR_S)
    looked(home, hours=4)
    assert [(one.start, one.answers.n_rows) for one in seen[0]] == [(START + HOUR_S, 60), (START + 2 * HOUR_S, 0)]


def test_a_service_that_is_asked_by_day_only_is_not_called_silent_at_night(home):
    rules(home, "rulebook: {n_history: 168, rules: [{watch: volume, silence_s: 0}]}")
    night, day = range(20, 32), range(8, 20)
    for number in range(7):
        for hour in day:
            answers(home, "good", START + (24 * number + hour) * HOUR_S, 20, prefix=f"d{number}")
    for hour in night:
        looked(home, hours=24 * 7 + hour - 24 + 1)
    assert home.alerts.all("intent") == []
    looked(home, hours=24 * 7 + 8 + 1)  # and a morning on which nobody comes is told
    assert [one.watch for one in home.alerts.all("intent")] == ["volume"]


def test_windows_that_no_rule_looks_at_any_more_are_forgotten(home):
    rules(home)
    answers(home, "good")
    looked(home, hours=2)
    place = f"window intent {START} {START + HOUR_S}"
    assert state(home, place)
    looked(home, hours=4)
    assert state(home, place)
    looked(home, hours=5)
    assert state(home, place) is None


def test_what_failed_is_counted_by_the_hour_and_the_oldest_hours_are_forgotten(home, monkeypatch):
    first = START // HOUR_S
    add_errors(home, {("intent", 60 * first): 2, ("intent", 60 * first + 59): 1, ("other", 60 * first): 9})
    add_errors(home, {("intent", 60 * first): 4, ("intent", 60 * first + 60): 1})
    windows = [window_of(home, "intent", START + k * HOUR_S, START + (k + 1) * HOUR_S).n_errors for k in range(3)]
    assert windows == [7, 1, 0]
    monkeypatch.setattr(failures, "MOST_HOURS", 1)
    add_errors(home, {("intent", 60 * first + 120): 5})
    assert state(home, "errors intent") == {str(first + 2): 5}
    assert state(home, "errors other") == {str(first): 9}


def test_what_failed_in_a_window_of_minutes_is_counted_by_the_minute_for_a_day(home, monkeypatch):
    first = START // 60
    add_errors(home, {("intent", first + minute): 10 for minute in range(60)})
    assert [window_of(home, "intent", START + k * 600, START + (k + 1) * 600).n_errors for k in range(7)] == [
        100
    ] * 6 + [0]
    monkeypatch.setattr(failures, "MOST_MINUTES", 2)
    add_errors(home, {("intent", first + 60): 3})
    assert state(home, "minutes intent") == {str(first + 59): 10, str(first + 60): 3}
    assert state(home, "errors intent") == {str(START // HOUR_S): 600, str(START // HOUR_S + 1): 3}


def test_windows_that_are_no_whole_hours_lose_nothing_of_what_failed_long_ago(home, monkeypatch):
    """As those of a report on ten days: minutes are kept of the newest day only."""
    monkeypatch.setattr(failures, "MOST_MINUTES", 1)
    add_errors(home, {("intent", (START + hour * HOUR_S) // 60): 1 for hour in range(30)})
    length = 1.4 * HOUR_S
    counts = [window_of(home, "intent", START + k * length, START + (k + 1) * length).n_errors for k in range(21)]
    assert (sum(counts), set(counts)) == (30, {1, 2})


def test_what_is_said_later_of_older_answers_counts_in_the_hour_in_which_it_was_said(home):
    """People correct what they were answered yesterday; what they say of canaries judges these, not production."""
    old = answers(home, "good", n=4)
    home.predictions.add([prediction("p_canary", at=START, answer={"label": "good"}, label="good", traffic="canary")])
    said = [(old[0].id, "label", "bad"), (old[1].id, "label", "bad"), (old[2].id, "label", "good")]
    said += [(old[3].id, "accepted", True), ("p_canary", "accepted", False), ("p_canary", "label", "bad")]
    home.corrections.add(
        [
            feedback(f"f_{number}", prediction=one, kind=kind, value=value, at=START + HOUR_S + number)
            for number, (one, kind, value) in enumerate(said)
        ],
        None,
        "",
    )
    window = window_of(home, "intent", START + HOUR_S, START + 2 * HOUR_S)
    assert (window.answers.n_rows, window.n_judged, window.n_wrong) == (0, 4, 2)


def test_a_window_holds_the_answers_and_the_judgements_of_its_hour(home):
    one, other, _ = answers(home, "good", n=3)
    home.predictions.add([prediction("p_before", at=START - 1)])
    home.corrections.add(
        [
            feedback("f_1", prediction=one.id, value="bad", at=START + 100),
            feedback("f_2", prediction=other.id, value="good", at=START + 100),
            feedback("f_3", prediction=other.id, value="bad", at=START + HOUR_S),
        ],
        None,
        "",
    )
    window = window_of(home, "intent", START, START + HOUR_S)
    assert (window.answers.n_rows, window.n_judged, window.n_wrong) == (3, 2, 1)


# The post.


@pytest.fixture
def hook(monkeypatch):
    """A server on this machine that keeps what it is sent."""
    monkeypatch.setenv("BURNISH_WEBHOOK_SECRET", "a secret of 密钥")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.received.append((self.path, self.headers, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        made.received = []
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join(5)


def test_an_alert_and_its_end_are_sent_signed_to_every_sink(home, hook):
    port = hook.server_port
    told = f"name: webhook, allow_private: true, ports: [{port}], url: 'http://127.0.0.1:{port}"
    rules(home, f"{RULES}sinks: [{{{told}/one'}}, {{{told}/other'}}]\n")
    answers(home, "good")
    looked(home)
    mixed(home, START + HOUR_S)
    looked(home, hours=2)
    assert [(path, json.loads(body)["type"]) for path, _, body in hook.received] == [
        ("/one", "alert.open"), ("/other", "alert.open"), ("/one", "alert.resolved"), ("/other", "alert.resolved"),
    ]  # fmt: skip
    for _, headers, body in hook.received:
        own = webhook.signature("a secret of 密钥", headers["Burnish-Id"], headers["Burnish-Timestamp"], body)
        assert headers["Burnish-Signature"] == own
    assert state(home, "unsent intent") == []


def test_what_a_sink_does_not_take_is_told_and_sent_again_at_the_next_look(home, sent):
    rules(home, RULES + SINK)
    answers(home, "good")
    sent.statuses.append(503)
    told = []
    looked(home, told=told)
    [kept] = home.alerts.all("intent")
    assert any(one.level == "warning" and one.text.startswith("webhook: the alert ") for one in told)
    assert [one["alert"]["id"] for one in state(home, "unsent intent")] == [kept.id]
    looked(home)
    assert [body["id"] for body in sent.posted] == [f"{kept.id}_open"] * 2
    assert state(home, "unsent intent") == []


def test_a_sink_that_fails_keeps_nothing_from_the_others(home, sent, monkeypatch):
    rules(home, RULES + SINK.replace("sinks: [", "sinks: [apprise, "))
    monkeypatch.delenv("BURNISH_ALERT_URLS", raising=False)
    answers(home, "good")
    told = []
    looked(home, told=told)
    assert len(sent.posted) == 1
    assert any("BURNISH_ALERT_URLS is not set" in one.text for one in told)


def test_what_waits_for_a_sink_that_is_named_no_more_is_dropped(home, sent):
    rules(home, RULES + SINK)
    answers(home, "good")
    sent.statuses.append(503)
    looked(home)
    rules(home)
    looked(home)
    assert (len(sent.posted), state(home, "unsent intent")) == (1, [])


class Deaf(Webhook):
    """A sink that takes nothing."""

    url: str = "https://example.org"

    def send(self, alert):
        raise NotDelivered("nobody is there.")


def test_an_alert_that_was_noted_before_a_crash_is_noted_once(home):
    post = Post(home, "intent", [Deaf()], ignore)
    post.take([alert()])
    post.take([alert(), alert(state="resolved")])
    waiting = state(home, "unsent intent")
    assert [one["alert"]["state"] for one in waiting] == ["open", "resolved"]
    assert waiting[0]["alert"] == {**asdict(alert())}


def test_of_what_waits_too_long_the_oldest_is_given_up(home):
    post = Post(home, "intent", [Deaf()], ignore)
    post.take([alert(id=f"alert_{number}") for number in range(MOST_WAITING + 2)])
    post.deliver()
    waiting = state(home, "unsent intent")
    assert (len(waiting), waiting[0]["alert"]["id"]) == (MOST_WAITING, "alert_2")


# The file of rules.


def test_without_a_file_the_usual_rules_hold(home):
    asked = monitoring_of(home)
    assert (len(asked.rulebook.rules), asked.sinks, asked.retrain_on) == (13, [], [])


def test_an_empty_file_says_nothing(home):
    rules(home, "# nothing yet\n")
    assert len(monitoring_of(home).rulebook.rules) == 13


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("rulbook: {}", ["rulbook is not a setting. Did you mean 'rulebook'? There are rulebook, sinks, retrain_on."]),
        ("- a", ["must be a mapping with rulebook, sinks and retrain_on."]),
        ("rulebook: [a", ["cannot be read as YAML"]),
        ("rulebook: {rules: [{watch: drift, streek: 2}]}", ["streek is not a setting. Did you mean 'streak'?"]),
        (
            "rulebook: {rules: [{watch: drft}, {watch: drift, streak: 0}]}",
            [
                "there is no part 'drft' on the shelf 'watches'. Did you mean 'drift'?",
                "streak must be 1 or more; got 0",
            ],
        ),
        ("rulebook: 3", ["rulebook must be a mapping of settings, such as {key: value}; got 3."]),
        ("sinks: [webhok]", ["there is no part 'webhok' on the shelf 'sinks'. Did you mean 'webhook'?"]),
        ("sinks: [{name: webhook}]", ["sinks.0.url is missing."]),
        ("sinks: webhook", ["sinks must be a list, such as [a, b]; got 'webhook'."]),
        ("sinks: [{name: webhook, url: 'https://a', tries: 3}]", ["sinks.0.tries is not a setting."]),
        ("retrain_on: [quality, drfit]", ["retrain_on: there is no rule 'drfit'. Did you mean 'drift'?"]),
        ("retrain_on: quality", ["retrain_on must be a list, such as [a, b]; got 'quality'."]),
    ],
)
def test_every_fault_of_the_file_is_told_by_its_place(home, text, sentences):
    rules(home, text)
    with pytest.raises(UserError) as caught:
        monitoring_of(home)
    assert all(fault.startswith(f"{home.folder / 'monitoring.yaml'}: ") for fault in caught.value.faults)
    for sentence in sentences:
        assert sentence in str(caught.value)


def test_a_file_that_is_no_text_is_told(home):
    (home.folder / "monitoring.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"monitoring\.yaml: cannot be read as YAML"):
        looked(home)


# The report.


@pytest.fixture
def period(monkeypatch):
    """What would be drawn."""
    seen = []

    def page(period, rulebook):
        seen.append(period)
        return "<html>"

    monkeypatch.setattr(module, "report_page", page)
    return seen


@pytest.mark.parametrize(("days", "n_windows"), [(0.001, 1), (0.05, 2), (1, 24), (7, 168), (70, 168)])
def test_a_report_reaches_up_to_now_in_a_few_windows(home, tmp_path, period, days, n_windows):
    now = time.time()
    home.predictions.add([prediction("p_1", at=now - 1), prediction("p_2", at=now - max(HOUR_S, days * 86_400) + 60)])
    write_report("intent", tmp_path / "r.html", days)
    [found] = period
    assert (len(found.windows), sum(one.answers.n_rows for one in found.windows)) == (n_windows, 2)
    assert found.windows[-1].end == pytest.approx(time.time(), abs=60)
    assert all(one.end == pytest.approx(other.start) for one, other in pairwise(found.windows))
    assert found.reference.answers.n_rows == 60


def test_a_report_is_a_page_with_its_alerts_and_says_where_it_is(home, tmp_path):
    now = time.time()
    home.alerts.add([alert(name="intent", at=now - 60, sentence="标签变了。")])
    home.predictions.add([prediction(f"p_{number}", at=now - number) for number in range(20)])
    told = []
    out = write_report("intent", tmp_path / "new" / "r.html", 0.05, told.append)
    page = out.read_text("utf-8")
    assert told == [Message(f"wrote {out}", "good")]
    assert "intent:1" in page
    assert "标签变了。" in page
    assert "1 alert not resolved, of 1 in this period." in page


def test_a_report_on_a_name_that_is_not_there_is_told(home, tmp_path):
    with pytest.raises(NotFound, match="Did you mean 'intent'"):
        write_report("intnt", tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()
