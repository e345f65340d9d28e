"""`load`: bundles, and bases that answer as they are; never one whose head would be drawn at random."""

import json
import math
import shutil

import numpy as np
import pytest
import torch

import burnish
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.drawn import drawn_weights
from burnish.models.heads._contract import HeadPlan

TAGS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}


@pytest.fixture(scope="module")
def with_head(tiny_base, tmp_path_factory):
    """`with_head("Sequence", ["bad", "good"])`: the tiny base as transformers saves it with a head of its own."""
    import transformers

    def make(kind, names=(), **settings):
        folder = tmp_path_factory.mktemp("own-head")
        shutil.copy(tiny_base / "tokenizer.json", folder)
        named = (
            {"id2label": dict(enumerate(names)), "label2id": {one: i for i, one in enumerate(names)}} if names else {}
        )
        with torch.random.fork_rng():
            torch.manual_seed(3)
            model = getattr(transformers, f"BertFor{kind}").from_pretrained(tiny_base, **named, **settings)
            for parameter in model.classifier.parameters() if names else ():
                torch.nn.init.normal_(parameter)
        model.save_pretrained(folder)
        return folder

    return make


def plain(folder, kind, *texts):
    """Logits by transformers alone."""
    import transformers

    model = getattr(transformers, f"AutoModelFor{kind}").from_pretrained(folder).eval()
    with torch.no_grad():
        return model(**transformers.AutoTokenizer.from_pretrained(folder)(*texts, return_tensors="pt"))


def refusal(*asked, **settings):
    with pytest.raises(UserError) as caught:
        burnish.load(*asked, **settings)
    return str(caught.value)


# a base as it is


def test_labels_in_words_need_no_bundle(tiny_base):
    model = burnish.load(tiny_base, task="classification", labels={"good": "good day", "bad": None})
    assert model("good day").label == "good"
    assert model.knowledge.base == tiny_base.name
    assert not model.knowledge.decision.is_tuned


def test_it_answers_as_the_bundle_that_fit_makes_of_the_same(tiny_base, tmp_path):
    told = {"name": "classification", "labels": {"good": "good day", "bad": "so bad"}}
    bundle = burnish.fit({"task": told, "base": str(tiny_base)}, out=tmp_path / "bundle").bundle
    assert burnish.load(bundle)("a day") == burnish.load(tiny_base, told)("a day")


def test_two_texts_are_matched_by_the_cosine_of_their_vectors(tiny_base):
    answer = burnish.load(tiny_base, "matching")(("good day", "good day"))
    assert (answer.score, answer.is_match) == (pytest.approx(1.0), True)


def test_a_corpus_is_searched(tiny_base, tmp_path):
    (tmp_path / "corpus.csv").write_text("text\ngood day\nso bad\n")
    model = burnish.load(tiny_base, "retrieval", corpus=str(tmp_path / "corpus.csv"), top=1)
    assert [one.text for one in model("so bad").hits] == ["so bad"]


def test_the_prompt_and_the_longest_text_are_told_beside_the_task(tiny_base):
    model = burnish.load(tiny_base, "classification", ["data.max_length=20"], labels=["a", "b"], prompt="so ")
    assert (model.reader.prompt, model.reader.max_length) == ("so ", 20)


def test_predict_takes_a_base_too(tiny_base):
    (answer,) = burnish.predict(tiny_base, "good day", task="classification", labels=["good day", "bad"])
    assert answer.label == "good day"


def test_every_row_of_a_file_is_answered_by_a_base(tiny_base, tmp_path):
    from burnish.flows.predict import predict_file

    (tmp_path / "in.csv").write_text("said\ngood\nbad\n")
    asked = {"task": "classification", "overrides": ["task.labels=[good,bad]", "data.columns.text=said"]}
    assert predict_file(tiny_base, tmp_path / "in.csv", tmp_path / "out.jsonl", **asked) == 2
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["prediction"]["label"] for row in rows] == ["good", "bad"]


# a base with a trained head of its own


