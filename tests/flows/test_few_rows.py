"""Few rows, or none: labels told in words, label vectors that start from rows, rows drawn by label."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from tests.flows.conftest import sentiment_rows, write_csv

import burnish
from burnish.bundle.predictor import load_predictor
from burnish.core.errors import UserError
from burnish.core.events import Message, Progress
from burnish.core.shelves import Shelf
from burnish.flows.ground import lay_ground
from burnish.flows.labels import few_rows
from burnish.flows.prepare import fresh_folder, prepare
from burnish.flows.train import new_network
from burnish.models.heads._contract import HeadPlan
from burnish.recipe.load import load

TOLD = {"good": "good day", "bad": None}
WEIGHTS, VECTORS = "model/model.safetensors", "model/head.safetensors"


@pytest.fixture
def untrained(tiny_base, sentiment):
    """Labels told in words, no training rows."""
    return {
        "task": {"name": "classification", "labels": TOLD},
        "base": str(tiny_base),
        "data": {"test": str(sentiment / "test.csv")},
        "judge": {"n_bootstrap": 20, "formats": ["json", "markdown"]},
    }


@pytest.fixture
def few(recipe):
    """Eight rows a label; the head is left open."""
    return {**recipe, "task": "classification", "data": {**recipe["data"], "rows_per_class": 8}}


def ground_of(recipe, tmp_path, told=None):
    listen = (lambda event: None) if told is None else told.append
    return lay_ground(load(recipe), tmp_path / "work", listen)


def vector_of(base, *texts):
    """Mean of the texts' unit vectors, by the head `vector`."""
    from burnish.models.tokenizer import load_tokenizer

    network = Shelf("heads").build("vector").attach(base, HeadPlan(("x",))).eval()
    with torch.no_grad():
        ids = [torch.tensor([one.ids]) for one in load_tokenizer(base).ids(texts)]
        mean = torch.cat([network(input_ids=one, attention_mask=torch.ones_like(one)) for one in ids]).mean(0)
    return mean / mean.norm()


def test_without_rows_a_label_stands_where_the_base_puts_its_words(untrained, tiny_base, tmp_path):
    network = new_network(ground_of(untrained, tmp_path), 7)
    expected = torch.stack([vector_of(tiny_base, "bad"), vector_of(tiny_base, "good day")])
    torch.testing.assert_close(network.readout.labels.data, expected, atol=1e-5, rtol=1e-4)


def test_with_rows_words_count_as_one_more_row_of_their_label(few, tiny_base, tmp_path):
    few["task"] = {"name": "classification", "labels": {"good": "all day"}}
    ground = ground_of(few, tmp_path)
    network = new_network(ground, 7)
    texts = {"good": ["all day"], "bad": []}
    for example in ground.prepared.train.corpus:
        texts[example["label"]].append(example["text"])
    expected = torch.stack([vector_of(tiny_base, *texts["bad"]), vector_of(tiny_base, *texts["good"])])
    torch.testing.assert_close(network.readout.labels.data, expected, atol=1e-5, rtol=1e-4)


def test_words_alone_make_a_bundle_that_is_judged_and_answers_alike_after_loading(untrained, tmp_path):
    told = []
    result = burnish.fit(untrained, out=tmp_path / "bundle", listen=told.append)
    assert (result.report.split, result.report.n_rows) == ("test", 40)
    sentence = "There was no dev data: confidences are not calibrated, and no answer is withheld."
    assert sentence in result.report.notes
    assert Message(sentence[0].lower() + sentence[1:], "warning") in told
    assert not any(isinstance(event, Progress) and event.stage == "train" for event in told)
    answer = next(burnish.predict(result.bundle, ["good day"]))
    assert (answer.label, answer.abstained) == ("good", False)
    again = burnish.judge(result.bundle, untrained["data"]["test"]).report
    assert again.scores["accuracy"] == result.report.scores["accuracy"]
    assert again.selective.chosen_on == "nothing, as there was no dev data"
    assert "trained on no row" in (result.bundle / "README.md").read_text()


def test_words_alone_and_a_dev_file_are_calibrated(untrained, sentiment, tmp_path):
    untrained["data"]["dev"] = str(sentiment / "train.csv")
    result = burnish.fit(untrained, out=tmp_path / "bundle")
    decision = json.loads((result.bundle / "burnish.json").read_text())["decision"]
    assert decision["calibration"] == "temperature"
    assert decision["abstain_below"] > 0


def test_words_alone_without_any_row_make_a_bundle_that_says_it_was_not_judged(untrained, tmp_path):
    del untrained["data"]
    result = burnish.fit(untrained, out=tmp_path / "bundle")
    assert result.report is None
    assert "It was not judged: there were no rows with known answers." in (result.bundle / "README.md").read_text()
    assert burnish.load(result.bundle)("good day").label == "good"
    assert "cosine" in (result.bundle / "recipe.yaml").read_text()


