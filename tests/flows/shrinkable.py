"""Tiny bundles of every encoder task, made to be shrunk."""

import json

import numpy as np
from tests.flows.conftest import sentiment_rows, write_csv
from tests.flows.test_matching import pair_rows
from tests.flows.test_retrieval import corpus_rows

import burnish

WORDS = ("good", "bad", "day", "all", "so")


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def kind_rows(n, seed):
    """Which of two words a text has, or both, or none."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        held = [word for word in ("good", "bad") if draw.random() < 0.6]
        noise = "".join(draw.choice(list("abcdefghij"), 6))
        rows.append({"text": " ".join([*held, noise, str(number)]), "labels": held})
    return rows


def place_rows(n, seed):
    """北京 is a city wherever it stands."""
    draw = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        before, after = (" ".join(draw.choice([*WORDS, *"abcdefgh"], draw.integers(1, 4))) for _ in range(2))
        start = len(before) + 1
        rows.append({"text": f"{before} 北京 {after}", "spans": [[start, start + 2, "CITY"]]})
    return rows


def relation_rows(n, seed):
    """Two letters and a word between them that says how they are related."""
    draw = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        one, two = draw.choice(list("abcdefghijkl"), 2, replace=False)
        word = draw.choice(["good", "bad"])
        rest = " ".join(draw.choice(list("mnopqrst"), draw.integers(3, 9)))
        rows.append({"text": f"<e1>{one}</e1> {word} <e2>{two}</e2> {rest}", "label": f"is {word}"})
    return rows


def question_rows(n, seed):
    """Asked is what follows a letter among others."""
    draw = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        letters = draw.permutation(list("abcdefghijkl"))[: int(draw.integers(4, 10))]
        at = int(draw.integers(len(letters) - 1))
        answer = {"text": letters[at + 1], "start": 2 * (at + 1)}
        rows.append({"question": letters[at], "context": " ".join(letters), "answers": [answer]})
    return rows


def retrieval_task(folder):
    write_csv(folder / "faq.csv", corpus_rows(), ("id", "text", "kind"))
    return {"name": "retrieval", "corpus": str(folder / "faq.csv")}


def query_rows(n, seed):
    draw = np.random.default_rng(seed)
    rows = corpus_rows()
    return [
        {"query": f"{text[: int(draw.integers(4, len(text)))]} {number}", "id": name}
        for number, (name, text, _) in enumerate((rows * n)[:n])
    ]


def mood_rows(n, seed):
    rows = sentiment_rows(n, seed)
    return [{"text": f"{text} {'so ' * (at % 5)}", "label": label} for at, (text, label) in enumerate(rows)]


def score_rows(n, seed):
    rows = pair_rows(n, seed)
    return [
        {"text": f"{a} {'so ' * (at % 5)}", "text_pair": b, "score": score} for at, (a, b, score) in enumerate(rows)
    ]


CASES = {
    "classification": ({"name": "classification", "head": "cls"}, mood_rows),
    "multilabel": ({"name": "multilabel"}, kind_rows),
    "tokens": ({"name": "tokens"}, place_rows),
    "relations": ({"name": "relations", "head": "entities"}, relation_rows),
    "matching": (
        {"name": "matching", "head": "vector", "scale": [1, 5]},
        score_rows,
    ),
    "answers": ({"name": "answers"}, question_rows),
    "retrieval": (retrieval_task, query_rows),
}
"""Name → task, or what makes it in a folder; and rows, as many as asked for, by a seed."""


def fit_case(name, base, folder, **train):
    """A bundle in `folder/bundle`, and `folder/test.jsonl`."""
    task, rows = CASES[name]
    write_jsonl(folder / "train.jsonl", rows(160, 0))
    write_jsonl(folder / "test.jsonl", rows(30, 1))
    recipe = {
        "task": task(folder) if callable(task) else task,
        "base": str(base),
        "data": {
            "train": str(folder / "train.jsonl"),
            "dev": "30%",
            "test": str(folder / "test.jsonl"),
            "duplicates": "exact",
        },
        "train": {"epochs": 4, "learning_rate": 0.005, "precision": "fp32", "tokens_per_batch": 64, **train},
        "judge": {"n_bootstrap": 20, "formats": ["json", "markdown"]},
    }
    return burnish.fit(recipe, out=folder / "bundle").bundle
