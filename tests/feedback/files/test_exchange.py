"""Every format there and back, and what is refused whichever it is."""

import json
import os
import re
from pathlib import Path

import pytest
from tests.feedback.said import LABELS, classified, found, predicted, said

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.feedback.corrections import check
from burnish.feedback.files.drafts import Limits
from burnish.feedback.files.exchange import FORMATS, export_file, format_named, import_file

CLASSIFICATION = Shelf("tasks").build("classification")
every_format = pytest.mark.parametrize("name", sorted(FORMATS))


def task(name, **settings):
    return Shelf("tasks").build({"name": name, **settings})


def accept(draft):
    """Whatever is said is right."""


def path_of(folder, name):
    return folder / f"file{FORMATS[name].suffix}"


def there_and_back(folder, name, of, items, **how):
    path = path_of(folder, name)
    export_file(path, name, of, items)
    return list(import_file(path, name, of, accept, **how))


HOSTILE = ["=1+1", "＝cmd", 'a "quote", b', "line\r\nend", "退款；", "a\u2028b", "'=1", " a ", "tab\t=x", "😀 <b>&amp;"]

SAID = [
    ("classification", {"text": "Where?", "text_pair": "here"}, classified(), "label", "billing"),
    ("classification", {"text": "Where?"}, classified(), "label", "退款"),
    ("multilabel", {"text": "a"}, {"labels": []}, "label", ["a|b", "退款"]),
    ("tokens", {"text": "Ada in 北京"}, found((0, 3, "PER")), "spans", [[0, 3, "PER"], [7, 9, "LOC"]]),
    ("matching", {"text": "a", "text_pair": "b"}, {"score": 0.25, "is_match": False}, "score", 0.75),
    ("seq2seq", {"text": "cat"}, {"text": "Hund", "is_finished": True}, "label", "Katze\n=x"),
]


@every_format
@pytest.mark.parametrize("one", SAID, ids=lambda one: one[0])
def test_what_was_said_comes_back(name, one, tmp_path):
    of, row, answer, kind, value = one
    if (name, of) == ("doccano", "matching"):
        return  # which holds no scores
    prediction = predicted(answer, row)
    [draft] = there_and_back(tmp_path, name, task(of), [(prediction, said(kind, value))])
    assert (draft.prediction, draft.kind) == ("p1", kind)
    before, after = (task_gold(of, prediction, kind, one) for one in (value, draft.value))
    assert after == before
    if name != "doccano":  # whose files hold one person's labels each
        assert draft.by == "ann"


def task_gold(of, prediction, kind, value):
    from burnish.feedback.corrections import gold_of

    return gold_of(prediction, said(kind, value), task(of))


@pytest.mark.parametrize("name", ["csv", "jsonl"])
@pytest.mark.parametrize("text", HOSTILE)
def test_labels_comments_and_ids_come_back_exactly(name, text, tmp_path):
    feedback = said("label", text, comment=text, key=text, id=text)
    [draft] = there_and_back(
        tmp_path, name, CLASSIFICATION, [(predicted(classified(), {"text": text}, id="p1"), feedback)]
    )
    assert (draft.value, draft.comment, draft.by, draft.id) == (text, text, text, text)


@pytest.mark.parametrize("name", ["csv", "jsonl"])
@pytest.mark.parametrize("value", [True, False])
def test_accepted_comes_back(name, value, tmp_path):
    [draft] = there_and_back(
        tmp_path, name, CLASSIFICATION, [(predicted(classified(), {"text": "a"}), said("accepted", value))]
    )
    assert (draft.kind, draft.value) == ("accepted", value)


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_of_several_tasks_the_one_that_is_meant_comes_back(name, tmp_path):
    joint = task("multitask", tasks={"mood": {"task": "classification"}, "names": {"task": "tokens"}})
    answer = {"mood": classified("good"), "names": found()}
    items = [(predicted(answer, {"text": "Ada"}), said("label", {"mood": "bad"})),
             (predicted(answer, {"text": "Ada"}), said("spans", {"names": [[0, 3, "PER"]]}))]  # fmt: skip
    assert [one.value for one in there_and_back(tmp_path, name, joint, items)] == [
        {"mood": "bad"},
        {"names": [[0, 3, "PER"]]},
    ]


