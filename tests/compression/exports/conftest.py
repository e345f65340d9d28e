"""Every encoder task on a base of one layer, ready to be exported."""

import json
import shutil

import pytest
import torch
from tests.contracts.test_tasks import ROWS, Made

from burnish.compression.subject import Subject
from burnish.core.shelves import Shelf
from burnish.tasks._contract import Decision

CASES = {
    "classification-cls": {"name": "classification", "head": "cls"},
    "classification-mean": {"name": "classification", "head": "mean"},
    "classification-cosine": {"name": "classification", "head": {"name": "cosine", "pool": "cls"}},
    "multilabel-max": {"name": "multilabel", "head": "max"},
    "tokens": {"name": "tokens"},
    "tokens-cosine": {"name": "tokens", "head": "token_cosine"},
    "relations": {"name": "relations", "head": {"name": "entities", "with_text": True}},
    "matching-cross": {"name": "matching", "head": "compare"},
    "matching-bi": {"name": "matching", "head": "vector"},
    "answers": {"name": "answers"},
    "retrieval": {"name": "retrieval"},
    "contrastive": {"name": "contrastive", "head": {"name": "vector", "pool": "max"}},
}
LONGER = {
    "classification": {"text": "a good day, all 北京 so bad", "label": "good"},
    "matching": {"text": "a good day, all 北京 so bad", "text_pair": "so", "score": 1},
    "retrieval": {"query": "so", "passage": "a good day, all 北京 so bad"},
}
BETA = {"temperature": 0.3, "low": 0.8, "high": 1.4, "offset": 0.2}
DECISIONS = {
    "classification-mean": Decision("beta", BETA, 0.9),
    "multilabel-max": Decision("beta", BETA, 0.99, (0.2, 0.1)),
    "tokens": Decision("temperature", {"temperature": 0.01}),
    "answers": Decision("temperature", {"temperature": 0.1}, 0.0, (0.2,)),
    "matching-bi": Decision(label_thresholds=(0.9999,)),
}
"""Other decisions than none, so that scripts show that they read them."""


class Case:
    """A subject, features of rows without gold, and what Burnish itself answers."""

    def __init__(self, name, base):
        task = Shelf("tasks").build(CASES[name])
        self.made = made = Made(task, task.part_name, base)
        self.decision = DECISIONS.get(name, Decision())
        self.subject = Subject(
            made.task, made.labels, made.network.eval(), made.reader, base, decision=self.decision
        )  # fmt: skip
        rows = [*ROWS[task.part_name], *([LONGER[task.part_name]] if task.part_name in LONGER else [])]
        self.examples = [task.read({k: v for k, v in row.items() if k not in task.gold}, False) for row in rows]
        self.features = made.features(self.examples)

    def answer(self, **row):
        example = self.subject.task.read(row, is_labelled=False)
        [answer] = self.subject.task.decode(self.made.answered([example]), self.subject.labels, self.decision)
        return answer


@pytest.fixture(scope="session")
def thin_base(tiny_base, tmp_path_factory):
    """The tiny base cut to one layer: exporters take their time by the layer."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("thin") / "base"
    shutil.copytree(tiny_base, folder)
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        BertModel(BertConfig(**{**settings, "num_hidden_layers": 1, "initializer_range": 0.5})).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def case_of(thin_base):
    """`case_of("tokens")`: a case, made once."""
    made = {}

    def case(name):
        if name not in made:
            made[name] = Case(name, thin_base)
        return made[name]

    return case


@pytest.fixture(scope="session")
def exported(case_of, tmp_path_factory):
    """`exported("tokens", "onnx")`: the folder of a case in a format, written once."""
    folders = {}

    def folder_of(case, export):
        if (case, export) not in folders:
            folders[case, export] = tmp_path_factory.mktemp(f"{case}-{export}")
            subject = case_of(case)
            part = Shelf("exports").build(export)
            assert part.refusal(subject.subject) is None
            part.write(subject.subject, subject.features, folders[case, export])
        return folders[case, export]

    return folder_of
