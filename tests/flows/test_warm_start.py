"""Training that goes on from a bundle: what it knew stays, new labels find their places, anchors keep it from forgetting."""

import json
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.flows.conftest import BAD, GOOD, write_csv
from tests.flows.shrinkable import CASES, write_jsonl

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.bundle.runtimes._contract import Runtime
from burnish.core.errors import UserError
from burnish.core.events import Message, Progress, ignore
from burnish.core.files import read_json, write_json
from burnish.core.manifest import write_manifest
from burnish.flows.check import check
from burnish.flows.ground import lay_ground
from burnish.flows.shrinking import loaded_again
from burnish.flows.train import new_network
from burnish.flows.warm import take_over
from burnish.recipe.load import load
from burnish.training.groups import parameter_groups

PHRASES = {
    "good": GOOD,
    "bad": BAD,
    "中国": ["中国", "我的中国", "中国 a day", "so 中国"],
    "北京": ["北京", "北京 好", "all 北京", "的北京"],
}
KNOWN, NEW = ("bad", "good"), ("中国", "北京")
TEXTS = ["good day", "so bad", "a b c", "我的中国", "all 北京 x"]


def rows_of(labels, n, seed=0):
    """Rows that a few words decide, the rest is letters drawn at random."""
    draw, rows = random.Random(seed), []
    for number in range(n):
        label = labels[number % len(labels)]
        noise = "".join(draw.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(8))
        rows.append((f"{draw.choice(PHRASES[label])} {noise}", label))
    return rows


def recipe_of(folder, base, labels, n=80, **data):
    train = write_csv(folder / f"{'-'.join(labels)}.csv", rows_of(labels, n))
    return {
        "task": {"name": "classification", "head": "cls"},
        "base": str(base),
        "data": {"train": str(train), "dev": "25%", "duplicates": "off", **data},
        "train": {"epochs": 3, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 64},
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("warm")


@pytest.fixture(scope="module")
def start(place, tiny_base):
    """A bundle that tells good from bad."""
    return burnish.fit(recipe_of(place, tiny_base, KNOWN, 160), ["train.epochs=8"], out=place / "start").bundle


@pytest.fixture
def recipe(tmp_path, start):
    """Rows of two new labels only, for training that goes on from the bundle."""
    recipe = recipe_of(tmp_path, "minilm", NEW)
    recipe["task"] = "classification"
    recipe["train"] |= {"start": str(start), "seed": 8}
    return recipe


def weights_in(bundle):
    files = (bundle / "model").rglob("*.safetensors")
    return {name: one for file in sorted(files) for name, one in load_file(file).items()}


def logits(bundle, texts=TEXTS):
    predictor = burnish.load(bundle)
    answered = predictor.answer([predictor.task.read({"text": text}, is_labelled=False) for text in texts])
    return predictor.knowledge.labels, np.stack([one.outputs[0] for one in answered])


def of_labels(bundle, labels):
    """Logits [N, L] of some labels of a bundle."""
    known, found = logits(bundle)
    return found[:, [known.index(label) for label in labels]]


def accuracy(bundle, labels, n=60):
    rows = rows_of(labels, n, seed=9)
    answers = burnish.predict(bundle, [text for text, _ in rows])
    return np.mean([one.label == label for one, (_, label) in zip(answers, rows, strict=True)])


# What is taken over.


@pytest.mark.parametrize("head", ["cls", "mean", "cosine"])
def test_before_any_training_known_labels_have_the_logits_that_they_had(tmp_path, tiny_base, head):
    first = recipe_of(tmp_path, tiny_base, ("good", "中国"))
    first["task"] = {"name": "classification", "head": head}
    old = burnish.fit(first, out=tmp_path / "old").bundle
    more = {**recipe_of(tmp_path, tiny_base, ("bad", "北京", "good")), "task": first["task"]}
    new = burnish.fit(more, [f"train.start={old}", "train.epochs=0", "train.seed=8"], out=tmp_path / "new").bundle
    assert open_bundle(new).knowledge.labels == ("bad", "good", "中国", "北京")  # a new one first, and one at the end
    assert of_labels(new, ("good", "中国")) == pytest.approx(of_labels(old, ("good", "中国")), abs=1e-5)
    before, after = weights_in(old), weights_in(new)
    for name, one in before.items():
        kept = after[name] if after[name].shape == one.shape else after[name][[1, 2]]
        assert torch.equal(kept, one), name


@pytest.mark.parametrize("name", [*CASES, "token_cosine"])
def test_without_new_labels_every_weight_of_every_task_is_the_start_s(tmp_path, tiny_base, name):
    task, rows = CASES["tokens" if name == "token_cosine" else name]
    task = task(tmp_path) if callable(task) else task
    if name == "token_cosine":
        task = {**task, "head": "token_cosine"}
    data = {"train": str(write_jsonl(tmp_path / "rows.jsonl", rows(48, 0))), "dev": "30%", "duplicates": "off"}
    recipe = {"task": task, "base": str(tiny_base), "data": data, "judge": {"n_bootstrap": 0, "formats": ["json"]}}
    old = burnish.fit(recipe, ["train.epochs=0"], out=tmp_path / "old").bundle
    again = ["train.epochs=0", "train.seed=8", f"train.start={old}"]
    new = burnish.fit({**recipe, "base": "minilm"}, again, out=tmp_path / "new").bundle
    before, after = weights_in(old), weights_in(new)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[one], after[one]) for one in before)


