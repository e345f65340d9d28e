"""Several tasks on one trunk, from recipe to answers: each as if alone, one reading of a text, tasks added later."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.flows.conftest import sentiment_rows, write_csv

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.bundle.runtimes._contract import Runtime
from burnish.core.errors import UserError
from burnish.flows.check import check
from burnish.flows.ground import lay_ground
from burnish.flows.predict import predict_file
from burnish.flows.train import batches_of
from burnish.recipe.load import load

SPANS = [("so good 北京", 8, 10), ("上海 day", 0, 2), ("bad day 北京", 8, 10), ("all 上海 so", 4, 6)]


def written(tmp_path):
    """A folder with the rows of three tasks."""
    write_csv(tmp_path / "mood.csv", [(*row, "web" if n % 3 else "shop") for n, row in enumerate(sentiment_rows(48))],
              ("text", "label", "channel"))  # fmt: skip
    write_csv(
        tmp_path / "mood_test.csv", [(*row, "web") for row in sentiment_rows(20, seed=1)], ("text", "label", "channel")
    )
    with (tmp_path / "places.jsonl").open("w", encoding="utf-8") as file:
        for number in range(24):
            text, start, end = SPANS[number % 4]
            letters = " ".join("abcdefghij"[digit] for digit in (number // 10, number % 10, number * 7 % 10))
            row = {"text": f"{text} {letters}", "spans": [{"start": start, "end": end, "label": "PLACE"}]}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    pairs = [(f"{text} x", text if n % 2 else "a day", n % 2) for n, (text, _) in enumerate(sentiment_rows(24, seed=2))]
    write_csv(tmp_path / "alike.csv", pairs, ("first", "second", "same"))
    return tmp_path


@pytest.fixture
def rows(tmp_path):
    return written(tmp_path)


@pytest.fixture
def recipe(rows, tiny_base):
    return recipe_of(rows, tiny_base)


def recipe_of(rows, tiny_base):
    """A recipe of two tasks that trains the tiny base in a second or two."""
    mood = {"train": f"{rows}/mood.csv", "dev": "25%", "test": f"{rows}/mood_test.csv"}
    return {
        "task": {
            "name": "multitask",
            "tasks": {
                "mood": {"task": {"name": "classification", "head": "cls"}, "data": mood},
                "places": {"task": "tokens", "data": {"train": f"{rows}/places.jsonl", "dev": "25%"}},
            },
        },
        "base": str(tiny_base),
        "train": {"epochs": 2, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 64},
        "judge": {"n_bootstrap": 5, "formats": ["json", "markdown"]},
    }


def alike(rows):
    columns = {"text": "first", "text_pair": "second", "score": "same"}
    return {
        "task": {"name": "matching", "head": "mean"},
        "data": {"train": f"{rows}/alike.csv", "dev": "25%", "columns": columns},
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the bundles are that many tests look at, and the rows that they were trained on."""
    return written(tmp_path_factory.mktemp("multitask"))


@pytest.fixture(scope="module")
def bundle(place, tiny_base):
    return burnish.fit(recipe_of(place, tiny_base), out=place / "bundle").bundle


def digests(file):
    return {name: hashlib.sha256(tensor.tobytes()).hexdigest() for name, tensor in load_file(file).items()}


def test_one_text_gets_the_answer_of_every_task_each_of_its_own_type(bundle):
    answer = burnish.load(bundle)("good day 北京")
    assert answer.mood.label in {"good", "bad"}
    assert [span.text for span in answer["places"].spans] in ([], ["北京"])
    assert answer.lines()[0].answer.partition(": ")[0] == "mood"
    assert list(answer.model_dump(mode="json")) == ["mood", "places"]


def test_the_trunk_of_a_bundle_loads_in_plain_transformers(bundle):
    from transformers import AutoModel

    kept = load_file(bundle / "model" / "model.safetensors")
    plain = AutoModel.from_pretrained(bundle / "model").state_dict()
    assert kept.keys() == plain.keys()
    assert all(np.array_equal(kept[name], plain[name].numpy()) for name in kept)
    assert {name.partition(".")[0] for name in load_file(bundle / "model" / "head.safetensors")} == {
        "head_mood",
        "head_places",
    }


