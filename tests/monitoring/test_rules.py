import pytest
from pydantic import ValidationError
from tests.monitoring.made import HOUR, NOON

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.monitoring.rules import Rule, Rulebook
from burnish.monitoring.watches.drift import Drift

FILE = """
false_alarm_rate: 0.01
window_s: 1800
n_history: 48
rules:
  - label_mix
  - watch: {name: drift, distance: 0.01}
    streak: 3
    silence_s: 60
  - watch: {name: spike, labels: [坏消息, no], false_alarms_per_day: 0.5}
    name: bad news   # with a comment
    severity: critical
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="rules.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_file_of_rules_is_read(written):
    book = Rulebook.load(written(FILE))
    assert (book.false_alarm_rate, book.window_s, book.n_history) == (0.01, 1800, 48)
    assert [rule.name for rule in book.rules] == ["label_mix", "drift", "bad news"]
    assert book.rules[0] == Rule(watch="label_mix")
    assert (book.rules[1].watch, book.rules[1].streak, book.rules[1].silence_s) == (Drift(distance=0.01), 3, 60)
    assert book.rules[2].watch.labels == ("坏消息", "no")
    assert book.rules[2].severity == "critical"


def test_a_file_with_a_mark_at_its_start_is_read(written):
    assert Rulebook.load(written(b"\xef\xbb\xbfrules: [drift]")).rules[0].name == "drift"


@pytest.mark.parametrize("book", [Rulebook.default(), Rulebook.of({"rules": ["drift"], "window_s": 60})])
def test_a_rulebook_is_written_back_as_it_was_read(book):
    assert Rulebook.of(book.as_mapping()) == book


def test_the_default_rules_look_with_every_watch():
    assert sorted(rule.watch.part_name for rule in Rulebook.default().rules) == Shelf("watches").names()


def test_a_rule_never_changes():
    with pytest.raises(ValidationError, match="frozen"):
        Rule(watch="drift").streak = 4


FAULTS = [
    ("rules: [dirft]", ":1: rules[0]: there is no part 'dirft' on the shelf 'watches'. Did you mean 'drift'? It has: "),
    (
        "rules:\n  - {watch: drift, streek: 2}",
        ":2: rules[0].streek is not a setting. Did you mean 'streak'? There are: watch, name, streak, silence_s, ",
    ),
    (
        "rules:\n  - watch:\n      name: drift\n      far: 2",
        ":4: rules[0].watch.far is not a setting. There are: name, distance, n_permutations, least, seed.",
    ),
    (
        "rules: [drift]\nwindows: 3",
        ":2: windows is not a setting. Did you mean 'window_s'? There are: rules, false_alarm_rate, window_s, ",
    ),
    ("rules:\n  - {watch: drift, streak: 0}", ":2: rules[0].streak must be 1 or more; got 0."),
    (
        "rules:\n  - {watch: drift, severity: loud}",
        ":2: rules[0].severity must be one of warning, critical; got 'loud'.",
    ),
    ("rules:\n  - watch: {name: drift, distance: far}", ":2: rules[0].watch.distance must be a number; got 'far'."),
    (
        "rules:\n  - {streak: 2}",
        ":2: rules[0].watch is missing; a rulebook reads like `rules: [{watch: label_mix, streak: 2}]`.",
    ),
    ("rules: [drift, drift]", ":1: the rulebook has two rules called drift; give each a `name` of its own."),
    ("rules: [drift]\nfalse_alarm_rate: 0.2", ":2: false_alarm_rate must be 0.05 or less; got 0.2."),
    ("rules: [drift]\nrules: [errors]", ":2: rules"),
    ("rules: [3]", ":1: rules[0] must be"),
    ("rules:\n  - watch: 3", "expected the name of a part, or a mapping with 'name'; got 3"),
    ("- drift", ": must be a mapping with the rules, such as `rules: [{watch: label_mix, streak: 2}]`."),
    ("", ": must be a mapping with the rules"),
    ("rules: [", ":1"),
    (b"rules: [drift]\n# caf\xe9", ":2: is not UTF-8 text (byte 20); save it as UTF-8."),
    (b"#" * 300_000, ": has more than 262,144 bytes, so it is no list of rules."),
]


def test_who_names_no_rules_has_the_usual_ones(written):
    assert Rulebook.load(written("window_s: 600")) == Rulebook.default().model_copy(update={"window_s": 600.0})
    assert Rulebook.of({"rules": []}).rules == ()


@pytest.mark.parametrize(("text", "sentence"), FAULTS)
def test_a_fault_is_told_with_its_place(text, sentence, written):
    path = written(text)
    with pytest.raises(UserError) as caught:
        Rulebook.load(path)
    assert f"{path}" in str(caught.value)
    assert sentence in str(caught.value)


def test_every_fault_is_told_at_once(written):
    with pytest.raises(UserError) as caught:
        Rulebook.load(written("rules:\n  - {watch: drift, streak: 0}\n  - nothing\nwindow_s: 1"))
    assert len(caught.value.faults) == 3


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match=r"none\.yaml: cannot be read \(No such file or directory\)\."):
        Rulebook.load(tmp_path / "none.yaml")


def test_a_fault_in_a_mapping_names_the_rulebook():
    with pytest.raises(UserError, match=r"rulebook: rules\[0\]\.streak must be 1 or more; got 0\."):
        Rulebook.of({"rules": [{"watch": "drift", "streak": 0}]})


def test_periods_are_whole_windows_that_meet():
    book = Rulebook.of({"rules": ["drift"], "n_history": 2})
    assert book.periods(NOON + 1234) == [
        (NOON - 3 * HOUR, NOON - 2 * HOUR),
        (NOON - 2 * HOUR, NOON - HOUR),
        (NOON - HOUR, NOON),
    ]


def test_periods_are_as_long_as_asked_for():
    book = Rulebook.of({"rules": ["drift"], "n_history": 0, "window_s": 600})
    assert book.periods(NOON + 599) == [(NOON - 600, NOON)]