def test_a_model_that_writes_is_taken_over_whole(tmp_path, tiny_causal_base):
    rows = [{"prompt": f"good {number}", "response": "a day"} for number in range(24)]
    data = {"train": str(write_jsonl(tmp_path / "rows.jsonl", rows)), "dev": "30%", "duplicates": "off"}
    recipe = {
        "task": "generation",
        "base": str(tiny_causal_base),
        "data": data,
        "train": {"epochs": 1, "precision": "fp32"},
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }
    old = burnish.fit(recipe, out=tmp_path / "old").bundle
    warm = {**recipe, "base": "minilm"}
    new = burnish.fit(warm, [f"train.start={old}", "train.epochs=0"], out=tmp_path / "new").bundle
    assert all(torch.equal(one, weights_in(new)[name]) for name, one in weights_in(old).items())
    for anchor in ("ewc", "replay"):
        held = [f"train.start={old}", f"train.anchor={{name: {anchor}, rows: 4}}"]
        assert burnish.fit(warm, held, out=tmp_path / anchor).bundle.is_dir()
    with pytest.raises(UserError, match=r"chats are written as .*old writes them; take task\.template out"):
        check(warm, [f"train.start={old}", "task.template=plain"])


def test_tags_are_found_by_their_names(tmp_path, tiny_base):
    def spans(label, city):
        return [{"text": f"{one} {city} day", "spans": [[2, 4, label]]} for one in "abcdefghijkl"]

    def fitted(name, rows, *overrides):
        train = write_jsonl(tmp_path / f"{name}.jsonl", rows)
        data = {"train": str(train), "dev": "25%", "duplicates": "off", "split": "random"}
        recipe = {"task": "tokens", "base": str(tiny_base), "data": data, "judge": {"n_bootstrap": 0, "formats": []}}
        return burnish.fit(recipe, overrides, out=tmp_path / name).bundle

    old = fitted("old", spans("CITY", "北京"), "train.epochs=1")
    new = fitted("new", spans("AREA", "上海"), f"train.start={old}", "train.epochs=0")
    assert open_bundle(new).knowledge.labels == ("AREA", "CITY")
    before, after = (weights_in(one)["classifier.weight"] for one in (old, new))  # O B-CITY I-CITY, with B- and I-AREA
    assert torch.equal(after[[0, 3, 4]], before)


