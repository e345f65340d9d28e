"""Training that goes on from a bundle: what it knew stays, new labels find their places, anchors hold it."""

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
from burnish.core.settings import settings
from burnish.data.corpus import Corpus
from burnish.flows.check import check
from burnish.flows.ground import lay_ground
from burnish.flows.shrinking import loaded_again
from burnish.flows.train import new_network, train_seed
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


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Two threads on tiny matrices wait for each other; and what has hardly been trained may say one thing only."""
    monkeypatch.setenv("BURNISH_THREADS", "1")
    settings.cache_clear()
    monkeypatch.setattr("burnish.training.run.check_epoch", lambda *_: None)
    yield
    settings.cache_clear()


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
    asked = ["train.anchor=replay", f"data.replay={known_rows(tmp_path)}"]
    first = burnish.fit(recipe, asked, out=tmp_path / "one").bundle
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
    asked.append(f"data.replay={known_rows(tmp_path)}")
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


def known_rows(tmp_path, n=60):
    return str(write_csv(tmp_path / "known.csv", rows_of(KNOWN, n, seed=5)))


def test_forgetting_is_less_with_an_anchor_than_without(recipe, start, tmp_path):
    """Trained on good and bad, then on 中国 and 北京 only."""
    asked = ["train.epochs=8", "train.learning_rate=0.005", "train.keep=last"]
    plain = burnish.fit(recipe, asked, out=tmp_path / "plain").bundle
    told = []
    asked += ["train.anchor=replay", f"data.replay={known_rows(tmp_path)}"]
    held = burnish.fit(recipe, asked, out=tmp_path / "held", listen=told.append).bundle
    assert Message(f"train.anchor: replay holds on to 60 rows that {start} knew.") in told
    assert accuracy(start, KNOWN) == accuracy(held, KNOWN) == 1
    assert accuracy(plain, KNOWN) <= 0.5


@pytest.mark.parametrize("anchor", ["l2sp", "ewc", "replay"])
def test_every_anchor_changes_the_weights(recipe, tmp_path, anchor):
    rows = [] if anchor == "l2sp" else [f"data.replay={known_rows(tmp_path)}"]
    plain = burnish.fit(recipe, ["train.epochs=1"], out=tmp_path / "plain").bundle
    held = burnish.fit(recipe, ["train.epochs=1", f"train.anchor={anchor}", *rows], out=tmp_path / "held").bundle
    weights = "model/model.safetensors"
    assert (plain / weights).read_bytes() != (held / weights).read_bytes()


def test_without_rows_to_replay_those_of_train_are_taken_whose_labels_the_start_knew(recipe, tmp_path):
    mixed = [*rows_of(KNOWN, 20, seed=3), *rows_of(NEW, 40)]
    recipe["data"]["train"] = str(write_csv(tmp_path / "mixed.csv", mixed))

    def old(*overrides):
        ground = lay_ground(load(recipe, overrides), tmp_path / "work", ignore)
        labels = [row["label"] for row in ground.prepared.train.corpus]
        return ground.old, sum(label in KNOWN for label in labels)

    found, n_known = old("train.anchor=replay")
    assert len(found) == n_known > 0
    assert len(old("train.anchor={name: ewc, rows: 5}")[0]) == 5
    assert old("train.anchor=l2sp")[0] is None
    assert old("train.anchor=replay", "train.epochs=0")[0] is None


def test_rows_to_replay_are_read_as_train_is_and_drawn_by_the_seed(recipe, tmp_path):
    header = ("utterance", "intent")
    for name, rows in (("new", rows_of(NEW, 40)), ("one", rows_of(KNOWN, 20)), ("two", rows_of(KNOWN, 20, seed=4))):
        write_csv(tmp_path / f"{name}.csv", [*rows, ("", "good")], header)
    recipe["data"] |= {
        "train": str(tmp_path / "new.csv"),
        "columns": {"text": "utterance", "label": "intent"},
        "bad_rows": "drop",
        "replay": [str(tmp_path / "one.csv"), {"name": "csv", "path": str(tmp_path / "two.csv")}],
    }

    def drawn(seed):
        asked = ["train.anchor={name: replay, rows: 10}", f"train.seed={seed}"]
        lay_ground(load(recipe, asked), tmp_path / "work", ignore)
        return [row["text"] for row in Corpus(tmp_path / "work" / "data" / "old.arrow")]

    known = [text for seed in (0, 4) for text, _ in rows_of(KNOWN, 20, seed=seed)]
    assert set(drawn(7)) <= set(known)
    assert drawn(7) == drawn(7) != drawn(8)
    assert len(drawn(7)) == 10


@pytest.mark.parametrize("anchor", ["l2sp", "ewc", "replay"])
def test_a_head_on_a_frozen_trunk_is_held_too(tmp_path, tiny_base, anchor, monkeypatch):
    """Training then reads vectors in place of tokens, of old rows as well."""
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))
    first = recipe_of(tmp_path, tiny_base, KNOWN)
    first["task"] = {"name": "classification", "head": {"name": "mean", "dropout": 0}}
    first["train"]["freeze"] = {"all_but_head": True}
    old = burnish.fit(first, out=tmp_path / "old").bundle
    more = {**recipe_of(tmp_path, "minilm", NEW), "task": "classification", "train": first["train"]}
    made, asked = [], [f"train.start={old}", f"train.anchor={{name: {anchor}, weight: 5}}"]
    asked += [] if anchor == "l2sp" else [f"data.replay={known_rows(tmp_path, 12)}"]
    for mb in ("1024", "0"):
        monkeypatch.setenv("BURNISH_EMBEDDINGS_MB", mb)
        settings.cache_clear()
        made.append(weights_in(burnish.fit(more, asked, out=tmp_path / mb).bundle))
    settings.cache_clear()
    for name, one in made[0].items():
        torch.testing.assert_close(one, made[1][name], atol=1e-4, rtol=0)


def test_small_matrices_beside_the_weights_can_rehearse_answers(recipe, tmp_path):
    asked = ["train.peft={name: lora, rank: 2}", "train.anchor=replay", f"data.replay={known_rows(tmp_path, 12)}"]
    assert burnish.fit(recipe, asked, out=tmp_path / "new").bundle.is_dir()


# A part of the way.


@pytest.mark.parametrize("peft", ["full", "{name: lora, rank: 2}"])
def test_the_result_lies_between_start_and_what_was_trained(recipe, start, tmp_path, peft):
    """Each weight is a quarter the start's, also where matrices beside it were folded in; what is new stays whole."""
    asked = ["train.epochs=2", f"train.peft={peft}"]
    trained = weights_in(burnish.fit(recipe, asked, out=tmp_path / "trained").bundle)
    made = burnish.fit(recipe, [*asked, "train.start_share=0.25"], out=tmp_path / "made").bundle
    before, after, n_moved = weights_in(start), weights_in(made), 0
    assert after.keys() == trained.keys() == before.keys()
    for name, one in after.items():
        if one.shape == before[name].shape:
            torch.testing.assert_close(one, 0.25 * before[name] + 0.75 * trained[name], atol=1e-6, rtol=1e-5)
            n_moved += not torch.equal(one, trained[name])
        else:
            assert torch.equal(one[2:], trained[name][2:])  # 中国 and 北京 come after bad and good
            torch.testing.assert_close(one[:2], 0.25 * before[name] + 0.75 * trained[name][:2], atol=1e-6, rtol=1e-5)
    assert n_moved >= 3


