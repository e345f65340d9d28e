"""Retrieval on a tiny base: without training, with training, judged, changed, asked."""

import json
import random

import pytest
from tests.flows.conftest import write_csv

import burnish
from burnish.core.errors import UserError

WORDS = ["good", "bad", "day", "all", "so"]


def corpus_rows(n=30):
    draw = random.Random(3)
    return [(f"t{at}", " ".join(draw.choice("abcdefghij") * 3 for _ in range(4)), WORDS[at % 5]) for at in range(n)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retrieval")
    rows = corpus_rows()
    write_csv(folder / "faq.csv", rows, ("id", "text", "kind"))
    write_csv(folder / "queries.csv", [(f"{text[:-2]} x", name) for name, text, _ in rows], ("query", "id"))
    write_csv(folder / "more.csv", [("new", "zzz yyy", "good")], ("id", "text", "kind"))
    return folder


def recipe_of(folder, base, data, **task):
    return {
        "task": {"name": "retrieval", "corpus": str(folder / "faq.csv"), **task},
        "base": str(base),
        "data": data,
        "train": {"epochs": 1, "precision": "fp32"},
        "judge": {"n_bootstrap": 20},
    }


@pytest.fixture(scope="module")
def bundle(folder, tiny_base):
    recipe = recipe_of(folder, tiny_base, {"test": str(folder / "queries.csv")})
    return burnish.fit(recipe, out=folder / "bundle").bundle


def test_a_bundle_without_training_is_judged_and_has_no_empty_section(bundle):
    report = json.loads((bundle / "report" / "report.json").read_text())
    assert report["scores"]["recall_at_5"] > 0.5
    page = (bundle / "report" / "report.md").read_text()
    assert "Recall at 1" in page
    assert "## Confidence" not in page
    assert "as it is" in (bundle / "README.md").read_text()


def test_hits_come_with_their_text_and_further_columns(bundle):
    name, text, kind = corpus_rows()[4]
    (answer,) = burnish.predict(bundle, text)
    assert (answer.hits[0].id, answer.hits[0].text, answer.hits[0].payload) == (name, text, {"kind": kind})
    assert answer.hits[0].similarity == pytest.approx(1.0, abs=1e-4)
    assert len(answer.hits) == 10


def test_judging_the_bundle_again_gives_the_same_scores(bundle, folder):
    fitted = json.loads((bundle / "report" / "report.json").read_text())["scores"]
    assert burnish.judge(bundle, folder / "queries.csv").report.scores == pytest.approx(fitted, abs=1e-6)


def test_rows_are_added_and_deleted_in_a_new_bundle(bundle, folder, tmp_path):
    result = burnish.index(bundle, add=str(folder / "more.csv"), delete=["t0", "t1"], out=tmp_path / "new")
    assert (result.n_rows, result.n_added, result.n_deleted) == (29, 1, 2)
    (answer,) = burnish.predict(result.bundle, "zzz yyy")
    assert answer.hits[0].id == "new"
    assert "Its index: 1 rows added, 2 deleted; 29 rows are searched now." in (tmp_path / "new/README.md").read_text()
    (before,) = burnish.predict(bundle, "zzz yyy")
    assert "new" not in [hit.id for hit in before.hits]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "index: there is nothing to do; give rows to add, ids to delete, or both."),
        ({"delete": ["t99x"]}, "delete: the id 't99x' is not in the corpus. Did you mean 't9'? It has 30 ids."),
        (
            {"delete": [f"t{at}" for at in range(30)]},
            "delete: nothing would be left to search; keep a row, or add some in the same call.",
        ),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(bundle, tmp_path, given, sentence):
    with pytest.raises(UserError) as caught:
        burnish.index(bundle, out=tmp_path / "new", **given)
    assert str(caught.value) == sentence
    assert not (tmp_path / "new").exists()


def test_pairs_train_the_base(folder, tiny_base, tmp_path):
    data = {"train": str(folder / "queries.csv"), "dev": "30%"}
    result = burnish.fit(recipe_of(folder, tiny_base, data), out=tmp_path / "trained")
    assert result.report.kind == "ranking"
    assert "fine-tuned from" in (tmp_path / "trained" / "README.md").read_text()


def test_gates_want_rows_to_judge(folder, tiny_base, tmp_path):
    recipe = recipe_of(folder, tiny_base, {}) | {"judge": {"gates": {"mrr": ">= 0.5"}}}
    with pytest.raises(UserError) as caught:
        burnish.check(recipe)
    assert str(caught.value) == (
        "judge.gates: there are no rows to judge; name some as data.test, or take the gates out."
    )


def test_a_share_of_no_rows_is_refused(folder, tiny_base):
    with pytest.raises(UserError) as caught:
        burnish.check(recipe_of(folder, tiny_base, {"dev": "10%"}))
    assert str(caught.value) == ("data.dev is a share of data.train, which is not given; name a file; got '10%'.")


def test_only_a_matching_bundle_ranks_anew(bundle, folder, tiny_base):
    with pytest.raises(UserError) as caught:
        burnish.check(recipe_of(folder, tiny_base, {}, reranker=str(bundle)))
    assert str(caught.value) == (
        f"task.reranker: {bundle} does retrieval; a re-ranker is a bundle of the task matching."
    )
