"""What is kept of an answer, under each setting; with personal data of both languages planted in it."""

import time
from types import SimpleNamespace

import numpy as np
import orjson
import pytest

from burnish.core.ids import made_at
from burnish.data.masking import Mask
from burnish.flows.recording import Asked, Recorder, digest_of, labels_in
from burnish.store.texts import json_of
from burnish.tasks._contract import Answered

PHONE, MAIL, ID = "13912345678", "li.lei@example.com", "11010519491231002X"
TEXT = f"我的电话是{PHONE}，邮箱 {MAIL}，身份证 {ID}。"
HOME = SimpleNamespace(digest_of=lambda content: f"keyed {content.decode()}")


def recorder(keep="masked", is_piece=None):
    return Recorder(HOME, Mask.of(), keep, is_piece)


def record(row=None, answer=None, keep="masked", features=None, outputs=None, **asked):
    told = Asked("intent", 3, "k1", [], time.perf_counter() - 0.02, **asked)
    features = [{"input_ids": np.arange(4, dtype=np.int32)}] if features is None else features
    answered = Answered({}, features, outputs or [])
    return recorder(keep).record(told, row or {"text": TEXT}, answered, answer or {"label": "退款", "confidence": 0.75})


def test_masked_keeps_the_text_without_personal_data_and_says_what_was_found():
    kept = record()
    assert kept.input == {"text": "我的电话是[PHONE]，邮箱 [EMAIL]，身份证 [RESIDENT_ID]。"}
    assert kept.private == {"phone": 1, "email": 1, "resident_id": 1}
    assert kept.input_digest.startswith("keyed ")


@pytest.mark.parametrize(
    ("keep", "text", "digest"),
    [("off", None, ""), ("hashed", None, "keyed"), ("masked", "masked", "keyed"), ("full", TEXT, "keyed")],
)
def test_each_setting_keeps_what_it_says(keep, text, digest):
    kept = record(keep=keep)
    assert (kept.input is None) == (text is None)
    if text == TEXT:
        assert kept.input == {"text": TEXT}
    assert kept.input_digest[:5] == digest
    assert kept.private == {"phone": 1, "email": 1, "resident_id": 1}  # what was found is counted under each


@pytest.mark.parametrize("keep", ["off", "hashed", "masked"])
def test_no_byte_of_personal_data_is_in_a_record(keep):
    answer = {
        "label": "退款", "text": f"Call {PHONE}", "words": [MAIL], "unknown": [ID], "answer": f"{PHONE}",
        "spans": [{"start": 5, "end": 16, "label": "TEL", "text": PHONE}],
    }  # fmt: skip
    row = {"text": TEXT, "text_pair": {"phone": int(PHONE), "mail": [MAIL]}, "meta": ID}
    written = json_of(record(row, answer, keep)).decode().replace("keyed", "")
    digest = record(row, answer, keep).input_digest
    assert digest == "" or PHONE in digest  # the stand-in for a keyed hash quotes what it hashes
    for secret in (PHONE, MAIL, ID):
        assert secret not in written.replace(orjson.dumps(digest.removeprefix("keyed")).decode()[1:-1], "")


@pytest.mark.parametrize(("keep", "is_quoted"), [("off", False), ("hashed", False), ("masked", True), ("full", True)])
def test_without_inputs_no_answer_quotes_them(keep, is_quoted):
    answer = {"spans": [{"start": 0, "end": 2, "label": "PER", "text": "李雷"}], "text": "李雷", "answer": "李雷"}
    kept = record({"text": "李雷来了"}, answer, keep).answer
    assert (kept["spans"][0].get("text") == "李雷") == is_quoted
    assert ("text" in kept, "answer" in kept) == (is_quoted, is_quoted)
    assert kept["spans"][0]["label"] == "PER"


