"""A frozen trunk reads a text once: nothing but the time changes, and a second run reads only what is new."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.flows.conftest import sentiment_rows, write_csv

import burnish
from burnish.bundle.torch_core import TorchCore
from burnish.core.events import Message, ignore
from burnish.core.settings import settings
from burnish.flows.embeddings import PooledCore, Trunk, _digests, shortened
from burnish.flows.ground import lay_ground
from burnish.flows.train import _started
from burnish.recipe.load import load


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own for each test."""
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))
    settings.cache_clear()
    yield tmp_path / "cache"
    settings.cache_clear()


@pytest.fixture
def frozen(recipe, monkeypatch):
    """A head alone on a base of random weights learns next to nothing, which is none of our business here."""
    monkeypatch.setattr("burnish.training.run.check_epoch", lambda *_: None)
    recipe["task"] = {"name": "classification", "head": "mean"}
    recipe["train"] |= {"freeze": {"all_but_head": True}}
    return recipe


@pytest.fixture
def turned_off(monkeypatch):
    def off():
        monkeypatch.setenv("BURNISH_EMBEDDINGS_MB", "0")
        settings.cache_clear()

    return off


@pytest.fixture
def n_read(monkeypatch):
    """How many texts went through the trunk, call by call."""
    counts = []
    compute = Trunk._compute

    def counting(self, features):
        counts.append(len(features))
        return compute(self, features)

    monkeypatch.setattr(Trunk, "_compute", counting)
    return counts


def core_of(recipe, work, *overrides):
    ground = lay_ground(load(recipe, overrides), work, ignore)
    return shortened(_started(ground, 7, ignore), ground, ignore)


def head_of(bundle):
    return load_file(bundle / "model" / "head.safetensors")


def logits(bundle, texts):
    predictor = burnish.load(bundle)
    answered = predictor.answer([predictor.task.read({"text": text}, is_labelled=False) for text in texts])
    return np.stack([one.outputs[0] for one in answered])


@pytest.mark.parametrize("head", ["{name: mean, dropout: 0}", "{name: max, dropout: 0}", "{name: mean, dropout: 0.1}"])
def test_a_run_with_the_cache_equals_one_without(frozen, tmp_path, turned_off, n_read, head):
    texts = [text for text, _ in sentiment_rows(20, seed=5)]
    asked = [f"task.head={head}", "judge.start=true", "train.head_learning_rate=0.02"]  # more blows up what is rounded
    made = burnish.fit(frozen, asked, out=tmp_path / "with")
    assert n_read
    turned_off()
    n_read.clear()
    other = burnish.fit(frozen, asked, out=tmp_path / "without")
    assert not n_read
    assert logits(made.bundle, texts) == pytest.approx(logits(other.bundle, texts), abs=1e-5)
    assert made.report.scores == pytest.approx(other.report.scores, abs=1e-4)
    assert made.start == pytest.approx(other.start, abs=1e-5)
    assert sorted(f.relative_to(made.bundle) for f in made.bundle.rglob("*") if f.is_file()) == sorted(
        f.relative_to(other.bundle) for f in other.bundle.rglob("*") if f.is_file()
    )


def test_several_labels_a_text_are_learnt_from_vectors_too(frozen, tmp_path, turned_off, n_read):
    rows = [
        (text, label if number % 3 else f"{label}|third") for number, (text, label) in enumerate(sentiment_rows(90))
    ]
    frozen["data"] |= {"train": str(write_csv(tmp_path / "m.csv", rows, ("text", "labels"))), "test": None}
    asked = ["task={name: multilabel, head: {name: mean, dropout: 0}}"]
    made = burnish.fit(frozen, asked, out=tmp_path / "with").bundle
    assert n_read
    turned_off()
    other = burnish.fit(frozen, asked, out=tmp_path / "without").bundle
    assert logits(made, ["good day", "so bad"]) == pytest.approx(logits(other, ["good day", "so bad"]), abs=1e-5)