def test_a_new_label_starts_where_a_cosine_head_puts_it_in_the_start_s_own_space(tmp_path, tiny_base):
    first = {**recipe_of(tmp_path, tiny_base, KNOWN), "task": {"name": "classification", "head": "cosine"}}
    old = burnish.fit(first, out=tmp_path / "old").bundle
    more = {**recipe_of(tmp_path, tiny_base, ("中国",), 12), "task": "classification"}
    ground = lay_ground(load(more, [f"train.start={old}"]), tmp_path / "work", ignore)
    vectors = new_network(ground, 7).readout.labels
    predictor = burnish.load(old)
    readout, trunk = predictor.core.network.readout, predictor.core.network.trunk
    inside = []
    for row in ground.prepared.train.corpus:
        ids = torch.tensor([predictor.reader.ids([row["text"]])[0].ids])
        with torch.no_grad():
            hidden = trunk(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        inside.append(torch.nn.functional.normalize(hidden.mean(1), dim=-1))
    expected = torch.nn.functional.normalize(torch.cat(inside).mean(0), dim=-1)
    torch.testing.assert_close(vectors[2], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(vectors[:2], readout.labels)


def test_a_new_label_may_be_told_in_words_without_any_row(tmp_path, tiny_base):
    told = {"name": "classification", "labels": {"good": "good day", "bad": "so bad"}}
    base = {"base": str(tiny_base), "judge": {"n_bootstrap": 0, "formats": []}, "data": {}}
    old = burnish.fit({**base, "task": told}, out=tmp_path / "old").bundle
    more = {"name": "classification", "labels": {"中国": "我的中国"}}
    new = burnish.fit({**base, "task": more}, [f"train.start={old}"], out=tmp_path / "new").bundle
    assert burnish.load(new)("我的中国").label == "中国"
    assert of_labels(new, KNOWN) == pytest.approx(of_labels(old, KNOWN), abs=1e-5)


def test_labels_in_an_order_of_their_own_keep_it_where_no_new_one_comes(tmp_path, start, recipe):
    """Bundles have sorted labels; one that was made elsewhere may not."""
    odd = shutil.copytree(start, tmp_path / "odd")
    state = read_json(odd / "burnish.json")
    write_json(odd / "burnish.json", {**state, "labels": ["good", "bad"]})
    write_manifest(odd)
    train = str(write_csv(tmp_path / "same.csv", rows_of(KNOWN, 24)))
    again = [f"train.start={odd}", f"data.train={train}", "train.epochs=0"]
    new = burnish.fit(recipe, again, out=tmp_path / "new").bundle
    assert open_bundle(new).knowledge.labels == ("good", "bad")
    more = burnish.fit(recipe, [f"train.start={odd}", "train.epochs=0"], out=tmp_path / "more").bundle
    assert of_labels(new, KNOWN) == pytest.approx(of_labels(odd, KNOWN), abs=1e-5)
    assert of_labels(more, KNOWN) == pytest.approx(of_labels(odd, KNOWN), abs=1e-5)


def test_of_a_known_label_one_row_is_enough_and_of_a_new_one_it_is_not(recipe, tmp_path):
    one = [("good day x", "good"), *rows_of(NEW, 20)]
    recipe["data"] |= {"train": str(write_csv(tmp_path / "one.csv", one))}
    assert check(recipe).card.splits["train"].classes.n >= 2
    recipe["data"] |= {"train": str(write_csv(tmp_path / "lone.csv", [*one, ("all", "odd")]))}
    with pytest.raises(UserError, match="the label 'odd' stands in one row only"):
        check(recipe)


# The bundle that comes out.


def test_the_bundle_needs_nothing_of_the_start_and_tells_of_it(recipe, start, tmp_path):
    own = shutil.copytree(start, tmp_path / "own")
    new = burnish.fit(recipe, [f"train.start={own}"], out=tmp_path / "new").bundle
    shutil.rmtree(own)
    assert {one.label for one in burnish.predict(new, TEXTS)} <= {*KNOWN, *NEW}
    knowledge = open_bundle(new).knowledge
    assert (knowledge.base, knowledge.max_length) == (open_bundle(start).knowledge.base, 64)
    assert knowledge.decision.is_tuned
    assert read_json(new / "report" / "report.json")["about"]["went on from"] == "own"
    assert f"start: {own}" in (new / "recipe.yaml").read_text()
    # where its rows are read again, as `shrink` does, labels without rows are still there
    ground = lay_ground(loaded_again(open_bundle(new), []), tmp_path / "work", ignore, is_bundle=True)
    assert ground.labels == ("bad", "good", *NEW)
    assert (ground.recipe.train.start, ground.recipe.data.replay, ground.old) == (None, None, None)


def test_the_filled_recipe_makes_the_same_bundle_again(recipe, tmp_path):
    first = burnish.fit(recipe, ["train.anchor=replay"], out=tmp_path / "one").bundle
    again = burnish.fit(first / "recipe.yaml", out=tmp_path / "two").bundle
    weights = "model/model.safetensors"
    assert (first / weights).read_bytes() == (again / weights).read_bytes()


def test_a_path_to_the_start_is_led_from_the_folder_of_the_recipe(recipe, start, tmp_path):
    shutil.copytree(start, tmp_path / "models" / "one")
    recipe["train"]["start"] = "models/one"
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe, ensure_ascii=False))
    assert check(tmp_path / "recipe.yaml").recipe.train.start == "models/one"


