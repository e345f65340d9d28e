"""What `release`, `promote`, `rollback`, `releases`, `retrain` and `traffic` print, and how they end."""

from types import SimpleNamespace

import pytest
from tests.store.conftest import release as record

from burnish.core.errors import UserError
from burnish.evaluation.promotion import Check, Verdict
from burnish.flows.canary import Outcome
from burnish.flows.retraining import Retraining

PASSED = Check(name="accuracy", is_passed=True, sentence="It is as good.")
MISSED = Check(name="labels", is_passed=False, sentence="Recall fell for 退款 1.00 → 0.00.")


def result(*checks, version=2, is_promoted=False, is_canary=False):
    verdict = Verdict(checks=list(checks), n_rows=40, is_better=True) if checks else None
    is_good = all(check.is_passed for check in checks)
    made = SimpleNamespace(name="intent", version=version, is_passed=is_good)
    return SimpleNamespace(release=made, verdict=verdict, is_good=is_good, is_promoted=is_promoted, is_canary=is_canary)


@pytest.fixture
def three(home):
    """Three versions, of which the second missed its gate and the first is in production."""
    home.releases.register(record(why="der Anfang 开始", gates={"is_passed": True}))
    home.releases.register(record(is_passed=False, parent=1, gates={"is_passed": False}))
    home.releases.register(record(parent=1))
    home.releases.promote("intent", 1, "user ann")
    return home


# release and retrain.


def test_release_prints_the_version_and_says_how_to_promote_it(burnish, flow):
    calls = flow("release", lambda *a, **k: result(version=1))
    ended = burnish("release", "runs/x", "-n", "intent", "data.test=t.csv", "--why", "first", "--source", "runs/whole")
    [((bundle, name, overrides), options)] = calls
    assert (str(bundle), name, overrides) == ("runs/x", "intent", ("data.test=t.csv",))
    assert (options["why"], str(options["source"])) == ("first", "runs/whole")
    assert (ended.code, ended.out) == (0, "intent:1\n")
    assert ended.err == "Let it answer with: burnish promote intent:1\n"


def test_release_tells_every_check_and_ends_with_3_where_one_is_missed(burnish, flow):
    flow("release", lambda *a, **k: result(PASSED, MISSED))
    ended = burnish("release", "runs/x", "--name", "intent")
    assert (ended.code, ended.out) == (3, "intent:2\n")
    assert ended.err == (
        "passed  accuracy: It is as good.\n"
        "MISSED  labels: Recall fell for 退款 1.00 → 0.00.\n"
        "intent:2 missed the gate: it is registered, and not promoted without --force.\n"
    )


def test_release_needs_a_name(burnish):
    ended = burnish("release", "runs/x")
    assert ended.code == 2
    assert "Missing option '--name'" in ended.err


def test_release_of_what_is_no_bundle_ends_with_2(burnish, home, tmp_path):
    ended = burnish("release", str(tmp_path / "gone"), "--name", "intent")
    assert (ended.code, ended.out) == (2, "")
    assert "gone" in ended.err


def test_retrain_hands_its_options_on_and_says_how_to_promote_the_result(burnish, flow):
    calls = []

    def run(name, overrides, settings, listen):
        calls.append((name, overrides, settings))
        return result(PASSED)

    flow("retrain", run)
    ended = burnish(
        "retrain", "intent", "train.learning_rate=0.1", "--least", "5", "--epochs", "4", "--anchor", "replay",
        "--start-share", "0.1", "--promote-if-better",
    )  # fmt: skip
    [(name, overrides, settings)] = calls
    assert (name, overrides) == ("intent", ("train.learning_rate=0.1",))
    assert (settings.least, settings.epochs, settings.start_share, settings.anchor.part_name) == (5, 4, 0.1, "replay")
    assert settings.promote_if_better
    assert (ended.code, ended.out) == (0, "intent:2\n")
    assert ended.err.endswith("Let it answer with: burnish promote intent:2\n")


def test_what_is_not_said_of_a_retraining_is_as_in_python(burnish, flow):
    calls = []
    flow("retrain", lambda name, overrides, settings, listen: calls.append(settings) or result(PASSED))
    burnish("retrain", "intent")
    assert calls == [Retraining()]


