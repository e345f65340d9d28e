import csv
import random
import shutil
import time
from dataclasses import replace

import pytest

import burnish
from burnish.core.ids import new_id
from burnish.core.settings import settings
from burnish.data.masking import Mask
from burnish.flows.promote import promote
from burnish.flows.recording import Asked, Recorder
from burnish.flows.release import release
from burnish.store.home import open_home
from burnish.store.records import Feedback

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


def mood_rows(n, seed=0):
    """Rows in English that words decide, and in Chinese that 好 and 坏 decide."""
    draw, rows = random.Random(seed), []
    for number, (text, label) in enumerate(sentiment_rows(n, seed)):
        sign = {"good": "好", "bad": "坏"}[label]
        others = "".join(draw.choice("中国北京上海的我") for _ in range(6))
        rows.append((text, label) if number % 4 < 2 else (sign + others, label))
    return rows


@pytest.fixture(scope="session")
def moods(tiny_base, tmp_path_factory):
    """A folder with train.csv, in English; test.csv, in both languages; and `bundle`, trained on the first."""
    folder = tmp_path_factory.mktemp("moods")
    write_csv(folder / "train.csv", sentiment_rows(120))
    write_csv(folder / "test.csv", mood_rows(60, seed=1))
    recipe = {
        "task": {"name": "classification", "head": "cls"},
        "base": str(tiny_base),
        "data": {"train": str(folder / "train.csv"), "dev": "25%", "test": str(folder / "test.csv")},
        "train": {"epochs": 4, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 64},
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }
    burnish.fit(recipe, out=folder / "bundle")
    return folder


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory):
    """The folder of an installation without anything, to be copied: to make the tables takes longer than most tests."""
    folder = tmp_path_factory.mktemp("empty") / "home"
    with pytest.MonkeyPatch.context() as patch:
        at_home(patch, folder)
        open_home().close()
    settings.cache_clear()
    return folder


@pytest.fixture(scope="session")
def first_release(moods, empty_home, tmp_path_factory):
    """An installation with that bundle in production as `intent:1`: its folder, to be copied, and what was told."""
    folder, told = shutil.copytree(empty_home, tmp_path_factory.mktemp("first") / "home"), []
    with pytest.MonkeyPatch.context() as patch:
        at_home(patch, folder)
        release(moods / "bundle", "intent", why="wir beginnen 开始", listen=told.append)
        promote("intent:1")
    settings.cache_clear()
    return folder, told


@pytest.fixture
def home(first_release, tmp_path, monkeypatch):
    """A copy of it, opened, and the one that verbs use."""
    yield from copied_home(first_release[0], tmp_path / "home", monkeypatch)


@pytest.fixture
def new_home(empty_home, tmp_path, monkeypatch):
    """An installation without anything."""
    yield from copied_home(empty_home, tmp_path / "home", monkeypatch)


def copied_home(folder, out, patch):
    at_home(patch, shutil.copytree(folder, out))
    opened = open_home()
    yield opened
    opened.close()
    settings.cache_clear()


def at_home(patch, folder, **more):
    """Let verbs use the installation in a folder, with other settings as they are usually."""
    for name in ("DATABASE", "BUNDLES", "STORE_INPUTS", "RETENTION_DAYS"):
        patch.delenv(f"BURNISH_{name}", raising=False)
    patch.setenv("BURNISH_HOME", str(folder))
    patch.setenv("BURNISH_SECRET", "0123456789abcdef0123456789abcdef")  # so that the same inputs are always kept back
    for name, value in more.items():
        patch.setenv(f"BURNISH_{name}".upper(), value)
    settings.cache_clear()


@pytest.fixture
def steady(monkeypatch):
    """Every version takes as long as another: a busy machine decides nothing."""
    monkeypatch.setattr("burnish.flows.release.median_ms", lambda predictors, examples: [1.0] * len(predictors))


LOADED = {}
"""Digest of a bundle → its predictor: to load it takes longer than to ask it."""


def ask(home, texts, key="key_1", keep="masked", version=1, at=None):
    """Let `intent` answer texts, and keep the answers as a server does; returns the records."""
    digest = home.releases.find(f"intent:{version}").digest
    if digest not in LOADED:
        LOADED[digest] = burnish.load(home.bundles.get(digest))
    predictor = LOADED[digest]
    task, knowledge = predictor.task, predictor.knowledge
    rows = [{"text": text} for text in texts]
    answered = predictor.answer([task.read(row, is_labelled=False) for row in rows])
    decoded = task.decode(answered, knowledge.labels, knowledge.decision)
    recorder = Recorder(home, Mask.of(), keep).knowing(predictor)
    asked = Asked("intent", version, key, rows, time.perf_counter())
    found = [
        recorder.record(asked, row, one, said.model_dump(mode="json"))
        for row, one, said in zip(rows, answered, decoded, strict=True)
    ]
    found = found if at is None else [replace(one, at=at) for one in found]
    home.predictions.add(found)
    return found


def correct(home, predictions, labels, key="key_1", **fields):
    """Feedback that says what is right; returns its ids."""
    said = [
        Feedback(new_id("f"), time.time(), one.id, one.name, one.version, key, "label", label, **fields)
        for one, label in zip(predictions, labels, strict=True)
    ]
    home.corrections.add(said, None, "")
    return [one.id for one in said]
