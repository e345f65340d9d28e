"""The main job with scores for pairs of texts, on a tiny base: fit, judge, compare, predict."""

import json

import numpy as np
import pytest
from tests.flows.conftest import write_csv

import burnish
from burnish.core.errors import UserError


def pair_rows(n, seed=0):
    """Pairs about the same word score high, others low."""
    draw = np.random.default_rng(seed)
    words = ["good", "bad", "day", "all"]
    rows = []
    for _ in range(n):
        first, second = draw.choice(words, size=2)
        rest = "".join(draw.choice(list("abcdef"), size=6))
        rows.append((f"{first} {rest}", f"{second} {rest[::-1]}", 5 if first == second else 1))
    return rows


@pytest.fixture(scope="module", params=["cls", "vector"])
def bundle(request, tmp_path_factory, tiny_base):
    folder = tmp_path_factory.mktemp(request.param)
    write_csv(folder / "train.csv", pair_rows(160), ("text", "text_pair", "score"))
    write_csv(folder / "test.csv", pair_rows(40, seed=1), ("text", "text_pair", "score"))
    recipe = {
        "task": {"name": "matching", "head": request.param, "scale": [1, 5]},
        "base": str(tiny_base),
        "data": {"train": str(folder / "train.csv"), "dev": "20%", "test": str(folder / "test.csv")},
        "train": {"epochs": 1, "learning_rate": 0.003, "precision": "fp32", "tokens_per_batch": 128},
        "judge": {"n_bootstrap": 20, "gates": {"mae": "<= 1"}},
    }
    return burnish.fit(recipe, out=folder / "bundle").bundle


def test_the_report_has_scores_and_no_empty_section_about_labels_or_confidence(bundle):
    report = json.loads((bundle / "report" / "report.json").read_text())
    assert {"spearman", "pearson", "mae", "auc", "best_f1"} <= report["scores"].keys()
    assert report["calibration"] is report["selective"] is None
    page = (bundle / "report" / "report.html").read_text()
    assert "Spearman" in page
    assert "<h2>Labels</h2>" not in page
    assert "<h2>Confidence</h2>" not in page
    assert "## Confidence" not in (bundle / "report" / "report.md").read_text()


def test_judging_the_bundle_again_gives_the_same_scores(bundle):
    again = burnish.judge(bundle, bundle.parent / "test.csv").report
    fitted = json.loads((bundle / "report" / "report.json").read_text())["scores"]
    assert again.scores["spearman"] == pytest.approx(fitted["spearman"], abs=1e-6)


def test_two_bundles_are_compared_by_spearman(bundle):
    found = burnish.compare(bundle, bundle, bundle.parent / "test.csv")
    assert found.main.name == "spearman"
    assert found.main.difference == 0.0


def test_pairs_are_answered_on_the_users_scale(bundle):
    rows = [{"text": "good a", "text_pair": "good b"}, {"text": "good a", "text_pair": "bad b"}]
    for answer in burnish.predict(bundle, rows):
        assert 1 <= answer.score <= 5
        assert isinstance(answer.is_match, bool)


def test_class_weights_are_refused_where_there_are_no_labels(tmp_path, tiny_base):
    write_csv(tmp_path / "train.csv", pair_rows(60), ("text", "text_pair", "score"))
    recipe = {
        "task": {"name": "matching", "scale": [1, 5]},
        "base": str(tiny_base),
        "data": {"train": str(tmp_path / "train.csv")},
        "train": {"class_weights": "balanced"},
    }
    with pytest.raises(UserError) as caught:
        burnish.fit(recipe, out=tmp_path / "bundle")
    assert str(caught.value) == "train.class_weights: the task 'matching' has no labels to weigh; take it out."
