"""The proof: the answers come again, or one sentence says that they do not."""

import json

import pytest

from burnish.bundle.bundle import open_bundle
from burnish.bundle.predictor import load_predictor
from burnish.bundle.proof import N_TEXTS, PROOF, Proof, proof_in, told
from burnish.core.errors import UserError
from burnish.tasks._choices import Classified
from burnish.tasks.answers import FoundAnswer
from burnish.tasks.multilabel import GivenLabel, Labelled
from burnish.tasks.retrieval import Hit, Retrieved


@pytest.fixture
def predictor(bundle):
    return load_predictor(open_bundle(bundle))


def examples(predictor, n=60):
    words = ("good", "bad", "day", "so", "all")
    return [
        {**predictor.task.read({"text": f"{words[at % 5]} {at}", "label": "good"}, True), "line": at, "slice_x": "y"}
        for at in range(n)
    ]


def test_fifty_texts_spread_evenly_are_kept_without_what_readers_must_not_see(predictor, tmp_path):
    given = examples(predictor, 100)
    proof = Proof.of(predictor, given)
    assert len(proof.examples) == len(proof.answers) == N_TEXTS
    assert [one["text"] for one in proof.examples] == [one["text"] for one in given[::2]]
    proof.save(tmp_path)
    kept = json.loads((tmp_path / PROOF).read_text("utf-8"))
    assert all(set(one) == {"text", "text_pair", "label"} for one in kept["examples"])
    assert {one["label"] for one in kept["examples"]} == {None}, "gold is nobody's business"
    assert set(kept["answers"][0]) == {"label"}


def test_fewer_examples_than_fifty_are_all_kept(predictor):
    assert len(Proof.of(predictor, examples(predictor, 3)).examples) == 3


def test_a_proof_comes_back_and_holds_where_it_was_made(predictor, tmp_path):
    Proof.of(predictor, examples(predictor)).save(tmp_path)
    proof_in(tmp_path).check(predictor, tmp_path)


def test_a_bundle_that_was_not_shrunk_has_none(bundle):
    assert proof_in(bundle) is None


@pytest.mark.parametrize(("n_others", "is_refused"), [(1, False), (2, True)])
def test_one_answer_of_fifty_may_be_another(predictor, tmp_path, n_others, is_refused):
    proof = Proof.of(predictor, examples(predictor))
    answers = [{"label": "another"} if at < n_others else one for at, one in enumerate(proof.answers)]
    changed = Proof(proof.examples, answers)
    if not is_refused:
        changed.check(predictor, tmp_path)
        return
    with pytest.raises(UserError) as caught:
        changed.check(predictor, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: answers 2 of 50 texts otherwise on this machine than where it was shrunk; shrink the bundle that "
        "it was made from here."
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", None),
        ("[]", "list indices must be integers or slices, not str"),
        ('{"examples": []}', "it lacks 'answers'"),
        ('{"examples": [], "answers": []}', "0 examples and 0 answers"),
        ('{"examples": [1], "answers": []}', "1 examples and 0 answers"),
        ('{"examples": 3, "answers": []}', "object of type 'int' has no len()"),
    ],
)
def test_a_damaged_proof_is_told_in_one_sentence(content, reason, tmp_path):
    (tmp_path / PROOF).write_text(content)
    with pytest.raises(UserError) as caught:
        proof_in(tmp_path)
    if reason is None:
        assert str(caught.value).startswith(f"{tmp_path / PROOF}: cannot be read as JSON (")
    else:
        assert str(caught.value) == f"{tmp_path}: its {PROOF} cannot be used ({reason}); copy the bundle again."


@pytest.mark.parametrize("example", [{}, 7, {"text": None}])
def test_examples_of_no_task_are_told_too(example, predictor, tmp_path):
    with pytest.raises(UserError, match=r"its proof\.json cannot be used \(.+\); copy the bundle again\."):
        Proof([example], [{"label": "good"}]).check(predictor, tmp_path)


def test_what_an_answer_says_holds_no_confidence_and_of_alternatives_the_first():
    one = Classified(label="a", confidence=0.9, abstained=False, runners_up=[])
    assert told(one) == {"label": "a"}
    several = Labelled(labels=[GivenLabel(label=name, confidence=0.5, abstained=False) for name in "ab"])
    assert told(several) == {"labels": [{"label": "a"}, {"label": "b"}]}
    piece = FoundAnswer(answer="day", start=4, end=7, confidence=0.25, abstained=True)
    assert told(piece) == {"answer": "day", "start": 4, "end": 7}
    hits = [Hit(id=name, text=name, score=0.5, similarity=0.5, payload={"n": 1, "x": 0.5}) for name in "ab"]
    assert told(Retrieved(hits=hits)) == {"hits": [{"id": "a", "text": "a", "payload": {"n": 1}}]}