def test_retrain_with_a_canary_says_how_its_trial_ends(burnish, flow):
    calls = []
    flow("retrain", lambda name, overrides, settings, listen: calls.append(settings) or result(PASSED, is_canary=True))
    ended = burnish("retrain", "intent", "--canary", "5")
    assert calls[0].canary == 5
    assert ended.err.endswith(
        "`burnish worker` promotes it or takes it back; or decide now: burnish traffic intent --finish\n"
    )


@pytest.mark.parametrize(("state", "code"), [("promoted", 0), ("waiting", 0), ("withdrawn", 3)])
def test_traffic_finish_says_what_became_of_the_canary(burnish, three, monkeypatch, state, code):
    monkeypatch.setattr("burnish.flows.canary.finish_canary", lambda name: Outcome(state, f"{name}: so."))
    ended = burnish("traffic", "intent", "--finish")
    assert (ended.code, ended.err) == (code, "intent: so.\n")


@pytest.mark.parametrize(("checks", "code"), [((PASSED,), 0), ((PASSED, MISSED), 3)])
def test_retrain_ends_with_3_where_the_gate_is_missed(burnish, flow, checks, code):
    flow("retrain", lambda *a, **k: result(*checks, is_promoted=code == 0))
    ended = burnish("retrain", "intent")
    assert (ended.code, ended.out) == (code, "intent:2\n")
    assert ("Let it answer" in ended.err) is False  # it is in production already, or missed the gate
    assert ("intent:2 missed the gate" in ended.err) is (code == 3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["intnt"], "there is no release of the name 'intnt'. Did you mean 'intent'?"),
        (["intent:1"], "retraining goes on from what is in production; give the name alone"),
        (["intent", "--anchor", "replya"], "there is no part 'replya' on the shelf 'anchors'. Did you mean 'replay'?"),
        (["intent", "--canary", "5", "--promote-if-better"], "--canary promotes it by what comes of it; leave out --p"),
        (["intent", "--canary", "100"], "Invalid value for '--canary'"),
        (["intent", "--epochs", "0"], "Invalid value for '--epochs'"),
        (["intent", "--leest", "3"], "No such option: --leest"),
    ],
)
def test_retrain_refuses_what_cannot_be(burnish, three, words, sentence):
    ended = burnish("retrain", *words)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


# promote, rollback, releases.


def test_promote_and_rollback_say_which_version_answers(burnish, three):
    ended = burnish("promote", "intent:3", "--why", "besser")
    assert (ended.code, ended.out, ended.err) == (
        0, "", "intent:3 is production. Back with: burnish rollback intent\n",
    )  # fmt: skip
    assert burnish("rollback", "intent", "--why", "不好").err == "intent:1 is production again.\n"
    assert [one.detail["why"] for one in three.audit.entries() if one.what in ("promote", "rollback")] == [
        "", "besser", "不好",
    ]  # fmt: skip


def test_promote_of_what_missed_its_gate_ends_with_3_unless_forced(burnish, three):
    ended = burnish("promote", "intent:2")
    assert (ended.code, ended.err) == (
        3, "intent:2 missed its gate and is not promoted; force does it all the same.\n",
    )  # fmt: skip
    assert burnish("promote", "intent:2", "--force").code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["promote", "intnt:1"], "Did you mean 'intent'?"),
        (["promote", "intent"], "say which version of 'intent': intent:7, or intent@candidate."),
        (["promote", "intent@canidate"], "Did you mean 'candidate'?"),
        (["promote", "intent:9"], "`burnish releases intent` lists those that there are."),
        (["promote", "intent:1"], "intent:1 is production already."),
        (["rollback", "intent"], "intent: there is no version before production to go back to."),
        (["rollback", "intent:1"], "takes the name alone"),
        (["rollback", "intnt"], "Did you mean 'intent'?"),
        (["releases", "intnt"], "Did you mean 'intent'?"),
        (["releases", "../x"], "names no release"),
        (["releases", "intent:9"], "`burnish releases intent` lists those that there are."),
    ],
)
def test_names_and_versions_that_are_not_there_end_with_2(burnish, three, words, sentence):
    ended = burnish(*words)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


