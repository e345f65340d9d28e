import csv
import random

import pytest

GOOD, BAD = ["good day", "so good", "a good one", "all good"], ["bad day", "so bad", "a bad one", "all bad"]


def write_csv(path, rows, header=("text", "label")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def sentiment_rows(n, seed=0):
    """Rows that two words decide; the rest is letters drawn at random, so that hardly two are alike."""
    draw = random.Random(seed)
    rows = []
    for number in range(n):
        label = ("good", "bad")[number % 2]
        noise = "".join(draw.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(8))
        rows.append((f"{draw.choice(GOOD if label == 'good' else BAD)} {noise}", label))
    return rows


@pytest.fixture
def sentiment(tmp_path):
    """A folder with train.csv (120 rows) and test.csv (40 rows)."""
    write_csv(tmp_path / "train.csv", sentiment_rows(120))
    write_csv(tmp_path / "test.csv", sentiment_rows(40, seed=1))
    return tmp_path


@pytest.fixture
def recipe(sentiment, tiny_base):
    """A recipe that trains the tiny base within a second or two."""
    return {
        "task": {"name": "classification", "head": "cls"},
        "base": str(tiny_base),
        "data": {"train": str(sentiment / "train.csv"), "dev": "25%", "test": str(sentiment / "test.csv")},
        "train": {"epochs": 3, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 64},
        "judge": {"n_bootstrap": 20, "formats": ["json", "markdown"]},
    }