def test_every_task_has_a_report_of_its_own_and_all_have_one_page(bundle):
    page = json.loads((bundle / "report" / "report.json").read_text())
    of_tasks = {name: json.loads((bundle / "report" / name / "report.json").read_text()) for name in ("mood", "places")}
    assert {name: (one["kind"], one["split"], one["n_rows"]) for name, one in of_tasks.items()} == {
        "mood": ("single", "test", 20),
        "places": ("spans", "dev", 6),
    }
    chosen = of_tasks["mood"]["scores"]["accuracy"], of_tasks["places"]["scores"]["entity_f1"]
    assert page["headline"] == ["task_mean", "mood/accuracy", "places/entity_f1"]
    assert page["scores"]["task_mean"] == pytest.approx(sum(chosen) / 2)
    assert page["scores"]["mood/ece"] == of_tasks["mood"]["scores"]["ece"]
    assert (page["n_rows"], page["split"]) == (26, "test and dev")
    assert "[mood](mood/report.md)" in (bundle / "report" / "report.md").read_text()


def test_each_task_is_prepared_as_if_it_were_alone(recipe, tmp_path):
    together = lay_ground(load(recipe), tmp_path / "both", lambda event: None)
    mood = recipe["task"]["tasks"]["mood"]
    alone = lay_ground(
        load({**recipe, "task": mood["task"], "data": mood["data"]}), tmp_path / "one", lambda event: None
    )
    assert together.prepared.members["mood"].digest == alone.prepared.digest
    assert together.labels == ("mood/bad", "mood/good", "places/PLACE")
    assert [one["text"] for one in together.dev.examples[:12]] == [one["text"] for one in alone.dev.examples]


def test_the_data_card_speaks_of_each_task(bundle):
    card = json.loads((bundle / "data_card.json").read_text())
    assert list(card["splits"]) == ["mood/train", "mood/dev", "mood/test", "places/train", "places/dev"]
    assert card["splits"]["places/dev"]["n_rows"] == 6


def test_a_batch_holds_rows_of_one_task_and_little_padding(recipe, tmp_path):
    ground = lay_ground(load(recipe, ["train.tokens_per_batch=256"]), tmp_path / "work", lambda event: None)
    batches = batches_of(ground, ground.task, 7)
    asked = [
        {name for name in batches.read(0, at).inputs if name.startswith("asked.")} for at in range(batches.n_batches(0))
    ]
    assert {frozenset(names) for names in asked} == {frozenset({"asked.mood"}), frozenset({"asked.places"})}
    assert batches.fill() >= 0.9


def test_two_runs_give_the_same_weights(place, tiny_base, bundle, tmp_path):
    again = burnish.fit(recipe_of(place, tiny_base), out=tmp_path / "again").bundle
    for file in ("model.safetensors", "head.safetensors"):
        assert digests(bundle / "model" / file) == digests(again / "model" / file)


def test_gates_slices_and_seeds_are_told_for_each_task(recipe, tmp_path):
    asked = {**recipe["judge"], "gates": {"mood/accuracy": ">= 0", "task_mean": "> 2"}, "slices": ["mood/channel"]}
    result = burnish.fit({**recipe, "judge": asked}, ["train.epochs=0", "train.n_seeds=2"], out=tmp_path / "gated")
    assert [(gate.name, gate.is_passed) for gate in result.gates] == [("mood/accuracy", True), ("task_mean", False)]
    report = json.loads((result.bundle / "report" / "mood" / "report.json").read_text())
    assert [gate["name"] for gate in report["gates"]] == ["accuracy"]
    assert [group["name"] for group in report["by_slice"]["channel"]] == ["web"]
    of_mood = [one["mood/accuracy"] for one in result.report.seeds.each]
    assert report["seeds"]["mean"]["accuracy"] == pytest.approx(sum(of_mood) / 2)


def test_a_task_with_few_rows_starts_where_the_base_puts_its_labels(recipe, tmp_path):
    told = []
    changes = ["task.tasks.mood.task.head=null", "train.epochs=0"]
    bundle = burnish.fit(recipe, changes, out=tmp_path / "few", listen=lambda event: told.append(event)).bundle
    assert any("mood: task.head: cosine" in getattr(event, "text", "") for event in told)
    vectors = load_file(bundle / "model" / "head.safetensors")["head_mood.labels"]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_bundle_is_judged_on_the_test_rows_of_its_tasks_or_on_rows_that_name_their_task(bundle, rows):
    own = burnish.judge(bundle).report
    assert (own.n_rows, list(own.members)) == (20, ["mood"])
    more = burnish.judge(bundle, overrides=[f"task.tasks.places.data.test={rows}/places.jsonl"]).report
    assert {name: one.n_rows for name, one in more.members.items()} == {"mood": 20, "places": 24}
    given = [
        {"task": "mood", "text": "so good", "label": "good"},
        {"task": "places", "text": "北京", "spans": [[0, 2, "PLACE"]]},
    ]
    assert {name: one.n_rows for name, one in burnish.judge(bundle, given).report.members.items()} == {
        "mood": 1,
        "places": 1,
    }


