"""Word and character error rates: by hand, and held to jiwer."""

import jiwer
import numpy as np
import pytest

from burnish.metrics._transcripts import TranscriptOutcome, n_edits, said_letters, said_words
from burnish.metrics.cer import Cer
from burnish.metrics.wer import Wer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Turn LEFT, please!", ["turn", "left", "please"]),
        ("don’t stop 'here'", ["don't", "stop", "here"]),
        ("  ", []),
        ("打开 Wi-Fi。", ["打", "开", "wi", "fi"]),
        ("_so_ 7％", ["so", "7"]),
    ],
)
def test_words_are_compared_without_case_and_punctuation(text, words):
    assert said_words(text) == words


def test_no_space_is_counted_between_chinese_characters():
    assert said_letters("打开 灯") == "打开灯"
    assert said_letters("打开 TV now") == "打开 tv now"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("ab", "ba", 2)],
)
def test_edits_of_known_words(one, other, expected):
    assert n_edits(one, other) == expected


def test_wer_by_hand():
    # turn left → turn the left: 1 insertion; stop now → go now: 1 substitution; 4 words were said
    outcome = TranscriptOutcome(["turn left", "stop now"], ["Turn the left.", "go now"])
    assert Wer().score(outcome) == {"wer": 0.5}
    assert outcome.distance().tolist() == [0.5, 0.5]
    assert outcome.is_wrong().tolist() == [True, True]


def test_cer_of_chinese_by_hand():
    assert Cer().score(TranscriptOutcome(["打开电灯"], ["打开点灯。"])) == {"cer": 0.25}
    assert Wer().score(TranscriptOutcome(["打开电灯"], ["打开点灯。"])) == {"wer": 0.25}


def test_writing_where_nothing_was_said_is_wrong_and_counts():
    outcome = TranscriptOutcome(["", "one"], ["a b", "one"])
    assert Wer().score(outcome) == {"wer": 2.0}
    assert outcome.distance().tolist() == [2.0, 0.0]


def test_rates_equal_those_of_jiwer():
    draw = np.random.default_rng(0)
    known = ["one", "two", "three", "for", "four", "a", "the"]
    gold, written = ([" ".join(draw.choice(known, size=draw.integers(1, 9))) for _ in range(80)] for _ in range(2))
    outcome = TranscriptOutcome(gold, written)
    assert Wer().score(outcome)["wer"] == pytest.approx(jiwer.wer(gold, written))
    assert Cer().score(outcome)["cer"] == pytest.approx(jiwer.cer(gold, written))
