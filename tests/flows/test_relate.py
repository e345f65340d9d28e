"""relate: which pairs are asked, which are told, and which models are refused."""

from itertools import permutations

import numpy as np
import pytest

import burnish
from burnish.bundle.bundle import Knowledge
from burnish.bundle.predictor import Predictor
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.tokenizer import load_tokenizer
from burnish.tasks._contract import Decision

TEXT = "a met b or c"


class FindsNames:
    """Tags every token as outside, but a, b and c as names: logits of O, B-NAME, I-NAME."""

    def __init__(self, tokenizer):
        self.names = {tokenizer.backend.token_to_id(letter) for letter in "abc"}

    def run(self, features):
        return [
            np.asarray([[0, 9, 0] if one in self.names else [9, 0, 0] for one in feature["input_ids"]], np.float32)
            for feature in features
        ]


class TakesOrder:
    """Sees the first label where the head stands before the tail, else the last; counts how often it is asked."""

    def __init__(self, n_labels):
        self.n_labels, self.n_asked = n_labels, 0

    def run(self, features):
        self.n_asked += len(features)
        chosen = [0 if feature["starts"][0] < feature["starts"][1] else self.n_labels - 1 for feature in features]
        return list(np.eye(self.n_labels, dtype=np.float32)[chosen] * 5)


def predictor(task, labels, core, base):
    part = Shelf("tasks").build(task)
    tokenizer = load_tokenizer(base, is_cjk_split=part.is_cjk_split)
    knowledge = Knowledge(part, labels, Decision(abstain_below=0.5), tokenizer.max_length, "tiny")
    return Predictor(knowledge, tokenizer, core)


@pytest.fixture
def names(tiny_base):
    return predictor("tokens", ("NAME",), FindsNames(load_tokenizer(tiny_base)), tiny_base)


def told(found):
    return [(one.head.text, one.tail.text, one.label) for one in found]


def test_every_ordered_pair_with_a_relation_is_told(names, tiny_base):
    core = TakesOrder(2)
    found = burnish.relate(names, predictor("relations", ("knows", "none"), core, tiny_base), TEXT)
    assert told(found) == [("a", "b", "knows"), ("a", "c", "knows"), ("b", "c", "knows")]
    assert core.n_asked == 6
    first = found[0]
    assert (first.head.start, first.head.end, first.tail.start, first.tail.label) == (0, 1, 6, "NAME")
    assert first.confidence == pytest.approx(np.exp(5) / (np.exp(5) + 1))
    assert not first.abstained


def test_the_label_of_no_relation_is_the_models_own(names, tiny_base):
    other = predictor({"name": "relations", "no_relation": "knows"}, ("knows", "none"), TakesOrder(2), tiny_base)
    assert told(burnish.relate(names, other, TEXT)) == [("b", "a", "none"), ("c", "a", "none"), ("c", "b", "none")]


def test_where_labels_tell_the_direction_each_pair_is_asked_once_in_text_order(names, tiny_base):
    core = TakesOrder(3)
    directed = predictor("relations", ("knows(e1,e2)", "knows(e2,e1)", "none"), core, tiny_base)
    found = burnish.relate(names, directed, TEXT)
    assert [label for _, _, label in told(found)] == ["knows(e1,e2)"] * 3
    assert core.n_asked == 3


def test_a_text_with_fewer_than_two_names_has_no_relations(names, tiny_base):
    core = TakesOrder(2)
    assert burnish.relate(names, predictor("relations", ("knows", "none"), core, tiny_base), "a day") == []
    assert core.n_asked == 0


def test_models_of_other_tasks_are_refused(names):
    with pytest.raises(UserError) as caught:
        burnish.relate(names, names, TEXT)
    assert str(caught.value) == "relate: the second model must be of the task 'relations'; this one is of 'tokens'."


def test_a_model_of_relations_goes_from_rows_through_fit_and_judge_to_answers(tiny_base, tmp_path):
    rows = [
        {"text": f"{a} {verb} {b}", "head": a, "tail": [len(f"{a} {verb} "), len(f"{a} {verb} {b}")], "label": label}
        for number, (a, b) in enumerate(permutations("abcdefgh", 2))
        for verb, label in [(("good", "knows"), ("bad", "none"))[number % 2]]
    ]
    recipe = {
        "task": {"name": "relations", "head": {"name": "entities", "with_text": True}},
        "base": str(tiny_base),
        "data": {"train": rows, "dev": "25%", "duplicates": "exact"},
        "train": {"epochs": 8, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 128},
        "judge": {"n_bootstrap": 5, "formats": ["json", "markdown"], "gates": {"semeval_f1": ">= 0.9"}},
    }
    result = burnish.fit(recipe, out=tmp_path / "bundle")
    assert result.is_good
    assert result.report.kind == "relations"
    assert "| semeval_f1 | 1.0000 |" in (tmp_path / "bundle" / "README.md").read_text("utf-8")
    model = burnish.load(tmp_path / "bundle")
    assert model("<e1>a</e1> good <e2>h</e2>").label == "knows"
    with pytest.raises(UserError, match=r"^inputs: the text has the mark <e1> 0 times; mark each entity once"):
        list(burnish.predict(model, ["a good h"]))