def test_what_is_between_is_what_is_judged(recipe, tmp_path):
    """So the choice among seeds too: near the start next to nothing is right of labels that it did not have."""

    def trained(share):
        ground = lay_ground(load(recipe, [f"train.start_share={share}", "train.epochs=6"]), tmp_path / "work", ignore)
        return train_seed(ground, 8, tmp_path / "run", False, ignore)

    far, near = trained(0), trained(0.9)
    assert (far.rank, near.rank) == (far.scores["accuracy"], near.scores["accuracy"])
    assert near.rank < far.rank


def test_a_bundle_without_training_has_no_way_to_go(recipe, start, tmp_path):
    made = burnish.fit(recipe, ["train.epochs=0", "train.start_share=0.5"], out=tmp_path / "made").bundle
    plain = burnish.fit(recipe, ["train.epochs=0"], out=tmp_path / "plain").bundle
    assert all(torch.equal(one, weights_in(plain)[name]) for name, one in weights_in(made).items())


def test_a_weight_under_two_names_moves_once_and_a_count_stays():
    class Tied(torch.nn.Module):
        def __init__(self, value, count):
            super().__init__()
            self.one = torch.nn.Linear(2, 2, bias=False)
            torch.nn.init.constant_(self.one.weight, value)
            self.other = self.one
            self.register_buffer("count", torch.tensor(count))

    new = Tied(4.0, 7)
    take_over(new, Tied(0.0, 1), None, "train.start", share=0.25)
    assert new.one.weight.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert new.count == 7