def test_the_bases_own_classes_are_given_as_transformers_gives_them(with_head):
    folder = with_head("SequenceClassification", ["calm", "angry", "glad"])
    answer = burnish.load(folder, "classification")("good day")
    expected = plain(folder, "SequenceClassification", "good day").logits[0].softmax(0)
    names = ["calm", "angry", "glad"]
    assert answer.label == names[int(expected.argmax())]
    assert answer.confidence == pytest.approx(float(expected.max()), abs=1e-5)


def test_the_bases_own_labels_are_given_each_by_its_sigmoid(with_head):
    folder = with_head("SequenceClassification", ["a", "b", "c"], problem_type="multi_label_classification")
    found = {one.label: one.confidence for one in burnish.load(folder, "multilabel")("good day").labels}
    scores = plain(folder, "SequenceClassification", "good day").logits[0].sigmoid().tolist()
    wanted = {name: score for name, score in zip("abc", scores, strict=True) if score >= 0.5}
    assert found == pytest.approx(wanted, abs=1e-5)


def test_a_cross_encoder_scores_a_pair_itself(with_head):
    folder = with_head("SequenceClassification", ["LABEL_0"])
    score = burnish.load(folder, "matching")(("good day", "so bad")).score
    logit = float(plain(folder, "SequenceClassification", "good day", "so bad").logits)
    assert score == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-5)


def test_a_base_of_several_classes_is_no_cross_encoder_so_its_vectors_match(with_head):
    folder = with_head("SequenceClassification", ["a", "b", "c"])
    assert burnish.load(folder, "matching")(("a day", "a day")).score == pytest.approx(1.0)


def test_the_bases_own_tags_become_spans(with_head):
    folder = with_head("TokenClassification", [TAGS[i] for i in range(5)])
    text = "good day so bad a b"
    predictor = burnish.load(folder, "tokens")
    assert predictor.knowledge.labels == ("LOC", "PER")
    (answered,) = predictor.answer([predictor.task.read({"text": text}, is_labelled=False)])
    own = plain(folder, "TokenClassification", text).logits[0].numpy()
    places = [0, 3, 4, 1, 2]  # O, then B- and I- of LOC and PER
    np.testing.assert_allclose(answered.outputs[0][:, [0, 2, 4]], own[:, [0, 4, 2]], atol=1e-5)
    begins = np.logaddexp(own[:, places[1::2]], own[:, places[2::2]] - np.log(2))
    np.testing.assert_allclose(answered.outputs[0][:, 1::2], begins, atol=1e-4)


def test_a_question_is_answered_by_a_base_that_was_trained_to(with_head):
    folder = with_head("QuestionAnswering")
    found = burnish.load(folder, "answers")({"question": "so bad?", "context": "all good day"})
    assert found.answer in "all good day"
    assert 0 <= found.confidence <= 1


# refusals: nothing is answered from weights that were drawn at random


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        (
            "classification",
            "for its classifier.weight would be drawn at random; tell it labels in words, or fine-tune it with",
        ),
        ("tokens", "for it has no trained head that this task can read; tell it labels in words, or fine-tune it with"),
        ("multilabel", "for its classifier.weight would be drawn at random; fine-tune it with"),
        ("relations", "for it has no trained head that this task can read; fine-tune it with"),
        ("answers", "for its qa_outputs.weight would be drawn at random; fine-tune it with"),
        ({"name": "matching", "head": "cls"}, "for its classifier.weight would be drawn at random; fine-tune it with"),
        ({"name": "matching", "head": "mean"}, "for its readout.linear.weight would be drawn at random; fine-tune it"),
        ({"name": "classification", "head": "cosine"}, "for its readout.labels would be drawn at random; tell it"),
    ],
)
def test_a_head_that_nobody_trained_never_answers(task, sentence, tiny_base):
    name = task if isinstance(task, str) else task["name"]
    said = refusal(tiny_base, task)
    assert said.startswith(f"base: {tiny_base.name} cannot do '{name}' as it is, {sentence}")


ON_TEXT = {
    "rows",
    "pairs",
    "entities",
    "tokens",
    "words",
    "spans",
    "vectors",
    "cosines",
}  # what an encoder of text gives


