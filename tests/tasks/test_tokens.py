from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burnish.tasks._alignment import IGNORED, tag_words
from burnish.tasks._contract import Answered, Decision
from burnish.tasks._decoding import best_path, tag_names
from burnish.tasks._words import words_of
from burnish.tasks.tokens import Tokens

LABELS = ("LOC", "PER")
NAMES = tag_names(LABELS)


def perfect(features, n_outputs):
    """Logits of a model that gives every labelled token its own label, with certainty."""
    outputs = []
    for feature in features:
        labels = np.where(feature["labels"] == IGNORED, 0, feature["labels"])
        outputs.append((np.eye(n_outputs, dtype=np.float32)[labels] * 20).astype(np.float32))
    return outputs


def answered(task, example, tokenizer):
    (encoded,) = task.encode([example], tokenizer, LABELS)
    return Answered(example, encoded.features, perfect(encoded.features, len(NAMES)))


def spans_found(task, example, tokenizer):
    (answer,) = task.decode([answered(task, example, tokenizer)], LABELS, Decision())
    return [(span.start, span.end, span.label, span.text) for span in answer.spans]


def test_the_outputs_of_the_head_are_o_then_b_and_i_of_each_label():
    assert NAMES == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


@pytest.mark.parametrize(
    ("text", "surface", "label"),
    [
        ("I met Ann in Oslo today", "Oslo", "LOC"),
        ("我昨天去了北京大学玩", "北京大学", "LOC"),
        ("👍🏽👍🏽 thanks Zoë! 😀", "Zoë", "PER"),
        ("买了iPhone给张三丰😀，谢谢", "张三丰", "PER"),
        ("  leading spaces, then Paris  ", "Paris", "LOC"),
        ("tab\tand\nnewline before Rome", "Rome", "LOC"),
        ("𠮷野さん lives in 東京", "東京", "LOC"),
    ],
)
def test_a_learned_span_comes_back_at_its_own_characters(tokenizer, text, surface, label):
    task, start = Tokens(), text.index(surface)
    example = task.read({"text": text, "spans": [{"start": start, "end": start + len(surface), "label": label}]}, True)
    assert spans_found(task, example, tokenizer) == [(start, start + len(surface), label, surface)]


def test_neighbouring_spans_of_one_label_stay_apart(tokenizer):
    task = Tokens()
    example = task.read({"tokens": ["Ann", "Bob", "Smith"], "tags": ["B-PER", "B-PER", "I-PER"]}, True)
    assert [span[3] for span in spans_found(task, example, tokenizer)] == ["Ann", "Bob Smith"]


def test_a_text_longer_than_the_base_is_read_in_windows_and_no_span_is_lost(short_tokenizer):
    words = [f"w{i}" for i in range(60)]
    tags = ["B-LOC" if i % 7 == 0 else "I-LOC" if i % 7 == 1 else "O" for i in range(60)]
    task = Tokens()
    example = task.read({"tokens": words, "tags": tags}, True)
    (encoded,) = task.encode([example], short_tokenizer, LABELS)
    assert len(encoded.features) > 5
    assert all(len(feature["input_ids"]) <= 16 for feature in encoded.features)
    found = spans_found(task, example, short_tokenizer)
    assert [span[:3] for span in found] == list(
        zip(example["span_starts"], example["span_ends"], example["span_labels"], strict=True)
    )


def test_each_token_of_overlapping_windows_is_learned_exactly_once(short_tokenizer):
    task = Tokens()
    example = task.read({"tokens": ["word"] * 50, "tags": ["O"] * 50}, True)
    (encoded,) = task.encode([example], short_tokenizer, LABELS)
    assert sum(int((feature["labels"] != IGNORED).sum()) for feature in encoded.features) == encoded.n_tokens


def test_all_tokens_of_a_word_carry_its_label_and_special_tokens_none(tokenizer):
    task = Tokens()
    example = task.read({"tokens": ["Nebuchadnezzar", "spoke"], "tags": ["B-PER", "O"]}, True)
    (encoded,) = task.encode([example], tokenizer, LABELS)
    labels = encoded.features[0]["labels"].tolist()
    n_pieces = len(labels) - 3
    assert n_pieces > 1
    assert labels == [IGNORED, 3, *[4] * (n_pieces - 1), 0, IGNORED]


def test_a_span_that_ends_inside_a_word_is_noted_and_widened():
    text = "Washingtonians vote"
    tags, notes = tag_words(words_of(text), [(0, 10, "LOC")])
    assert tags == ["B-LOC", "O"]
    assert notes == ["the span 0–10 (LOC) begins or ends inside a word"]


def test_the_best_path_never_starts_or_continues_with_a_foreign_inside_tag():
    scores = np.log(np.array([[0.1, 0.1, 0.7, 0.05, 0.05], [0.1, 0.1, 0.1, 0.1, 0.6]]))
    path = [NAMES[i] for i in best_path(scores)]
    assert path in (["B-LOC", "O"], ["B-PER", "I-PER"])
    # by hand: B-PER I-PER has .05 × .6 = .03; B-LOC O .1 × .1; O O .1 × .1 — the first wins
    assert path == ["B-PER", "I-PER"]


def test_the_best_path_is_the_best_of_all_legal_ones():
    """Whether the likeliest tags are legal together or not: held against all 5⁴ sequences of random shares."""
    draw, n_legal = np.random.default_rng(3), 0
    for _ in range(60):
        scores = np.log(draw.dirichlet(np.full(len(NAMES), 0.5), 4) + 1e-9)
        legal = [path for path in itertools.product(range(len(NAMES)), repeat=4) if is_iob2(path)]
        best = max(legal, key=lambda path: sum(scores[word, tag] for word, tag in enumerate(path)))
        assert tuple(best_path(scores)) == best
        n_legal += tuple(scores.argmax(1)) == best
    assert 10 < n_legal < 50, "both ways are tried"


