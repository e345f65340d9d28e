"""`feedback`: an overview, decisions, and files for labelling tools there and back."""

import csv
import json
import math

import pytest
from tests.flows.conftest import ask, at_home, correct, write_csv
from tests.store.conftest import prediction, release

from burnish.core.errors import NotFound, UserError
from burnish.flows import feedback as module
from burnish.flows.feedback import decide, export_feedback, export_next, import_feedback, overview
from burnish.store.home import whoami

TEXTS = ["good day", "我的好", "so bad"]


def said(home):
    return list(home.corrections.of_period("intent"))


def read_csv(path):
    return list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))


def to_take_in(path, rows, header=("prediction", "label", "comment", "by")):
    return write_csv(path, rows, header)


# What was said.


def test_an_overview_tells_what_was_said_and_how_far_users_agree(home):
    one, other, _ = ask(home, TEXTS)
    correct(home, [one, other], ["bad", "good"], "key_1")
    correct(home, [one, other], ["good", "good"], "key_2")
    found = overview("intent")
    assert [item.value for item in found.feedback] == ["bad", "good", "good", "good"]
    assert found.n_conflicts == 1
    # two units, (bad, good) and (good, good): 1 − (n − 1) · (observed / expected) = 1 − 3 · 2 / 6
    assert found.agreement == pytest.approx(0.0)


def test_an_overview_may_be_of_some_states(home):
    ids = correct(home, ask(home, TEXTS), ["bad"] * 3)
    decide(ids[:1], "rejected")
    assert [one.id for one in overview("intent", ["rejected"]).feedback] == ids[:1]


def test_where_nobody_said_anything_nothing_can_be_told_of_agreement(home):
    found = overview("intent")
    assert (found.feedback, found.n_conflicts, math.isnan(found.agreement)) == ([], 0, True)


@pytest.mark.parametrize("verb", [overview, lambda name: export_feedback(name, "x.csv", "csv")])
def test_feedback_is_of_a_name_that_is_there_whatever_the_version(home, verb):
    with pytest.raises(NotFound, match="Did you mean 'intent'"):
        verb("intnt")
    with pytest.raises(UserError, match="'intent:1': feedback is of a name, whatever the version; leave the rest out"):
        verb("intent:1")


def test_decisions_are_kept_with_who_and_why(home):
    one, other, last = correct(home, ask(home, TEXTS), ["bad"] * 3)
    assert decide([one, other], "rejected", "是开玩笑") == 2
    assert decide([last], "accepted") == 1
    states = {item.id: (item.state, item.reason) for item in said(home)}
    assert states == {
        one: ("rejected", "是开玩笑"),
        other: ("rejected", "是开玩笑"),
        last: ("accepted", f"decided by {whoami()}"),
    }
    assert [(item.who, item.detail) for item in home.audit.entries()][-1] == (whoami(), {"accepted": 1})


def test_ids_of_no_feedback_are_told(home):
    [one] = correct(home, ask(home, TEXTS[:1]), ["bad"])
    with pytest.raises(NotFound) as caught:
        decide([one, "f_gone"], "rejected")
    assert str(caught.value) == (
        "1 of 2 ids are of no feedback; 1 are rejected now. `burnish feedback NAME` lists them."
    )
    assert said(home)[0].state == "rejected"


# Out.


@pytest.mark.parametrize(("form", "n_left_out"), [("csv", 0), ("jsonl", 0), ("doccano", 1), ("label_studio", 1)])
def test_what_was_said_goes_into_a_file_for_a_tool(home, tmp_path, form, n_left_out):
    kept, unkept = ask(home, ["我的好"]), ask(home, ["so bad"], keep="off")
    correct(home, [*kept, *unkept], ["坏", "good"])
    done = export_feedback("intent", tmp_path / "out", form)
    assert (done.n_written, done.n_left_out) == (2 - n_left_out, n_left_out)
    text = (tmp_path / "out").read_text("utf-8")
    assert kept[0].id in text
    assert "我的好" in text
    assert "坏" in text


def test_a_format_that_there_is_not_is_told(home, tmp_path):
    for verb in (
        lambda: export_feedback("intent", tmp_path / "x", "docano"),
        lambda: export_next("intent", tmp_path / "x", "docano", 3),
        lambda: import_feedback("intent", to_take_in(tmp_path / "i.csv", []), "docano"),
    ):
        with pytest.raises(UserError, match=r"there is no format 'docano'\. Did you mean 'doccano'"):
            verb()