@pytest.mark.parametrize("name", [one for one in Shelf("heads").names() if Shelf("heads").get(one).gives in ON_TEXT])
def test_a_head_says_truly_which_of_its_weights_are_drawn(name, tiny_base, tmp_path):
    head, plan = Shelf("heads").build(name), HeadPlan(("x", "y"))
    network = head.attach(tiny_base, plan)
    drawn = drawn_weights(network)
    own = {f"{module}.{one}" for module in network.head_modules() for one in ("weight", "bias", "labels", "slopes")}
    assert set(drawn) <= own
    assert bool(drawn) == bool(network.head_modules())
    network.save(tmp_path)
    again = head.attach(tmp_path, plan)
    again.load_readout(tmp_path)
    assert drawn_weights(again) == []


def test_a_base_that_lacks_more_than_its_head_does_not_answer(with_head, tiny_base):
    from safetensors.torch import load_file, save_file

    folder = with_head("SequenceClassification", ["a", "b"])
    weights = load_file(folder / "model.safetensors")
    weights.pop("bert.encoder.layer.1.output.dense.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    said = refusal(folder, "classification")
    assert "for its bert.encoder.layer.1.output.dense.weight would be drawn at random" in said
    said = refusal(folder, "classification", labels=["a", "b"])
    assert "for its encoder.layer.1.output.dense.weight would be drawn at random" in said


# what is asked of it


def test_a_base_without_a_task_says_what_it_can_do(tiny_base):
    for model in ("minilm", tiny_base):
        said = refusal(model)
        start = f"{model}: is a base, not a bundle, so it must be told its task. As it is, a base can do: "
        end = (
            "; and any task for which it has a trained head of its own. For all else fine-tune it first: `burnish fit`."
        )
        assert (said[: len(start)], said[-len(end) :]) == (start, end)
        listed = said.removeprefix(start).removesuffix(end).split(", ")
        assert {"classification (told labels in words)", "matching", "retrieval (told a corpus)"} <= set(listed)


def test_a_bundle_does_what_it_was_made_for(tiny_base, tmp_path):
    told = {"name": "classification", "labels": ["good", "bad"]}
    bundle = burnish.fit({"task": told, "base": str(tiny_base)}, out=tmp_path / "bundle").bundle
    sentence = f"{bundle}: is a bundle, which answers as it was made; leave out the task and its settings."
    assert refusal(bundle, "tokens") == refusal(bundle, labels=["a"]) == sentence


def test_what_is_neither_is_told(tmp_path):
    assert refusal(tmp_path / "x") == (
        f"{tmp_path / 'x'}: there is no such bundle; give the folder that `burnish fit` wrote."
    )
    assert refusal(tmp_path) == f"{tmp_path}: is not a bundle: it has no manifest.json."
    assert refusal(tmp_path, "matching") == (
        f"base: {tmp_path} is not a model: it has no config.json. Give a folder in Hugging Face layout."
    )
    assert refusal("minlm", "matching").startswith(
        "base: 'minlm' is neither a named base nor a folder. Did you mean 'minilm'?"
    )


@pytest.mark.parametrize(
    ("task", "settings", "sentence"),
    [
        ("classificaton", {}, "task: there is no part 'classificaton' on the shelf 'tasks'. Did you mean"),
        ("classification", {"lables": []}, "argument 'lables': task.lables is not a setting. Did you mean 'labels'?"),
        ("classification", {"labels": ["a"]}, "task.labels: tells of 'a' only; the task needs at least 2 labels."),
        ("tokens", {"labels": ["a"], "outside": " "}, "argument 'outside': task.outside has no words; write"),
        ("classification", {"labels": ["a", "b"], "max_length": 3}, "argument 'max_length': data.max_length must be 8"),
        ("classification", {"labels": ["a", "b"], "max_length": 900}, "data.max_length: this base takes at most 64"),
        ("retrieval", {}, "task.corpus is missing: the file with the texts to search, e.g."),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_sentence(task, settings, sentence, tiny_base):
    assert refusal(tiny_base, task, **settings).startswith(sentence)