@pytest.mark.parametrize(("keep", "is_kept"), [("masked", False), ("off", False), ("full", True)])
def test_a_vector_from_which_its_text_could_be_guessed_is_kept_with_full_inputs_only(keep, is_kept):
    answer = {"vector": [0.1] * 8, "mood": {"vector": [0.2]}, "label": "x"}
    kept = record({"text": "a"}, answer, keep).answer
    assert ("vector" in kept, "vector" in kept["mood"]) == (is_kept, is_kept)


@pytest.mark.parametrize(
    ("text", "span", "moved", "surface"),
    [
        ("李雷 13912345678 在北京", (0, 2), (0, 2), "李雷"),  # before what was found
        ("李雷 13912345678 在北京", (16, 18), (12, 14), "北京"),  # behind it: [PHONE] is 4 shorter
        ("李雷 13912345678 在北京", (3, 14), (3, 10), "[PHONE]"),  # the same
        ("李雷 13912345678 在北京", (5, 9), (3, 10), "[PHONE]"),  # a part of it
        ("李雷 13912345678 在北京", (0, 6), (0, 10), "李雷 [PHONE]"),  # across its start
        ("李雷 13912345678 在北京", (10, 18), (3, 14), "[PHONE] 在北京"),  # across its end
        ("a@b.com c@d.com x", (16, 17), (16, 17), "x"),  # [EMAIL] twice, as long as what it stands for
        ("nothing here", (0, 7), (0, 7), "nothing"),
    ],
)
def test_places_in_an_answer_are_those_of_the_text_as_it_is_kept(text, span, moved, surface):
    start, end = span
    answer = {"spans": [{"start": start, "end": end, "label": "X", "text": text[start:end]}]}
    kept = record({"text": text}, answer)
    [found] = kept.answer["spans"]
    assert (found["start"], found["end"], found["text"]) == (*moved, surface)
    assert kept.input["text"][found["start"] : found["end"]] == surface


def test_places_of_an_answer_in_a_context_move_too_and_those_that_are_none_stay():
    row = {"question": f"who is {MAIL}?", "context": f"{PHONE} belongs to 韩梅梅."}
    kept = record(row, {"answer": "韩梅梅", "start": 23, "end": 26, "confidence": 0.5})
    assert kept.input["context"][kept.answer["start"] : kept.answer["end"]] == "韩梅梅"
    assert kept.answer["answer"] == "韩梅梅"
    none = record(row, {"answer": "", "start": None, "end": None})
    assert none.answer == {"answer": "", "start": None, "end": None}


def test_numbers_of_a_record_are_those_of_the_answer():
    kept = record(
        {"text": "good 好", "text_pair": "天"},
        {"label": "x", "confidence": 1, "abstained": True, "out_of_scope": True},
        features=[{"input_ids": np.arange(4, dtype=np.int32)}, {"input_ids": np.arange(3, dtype=np.int32)}],
        traffic="canary",
    )
    assert (kept.name, kept.version, kept.key, kept.traffic) == ("intent", 3, "k1", "canary")
    assert (kept.label, kept.confidence, kept.is_abstained, kept.is_out_of_scope) == ("x", 1.0, True, True)
    assert (kept.n_tokens, kept.n_characters) == (7, 8)
    assert kept.share_cjk == 0.25  # 2 of 8: "good 好", a line end, "天"
    assert 20 <= kept.ms < 1000
    assert abs(made_at(kept.id, "p") - time.time()) < 5


def test_an_identifier_tells_when_it_was_made_and_nothing_else_does():
    assert made_at("p_" + "0" * 26, "p") == 0.0
    for none in ("", "p", "p_", "p_" + "0" * 25, "f_" + "0" * 26, "p_" + "0" * 25 + "u", "p_" + "0" * 25 + "A"):
        assert made_at(none, "p") is None


def test_an_answer_without_confidence_has_none():
    kept = record(answer={"text": "a", "confidence": None})
    assert (kept.confidence, kept.label, kept.is_abstained) == (None, None, False)


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ({"label": "a"}, ["a"]),
        ({"labels": [{"label": "b", "confidence": 0.5}, {"label": "a"}]}, ["b", "a"]),
        ({"labels": ["a"]}, ["a"]),
        ({"labels": []}, []),
        ({"label": None, "score": 0.5}, []),
    ],
)
def test_the_labels_of_an_answer(answer, labels):
    assert labels_in(answer) == labels
    assert record(answer=answer).label == (" + ".join(sorted(labels)) or None)


