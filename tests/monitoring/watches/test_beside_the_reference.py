"""Watches that hold a window against the test rows: each setting moves what is raised, each number is by hand."""

import numpy as np
import pytest
from scipy import stats
from tests.monitoring.made import drawn, prediction, window

from burnish.monitoring.reference import Reference
from burnish.monitoring.watches.abstentions import Abstentions
from burnish.monitoring.watches.confidence import Confidence
from burnish.monitoring.watches.drift import Drift
from burnish.monitoring.watches.input_length import InputLength
from burnish.monitoring.watches.label_mix import LabelMix
from burnish.monitoring.watches.language import Language
from burnish.monitoring.watches.privacy_hits import PrivacyHits
from burnish.monitoring.watches.quality import Quality
from burnish.monitoring.watches.unknown_tokens import UnknownTokens


def many(n, **fields):
    return [prediction(number, **fields) for number in range(n)]


def pair(now, before, accuracy=None):
    """A window and a reference of given predictions."""
    return window(now), Reference.of(before, accuracy)


MORE_UNSURE = pair([*many(80), *many(20, is_abstained=True)], [*many(380), *many(20, is_out_of_scope=True)])
LESS_SURE = pair([*many(60), *many(40, confidence=0.3)], many(400))
LONGER = pair([*many(60), *many(40, n_characters=200)], many(400))
CHINESE = pair([*many(80), *many(20, share_cjk=0.9)], [*many(360), *many(40, share_cjk=0.9)])
UNKNOWN = pair([*many(70), *many(30, share_unknown=0.5)], many(400))
PRIVATE = pair([*many(90), *many(10, private={"phone": 2})], [*many(396), *many(4, private={"phone": 1})])
MIXED = pair([*many(60), *many(40, label="退款")], [*many(320), *many(80, label="退款")])
MOVED = pair(drawn(100, 1, labels=(5, 1, 1, 1, 1)), drawn(400, 2, labels=(1, 1, 1, 1, 5)))

CASES = [
    (Abstentions, MORE_UNSURE, 0.15, {"points": 0.16}),
    (Confidence, LESS_SURE, -0.4, {"delta": 0.41}),
    (InputLength, LONGER, 0.4, {"delta": 0.41}),
    (Language, CHINESE, 0.1, {"points": 0.11}),
    (PrivacyHits, PRIVATE, 0.09, {"points": 0.095}),
    (UnknownTokens, UNKNOWN, 0.3, {"delta": 0.31}),
]
BY_HAND = pytest.mark.parametrize(
    ("watch", "given", "value", "stricter"), CASES, ids=[one[0].__name__ for one in CASES]
)


@BY_HAND
def test_the_value_is_what_one_computes_by_hand(watch, given, value, stricter):
    found = watch().look(*given, [])
    assert found.value == pytest.approx(value)
    assert found.is_raised


@BY_HAND
def test_a_higher_threshold_keeps_it_quiet(watch, given, value, stricter):
    found = watch(**stricter).look(*given, [])
    assert abs(found.threshold) == pytest.approx(next(iter(stricter.values())))
    assert not found.is_raised


@pytest.mark.parametrize("watch", [*(one[0] for one in CASES), LabelMix, Drift])
def test_fewer_rows_than_it_wants_are_not_looked_at(watch):
    assert watch(least=100).look(*MOVED, []) is not None
    assert watch(least=101).look(*MOVED, []) is None


@pytest.mark.parametrize("watch", [Abstentions, Confidence, InputLength, Language, PrivacyHits, UnknownTokens])
def test_a_handful_of_test_rows_is_no_reference(watch):
    assert watch().look(*pair(many(100), many(49)), []) is None


@pytest.mark.parametrize(
    ("watch", "given"),
    [(Abstentions, MORE_UNSURE), (Confidence, LESS_SURE), (PrivacyHits, PRIVATE), (UnknownTokens, UNKNOWN)],
)
def test_a_change_for_the_better_is_no_news(watch, given):
    now, before = given[1].answers, given[0].answers
    found = watch().look(window_of(now), Reference(before), [])
    assert not found.is_raised
    assert found.p_value > 0.9


@pytest.mark.parametrize(("watch", "given"), [(InputLength, LONGER), (Language, CHINESE)])
def test_lengths_and_languages_are_news_either_way(watch, given):
    found = watch().look(window_of(given[1].answers), Reference(given[0].answers), [])
    assert found.is_raised


def window_of(answers):
    empty = window()
    return type(empty)(empty.start, empty.end, answers, 0, 0, 0)