def test_a_bundle_without_test_rows_says_how_to_give_some(recipe, tmp_path):
    del recipe["task"]["tasks"]["mood"]["data"]["test"]
    bundle = burnish.fit(recipe, ["train.epochs=0"], out=tmp_path / "bundle").bundle
    with pytest.raises(
        UserError, match=r"names no test file of any task; give one as task\.tasks\.mood\.data\.test=FILE"
    ):
        burnish.judge(bundle)


def test_two_bundles_are_compared_by_the_mean_of_their_tasks(bundle, recipe, tmp_path):
    other = burnish.fit(recipe, ["train.seed=8", "train.epochs=0"], out=tmp_path / "other").bundle
    found = burnish.compare(bundle, other)
    assert found.main.name == "task_mean"


def test_a_file_of_answers_has_columns_for_each_task(bundle, tmp_path):
    write_csv(tmp_path / "in.csv", [("good day",), ("北京",)], ("text",))
    assert predict_file(bundle, tmp_path / "in.csv", tmp_path / "out.csv") == 2
    header = (tmp_path / "out.csv").read_text("utf-8").splitlines()[0].split(",")
    assert header[:3] == ["text", "prediction_mood_label", "prediction_mood_confidence"]
    assert header[-1] == "prediction_places_spans"


# Tasks put beside those of a bundle.


@pytest.fixture(scope="module")
def grown(bundle, place, tiny_base):
    added = {"task": {"name": "multitask", "start": str(bundle), "tasks": {"alike": alike(place)}}}
    recipe = {**recipe_of(place, tiny_base), **added, "base": "minilm"}
    return burnish.fit(recipe, out=place / "grown").bundle


def test_a_task_added_later_leaves_trunk_and_old_heads_bit_for_bit(bundle, grown):
    assert digests(bundle / "model" / "model.safetensors") == digests(grown / "model" / "model.safetensors")
    old, new = (digests(one / "model" / "head.safetensors") for one in (bundle, grown))
    assert {name: new[name] for name in old} == old
    assert {name.partition(".")[0] for name in new.keys() - old.keys()} == {"head_alike"}


def test_a_task_added_later_answers_beside_the_old_ones_whose_answers_stay(bundle, grown):
    texts = ["good day 北京", "so bad", "all 上海 so"]
    before, after = (list(burnish.predict(one, texts)) for one in (bundle, grown))
    assert [one.alike for one in after] == [None] * 3
    assert [(one.mood, one.places) for one in after] == [(one.mood, one.places) for one in before]
    pair = burnish.load(grown)({"text": "good day", "text_pair": "a good day"})
    assert 0 <= pair.alike.score <= 1
    assert pair.mood == burnish.load(bundle)("good day").mood


def test_a_task_added_later_has_learned_and_has_its_report_beside_the_old(grown):
    report = json.loads((grown / "report" / "alike" / "report.json").read_text())
    assert report["scores"]["auc"] > 0.5
    assert (grown / "report" / "mood" / "report.json").is_file()
    assert "those of `bundle` as they were" in (grown / "README.md").read_text()


def test_a_task_can_be_added_to_a_grown_bundle_again(grown, rows, recipe, tmp_path):
    third = {**recipe["task"]["tasks"]["mood"]}
    added = {"task": {"name": "multitask", "start": str(grown), "tasks": {"feeling": third}}, "base": "minilm"}
    last = burnish.fit({**recipe, **added}, ["train.epochs=0"], out=tmp_path / "last").bundle
    assert list(burnish.load(last)("good").model_dump()) == ["mood", "places", "alike", "feeling"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"tasks": {"mood": None}}, "has the task mood already; give the new one another name."),
        ({"base": "elsewhere"}, "so there is no other base; take 'base' out."),
        ({"data": {"prompt": "query: "}}, "with prompt ''; got data.prompt 'query: '. Take it out."),
        ({"data": {"max_length": 32}}, "with max_length 64; got data.max_length 32. Take it out."),
    ],
)
def test_what_would_change_the_old_tasks_is_refused(bundle, rows, recipe, tmp_path, changes, sentence):
    tasks = {name: alike(rows) for name in changes.pop("tasks", {"alike": None})}
    task = {"name": "multitask", "start": str(bundle), "tasks": tasks}
    with pytest.raises(UserError, match=sentence.replace("(", r"\(").replace(".", r"\.")):
        check({**recipe, "base": "minilm", "task": task, **changes})