def test_gates_need_rows_to_judge(untrained, tmp_path):
    del untrained["data"]
    untrained["judge"]["gates"] = {"accuracy": ">= 0.5"}
    with pytest.raises(UserError) as caught:
        burnish.fit(untrained, out=tmp_path / "bundle")
    assert str(caught.value) == (
        "judge.gates: there are no rows to judge; name some as data.test, or take the gates out."
    )


def test_the_head_that_few_rows_get_is_told_and_written_into_the_filled_recipe(few, tmp_path):
    told = []
    found = burnish.check(few, listen=told.append)
    sentence = "task.head: cosine, which suits 8 rows a label; name another to have that."
    assert Message(sentence) in told
    assert found.recipe.task.head_part.part_name == "cosine"


def test_few_rows_learn_and_the_bundle_gives_the_same_logits(few, tmp_path):
    result = burnish.fit(few, ["train.epochs=8"], out=tmp_path / "bundle")
    assert result.report.scores["accuracy"] > 0.8
    predictor = load_predictor(result.bundle)
    examples = [{"text": text, "text_pair": None} for text in ("good day", "so bad 北京")]
    first, second = ([row.outputs[0] for row in predictor.answer(examples)] for _ in range(2))
    again = [row.outputs[0] for row in load_predictor(result.bundle).answer(examples)]
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, again)


def test_an_interrupted_few_shot_fit_resumes_to_the_same_weights(few, tmp_path):
    few["train"]["learning_rate"] = 0.001
    whole = burnish.fit(few, out=tmp_path / "whole").bundle

    def interrupt(event):
        if isinstance(event, Progress) and event.stage == "train" and event.done == 2:
            raise KeyboardInterrupt

    often = ["train.checkpoint_every_s=0.000001"]
    with pytest.raises(KeyboardInterrupt):
        burnish.fit(few, often, out=tmp_path / "cut", listen=interrupt)
    resumed = burnish.fit(few, often, out=tmp_path / "cut", resume=True).bundle
    for name in (WEIGHTS, VECTORS):
        assert (whole / name).read_bytes() == (resumed / name).read_bytes()


def test_rows_are_drawn_by_label_after_dev_is_cut_and_fewer_are_among_more(few, tmp_path):
    def train_texts(n, seed=7):
        few["data"]["rows_per_class"] = n
        few["train"]["seed"] = seed
        found = prepare(load(few), fresh_folder(tmp_path / "work"), lambda event: None)
        assert len(found.sides["dev"].corpus) == 30
        assert Counter(one["label"] for one in found.train.corpus) == {"good": n, "bad": n}
        return {one["text"] for one in found.train.corpus}

    assert train_texts(4) < train_texts(8)
    assert train_texts(8) != train_texts(8, seed=8)


def test_a_row_of_several_labels_is_drawn_while_one_of_them_has_too_few(few, tmp_path):
    rows = [("good day", "good|day"), ("so bad", "bad"), ("so", ""), ("all", "")] * 3
    write_csv(tmp_path / "many.csv", rows, ("text", "labels"))
    recipe = {**few, "task": "multilabel", "data": {"train": str(tmp_path / "many.csv"), "duplicates": "off"}}
    whole = prepare(load(recipe), fresh_folder(tmp_path / "work"), lambda event: None).whole
    drawn = few_rows(whole, Shelf("tasks").build("multilabel"), 1, 7, tmp_path / "few.arrow")
    assert sorted(one["text"] in ("so", "all") for one in drawn.corpus) == [False, False, True]


def refusal(recipe, tmp_path):
    with pytest.raises(UserError) as caught:
        burnish.fit(recipe, out=tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_words_for_a_label_that_no_row_has_are_refused(few, tmp_path):
    few["task"] = {"name": "classification", "labels": {"godo": None}}
    assert refusal(few, tmp_path) == (
        "task.labels: no training row has the label 'godo'. Did you mean 'good'? The rows have: bad, good."
    )


def test_one_label_alone_is_refused(untrained, tmp_path):
    untrained["task"]["labels"] = {"good": None}
    assert refusal(untrained, tmp_path) == "task.labels: tells of 'good' only; the task needs at least 2 labels."


def test_a_judged_row_with_a_label_that_was_not_told_is_refused(untrained, sentiment, tmp_path):
    untrained["data"]["test"] = str(write_csv(sentiment / "odd.csv", [("a", "good"), ("b", "odd")]))
    assert refusal(untrained, tmp_path) == (
        "odd.csv:3: the label 'odd' is not in task.labels. Correct it, tell it there, or take the row out."
    )


def test_rows_cannot_be_drawn_by_label_where_there_are_none(few, tmp_path):
    rows = [(text, text[::-1], number % 2) for number, (text, _) in enumerate(sentiment_rows(40))]
    write_csv(tmp_path / "pairs.csv", rows, ("text", "text_pair", "score"))
    recipe = {**few, "task": "matching", "data": {"train": str(tmp_path / "pairs.csv"), "rows_per_class": 8}}
    assert refusal(recipe, tmp_path) == (
        "data.rows_per_class: the task 'matching' has no labels to draw by; take it out."
    )