def test_the_bundle_answers_with_its_head_on_the_pooled_vectors(frozen, tmp_path):
    """Computed anew by transformers alone: the mean over real tokens of the last hidden states, times the head."""
    import transformers

    bundle = burnish.fit(frozen, out=tmp_path / "bundle").bundle
    head, found = head_of(bundle), []
    tokenizer = transformers.AutoTokenizer.from_pretrained(bundle / "model")
    trunk = transformers.AutoModel.from_pretrained(bundle / "model").eval()
    for text in ("good day", "so bad a day"):
        with torch.no_grad():
            pooled = trunk(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0)
        found.append((head["linear.weight"] @ pooled + head["linear.bias"]).numpy())
    assert logits(bundle, ["good day", "so bad a day"]) == pytest.approx(np.stack(found), abs=1e-5)


def test_a_second_run_reads_only_texts_that_are_new(frozen, sentiment, tmp_path, n_read):
    first = burnish.fit(frozen, out=tmp_path / "first").bundle
    assert sum(n_read) == 160  # 120 rows, of which a quarter is dev, and 40 of test
    n_read.clear()
    again = burnish.fit(frozen, out=tmp_path / "again").bundle
    assert not n_read
    assert (first / "model/head.safetensors").read_bytes() == (again / "model/head.safetensors").read_bytes()

    changes = ["train.seed=8", "train.learning_rate=0.02", "data.dev=40%", "task.head={name: mean, dropout: 0.2}"]
    rows = [(text, "other" if number % 3 else label) for number, (text, label) in enumerate(sentiment_rows(120))]
    write_csv(sentiment / "train.csv", rows)
    burnish.fit(frozen, changes, out=tmp_path / "other")
    assert not n_read

    write_csv(sentiment / "test.csv", [*sentiment_rows(40, seed=1), ("a b c new", "good"), ("x y z new", "bad")])
    write_csv(sentiment / "train.csv", [*rows, ("quite new", "good")])
    burnish.fit(frozen, out=tmp_path / "more")
    assert sum(n_read) == 3


def test_every_seed_takes_what_the_first_one_read(frozen, tmp_path, n_read):
    burnish.fit(frozen, ["train.n_seeds=2"], out=tmp_path / "bundle")
    assert sum(n_read) == 160


def test_without_a_cache_nothing_is_kept(frozen, cache, tmp_path, turned_off):
    turned_off()
    burnish.fit(frozen, out=tmp_path / "bundle")
    assert not cache.exists()


def test_another_pooling_another_base_and_another_config_are_read_anew(frozen, tiny_base, tmp_path, n_read):
    import json
    import shutil

    base = shutil.copytree(tiny_base, tmp_path / "base")
    frozen["base"] = str(base)
    burnish.fit(frozen, out=tmp_path / "first")
    n_read.clear()
    burnish.fit(frozen, ["task.head=max"], out=tmp_path / "max")
    assert sum(n_read) == 160

    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"layer_norm_eps": 1e-5}))
    n_read.clear()
    burnish.fit(frozen, out=tmp_path / "config")
    assert sum(n_read) == 160

    weights = load_file(base / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][7] += 1
    from safetensors.torch import save_file

    save_file(weights, base / "model.safetensors", {"format": "pt"})
    n_read.clear()
    burnish.fit(frozen, out=tmp_path / "weights")
    assert sum(n_read) == 160


def test_a_damaged_cache_is_made_again(frozen, cache, tmp_path, n_read):
    whole = burnish.fit(frozen, out=tmp_path / "whole").bundle
    for file in cache.rglob("*.vectors"):
        file.write_bytes(file.read_bytes()[:-1] + b"\0")
    n_read.clear()
    again = burnish.fit(frozen, out=tmp_path / "again").bundle
    assert sum(n_read) == 160
    assert (whole / "model/head.safetensors").read_bytes() == (again / "model/head.safetensors").read_bytes()


