"""Spans from few rows, or none: tag vectors that start from rows, words read one by one beside the labels' words."""

import json

import pytest
import torch

import burnish
from burnish.core.errors import UserError
from burnish.core.events import Message
from burnish.flows.ground import lay_ground
from burnish.flows.train import new_network
from burnish.recipe.load import load

TEXTS = ["good day 北京", "so bad in 上海", "all good 北京 day", "a bad day 上海"]


def rows(n):
    found = []
    for number in range(n):
        text = f"{TEXTS[number % 4]} {'abcdefghijklmnop'[number % 16]}{number}"
        place = "北京" if "北京" in text else "上海"
        start = text.index(place)
        spans = [[start, start + 2, "CITY"]]
        mood = "good" if "good" in text else "bad"
        spans.append([text.index(mood), text.index(mood) + len(mood), "MOOD"])
        found.append({"text": text, "spans": spans})
    return found


@pytest.fixture
def few(tiny_base):
    """Rows with two labels, and the head that starts from them."""
    return {
        "task": {"name": "tokens", "head": "token_cosine"},
        "base": str(tiny_base),
        "data": {"train": rows(16), "dev": rows(8), "test": rows(8), "duplicates": "off"},
        "train": {"epochs": 4, "learning_rate": 0.003, "precision": "fp32", "tokens_per_batch": 64},
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }


def test_tag_vectors_start_at_the_mean_of_the_states_of_their_tokens(few, tmp_path):
    ground = lay_ground(load(few), tmp_path / "work", lambda event: None)
    network = new_network(ground, 7).eval()
    assert ground.task.head_part.part_name == "token_cosine"
    sums = torch.zeros(5, 32)
    for example in ground.prepared.train.corpus:
        (one,) = ground.task.encode([example], ground.reader, ground.labels)
        feature = one.features[0]
        ids = torch.from_numpy(feature["input_ids"]).long()[None]
        with torch.no_grad():
            states = network.trunk(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
        for tag in range(5):
            is_own = torch.from_numpy(feature["labels"] == tag)
            sums[tag] += torch.nn.functional.normalize(states[is_own], dim=-1).sum(0)
    assert sums[4].abs().sum() == 0  # no span of MOOD has a second token, so I-MOOD means what B-MOOD does
    expected = torch.nn.functional.normalize(torch.stack([*sums[:4], sums[3]]), dim=-1)
    torch.testing.assert_close(network.readout.labels.data, expected, atol=1e-4, rtol=1e-3)


def test_few_rows_learn_and_the_head_for_told_labels_is_said(few, tmp_path):
    told = []
    few["task"] = {"name": "tokens", "labels": ["CITY", "MOOD"]}
    result = burnish.fit(few, ["train.epochs=12"], out=tmp_path / "bundle", listen=told.append)
    assert Message("task.head: token_cosine, which suits 16 rows a label; name another to have that.") in told
    assert result.report.scores["entity_f1"] > 0.9
    spans = burnish.load(result.bundle)("all good 北京 day a2").spans
    assert ("北京", "CITY") in [(one.text, one.label) for one in spans]


def test_words_of_labels_alone_find_spans_and_are_judged(few, tmp_path):
    told = {"name": "tokens", "labels": {"CITY": "北京", "MOOD": "good"}, "outside": "so"}
    recipe = {**few, "task": told, "data": {"test": rows(8)}}
    result = burnish.fit(recipe, out=tmp_path / "bundle")
    assert result.report.n_rows == 8
    answer = burnish.load(result.bundle)("so good")
    assert [(one.start, one.end, one.label) for one in answer.spans] == [(3, 7, "MOOD")]
    assert answer == burnish.load(few["base"], told)("so good")
    assert "word_cosine" in (result.bundle / "recipe.yaml").read_text()


def test_words_alone_and_a_dev_file_are_calibrated(few, tmp_path):
    told = {"name": "tokens", "labels": ["CITY", "MOOD"]}
    result = burnish.fit({**few, "task": told, "data": {"dev": rows(8)}}, out=tmp_path / "bundle")
    decision = json.loads((result.bundle / "burnish.json").read_text())["decision"]
    assert decision["calibration"] == "temperature"


def test_words_count_as_one_more_span_where_there_are_rows(few, tmp_path):
    few["task"] = {"name": "tokens", "labels": {"CITY": "all day"}}
    with_words, without = (
        new_network(lay_ground(load({**few, "task": task}), tmp_path / f"{n}", lambda event: None), 7).readout.labels
        for n, task in enumerate([few["task"], {"name": "tokens", "head": "token_cosine"}])
    )
    moved = (with_words - without).abs().sum(1) > 1e-6
    assert moved.tolist() == [True, True, True, False, False]  # O has words of its own, and CITY's are two tokens


def test_rows_of_a_label_that_was_not_told_and_words_of_one_without_rows_are_refused(few, tmp_path):
    few["task"] = {"name": "tokens", "labels": ["CITI"]}
    with pytest.raises(UserError) as caught:
        burnish.fit(few, out=tmp_path / "bundle")
    assert str(caught.value) == (
        "task.labels: no training row has the label 'CITI'. Did you mean 'CITY'? The rows have: CITY, MOOD."
    )