def is_iob2(path):
    names = ["O", *(NAMES[tag] for tag in path)]
    return all(now[0] != "I" or before[2:] == now[2:] for before, now in itertools.pairwise(names))


def test_a_word_without_any_token_joins_the_span_around_it(tokenizer):
    task = Tokens()
    words = ["New", "\u200b\u200b", "York"]  # zero-width spaces: the tokenizer drops them
    example = task.read({"tokens": words, "tags": ["B-LOC", "I-LOC", "I-LOC"]}, True)
    assert [span[3] for span in spans_found(task, example, tokenizer)] == ["New \u200b\u200b York"]


def test_an_unlabelled_text_may_be_empty_and_has_no_spans(tokenizer):
    task = Tokens()
    example = task.read({"text": ""}, False)
    (encoded,) = task.encode([example], tokenizer, LABELS)
    outputs = [np.zeros((len(feature["input_ids"]), len(NAMES)), np.float32) for feature in encoded.features]
    (answer,) = task.decode([Answered(example, encoded.features, outputs)], LABELS, Decision())
    assert answer.spans == ()


def test_a_span_below_the_threshold_is_marked_as_abstained(tokenizer):
    task = Tokens()
    example = task.read({"tokens": ["Oslo"], "tags": ["B-LOC"]}, True)
    row = answered(task, example, tokenizer)
    unsure = row._replace(outputs=[output / 20 for output in row.outputs])
    (answer,) = task.decode([unsure], LABELS, Decision(abstain_below=0.9))
    assert answer.spans[0].abstained
    assert answer.spans[0].confidence == pytest.approx(np.e / (np.e + 4))


def test_the_outcome_of_perfect_logits_equals_gold(tokenizer):
    task = Tokens()
    example = task.read({"text": "Ann saw 北京", "spans": [[0, 3, "PER"], [8, 10, "LOC"]]}, True)
    outcome = task.outcome([answered(task, example, tokenizer)], LABELS, Decision())
    assert [span[:3] for span in outcome.predicted[0]] == [span[:3] for span in outcome.gold[0]]
    assert outcome.predicted_tags == outcome.gold_tags == [["B-PER", "O", "B-LOC", "I-LOC"]]


def test_evidence_holds_one_decision_a_word(tokenizer):
    task = Tokens()
    example = task.read({"tokens": ["Nebuchadnezzar", "spoke"], "tags": ["B-PER", "O"]}, True)
    logits, gold, kind = task.evidence([answered(task, example, tokenizer)], LABELS)
    assert (logits.shape, gold.tolist(), kind) == ((2, 5), [3, 0], "softmax")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.sampled_from(["Oslo", "中", "国", "😀", "e\u0301", "don't", "Nebuchadnezzar", "3.5", "🏳️‍🌈", "ﬁ", "Ａ"]),
        min_size=1,
    ),
    seed=st.integers(0, 10_000),
)
def test_any_tagged_words_come_back_with_the_same_spans_or_a_note(tokenizer, words, seed):
    rng = np.random.default_rng(seed)
    tags, before = [], "O"
    for _ in words:
        allowed = ["O", "B-LOC", "B-PER", *([f"I{before[1:]}"] if before != "O" else [])]
        before = str(rng.choice(allowed))
        tags.append(before)
    task = Tokens()
    example = task.read({"tokens": words, "tags": tags}, True)
    gold = list(zip(example["span_starts"], example["span_ends"], example["span_labels"], strict=True))
    (encoded,) = task.encode([example], tokenizer, LABELS)
    if not encoded.notes:  # a label is never lost in silence
        assert [span[:3] for span in spans_found(task, example, tokenizer)] == gold


def test_labels_that_one_token_cannot_carry_are_noted(tokenizer):
    task = Tokens()
    example = task.read({"tokens": ["中", "国", "人", "Ａ", "Ａ"], "tags": ["O", "O", "O", "B-PER", "B-PER"]}, True)
    (encoded,) = task.encode([example], tokenizer, LABELS)
    assert encoded.notes == ("the characters 3–5 share a token but carry several labels",)


def test_a_word_whose_letters_begin_inside_the_token_before_goes_with_the_word_of_that_token(tokenizer):
    task = Tokens()
    # Joined without spaces: don'tOslo中中中. The tokens are don ' tos ##lo 中 中 中: Oslo has none that begins with it.
    words, tags = ["don't", "Oslo", "中", "中", "中"], ["B-PER", "I-PER", "O", "O", "B-LOC"]
    example = task.read({"tokens": words, "tags": tags}, True)
    assert spans_found(task, example, tokenizer)[0][3] == "don'tOslo"
    torn = task.read({"tokens": words, "tags": ["B-PER", "B-PER", "O", "O", "B-LOC"]}, True)
    (encoded,) = task.encode([torn], tokenizer, LABELS)
    assert encoded.notes == ("the characters 0–9 share a token but carry several labels",)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"tokens": ["a", "b"], "tags": ["O"]}, "has 2 tokens but 1 tags; give one tag a token."),
        ({"tokens": [], "tags": []}, "'tokens' is empty."),
        ({"text": "a b"}, "has no 'spans'; give 'text' and 'spans', or 'tokens' and 'tags' (see data.columns)."),
        (
            {"text": " ", "spans": []},
            "'text' is empty; give it a text or take the row out (data.bad_rows: drop skips such rows).",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_told_in_one_sentence(values, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Tokens().read(values, True)