def test_releases_lists_every_version_with_what_it_is_and_where_it_comes_from(burnish, three):
    three.releases.register(record("other", task="tokens"))
    lines = burnish("releases").out.splitlines()
    assert lines[0].split() == ["version", "is", "task", "gate", "parent", "at", "by", "digest", "why"]
    cells = [line.split() for line in lines[1:]]
    assert [one[0] for one in cells] == ["intent:3", "intent:2", "intent:1", "other:1"]
    assert cells[0][1:5] == ["candidate", "classification", "none", "intent:1"]
    assert cells[1][1:4] == ["classification", "MISSED", "intent:1"]
    assert cells[2][1:4] == ["production", "classification", "passed"]
    assert lines[3].endswith("abababababab  der Anfang 开始")
    assert len(burnish("releases", "other").out.splitlines()) == 2


def test_releases_of_one_version_tells_its_lineage_its_gate_and_its_recipe(burnish, three):
    made = record(
        parent=1, why="more of 退款", data_digest="d" * 64, code_version="0.1.0", source="s" * 64, by="user ann",
        recipe="task: classification\ntrain:\n  epochs: 3\x1b[31m\n",
        gates={"checks": [PASSED.model_dump(), MISSED.model_dump()]},
        is_passed=False,
    )  # fmt: skip
    three.releases.register(made)
    ended = burnish("releases", "intent:4")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[:3] == ["version    intent:4", "is         candidate", "task       classification"]
    assert lines[4:] == [
        "by         user ann",
        "why        more of 退款",
        "parent     intent:1",
        f"bundle     {made.digest}",
        f"made from  {'s' * 64}",
        f"data card  {'d' * 64}",
        "burnish    0.1.0",
        "gate       MISSED",
        "  passed  accuracy: It is as good.",
        "  MISSED  labels: Recall fell for 退款 1.00 → 0.00.",
        "recipe",
        "  task: classification",
        "  train:",
        "    epochs: 3\ufffd[31m",
    ]
    assert burnish("releases", "intent@production").out.startswith("version    intent:1\nis         production\n")


def test_releases_of_an_empty_installation_is_an_empty_table(burnish, home):
    ended = burnish("releases")
    assert (ended.code, len(ended.out.splitlines())) == (0, 1)


# traffic.


def test_traffic_tells_and_changes_how_requests_are_shared_out(burnish, three):
    assert burnish("traffic", "intent").err == "intent: production answers everything\n"
    assert burnish("traffic", "intent", "--canary", "3").err == "intent: 5 % to version 3 (canary)\n"
    assert burnish("traffic", "intent", "--shadow", "2").err == (
        "intent: 5 % to version 3 (canary); version 2 is asked too (shadow)\n"
    )
    assert burnish("traffic", "intent", "--percent", "12.5").err.startswith("intent: 12.5 % to version 3 (canary); ")
    assert burnish("traffic", "intent", "--off").err == "intent: production answers everything\n"
    assert [one.what for one in three.audit.entries()].count("traffic") == 4


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["intent", "--off", "--canary", "3"], 2, "--off takes canary and shadow away, --finish decides on the can"),
        (["intent", "--finish", "--percent", "3"], 2, "--finish decides on the canary; leave the others out."),
        (["intent", "--finish"], 2, "intent: no canary is on trial; burnish retrain intent --canary 5 begins one."),
        (["intent", "--percent", "5"], 2, "--percent is the share of a canary; name its version: --canary 7."),
        (["intent", "--canary", "3", "--percent", "0"], 2, "Invalid value for '--percent'"),
        (["intent", "--canary", "3", "--percent", "101"], 2, "Invalid value for '--percent'"),
        (["intent", "--canary", "9"], 2, "intent: there is no version 9"),
        (["intnt"], 2, "Did you mean 'intent'?"),
        (["intent", "--canary", "2"], 3, "intent:2 missed its gate and answers nobody"),
    ],
)
def test_traffic_refuses_what_cannot_be(burnish, three, words, code, sentence):
    ended = burnish("traffic", *words)
    assert (ended.code, ended.out) == (code, "")
    assert sentence in ended.err


def test_an_error_of_a_verb_is_one_sentence(burnish, flow):
    def fail(*args, **options):
        raise UserError("the rows are gone; say where: data.train=FILE.")

    flow("release", fail)
    ended = burnish("release", "runs/x", "--name", "intent")
    assert (ended.code, ended.err) == (2, "the rows are gone; say where: data.train=FILE.\n")