# What is refused.


def refused(recipe, *changes):
    with pytest.raises(UserError) as caught:
        check(recipe, changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            ["task={name: classification, head: mean}"],
            "train.start: the head is that of START, cls; got mean. Take task.head out.",
        ),
        (
            ["task={name: classification, head: {name: cosine, scale: 5}}"],
            "train.start: the head is that of START, cls; got {name: cosine, scale: 5.0}. Take task.head out.",
        ),
        (
            ["task={name: classification, labels: {good: all good}}"],
            (
                "train.start: with the head of START the task labels are told in words, which the head 'cls' cannot "
                "start from; leave the head out, or set head: cosine."
            ),
        ),
        (["base=elsewhere"], "train.start: the base is that of START (BASE); got 'elsewhere'. Take 'base' out."),
        (
            ['data.prompt="query: "'],
            "train.start: START reads texts with prompt ''; got data.prompt 'query: '. Take it out.",
        ),
        (
            ["data.max_length=32"],
            "train.start: START reads texts with max_length 64; got data.max_length 32. Take it out.",
        ),
        (
            ["task=multilabel"],
            "train.start: START is a bundle of the task 'classification', and this recipe's is 'multilabel'.",
        ),
        (["train.start=nothing"], "nothing"),
        (
            ["train.anchor=replay"],
            (
                "train.anchor: no row of data.train has only labels that START knows, so there is nothing to hold on "
                "to; name rows that it knew as data.replay."
            ),
        ),
        (
            ["data.replay=old.csv", "train.anchor=l2sp"],
            (
                "data.replay: no anchor reads these rows (train.anchor is 'l2sp'); name ewc or replay with "
                "train.start, or take them out."
            ),
        ),
        (
            ["train.start=null", "train.anchor=ewc"],
            "train.anchor is 'ewc', which holds on to a bundle; name that as train.start, or write none",
        ),
        (
            ["train.start=null", "train.start_share=0.3"],
            "train.start_share is 0.3, a share of a bundle's weights; name that as train.start, or write 0",
        ),
        (["train.start_share=1"], "train.start_share must be less than 1; got 1."),
        (
            ["train.peft=lora", "train.anchor=l2sp"],
            (
                "train.anchor is 'l2sp', which holds on to weights, and 'lora' (train.peft) trains none of the base; "
                "write replay, or peft: full"
            ),
        ),
        (
            ["data.replay=10%"],
            "data.replay must name files or sources of rows that train.start knew, e.g. old.csv, or be left out",
        ),
        (["data.replay=[]"], "data.replay must name files or sources of rows that train.start knew, e.g. old.csv"),
        (["train.anchor=rehearsal"], "there is no part 'rehearsal' on the shelf 'anchors'"),
    ],
)
def test_what_the_bundle_is_not_is_refused_in_one_sentence(recipe, start, changes, sentence):
    base = open_bundle(start).knowledge.base
    assert sentence.replace("START", str(start)).replace("BASE", base) in refused(recipe, *changes)