def test_a_share_is_tested_by_fisher():
    found = Abstentions().look(*MORE_UNSURE, [])
    assert found.p_value == pytest.approx(stats.fisher_exact([[20, 80], [20, 380]], alternative="greater").pvalue)
    assert found.sentence == "20 of 100 inputs got no sure answer (20.0 %); of the test rows 5.0 % (p < 0.0001)."


def test_ranks_are_tested_by_mann_and_whitney():
    found = Confidence().look(*LESS_SURE, [])
    wanted = stats.mannwhitneyu([0.9] * 60 + [0.3] * 40, [0.9] * 400, alternative="less", use_continuity=False)
    assert found.p_value == pytest.approx(wanted.pvalue)
    assert "Mean confidence of 100 answers is 66.0 %; on the test rows it was 90.0 % (delta -0.40" in found.sentence


def test_personal_data_is_told_by_its_kinds():
    found = PrivacyHits().look(*PRIVATE, [])
    assert found.numbers["kinds"] == {"phone": 20}
    assert "10 of 100 inputs hold personal data (10.0 %: phone 20); of the test rows 1.0 %" in found.sentence


def test_labels_that_moved_furthest_are_named_first():
    found = LabelMix().look(*MIXED, [])
    assert found.p_value == pytest.approx(stats.chi2_contingency([[60, 40], [320, 80]], correction=False).pvalue)
    assert found.numbers["moved"]["退款"] == [0.2, 0.4]
    assert "'refund' 80.0 % → 60.0 %, '退款' 20.0 % → 40.0 %" in found.sentence
    assert found.is_raised
    assert not LabelMix(psi=0.3).look(*MIXED, []).is_raised


def test_a_label_the_model_never_gave_before_counts_as_a_change():
    found = LabelMix().look(*pair([*many(80), *many(20, label="new")], many(400)), [])
    assert found.is_raised
    assert found.numbers["moved"]["new"] == [0.0, 0.2]


def test_drift_takes_its_threshold_its_divisions_and_its_seed_from_its_settings():
    found = Drift(n_permutations=99).look(*MOVED, [])
    assert found.p_value == pytest.approx(0.01)
    assert Drift(n_permutations=199).look(*MOVED, []).p_value == pytest.approx(0.005)
    assert not Drift(distance=0.9).look(*MOVED, []).is_raised
    quiet = pair(drawn(100, 1), drawn(400, 2))
    assert len({Drift(seed=seed).look(*quiet, []).p_value for seed in range(5)}) > 1


def test_vectors_of_different_lengths_cannot_be_compared():
    short = [prediction(n, vector=[0.5, 0.5]) for n in range(100)]
    assert Drift().look(window(short), Reference.of(drawn(100)), []) is None


JUDGED = window(many(200), n_judged=100, n_wrong=18)


def test_quality_is_held_against_the_accuracy_on_the_test_rows():
    found = Quality().look(JUDGED, Reference.of(many(500), accuracy=0.9), [])
    assert found.value == pytest.approx(0.08)
    assert found.p_value == pytest.approx(stats.fisher_exact([[18, 82], [50, 450]], alternative="greater").pvalue)
    assert found.is_raised
    assert found.sentence.startswith(
        "Feedback called 18 of 100 judged answers wrong (18.0 %); on the test rows 10.0 % "
    )


def test_quality_is_held_against_the_past_where_people_choose_what_they_correct():
    history = [window(n_judged=50, n_wrong=11) for _ in range(4)]
    found = Quality(against="history").look(JUDGED, Reference.of(many(500), accuracy=0.99), history)
    assert found.value == pytest.approx(0.18 - 0.22)
    assert not found.is_raised
    assert "in the past windows 22.0 % were" in found.sentence
    assert Quality(against="history").look(JUDGED, None, []) is None


def test_quality_has_a_threshold_and_a_least_number():
    usual = Reference.of(many(500), accuracy=0.9)
    assert not Quality(points=0.09).look(JUDGED, usual, []).is_raised
    assert Quality(least=101).look(JUDGED, usual, []) is None
    assert Quality().look(JUDGED, Reference.of(many(500)), []) is None


def test_inputs_without_text_have_neither_length_nor_language():
    pictures = pair(many(100, n_characters=0, n_tokens=0), many(400, n_characters=0, n_tokens=0))
    assert [watch().look(*pictures, []) for watch in (InputLength, Language, UnknownTokens)] == [None] * 3


def test_equal_answers_are_no_change():
    same = pair(many(100), many(400))
    for watch in (Abstentions, Confidence, InputLength, Language, PrivacyHits, UnknownTokens, LabelMix):
        found = watch().look(*same, [])
        assert not found.is_raised
        assert np.isclose(found.value, 0.0)