def test_feedback_whose_answer_was_erased_is_not_exported(home, tmp_path):
    one, other, _ = ask(home, TEXTS)
    correct(home, [one, other], ["bad", "bad"])
    home.predictions.erase("user ann", input_digest=one.input_digest)
    assert export_feedback("intent", tmp_path / "o.csv", "csv").n_written == 1


def test_what_nobody_spoke_of_is_what_to_look_at_next(home, tmp_path):
    one, *others = ask(home, TEXTS)
    correct(home, [one], ["bad"])
    export_next("intent", tmp_path / "next.csv", "csv", 10)
    rows = read_csv(tmp_path / "next.csv")
    assert {row["prediction"] for row in rows} == {other.id for other in others}
    assert [row["label"] for row in rows] == ["", ""]


def test_so_many_are_chosen_by_the_way_that_is_asked_for(home, tmp_path):
    found = ask(home, [f"{'good' if n % 2 else 'bad'} {letter}" for n, letter in enumerate("abcdefghij")])
    export_next("intent", tmp_path / "next.jsonl", "jsonl", 3, way="least_confident")
    rows = [json.loads(line) for line in (tmp_path / "next.jsonl").read_text("utf-8").splitlines()]
    least = sorted(one.confidence for one in found)[:3]
    assert [row["confidence"] for row in rows] == pytest.approx(least)


def test_chance_is_the_same_for_the_same_seed(home, tmp_path):
    ask(home, [f"text {letter}" for letter in "abcdefghij"])
    drawn = []
    for seed in (1, 1, 2):
        export_next("intent", tmp_path / "next.csv", "csv", 4, way="random", seed=seed)
        drawn.append([row["prediction"] for row in read_csv(tmp_path / "next.csv")])
    assert drawn[0] == drawn[1] != drawn[2]