def test_a_tokenizer_that_does_not_split_chinese_takes_no_task_that_needs_it(recipe, rows, tmp_path):
    tasks = recipe["task"]["tasks"]
    plain = {**recipe, "task": {"name": "multitask", "tasks": {"mood": tasks["mood"], "alike": alike(rows)}}}
    bundle = burnish.fit(plain, ["train.epochs=0"], out=tmp_path / "plain").bundle
    task = {"name": "multitask", "start": str(bundle), "tasks": {"places": tasks["places"]}}
    with pytest.raises(
        UserError, match=r"places needs every Chinese character as a token of its own, which .* does not"
    ):
        check({**recipe, "base": "minilm", "task": task})


def test_a_bundle_of_another_task_cannot_be_begun_from(recipe, tmp_path):
    mood = recipe["task"]["tasks"]["mood"]
    single = burnish.fit({**recipe, **mood}, ["train.epochs=0"], out=tmp_path / "single").bundle
    task = {"name": "multitask", "start": str(single), "tasks": {"mood": mood}}
    with pytest.raises(UserError, match="is a bundle of the task 'classification'; name one of multitask"):
        check({**recipe, "base": "minilm", "task": task})


class Elsewhere(Runtime):
    """A runtime other than torch."""

    def load(self, folder, task, reader, labels):
        raise NotImplementedError


def test_a_shrunk_bundle_cannot_be_begun_from(recipe, tmp_path, monkeypatch):
    bundle = burnish.fit(recipe, ["train.epochs=0"], out=tmp_path / "whole").bundle
    opened = open_bundle(bundle)
    shrunk = replace(opened, knowledge=replace(opened.knowledge, runtime=Elsewhere()))
    monkeypatch.setattr("burnish.flows.growing.open_bundle", lambda folder: shrunk)
    task = {"name": "multitask", "start": str(bundle), "tasks": {"third": recipe["task"]["tasks"]["mood"]}}
    with pytest.raises(UserError) as caught:
        check({**recipe, "base": "minilm", "task": task})
    assert str(caught.value) == (
        f"task.start: {bundle} is a shrunk bundle (its runtime is {Elsewhere().part_name}), which cannot be the "
        "start of further tasks; "
        "name the bundle that it was shrunk from."
    )


# What is refused.


def refused(recipe, changes):
    with pytest.raises(UserError) as caught:
        check(recipe, changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["judge.gates={mood/acuracy: '> 0'}"], "no score of that name. Did you mean 'mood/accuracy'?"),
        (["judge.gates={accuracy: '> 0'}"], "judge.gates.accuracy: there is no score of that name."),
        (["judge.metric=accuracy"], "judge.metric: 'accuracy' does not judge multitask. It is judged by: task_mean."),
        (["judge.slices=[channel]"], "judge.slices: 'channel' belongs to no task. Write it as mood/channel; the tasks"),
        (["judge.slices=[moood/channel]"], "'moood/channel' belongs to no task. Did you mean 'mood'?"),
        (["train.class_weights={bad: 2}"], "train.class_weights: 'bad' belongs to no task. Write it as mood/bad"),
        (["train.class_weights={mood/sad: 2}"], "train.class_weights: there is no label 'sad'."),
        (
            ["task.tasks.mood.data=null"],
            "task.tasks.mood.data is missing; it says where the rows of this task come from.",
        ),
        (["task.tasks.mood.data.columns={text: txt}"], "which task.tasks.mood.data.columns names for 'text'"),
        (["task.tasks.mood.data.train=nothing.csv"], "nothing.csv"),
    ],
)
def test_what_no_task_can_use_is_told_by_its_place(recipe, changes, sentence):
    assert sentence in refused(recipe, changes)


def test_the_faults_of_all_tasks_are_told_at_once(recipe, rows):
    write_csv(rows / "mood.csv", [("good", "")] * 3)
    (rows / "places.jsonl").write_text('{"text": "a", "spans": [[0, 9, "X"]]}\n')
    told = refused(recipe, [])
    assert "mood.csv:2: 'label' is empty" in told
    assert "places.jsonl:1: " in told


def test_a_task_without_usable_rows_is_told(recipe, rows):
    write_csv(rows / "mood.csv", [])
    assert "mood.csv" in refused(recipe, [])