def test_all_that_the_bundle_is_not_is_told_at_once(recipe):
    assert len(refused(recipe, "base=elsewhere", "data.prompt=x", "data.max_length=32").splitlines()) == 3


def test_what_the_bundle_is_may_be_said(recipe, start, tiny_base):
    said = [f"base={tiny_base}", "data.max_length=64", "task={name: classification, head: cls}"]
    assert check(recipe, said).recipe.base == str(tiny_base)
    for base in (start, start / "model", open_bundle(start).knowledge.base):
        assert check(recipe, [f"base={base}"]).recipe.base == str(tiny_base)


def test_rows_to_replay_must_be_of_labels_that_the_start_knew(recipe, start, tmp_path):
    write_csv(tmp_path / "old.csv", [("good day", "good"), ("so bad", "bd"), ("中国", "中国")])
    told = refused(recipe, "train.anchor=replay", f"data.replay={tmp_path / 'old.csv'}").splitlines()
    assert told == [
        f"{tmp_path / 'old.csv'}:{line}: the label '{label}' is none that {start} knows.{near} Correct it, or move the "
        "row from data.replay to data.train."
        for line, label, near in ((3, "bd", " Did you mean 'bad'?"), (4, "中国", ""))
    ]


def test_rows_to_replay_that_nobody_reads_are_refused_without_a_start_too(recipe):
    del recipe["train"]["start"]
    assert refused(recipe, "data.replay=old.csv").startswith("data.replay: no anchor reads these rows (train.anchor is")


def test_rows_given_from_python_are_not_replayed(recipe):
    recipe["data"]["replay"] = [{"text": "good day", "label": "good"}]
    assert "data.replay must name files or sources" in refused(recipe)


@pytest.mark.parametrize("extra", [{}, {"replay": "old.csv"}])
def test_several_tasks_go_on_in_a_way_of_their_own(recipe, extra):
    member = {"task": "classification", "data": {**recipe["data"], **extra}}
    recipe |= {"task": {"name": "multitask", "tasks": {"mood": member, "tone": member}}, "data": {}}
    expected = "train.start: the task 'multitask' is not trained further; task.start puts further tasks beside"
    assert ("task.tasks.mood.data.replay: no anchor reads these rows" if extra else expected) in refused(recipe)


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        (
            {"name": "ranking", "items": "items.csv"},
            "the task 'ranking' is not trained further, as its weights belong to the items of one catalogue",
        ),
        (
            {"name": "image", "text_base": "minilm"},
            "the task 'image' is not trained further where it reads with several",
        ),
        ({"name": "image_text"}, "the task 'image_text' is not trained further where it reads with several bases"),
    ],
)
def test_tasks_without_a_warm_start_say_so(recipe, task, sentence):
    assert f"train.start: {sentence}" in refused({**recipe, "task": task})


class Elsewhere(Runtime):
    """A runtime other than torch."""

    def load(self, folder, task, reader, labels):
        raise NotImplementedError


def test_a_shrunk_bundle_is_not_trained_further(recipe, start, monkeypatch):
    opened = open_bundle(start)
    shrunk = replace(opened, knowledge=replace(opened.knowledge, runtime=Elsewhere()))
    monkeypatch.setattr("burnish.flows.warm.open_bundle", lambda folder: shrunk)
    assert refused(recipe) == (
        f"train.start: {start} is a shrunk bundle (its runtime is {Elsewhere().part_name}), which is not trained "
        "further; name the bundle that it was shrunk from, and shrink the result again."
    )


def test_a_weight_that_does_not_fit_is_named():
    old, new = torch.nn.Linear(3, 2), torch.nn.Linear(4, 2)
    with pytest.raises(UserError) as caught:
        take_over(new, old, None, "train.start")
    assert str(caught.value) == (
        "train.start: the bundle's weight is [2, 3] and this recipe makes [2, 4] of it; give the task the settings "
        "that it has in the bundle's recipe.yaml."
    )
    with pytest.raises(UserError, match=r"the bundle's bias is \[2\] and this recipe makes no such weight of it"):
        take_over(torch.nn.Linear(3, 2, bias=False), old, None, "train.start")