def test_a_cache_that_cannot_be_written_stops_no_run(frozen, cache, tmp_path):
    cache.write_text("a file where the folder would be")
    told = []
    burnish.fit(frozen, out=tmp_path / "bundle", listen=told.append)
    warnings = [one.text for one in told if isinstance(one, Message) and "is not kept" in one.text]
    assert warnings[0].startswith("what the base made of the texts is not kept for later runs: ")


def test_an_interrupted_run_goes_on_from_its_checkpoint(frozen, tmp_path):
    asked = ["train.checkpoint_every_s=0.000001"]
    whole = burnish.fit(frozen, asked, out=tmp_path / "whole").bundle

    def interrupt(event):
        if getattr(event, "stage", "") == "train" and event.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        burnish.fit(frozen, asked, out=tmp_path / "cut", listen=interrupt)
    resumed = burnish.fit(frozen, asked, out=tmp_path / "cut", resume=True).bundle
    assert (whole / "model/head.safetensors").read_bytes() == (resumed / "model/head.safetensors").read_bytes()


def test_a_frozen_trunk_under_a_pooling_head_is_read_once(frozen, tmp_path):
    assert isinstance(core_of(frozen, tmp_path / "work"), PooledCore)


@pytest.mark.parametrize(
    "change",
    [
        "train.freeze={all_but_head: false, embeddings: true}",
        "train.freeze={all_but_head: false, layers: 2}",
        "task.head=cls",
        "task.head=cosine",
        "train.epochs=0",
    ],
)
def test_any_other_network_reads_every_time(frozen, tmp_path, change):
    assert isinstance(core_of(frozen, tmp_path / "work", change), TorchCore)


def test_adapters_in_the_trunk_read_every_time(frozen, tmp_path):
    pytest.importorskip("peft")
    frozen["train"].pop("freeze")
    assert isinstance(core_of(frozen, tmp_path / "work", "train.peft=lora"), TorchCore)


def test_a_task_that_varies_its_rows_reads_every_time(frozen, tmp_path, monkeypatch):
    monkeypatch.setattr("burnish.tasks.classification.Classification.varied", lambda self, features, draw: features)
    assert isinstance(core_of(frozen, tmp_path / "work"), TorchCore)


def test_a_task_that_asks_in_its_own_way_reads_every_time(frozen, tmp_path, monkeypatch):
    monkeypatch.setattr("burnish.tasks.classification.Classification.ask", lambda self, network, batch: None)
    assert isinstance(core_of(frozen, tmp_path / "work"), TorchCore)


def test_a_trunk_with_weights_drawn_at_random_reads_every_time(frozen, tiny_base, tmp_path):
    import shutil

    from safetensors.torch import save_file

    base = shutil.copytree(tiny_base, tmp_path / "base")
    weights = load_file(base / "model.safetensors")
    weights.pop("encoder.layer.1.output.dense.weight")
    save_file(weights, base / "model.safetensors", {"format": "pt"})
    frozen["base"] = str(base)
    assert isinstance(core_of(frozen, tmp_path / "work"), TorchCore)


def test_a_text_is_known_by_its_tokens_and_their_types():
    def feature(ids, types=None):
        given = {} if types is None else {"token_type_ids": np.asarray(types, np.int32)}
        return {"input_ids": np.asarray(ids, np.int32), "labels": np.asarray([len(ids)], np.int32), **given}

    plain, zeros, second, longer = _digests(
        [feature([2, 3]), feature([2, 3], [0, 0]), feature([2, 3], [0, 1]), feature([2, 3, 0], [0, 0, 0])]
    )
    assert plain == zeros
    assert len({plain, second, longer}) == 3


def test_equal_texts_go_through_the_trunk_once(frozen, tmp_path, n_read):
    core = core_of(frozen, tmp_path / "work")
    features = [{"input_ids": np.asarray(ids, np.int32)} for ids in ([2, 7, 3], [2, 3], [2, 7, 3])]
    first, _, third = core.run(features)
    assert (n_read, first.tolist()) == ([2], third.tolist())
    assert core.run([]) == []
    assert first == pytest.approx(core.whole.run(features[:1])[0], abs=1e-5)
