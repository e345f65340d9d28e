"""Models of other kinds: one that writes, one that makes vectors; and a server of all of them."""

import pytest
from tests.flows.conftest import sentiment_rows, write_csv
from tests.flows.test_generation import WORDS, recipe
from tests.serving.house import House, released

import burnish


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
    import shutil

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
