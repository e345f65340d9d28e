"""Tiny real bundles, released, and servers of them."""

import json
import shutil

import pytest
from tests.flows.conftest import sentiment_rows, write_csv
from tests.flows.test_generation import WORDS, recipe
from tests.serving.house import House, make_keys, released, twin_of

import burnish
from burnish.core.settings import Settings
from burnish.store.home import open_home


@pytest.fixture(scope="session")
def bundle(tmp_path_factory, tiny_base):
    """A model of two labels that has learned nothing: each text has an answer of its own all the same."""
    folder = tmp_path_factory.mktemp("served")
    write_csv(folder / "train.csv", sentiment_rows(60))
    recipe = {
        "task": {"name": "classification", "head": "cls"},
        "base": str(tiny_base),
        "data": {"train": str(folder / "train.csv"), "dev": "25%"},
        "train": {"epochs": 0, "precision": "fp32"},
        "judge": {"n_bootstrap": 2, "formats": ["json"]},
    }
    return burnish.fit(recipe, out=folder / "bundle").bundle


@pytest.fixture(scope="session")
def tagger(tmp_path_factory, tiny_base):
    """A model of spans that has learned nothing."""
    folder = tmp_path_factory.mktemp("tagger")
    rows = [{"text": f"good {text}", "spans": [[0, 4, "ORDER"]]} for text, _ in sentiment_rows(40)]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    recipe = {
        "task": "tokens",
        "base": str(tiny_base),
        "data": {"train": str(folder / "train.jsonl"), "dev": "25%"},
        "train": {"epochs": 0, "precision": "fp32"},
        "judge": {"n_bootstrap": 2, "formats": ["json"]},
    }
    return burnish.fit(recipe, out=folder / "bundle").bundle


@pytest.fixture(scope="session")
def answer_of(bundle):
    """What the bundle answers without a server."""
    predictor = burnish.load(bundle)
    return lambda text: predictor(text).model_dump(mode="json")


@pytest.fixture(scope="session")
def made_house(tmp_path_factory, bundle):
    """An installation with `intent`, version 1 in production, version 2 that answers the same, and keys."""
    folder = tmp_path_factory.mktemp("house") / "home"
    home = open_home(Settings(home=str(folder), database="", bundles=""))
    released(home, bundle)
    released(home, twin_of(bundle, folder.parent / "twin"))
    home.releases.promote("intent", 1, "user test")
    keys = make_keys(home)
    home.close()
    return folder, keys


@pytest.fixture
def make_house(made_house, tmp_path):
    """`make_house(store_inputs="off")`: a copy of the installation, and settings of its own."""
    houses = []

    def make(**own):
        folder, keys = made_house
        copy = tmp_path / f"home-{len(houses)}"
        shutil.copytree(folder, copy)
        houses.append(House(copy, keys, own=own))
        return houses[-1]

    yield make
    for house in houses:
        house.home.close()


@pytest.fixture
def house(make_house):
    return make_house()


@pytest.fixture
def client(house):
    """A server of `intent`, without a network."""
    with house.client() as client:
        yield client


@pytest.fixture(scope="session")
def shared_house(made_house, tmp_path_factory):
    """One for tests that change nothing of the installation."""
    folder, keys = made_house
    copy = tmp_path_factory.mktemp("shared") / "home"
    shutil.copytree(folder, copy)
    house = House(copy, keys)
    yield house
    house.home.close()


@pytest.fixture(scope="session")
def asked(shared_house):
    """A server that is asked only: its answers do not depend on what was asked before."""
    with shared_house.client() as client:
        yield client


@pytest.fixture(scope="session")
def writer(tmp_path_factory, tiny_causal_base):
    """A model that answers chats, and learned three answers by heart."""
    folder = tmp_path_factory.mktemp("writer")
    return burnish.fit(recipe(folder, tiny_causal_base), out=folder / "bundle").bundle


@pytest.fixture(scope="session")
def embedder(tmp_path_factory, tiny_base):
    """A model that makes a vector of a text, and has learned nothing."""
    folder = tmp_path_factory.mktemp("embedder")
    write_csv(folder / "train.csv", [(text,) for text, _ in sentiment_rows(40)], header=("text",))
    recipe = {
        "task": "contrastive",
        "base": str(tiny_base),
        "data": {"train": str(folder / "train.csv"), "dev": "25%"},
        "train": {"epochs": 0, "precision": "fp32"},
        "judge": {"n_bootstrap": 2, "formats": ["json"]},
    }
    return burnish.fit(recipe, out=folder / "bundle").bundle


@pytest.fixture(scope="session")
def all_house(made_house, tmp_path_factory, writer, embedder):
    folder, keys = made_house
    copy = tmp_path_factory.mktemp("all") / "home"
    shutil.copytree(folder, copy)
    house = House(copy, keys)
    for name, bundle, task in (("chat", writer, "generation"), ("vectors", embedder, "contrastive")):
        released(house.home, bundle, name, task)
        house.home.releases.promote(name, 1, "user test")
    yield house
    house.home.close()


@pytest.fixture(scope="session")
def everything(all_house):
    """A server of a classifier, a writer and an embedder."""
    with all_house.client("intent", "chat", "vectors") as client:
        client.said = WORDS
        yield client
