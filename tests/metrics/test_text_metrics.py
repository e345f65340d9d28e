"""Scores of written texts against the libraries that published scores come from, and by hand."""

import numpy as np
import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from burnish.core.shelves import Shelf
from burnish.evaluation.scores import metrics_for, score_all
from burnish.metrics._overlap import pieces
from burnish.metrics._texts import TextOutcome

ENGLISH = [
    (("The cat sat on the mat.", "A cat was sitting on the mat."), "The cats sat on a red mat!"),
    (("It doesn't rain in 1987, does it?",), "It rained in 1987 and it rains now."),
    (("He's reading quickly.", "He reads."), "Nothing at all to do with it here"),
]
CHINESE = [
    (("今天的天气很好。", "天气今天不错"), "今天天气很好"),
    (("我买了3本书",), "他在iPhone上买了三本书"),
]


def outcome(rows, is_chinese=False, nll=0.0):
    n = len(rows)
    gold, written = [one for one, _ in rows], [one for _, one in rows]
    return TextOutcome(gold, written, np.full(n, nll), np.full(n, 4), np.full(n, is_chinese))


def score(name, found):
    return Shelf("metrics").get(name)().score(found)


def streams(rows):
    """sacrebleu's form: the n-th gold text of every row, None where a row has fewer."""
    n = max(len(gold) for gold, _ in rows)
    return [[gold[i] if i < len(gold) else None for gold, _ in rows] for i in range(n)]


def test_rouge_of_english_is_the_librarys_with_its_own_tokenizer_and_the_best_gold():
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    each = [scorer.score_multi(list(gold), written) for gold, written in ENGLISH]
    expected = {
        ours: np.mean([one[theirs].fmeasure for one in each])
        for ours, theirs in (("rouge_1", "rouge1"), ("rouge_2", "rouge2"), ("rouge_l", "rougeL"))
    }
    assert score("rouge_l", outcome(ENGLISH)) == pytest.approx(expected)


def test_chinese_is_compared_by_character():
    assert pieces("我买了 iPhone 15,3本", True) == ["我", "买", "了", "iphone", "15", "3", "本"]
    found = score("rouge_l", outcome([(("今天天气好",), "今天好")], is_chinese=True))
    # 3 shared of 5 and of 3: precision 1, recall 3/5, F1 = 3/4; pairs: 今天 of 4 and of 2: 2·1 / (4 + 2) = 1/3
    assert found == pytest.approx({"rouge_1": 0.75, "rouge_l": 0.75, "rouge_2": 1 / 3})


def test_letters_with_accents_are_letters():
    assert pieces("Zwei Mädchen fliehen über Straßen", False)[1:4] == ["mädchen", "fliehen", "über"]


@pytest.mark.parametrize(
    ("rows", "is_chinese", "tokenize"), [(ENGLISH, False, "13a"), (ENGLISH[:1], False, "13a"), (CHINESE, True, "zh")]
)
def test_bleu_is_sacrebleus_of_the_corpus(rows, is_chinese, tokenize):
    expected = sacrebleu.BLEU(tokenize=tokenize).corpus_score([written for _, written in rows], streams(rows)).score
    assert score("bleu", outcome(rows, is_chinese))["bleu"] == pytest.approx(expected / 100, abs=1e-12)


@pytest.mark.parametrize(("rows", "is_chinese"), [(ENGLISH, False), (CHINESE, True), ([(("ab",), "ab")], False)])
def test_chrf_is_sacrebleus_of_the_corpus(rows, is_chinese):
    expected = sacrebleu.CHRF().corpus_score([written for _, written in rows], streams(rows)).score
    assert score("chrf", outcome(rows, is_chinese))["chrf"] == pytest.approx(expected / 100, abs=1e-12)


def test_perplexity_is_exp_of_the_nats_of_a_token():
    rows = TextOutcome([("a",)] * 2, ["", ""], np.array([3.0, 9.0]), np.array([2, 4]), np.zeros(2, bool))
    assert score("perplexity", rows)["perplexity"] == pytest.approx(np.exp(12 / 6))
    far = TextOutcome([("a",)], [""], np.array([1e6]), np.array([1]), np.zeros(1, bool))
    assert np.isfinite(score("perplexity", far)["perplexity"])


def test_an_empty_text_scores_nothing_and_breaks_nothing():
    scores = score_all(outcome([(("a text of some words",), "")]), metrics_for(TextOutcome))
    assert {scores[name] for name in ("rouge_1", "rouge_2", "rouge_l", "bleu", "chrf")} == {0.0}


def test_an_outcome_tells_which_rows_are_wrong_and_what_was_said():
    rows = outcome([(("a b c d", "x"), "a b c d"), (("a b c d",), "a z"), (("a b c d",), "a b c z")])
    assert rows.is_wrong().tolist() == [False, True, False]
    assert rows.distance() == pytest.approx([0.0, 1 - 2 / 6, 0.25])
    assert rows.words_of(0) == (["a b c d", "x"], ["a b c d"])
    assert rows.gold_of(1) == ("a b c d",)