def test_only_the_newest_answers_are_considered(home, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_CONSIDERED", 2)
    _, *newest = ask(home, TEXTS)
    export_next("intent", tmp_path / "next.csv", "csv", 3, way="random")
    assert {row["prediction"] for row in read_csv(tmp_path / "next.csv")} == {one.id for one in newest}


def test_a_way_to_choose_that_there_is_not_is_told(home, tmp_path):
    with pytest.raises(UserError, match=r"there is no part 'margn' on the shelf 'choose'\. Did you mean 'margin'"):
        export_next("intent", tmp_path / "next.csv", "csv", 3, way="margn")


# In.


def test_what_a_file_says_is_taken_in_under_the_name_of_who_said_it(home, tmp_path):
    one, other, last = ask(home, TEXTS)
    rows = [(one.id, "bad", "它错了", "li.wei"), (other.id, "question", "", ""), (last.id, "", "", "")]
    told = []
    n = import_feedback("intent", to_take_in(tmp_path / "said.csv", rows), "csv", told.append)
    assert n == 2
    assert [event.text for event in told] == ["1 rows say nothing yet and were passed over"]
    found = {item.prediction: item for item in said(home)}
    first, second = found[one.id], found[other.id]
    assert (first.kind, first.value, first.comment, first.key, first.version) == ("label", "bad", "它错了", "li.wei", 1)
    assert (second.value, second.key, second.state) == ("question", whoami(), "accepted")  # a label that is new


@pytest.mark.parametrize(
    ("rows", "sentences"),
    [
        ([("p_gone", "bad", "", "")], [":2: 'intent' has no answer 'p_gone'."]),
        ([("p_other", "bad", "", "")], [":2: 'intent' has no answer 'p_other'."]),
        (
            [("", "bad", "", ""), ("ONE", "Bad", "", "")],
            [":2: the row has no 'prediction'", ":3: the label 'Bad' differs"],
        ),
    ],
)
def test_a_file_with_a_fault_is_told_by_its_lines_and_nothing_of_it_is_taken(home, tmp_path, rows, sentences):
    [one, other] = ask(home, TEXTS[:2])
    home.releases.register(release("other"))
    home.predictions.add([prediction("p_other", name="other")])
    rows = [(other.id, "bad", "", ""), *((one.id if first == "ONE" else first, *rest) for first, *rest in rows)]
    file = to_take_in(tmp_path / "said.csv", rows[1:] + rows[:1])
    with pytest.raises(UserError) as caught:
        import_feedback("intent", file, "csv")
    assert [sentence for sentence in sentences if f"{file}{sentence}" not in str(caught.value)] == []
    assert said(home) == []


def test_a_file_that_is_not_there_is_told(home, tmp_path):
    with pytest.raises(UserError, match=r"gone\.csv: there is no such file"):
        import_feedback("intent", tmp_path / "gone.csv", "csv")


@pytest.mark.parametrize("form", ["csv", "jsonl", "label_studio"])
def test_what_is_there_already_is_not_taken_twice(home, tmp_path, form):
    """A file taken in again, and a file that was exported from here."""
    found = ask(home, TEXTS)
    correct(home, found[:2], ["bad", "坏"], "key_1")
    export_feedback("intent", tmp_path / "out", form)
    assert import_feedback("intent", tmp_path / "out", form) == 0
    more = to_take_in(tmp_path / "more.csv", [(found[2].id, "good", "", "")] * 2)
    assert [import_feedback("intent", more, "csv") for _ in range(2)] == [1, 0]
    assert [item.key for item in said(home)] == ["key_1", "key_1", whoami()]


def test_a_row_that_was_exported_and_says_something_else_now_is_the_word_of_who_takes_it_in(home, tmp_path):
    correct(home, ask(home, TEXTS[:1]), ["bad"], "key_1")
    export_feedback("intent", tmp_path / "out.csv", "csv")
    [row] = read_csv(tmp_path / "out.csv")
    write_csv(tmp_path / "out.csv", [{**row, "label": "good"}.values()], row)
    assert import_feedback("intent", tmp_path / "out.csv", "csv") == 1
    assert [(item.key, item.value) for item in said(home)] == [("key_1", "bad"), (whoami(), "good")]


@pytest.mark.parametrize(("keep", "comment"), [("masked", "ask [PHONE]"), ("full", "ask 13800138000")])
def test_personal_data_in_what_is_said_is_kept_as_inputs_are(home, tmp_path, monkeypatch, keep, comment):
    at_home(monkeypatch, home.folder, store_inputs=keep)
    [one] = ask(home, TEXTS[:1])
    import_feedback("intent", to_take_in(tmp_path / "s.csv", [(one.id, "bad", "ask 13800138000", "")]), "csv")
    assert said(home)[0].comment == comment


def test_an_answer_of_a_moment_ago_is_found_where_it_waits(home, tmp_path):
    journal = home.journal()
    journal.add([prediction("p_waits")])
    assert import_feedback("intent", to_take_in(tmp_path / "s.csv", [("p_waits", "bad", "", "")]), "csv") == 1
    journal.close()


def test_many_rows_are_taken_in_piece_by_piece(home, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 4)
    home.predictions.add([prediction(f"p_{number}") for number in range(10)])
    rows = [(f"p_{number}", "bad", "", f"user {number}") for number in range(10)]
    assert import_feedback("intent", to_take_in(tmp_path / "s.csv", rows), "csv") == 10
    assert export_feedback("intent", tmp_path / "o.csv", "csv").n_written == 10


def test_what_cannot_be_read_any_more_is_told_and_all_else_is_shown_and_exported(home, tmp_path):
    one, other = ask(home, TEXTS[:2])
    [odd, _] = correct(home, [one, other], [["bad", "good"], "bad"])
    found = overview("intent")
    assert (len(found.feedback), list(found.unread)) == (
        2, [(odd, "the label must be one name; got ['bad', 'good'].")],
    )  # fmt: skip
    for form in ("csv", "jsonl", "doccano", "label_studio"):
        assert export_feedback("intent", tmp_path / form, form).n_written == 2
    rows = [json.loads(line) for line in (tmp_path / "doccano").read_text("utf-8").splitlines()]
    assert [row["label"] for row in rows] == [[], ["bad"]]


def test_labels_of_the_model_are_kept_as_they_are_and_new_ones_without_personal_data(home, tmp_path):
    [one] = ask(home, TEXTS[:1])
    for label in ("bad", "ask 13800138000"):
        import_feedback("intent", to_take_in(tmp_path / "s.csv", [(one.id, label, "", "")]), "csv")
    assert [item.value for item in said(home)] == ["bad", "ask [PHONE]"]


def test_an_answer_that_is_erased_while_a_file_is_taken_in_is_told_and_nothing_is_kept(home, tmp_path, monkeypatch):
    one, other = ask(home, TEXTS[:2])
    file = to_take_in(tmp_path / "said.csv", [(one.id, "bad", "", ""), (other.id, "bad", "", "")])
    read = module.import_file

    def read_then_erased(*given, **named):
        drafts = read(*given, **named)
        home.predictions.erase("user ann", input_digest=one.input_digest)
        return drafts

    monkeypatch.setattr(module, "import_file", read_then_erased)
    with pytest.raises(NotFound) as caught:
        import_feedback("intent", file, "csv")
    assert str(caught.value) == f"the answer '{one.id}' is not there any more; feedback on it is not kept."
    assert said(home) == []
