from __future__ import annotations

import pytest

from burnish.recipe.arguments import is_override, keywords
from burnish.recipe.load import load

START = "task: classification\ndata: {train: a.csv}\n"


def test_overrides_lie_above_keywords_and_keywords_above_the_file(recipe):
    name = recipe(START + "train: {epochs: 1, seed: 1, patience: 1}\n")
    train = load(name, ["train.epochs=3"], epochs=2, seed=2).recipe.train
    assert (train.epochs, train.seed, train.patience) == (3, 2, 1)


@pytest.mark.parametrize(
    ("override", "read", "expected"),
    [
        ("train.epochs=4", lambda r: r.train.epochs, 4),
        ("train.learning_rate=3e-5", lambda r: r.train.learning_rate, 3e-5),
        ("train.gradient_checkpointing=true", lambda r: r.train.gradient_checkpointing, True),
        ("train.patience=", lambda r: r.train.patience, None),
        ("data.columns.text=utterance", lambda r: r.data.columns, {"text": "utterance"}),
        ("data.columns.text=1", lambda r: r.data.columns, {"text": "1"}),
        ("data.columns={text: t, label: 'no'}", lambda r: r.data.columns, {"text": "t", "label": "no"}),
        ("data.test=20%", lambda r: r.data.test, "20%"),
        ("judge.gates.accuracy=>= 0.95", lambda r: r.judge.gates, {"accuracy": ">= 0.95"}),
        ('judge.gates.accuracy=">= 0.95"', lambda r: r.judge.gates, {"accuracy": ">= 0.95"}),
        ("judge.slices=[author, 1]", lambda r: r.judge.slices, ["author", "1"]),
        ("data.train=C: a # b.csv", lambda r: r.data.train, "C: a # b.csv"),
        ("train.observers=[]", lambda r: r.train.observers, []),
        ("train.schedule=cosine", lambda r: r.train.schedule.part_name, "cosine"),
        ("train.schedule.warmup=0.4", lambda r: (r.train.schedule.part_name, r.train.schedule.warmup), ("linear", 0.4)),
    ],
)
def test_an_override_is_read_as_yaml_would_read_it_there(recipe, override, read, expected):
    assert read(load(recipe(START), [override]).recipe) == expected


def test_a_part_that_was_only_named_takes_settings_by_override(recipe):
    schedule = load(recipe(START + "train: {schedule: cosine}\n"), ["train.schedule.warmup=0.4"]).recipe.train.schedule
    assert (schedule.part_name, schedule.warmup) == ("cosine", 0.4)


def test_an_empty_mapping_takes_away_what_stands_there(recipe):
    gates = START + "judge: {gates: {accuracy: '>= 0.9', ece: '<= 0.1'}}\n"
    assert load(recipe(gates), ["judge.gates={}"]).recipe.judge.gates == {}
    more = load(recipe(gates), ["judge.gates={}", "judge.gates.f1=>= 0.5"]).recipe.judge.gates
    assert more == {"f1": ">= 0.5"}
    assert load(recipe(gates), ["judge.gates={ece: <= 0.2}"]).recipe.judge.gates.keys() == {"accuracy", "ece"}


def test_an_override_that_names_another_part_drops_the_settings_of_the_first(recipe):
    name = recipe(START + "train: {schedule: {name: cosine, warmup: 0.5}}\n")
    assert load(name, ["train.schedule=cosine"]).recipe.train.schedule.warmup != pytest.approx(0.5)


def test_a_fault_in_an_override_names_the_override(faults):
    assert faults(START, "train.epochs=x", "train.epohcs=3")[0] == (
        "override 'train.epochs=x': train.epochs must be a whole number; got 'x'."
    )


def test_an_unknown_override_gets_a_hint(faults):
    [fault] = faults(START, "train.epoch=3")
    assert fault.startswith("override 'train.epoch=3': train.epoch is not a setting. Did you mean 'epochs'?")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("trian.epochs=3", "trian is not a setting. Did you mean 'train'? A recipe takes: "),
        ("judge.gates.accuracy=0.8", "judge.gates.accuracy must be one of >= <= > < and a number, like "),
    ],
)
def test_a_key_that_only_an_override_gives_is_not_blamed_on_the_file(faults, override, sentence):
    (fault,) = faults(START + "judge:\n  gates: {ece: '<= 0.1'}\n", override)
    assert fault.startswith(f"override '{override}': {sentence}")


def test_a_word_without_an_equals_sign_is_no_override(faults):
    assert faults(START, "fast") == ["override 'fast': must read key=value, such as train.epochs=3."]


def test_a_key_inside_a_value_is_refused(faults):
    assert faults(START, "data.train.delimiter=;") == [
        "override 'data.train.delimiter=;': sets a key inside data.train, which is 'a.csv', not a mapping."
    ]


def test_a_key_inside_a_list_is_refused(faults):
    assert faults(START + "train: {observers: [jsonl]}\n", "train.observers.0=wandb") == [
        "override 'train.observers.0=wandb': sets a key inside train.observers, which is a list; give the whole list."
    ]


def test_brackets_that_are_not_closed_are_explained(faults):
    [fault] = faults(START, "data.columns={text: t")
    assert fault.startswith("override 'data.columns={text: t': is not valid YAML: a bracket is opened and never closed")


def test_a_keyword_is_the_last_word_of_its_path(recipe):
    loaded = load(recipe(START), epochs=2, gates={"accuracy": ">= 0.5"}, split="random", text_column="t", base="m")
    made = loaded.recipe
    assert (made.train.epochs, made.judge.gates, made.data.columns, made.base) == (
        2,
        {"accuracy": ">= 0.5"},
        {"text": "t"},
        "m",
    )
    assert made.data.split.part_name == "random"


def test_keywords_that_are_none_say_nothing(recipe):
    assert load(recipe(START), epochs=None, task=None).recipe.train.epochs == 5


def test_train_as_a_keyword_is_always_the_rows():
    assert keywords()["train"] == ("data", "train")
    assert keywords()["epochs"] == ("train", "epochs")
    assert "schema" not in keywords()


def test_an_unknown_keyword_gets_a_hint(faults):
    assert faults(START, epocs=3) == ["argument 'epocs': is not a setting of a recipe. Did you mean 'epochs'?"]


def test_a_wrong_keyword_is_named_as_an_argument(faults):
    assert faults(START, epochs=-1) == ["argument 'epochs': train.epochs must be 0 or more; got -1."]


@pytest.mark.parametrize("word", ["train.epochs=3", "base=x", "data.columns.text=a=b"])
def test_a_word_with_a_key_is_an_override(word):
    assert is_override(word)


@pytest.mark.parametrize("word", ["recipe.yaml", "./a=b.yaml", "runs/a.b=c.yaml", "=3"])
def test_a_path_is_no_override(word):
    assert not is_override(word)