def test_training_goes_on_where_the_bundle_left_off(recipe, start, tmp_path):
    train = str(write_csv(tmp_path / "same.csv", rows_of(KNOWN, 24)))
    asked = [f"data.train={train}", "train.epochs=1", "train.learning_rate=0.00001", "judge.start=true"]
    result = burnish.fit(recipe, asked, out=tmp_path / "new")
    assert result.start["accuracy"] >= 0.8
    assert accuracy(result.bundle, KNOWN) == pytest.approx(accuracy(start, KNOWN), abs=0.05)


def test_a_head_that_is_not_new_has_no_rate_of_its_own_unless_one_is_named(recipe, tmp_path):
    def rates(*overrides):
        ground = lay_ground(load(recipe, overrides), tmp_path / "work", ignore)
        network = new_network(ground, 7)
        groups = parameter_groups(network, ground.recipe.train, network.head_modules())
        return {round(group["peak_rate"], 6) for group in groups}

    assert rates() == {0.01}
    assert rates("train.head_learning_rate=0.05") == {0.01, 0.05}


def test_an_interrupted_run_resumes_to_the_same_weights(recipe, tmp_path):
    asked = ["train.checkpoint_every_s=0.000001", "train.anchor={name: replay, rows: 20}"]
    known = str(write_csv(tmp_path / "known.csv", rows_of(KNOWN, 40)))
    asked.append(f"data.replay={known}")
    whole = burnish.fit(recipe, asked, out=tmp_path / "whole").bundle

    def interrupt(event):
        if isinstance(event, Progress) and event.stage == "train" and event.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        burnish.fit(recipe, asked, out=tmp_path / "cut", listen=interrupt)
    resumed = burnish.fit(recipe, asked, out=tmp_path / "cut", resume=True).bundle
    weights = "model/model.safetensors"
    assert (whole / weights).read_bytes() == (resumed / weights).read_bytes()


def test_a_checkpoint_belongs_to_start_anchor_and_old_rows(recipe, start, tmp_path):
    known = write_csv(tmp_path / "known.csv", rows_of(KNOWN, 40))
    copy = shutil.copytree(start, tmp_path / "copy")
    replay = [f"data.replay={known}", f"train.start={copy}"]

    def key(*overrides):
        return lay_ground(load(recipe, [*replay, *overrides]), tmp_path / "work", ignore).key

    first = key("train.anchor=replay")
    assert key("train.anchor=replay") == first
    assert key("train.anchor=ewc") != first
    assert key("train.anchor={name: replay, weight: 2}") != first
    write_csv(known, rows_of(KNOWN, 40, seed=3))
    assert (changed := key("train.anchor=replay")) != first
    (copy / "more.txt").write_text("a change that no weight shows")
    write_manifest(copy)
    assert key("train.anchor=replay") != changed


# Anchors.


def test_forgetting_is_less_with_an_anchor_than_without(recipe, start, tmp_path):
    """Trained on good and bad, then on 中国 and 北京 only."""
    before, recipe["data"]["replay"] = accuracy(start, KNOWN), None
    known = write_csv(tmp_path / "known.csv", rows_of(KNOWN, 60, seed=5))
    kept = {}
    for anchor, told in {
        "none": [],
        "l2sp": ["train.anchor={name: l2sp, weight: 1}"],
        "ewc": ["train.anchor={name: ewc, weight: 1}", f"data.replay={known}"],
        "replay": ["train.anchor={name: replay, weight: 0.5}", f"data.replay={known}"],
    }.items():
        bundle = burnish.fit(recipe, told, out=tmp_path / anchor).bundle
        kept[anchor] = accuracy(bundle, KNOWN)
        print(anchor, kept[anchor], accuracy(bundle, NEW))
    print(before)
    assert 0


