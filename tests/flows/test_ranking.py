"""Ranking on a tiny base: fitted from a log, judged, asked; nothing is learned from the future."""

import json
import random

import numpy as np
import pytest
from tests.flows.conftest import write_csv

import burnish
from burnish.core.errors import UserError
from burnish.flows.ground import lay_ground
from burnish.flows.predict import predict_file
from burnish.recipe.load import load

GROUPS = {"a": [f"a{at}" for at in range(8)], "b": [f"b{at}" for at in range(8)]}


def log_rows(n_users=40, seed=4):
    """Users who like one of two groups of items, in any order, as time goes by; a7 and b7 are liked at the end only."""
    draw = random.Random(seed)
    rows = []
    for user in range(n_users):
        group = "ab"[user % 2]
        liked = draw.sample(GROUPS[group][:7], 5)
        rows += [(f"u{user}", item, 100 * user + at, 5) for at, item in enumerate(liked)]
        rows.append((f"u{user}", draw.choice(GROUPS["ba"["ab".index(group)]]), 100 * user + 50, 1))
    return [
        *rows,
        *((f"u{user}", f"{'ab'[user % 2]}7", 100 * n_users + user, 5) for user in range(n_users - 4, n_users)),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranking")
    words = {"a": "good day", "b": "so bad"}
    items = [(name, f"{words[name[0]]} {name[1]}", name[0]) for names in GROUPS.values() for name in names]
    write_csv(folder / "items.csv", items, ("id", "title", "kind"))
    write_csv(folder / "log.csv", log_rows(), ("user", "item", "time", "stars"))
    return folder


def recipe_of(folder, base, **task):
    return {
        "task": {"name": "ranking", "items": str(folder / "items.csv"), "items_columns": {"text": "title"}, **task},
        "base": str(base),
        "data": {
            "train": {
                "name": "interactions",
                "path": str(folder / "log.csv"),
                "rating": "stars",
                "least_rating": 4,
            },
            "dev": "20%",
            "test": "20%",
            "split": {"name": "time", "column": "time"},
        },
        "train": {"epochs": 8, "tokens_per_batch": 16, "precision": "fp32", "head_learning_rate": 0.01},
        "judge": {"n_bootstrap": 20, "formats": ["json", "markdown"]},
    }


@pytest.fixture(scope="module")
def bundle(folder, tiny_base):
    recipe = recipe_of(folder, tiny_base, categories=["kind"], top=5)
    return burnish.fit(recipe, out=folder / "bundle").bundle


def test_tastes_are_learned_and_judged_over_the_whole_catalogue(bundle):
    report = json.loads((bundle / "report" / "report.json").read_text())
    assert report["kind"] == "recommendations"
    assert report["scores"]["ranking_auc"] > 0.6  # two groups of eight, of which a history takes some
    assert {"ndcg_at_5", "ndcg_at_10", "recall_at_10", "mrr"} <= report["scores"].keys()
    page = (bundle / "report" / "report.md").read_text()
    assert "Area under the ROC curve of each row" in page
    assert "## By length" not in page


def test_what_a_history_holds_is_not_recommended_again(bundle):
    (answer,) = burnish.predict(bundle, '["a0", "a1", "zz"]')
    assert len(answer.items) == 5
    assert not {"a0", "a1"} & {one.id for one in answer.items}
    assert [one.id[0] for one in answer.items[:3]] == ["a"] * 3
    assert answer.items[0].payload == {"kind": "a"}
    assert answer.unknown == ["zz"]
    assert [line.answer for line in answer.lines()][-1] == "not in the catalogue: zz"


def test_a_user_without_a_history_is_answered(bundle):
    rows = [{"history": None}, {}, {"history": []}, ""]
    answers = [next(burnish.predict(bundle, row)) for row in rows]
    assert len({tuple(one.id for one in answer.items) for answer in answers}) == 1
    assert len(answers[0].items) == 5


def test_a_user_who_liked_everything_gets_nothing(bundle):
    (answer,) = burnish.predict(bundle, ",".join(name for names in GROUPS.values() for name in names))
    assert answer.items == []
    assert answer.lines() == []


def test_judging_the_same_rows_again_gives_the_same_scores(bundle, folder, tiny_base):
    fitted = json.loads((bundle / "report" / "report.json").read_text())["scores"]
    ground = lay_ground(load(recipe_of(folder, tiny_base)), folder / "ground", lambda event: None)
    names = GROUPS["a"] + GROUPS["b"]
    rows = [
        {"history": [names[at] for at in one["history"]], "item": [names[at] for at in one["items"]]}
        for one in ground.test.examples
    ]
    assert burnish.judge(bundle, rows).report.scores == pytest.approx(fitted, abs=1e-6)


def test_nothing_comes_from_the_future(folder, tiny_base):
    """Sides follow each other in time, histories hold earlier likes only, and what is liked later counts for none."""
    ground = lay_ground(load(recipe_of(folder, tiny_base)), folder / "ground", lambda event: None)
    train, dev, test = (list(ground.prepared.sides[side].corpus) for side in ("train", "dev", "test"))
    assert max(row["time"] for row in train) <= min(row["time"] for row in dev)
    assert max(row["time"] for row in dev) <= min(row["time"] for row in test)
    when = {(user, item): time for user, item, time, stars in log_rows() if stars >= 4}
    names, user_of = GROUPS["a"] + GROUPS["b"], {time: user for user, _, time, stars in log_rows() if stars >= 4}
    for row in [*train, *dev, *test]:
        past = [when[user_of[row["time"]], names[at]] for at in row["history"]]
        assert past == sorted(past)
        assert all(time < row["time"] for time in past)

    def texts(features):
        return [np.ones(2, np.float32)] * len(features)

    class Fills:
        readout = type("Readout", (), {"fill": lambda self, *tensors: None})()

    started = ground.task.started(Fills(), ground.reader, texts, train, lambda event: None)
    likes = dict(zip(names, started.catalogue.likes.tolist(), strict=True))
    assert sum(likes.values()) == len(train)
    assert (likes["a7"], likes["b7"]) == (0, 0)


def test_direct_rows_with_what_was_shown_train_it_too(folder, tiny_base, tmp_path):
    draw = random.Random(1)
    rows = [
        (json.dumps(draw.sample(GROUPS["a"][:4], 2)), draw.choice(GROUPS["a"][4:]), "|".join(GROUPS["b"][:2]), at)
        for at in range(40)
    ]
    write_csv(tmp_path / "rows.csv", rows, ("history", "item", "negatives", "time"))
    recipe = recipe_of(folder, tiny_base, negatives=3)
    recipe["data"] = {"train": str(tmp_path / "rows.csv"), "dev": "25%", "duplicates": "off"}
    recipe["train"]["epochs"] = 1
    result = burnish.fit(recipe, out=tmp_path / "bundle")
    assert result.example == '"an id, another id"'
    assert result.report.n_rows == 10


def test_texts_that_the_base_cannot_read_whole_are_told(folder, tiny_base, tmp_path):
    long = ("long", "good " * 80, "a")
    items = [(name, f"so {name}", name[0]) for names in GROUPS.values() for name in names]
    write_csv(tmp_path / "items.csv", [*items, long], ("id", "title", "kind"))
    recipe = recipe_of(tmp_path, tiny_base)
    recipe["data"]["train"]["path"] = str(folder / "log.csv")
    recipe["train"]["epochs"] = 0
    told = []
    burnish.fit(recipe, out=tmp_path / "bundle", listen=told.append)
    said = "task.items: 1 of 17 texts are longer than the 64 tokens that are read; their ends play no part."
    assert said in [getattr(event, "text", "") for event in told]


def test_files_are_answered_row_by_row(bundle, tmp_path):
    write_csv(tmp_path / "users.csv", [("a0|a1", "x"), ("", "y")], ("history", "who"))
    assert predict_file(bundle, tmp_path / "users.csv", tmp_path / "out.jsonl") == 2
    first, second = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert first["who"] == "x"
    assert len(first["prediction"]["items"]) == len(second["prediction"]["items"]) == 5


def test_ids_that_the_catalogue_does_not_have_are_told_with_their_lines(folder, tiny_base, tmp_path):
    write_csv(tmp_path / "log.csv", [("u", "a1", 1), ("u", "a77", 2)], ("user", "item", "time"))
    recipe = recipe_of(folder, tiny_base)
    recipe["data"]["train"] = {"name": "interactions", "path": str(tmp_path / "log.csv")}
    with pytest.raises(UserError) as caught:
        burnish.check(recipe)
    assert str(caught.value) == (
        f"{tmp_path / 'log.csv'}:3: the item 'a77' is not in the catalogue. Did you mean 'a7'? It has 16 items."
    )