@every_format
def test_rows_to_be_labelled_go_out_with_the_models_answer_and_count_as_not_said(name, tmp_path):
    path = path_of(tmp_path, name)
    items = [(predicted(classified("退款"), {"text": f"text {i}"}, id=f"p{i}"), None) for i in range(3)]
    done = export_file(path, name, CLASSIFICATION, items)
    assert (done.n_written, done.n_left_out) == (3, 0)
    text = path.read_text("utf-8-sig")
    assert all(f"text {i}" in text for i in range(3))
    assert "退款" in text
    if name != "doccano":  # where a label that nobody confirmed cannot be told from one that somebody did
        drafts = import_file(path, name, CLASSIFICATION, accept)
        assert (len(drafts), drafts.n_unlabelled) == (0, 3)


@pytest.mark.parametrize("name", ["doccano", "label_studio"])
def test_what_a_tool_could_not_show_is_left_out_and_counted(name, tmp_path):
    items = [(predicted(classified(), None), None), (predicted(classified(), {"text": "kept"}), None)]
    done = export_file(path_of(tmp_path, name), name, CLASSIFICATION, items)
    assert (done.n_written, done.n_left_out) == (1, 1)


@every_format
def test_nothing_to_export_gives_a_file_without_rows(name, tmp_path):
    done = export_file(path_of(tmp_path, name), name, CLASSIFICATION, [])
    assert (done.n_written, done.n_left_out) == (0, 0)
    assert path_of(tmp_path, name).exists()


@every_format
def test_a_row_without_an_answer_of_the_tasks_form_is_written_all_the_same(name, tmp_path):
    done = export_file(path_of(tmp_path, name), name, CLASSIFICATION, [(predicted(None, {"text": "x"}), None)])
    assert done.n_written == 1


@every_format
def test_the_person_is_taken_from_whoever_imports_where_the_file_does_not_say(name, tmp_path):
    feedback = said("label", "billing", key="")
    [draft] = there_and_back(
        tmp_path, name, CLASSIFICATION, [(predicted(classified(), {"text": "x"}), feedback)], by="li"
    )
    assert draft.by == "li"


# Nothing half-imported.


def jsonl(folder, *rows):
    path = folder / "said.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def checked_against(prediction):
    def checked(draft):
        check(draft.kind, draft.value, CLASSIFICATION, LABELS, prediction)

    return checked


def test_every_fault_is_told_with_its_line_and_nothing_is_imported(tmp_path):
    rows = [{"prediction": "p1", "label": "refund"}, {"prediction": "p1", "label": "refnd"}, {"label": "refund"},
            {"prediction": "p1", "label": "refund", "accepted": True}]  # fmt: skip
    path = jsonl(tmp_path, *rows)
    with pytest.raises(UserError) as error:
        import_file(path, "jsonl", CLASSIFICATION, checked_against(predicted(classified(), {"text": "a"})))
    assert error.value.faults == (
        f"{path}:2: there is no label 'refnd'. Did you mean 'refund'? The labels are: refund, billing, 退款.",
        f"{path}:3: the row has no 'prediction', the id of the answer that it is about.",
        f"{path}:4: the row says several things: label, accepted; keep one of them.",
    )


def test_of_very_many_faults_the_first_twenty_are_shown_and_the_rest_is_counted(tmp_path):
    path = jsonl(tmp_path, *({"prediction": "p1", "label": f"x{i}"} for i in range(57)))
    with pytest.raises(UserError) as error:
        import_file(path, "jsonl", CLASSIFICATION, checked_against(predicted(classified(), {"text": "a"})))
    assert (len(error.value.faults), error.value.n_more) == (20, 37)
    assert str(error.value).endswith("… and 37 more like these.")


def test_a_fault_that_the_check_tells_as_a_user_error_is_one_of_them(tmp_path):
    def unknown(draft):
        raise UserError(f"there is no prediction '{draft.prediction}'.")

    with pytest.raises(UserError, match=r"said\.jsonl:1: there is no prediction 'p1'\."):
        import_file(jsonl(tmp_path, {"prediction": "p1", "label": "x"}), "jsonl", CLASSIFICATION, unknown)