def test_outputs_are_kept_of_a_tenth_and_not_of_what_is_large_or_no_vector(monkeypatch):
    draws = iter([0.05, 0.5, 0.05, 0.05, 0.05])
    monkeypatch.setattr("burnish.flows.recording.random", SimpleNamespace(random=lambda: next(draws)))
    assert record(outputs=[np.array([0.123, 4.567], np.float32)]).vector == [0.0116, 0.9884]  # 1 / (1 + e^4.444)
    assert record(outputs=[np.array([0.1, 0.2], np.float32)]).vector is None
    assert record(outputs=[np.zeros((2, 2), np.float32)]).vector is None
    assert record(outputs=[np.zeros(513, np.float32)]).vector is None
    assert record(outputs=None).vector is None


def predictor_with(vocabulary, labels=()):
    reader, knowledge = SimpleNamespace(vocabulary=vocabulary), SimpleNamespace(labels=labels)
    return SimpleNamespace(task=SimpleNamespace(), reader=reader, knowledge=knowledge)


def test_a_label_that_looks_like_personal_data_is_kept_as_it_is_and_anything_else_is_not():
    told = recorder().knowing(predictor_with(None, ("13912345678", "b")))
    answered = Answered({}, [], [])
    answer = {"label": "13912345678", "runners_up": [{"label": "b", "confidence": 0.1}]}
    assert told.record(Asked("n", 1, "k", [], 0.0), {"text": "a"}, answered, answer).answer == answer
    answer = {"label": "13912345678", "text": "13912345679"}
    kept = told.record(Asked("n", 1, "k", [], 0.0), {"text": "a"}, answered, answer).answer
    assert kept["text"] == "[PHONE]"


def test_the_share_of_unknown_pieces_is_that_of_the_first_window():
    told = recorder().knowing(predictor_with({"[UNK]": 0, "a": 1, "##b": 2, "c": 3}))
    assert told.is_piece.tolist() == [True, False, True, False]
    answered = Answered({}, [{"input_ids": np.array([0, 1, 2, 3], np.int32)}], [])
    kept = told.record(Asked("n", 1, "k", [], 0.0), {"text": "a"}, answered, {})
    assert kept.share_unknown == 0.5
    assert recorder().knowing(predictor_with({"a": 0})).is_piece is None
    assert recorder().knowing(predictor_with(None)).is_piece is None


def test_the_same_row_is_known_again_whatever_the_order_of_its_fields():
    assert digest_of(HOME, {"a": 1, "b": 2}) == digest_of(HOME, {"b": 2, "a": 1}) != digest_of(HOME, {"a": 1})


def test_ids_of_what_was_found_and_of_a_history_are_kept_and_nothing_else_that_looks_like_them():
    answer = {"hits": [{"id": PHONE, "text": f"call {PHONE}", "score": 0.5}], "unknown": [MAIL]}
    assert record(answer=answer).answer == {
        "hits": [{"id": PHONE, "text": "call [PHONE]", "score": 0.5}], "unknown": ["[EMAIL]"],
    }  # fmt: skip
    task = SimpleNamespace(catalogue=SimpleNamespace(number_of={PHONE: 0}))
    knowing = recorder().knowing(
        SimpleNamespace(task=task, knowledge=SimpleNamespace(labels=()), reader=SimpleNamespace())
    )
    row = {"history": [PHONE, int(PHONE), "13800138000"], "user": MAIL}
    asked = Asked("films", 1, "k1", [], time.perf_counter())
    kept = knowing.record(asked, row, Answered({}, [], []), {"items": []})
    assert kept.input == {"history": [PHONE, int(PHONE), "[PHONE]"], "user": "[EMAIL]"}
