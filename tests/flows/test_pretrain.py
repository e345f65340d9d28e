"""pretrain: plain text in, a base out that other tasks start from."""

import json
import random

import pytest
from transformers import AutoModelForMaskedLM

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.core.errors import UserError

WORDS = ["good", "bad", "day", "so", "all", "北京", "上海", "a"]


def corpus(folder, n=24, name="corpus.txt"):
    """Documents in which every word has its own follower, so that there is something to learn."""
    draw = random.Random(0)

    def line():
        at, said = draw.randrange(8), []
        for _ in range(draw.randrange(5, 9)):
            at = (at * 3 + 1) % 8
            said.append(WORDS[at])
        return " ".join(said) + ". " + "".join(draw.choice("abcdefghij") for _ in range(9)) + "."

    path = folder / name
    path.write_text("\n\n".join("\n".join(line() for _ in range(3)) for _ in range(n)), "utf-8")
    return path


QUICK = ["train.precision=fp32", "train.tokens_per_batch=256", "judge.n_bootstrap=20", "judge.formats=[json, markdown]"]


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory, tiny_base):
    folder = tmp_path_factory.mktemp("pretrain")
    settings = [*QUICK, "train.learning_rate=3e-3"]
    return burnish.pretrain(None, settings, text=corpus(folder), base=str(tiny_base), epochs=4, out=folder / "mine")


def test_perplexity_falls_and_both_are_told(pretrained):
    after = pretrained.report.scores["perplexity"]
    assert after < 0.7 * pretrained.start["perplexity"]
    assert pretrained.is_base
    about = json.loads((pretrained.bundle / "report" / "report.json").read_text())["about"]
    assert about["before training"] == pretrained.start


def test_the_report_and_the_card_say_nothing_of_answers_or_calibration(pretrained):
    told = (pretrained.bundle / "report" / "report.md").read_text()
    assert "Perplexity" in told
    assert "calibrat" not in told
    card = (pretrained.bundle / "README.md").read_text()
    assert "burnish fit RECIPE.yaml --base" in card
    assert "calibrat" not in card


def test_other_tools_and_other_tasks_start_from_it(pretrained, sentiment, tiny_base):
    AutoModelForMaskedLM.from_pretrained(pretrained.bundle / "model")
    recipe = {
        "task": {"name": "classification", "head": "cls"},
        "base": str(pretrained.bundle),
        "data": {"train": str(sentiment / "train.csv"), "dev": "25%"},
        "train": {"epochs": 4, "learning_rate": 3e-3, "precision": "fp32", "tokens_per_batch": 64},
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }
    result = burnish.fit(recipe, out=sentiment / "tuned")
    knowledge = open_bundle(result.bundle).knowledge
    assert knowledge.base == "mine"
    assert not result.start
    assert not result.is_base


def test_blocks_may_be_short_and_the_base_still_reads_long_texts(tmp_path, tiny_base):
    text = corpus(tmp_path, 12)
    settings = [*QUICK, "data.max_length=16", "train.epochs=0"]
    result = burnish.pretrain(None, settings, text=text, base=str(tiny_base), out=tmp_path / "mine")
    assert open_bundle(result.bundle).knowledge.max_length == 16
    assert json.loads((result.bundle / "model" / "tokenizer_config.json").read_text())["model_max_length"] == 64


@pytest.mark.parametrize(
    ("task", "metric", "epochs"),
    [("next_sentence", "accuracy", 0), ("contrastive", "mrr", 1), ("causal_lm", "perplexity", 1)],
)  # a network this small finds nothing in the order of sentences, which health takes for a sick run
def test_every_objective_reads_the_same_file(tmp_path, tiny_base, tiny_causal_base, task, metric, epochs):
    base = tiny_causal_base if task == "causal_lm" else tiny_base
    text = corpus(tmp_path)
    out = tmp_path / "mine"
    result = burnish.pretrain(None, QUICK, text=text, task=task, base=str(base), epochs=epochs, out=out)
    assert metric in result.report.scores
    assert (metric in result.start) == (epochs > 0)
    judged = burnish.judge(result.bundle, _rows(text, task))
    assert metric in judged.report.scores
    inputs = ("good day.", "so bad.") if task == "next_sentence" else "good day."
    assert len(list(burnish.predict(result.bundle, [inputs]))) == 1


def _rows(text, task):
    sources = {"next_sentence": {"name": "sentences", "pairs": True}, "contrastive": {"name": "sentences"}}
    return {"path": str(text), **sources.get(task, {"name": "text"})}


def test_several_files_and_a_recipe_say_the_same_as_words(tmp_path, tiny_base):
    files = [corpus(tmp_path, 12, name) for name in ("one.txt", "two.txt")]
    result = burnish.pretrain(
        {"base": str(tiny_base), "train": {"epochs": 0}}, QUICK, text=files, out=tmp_path / "mine"
    )
    card = json.loads((result.bundle / "data_card.json").read_text())
    assert set(card["sources"]) == set(map(str, files))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"task": "classification", "text": "a.txt"},
            r"^task: 'classification' learns from rows with answers, not from",
        ),
        (
            {"task": "tokens", "train": "a.csv"},
            r"^task: 'tokens' learns from rows with answers, not from text alone; `bu",
        ),
        (
            {"text": ["a.txt", "b.csv"]},
            r"^text: b\.csv is a table \(csv\), not plain text; name it as train, and its col",
        ),
        ({"train": "a.txt", "text": "b.txt"}, r"^text and train both name what is learnt from; give one of them\.$"),
    ],
)
def test_what_is_no_pretraining_is_refused(given, sentence):
    with pytest.raises(UserError, match=sentence):
        burnish.pretrain(None, **given)


def test_one_document_cannot_be_on_two_sides(tmp_path, tiny_base):
    (tmp_path / "one.txt").write_text("good day.")
    with pytest.raises(
        UserError, match=r"the column 'document' has one value only, so its rows cannot be on two sides"
    ):
        burnish.pretrain(None, QUICK, text=tmp_path / "one.txt", base=str(tiny_base), out=tmp_path / "mine")


def test_start_is_told_only_where_it_is_asked_for(tmp_path, tiny_base):
    text = corpus(tmp_path, 12)
    settings = [*QUICK, "judge.start=false", "train.epochs=1"]
    result = burnish.pretrain(None, settings, text=text, base=str(tiny_base), out=tmp_path / "mine")
    assert result.start == {}