def test_drafts_can_be_read_again_and_after_the_file_has_changed(tmp_path):
    path = jsonl(tmp_path, {"prediction": "p1", "label": "refund", "comment": "为什么"}, {"prediction": "p2"})
    drafts = import_file(path, "jsonl", CLASSIFICATION, accept)
    path.write_text("{", "utf-8")
    assert (len(drafts), drafts.n_unlabelled) == (1, 1)
    assert list(drafts) == list(drafts)
    assert [(one.line, one.comment) for one in drafts] == [(1, "为什么")]


def test_numbers_that_no_label_should_be_do_not_break_the_import(tmp_path):
    [draft] = import_file(jsonl(tmp_path, {"prediction": "p1", "label": 10**30}), "jsonl", CLASSIFICATION, accept)
    assert draft.value == 10**30


# Limits.


def test_too_large_a_file_is_not_opened(tmp_path):
    path = jsonl(tmp_path, {"prediction": "p1", "label": "refund"})
    size = path.stat().st_size
    assert len(import_file(path, "jsonl", CLASSIFICATION, accept, limits=Limits(most_bytes=size))) == 1
    sentence = f"{path}: has {size} bytes, and at most {size - 1} are read at once; import it in parts."
    with pytest.raises(UserError, match=re.escape(sentence)):
        import_file(path, "jsonl", CLASSIFICATION, accept, limits=Limits(most_bytes=size - 1))


def test_too_many_rows_are_not_read_to_the_end(tmp_path):
    path = jsonl(tmp_path, *({"prediction": "p1", "label": "refund"} for _ in range(4)))
    assert len(import_file(path, "jsonl", CLASSIFICATION, accept, limits=Limits(most_rows=4))) == 4
    with pytest.raises(UserError, match=r"said\.jsonl: has more than 3 rows; import it in parts\."):
        import_file(path, "jsonl", CLASSIFICATION, accept, limits=Limits(most_rows=3))


def test_memory_does_not_grow_with_the_rows(tmp_path):
    import tracemalloc

    def peak(n):
        path = jsonl(tmp_path, *({"prediction": f"p{i}", "label": "refund", "comment": "x" * 200} for i in range(n)))
        tracemalloc.start()
        for _ in import_file(path, "jsonl", CLASSIFICATION, accept):
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(10)
    assert peak(3_000) < 2 * peak(750)


def test_what_cannot_be_sized_or_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"none\.csv: there is no such file\."):
        import_file(tmp_path / "none.csv", "csv", CLASSIFICATION, accept)
    packed = tmp_path / "said.csv.gz"
    packed.write_bytes(b"")
    with pytest.raises(UserError, match=r"is packed, so its size tells nothing; unpack it first\."):
        import_file(packed, "csv", CLASSIFICATION, accept)


def test_an_unknown_format_is_refused_with_the_nearest():
    with pytest.raises(
        UserError, match=re.escape("there is no format 'docano'. Did you mean 'doccano'? The formats are: ")
    ):
        format_named("docano")


# Writing.


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out" / "said.csv"
    export_file(path, "csv", CLASSIFICATION, [(predicted(classified(), {"text": "old"}), None)])

    def broken():
        yield predicted(classified(), {"text": "new"}), None
        raise RuntimeError("the database has gone")

    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="the database has gone"):
        export_file(path, "csv", CLASSIFICATION, broken())
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["said.csv"]


def test_a_disk_that_takes_nothing_is_told_in_one_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"said\.csv: cannot be written: the disk is full;"):
        export_file(tmp_path / "said.csv", "csv", CLASSIFICATION, [])
    assert not any(tmp_path.iterdir())


def test_rows_are_written_as_they_come(tmp_path):
    def endless():
        for i in range(2_000):
            if i == 1_500:
                [neighbour] = Path(tmp_path).glob(".said*")
                assert neighbour.stat().st_size > 100_000
            yield predicted(classified(), {"text": "x" * 100}, id=f"p{i}"), None

    assert export_file(tmp_path / "said.jsonl", "jsonl", CLASSIFICATION, endless()).n_written == 2_000


def test_a_broken_character_does_not_stop_an_export(tmp_path):
    export_file(
        tmp_path / "said.jsonl", "jsonl", CLASSIFICATION, [(predicted(classified(), {"text": "a\ud800b"}), None)]
    )
    assert '"a?b"' in (tmp_path / "said.jsonl").read_text("utf-8")
