import pytest
import yaml

from burnish.bundle.bundle import Knowledge
from burnish.bundle.card import model_card
from burnish.core.shelves import Shelf
from burnish.tasks._contract import Decision

ABOUT = {
    "name": "intents",
    "n_train": 15_000,
    "n_judged": 4_500,
    "judged_on": "test data",
    "version": "1.2.3",
    "created": "2026-01-31 12:00 UTC",
}
SCORES = {"accuracy": 0.96125, "ece": 0.0125, "brier": 0.5}


def card(task="classification"):
    knowledge = Knowledge(Shelf("tasks").build(task), ("a", "b", "c"), Decision(), 128, "minilm")
    return model_card(knowledge, SCORES, ABOUT)


def test_the_front_matter_is_yaml_that_hubs_read():
    front = yaml.safe_load(card("tokens").split("---")[1])
    assert front == {"library_name": "transformers", "tags": ["burnish", "tokens"]}


def test_it_says_what_the_model_is_and_how_it_was_judged():
    text = card()
    assert "# intents\n" in text
    assert (
        "A **classification** model with 3 labels, fine-tuned from `minilm` on 15,000 rows\n"
        "with Burnish 1.2.3 on 2026-01-31 12:00 UTC." in text
    )
    assert "Judged on 4,500 rows of test data ([full report](report/report.md)):" in text


def test_it_shows_the_scores_that_people_ask_for_and_no_others():
    rows = [line for line in card().splitlines() if line.startswith("| ")]
    assert rows == ["| score | value |", "| accuracy | 0.9613 |", "| ece | 0.0125 |"]


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("classification", "`transformers.AutoModelForSequenceClassification.from_pretrained("),
        ("tokens", "`transformers.AutoModelForTokenClassification.from_pretrained("),
        ({"name": "classification", "head": "mean"}, "`mean` head lies beside it in `model/head.safetensors`."),
    ],
)
def test_it_says_how_other_tools_load_the_model(task, sentence):
    assert sentence in card(task)


SHRUNK = {
    "bundle": "demo",
    "way": "vocabulary + int8_static",
    "metric": "accuracy",
    "score": [0.9, 0.898],
    "most_drop": 0.4123,
    "texts_per_s": [120.4, 5400.6],
    "median_ms": [9.14, 1.25],
    "size_mb": [90.91, 23.08],
}


@pytest.mark.parametrize(
    ("runtime", "library"), [("openvino", "openvino"), ("onnxruntime", "onnx"), ("torch", "transformers")]
)
def test_a_shrunk_model_says_what_it_is_made_from_and_what_that_cost(runtime, library):
    task, part = Shelf("tasks").build("classification"), Shelf("runtimes").build(runtime)
    knowledge = Knowledge(task, ("a", "b", "c"), Decision(), 128, "minilm", runtime=part)
    text = model_card(knowledge, SCORES, {**ABOUT, "shrunk": SHRUNK})
    assert f"library_name: {library}\n" in text
    assert f"Made from the bundle `demo` by vocabulary + int8_static; computed by `{runtime}`." in text
    assert "| accuracy | 0.9000 | 0.8980 (at most 0.41 points lost, at 95 % confidence) |" in text
    assert "| texts/s | 120 | 5,401 |" in text
    assert "| ms for one text | 9.14 | 1.25 |" in text
    assert "| MB | 90.9 | 23.1 |" in text
    is_torch = runtime == "torch"
    assert ("transformers.AutoModelForSequenceClassification" in text) == is_torch
    assert ("`transformers` cannot load it" in text) == (not is_torch)
    assert ("burnish export BUNDLE --format onnx" in text) == (not is_torch)


def test_a_model_that_was_not_shrunk_says_nothing_of_it():
    assert "shrunk" not in card()


def test_relations_are_asked_with_marks():
    assert 'print(model("<e1>Ada</e1> works for <e2>Burnish</e2>"))' in card("relations")
