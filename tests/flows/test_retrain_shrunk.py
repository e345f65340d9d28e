"""A shrunk production is retrained from what it was made from, and shrunk again as it was."""

from dataclasses import replace

import pytest
from tests.flows.conftest import ask, copied_home, correct, mood_rows

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.bundle.runtimes.torch import Torch
from burnish.compression import measuring, parity
from burnish.core.errors import UserError
from burnish.core.files import read_json
from burnish.evaluation.gates import GateResult
from burnish.evaluation.promotion import Policy
from burnish.flows.promote import promote
from burnish.flows.release import release
from burnish.flows.retrain import Retraining, retrain
from burnish.flows.rowplaces import known_places

WAY = "{name: vocabulary, common: 0}, int8_static"
LAX = Policy(most_times_slower=1000, most_times_larger=3)


@pytest.fixture(scope="module")
def small(moods, empty_home, tmp_path_factory):
    """The installation's folder, with a shrunk bundle in production that was released with its source."""
    folder = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        result = burnish.shrink(moods / "bundle", ways=[WAY], out=folder / "bundle", max_drop=100)
        for _ in copied_home(empty_home, folder / "home", patch):
            release(result.bundle, "intent", source=moods / "bundle")
            promote("intent:1")
    return folder / "home"


@pytest.fixture
def shrunk_home(small, tmp_path, monkeypatch):
    quick(monkeypatch)
    yield from copied_home(small, tmp_path / "home", monkeypatch)


def quick(patch):
    """Speed is of no account, and models that hardly learnt are about as sure of two answers."""
    patch.setattr(measuring, "SHORTEST_S", 0.0)
    patch.setattr(measuring, "N_SINGLE", 5)
    patch.setattr(parity, "LEAST_AGREEMENT", 0.0)


def corrected(home, n):
    rows = [(text, label) for text, label in mood_rows(2 * n, seed=9) if not text.isascii()]
    correct(home, ask(home, [text for text, _ in rows]), [label for _, label in rows], "user ann")


def test_it_is_shrunk_by_the_same_way_and_can_be_retrained_again(shrunk_home, moods):
    corrected(shrunk_home, 40)
    first = shrunk_home.releases.find("intent:1")
    result = retrain("intent", [], Retraining(held_out=0.2, anchor="l2sp", policy=LAX))
    made = result.release
    assert (made.version, made.parent, made.is_passed) == (2, 1, True)
    old, new = (open_bundle(shrunk_home.bundles.get(one.digest)) for one in (first, made))
    assert new.knowledge.runtime.part_name == old.knowledge.runtime.part_name == "openvino"
    told = [read_json(one.folder / "report" / "shrink.json") for one in (old, new)]
    assert told[0]["chosen"] == told[1]["chosen"] == "vocabulary (common=0) + int8_static"
    assert told[0]["budget"] == told[1]["budget"]
    source = open_bundle(shrunk_home.bundles.get(made.source))
    assert isinstance(source.knowledge.runtime, Torch)
    assert made.source != first.source
    assert known_places(shrunk_home, made)["train"] == str(moods / "train.csv")


def test_the_gates_of_the_recipe_are_those_of_what_is_released(shrunk_home, monkeypatch):
    """The small model may miss what the one meets that it was made from; here it is made to."""
    corrected(shrunk_home, 8)
    missed = GateResult(name="accuracy", condition=">= 0.9", value=0.25, is_passed=False)
    made = burnish.shrink

    def shrunk(*args, **kwargs):
        result = made(*args, **kwargs)
        return replace(result, report=result.report.model_copy(update={"gates": [missed]}))

    monkeypatch.setattr("burnish.flows.retrain.shrink", shrunk)
    result = retrain("intent", ["judge.gates.accuracy=>= 0"], Retraining(least=1, held_out=0, epochs=1, policy=LAX))
    told = [one.sentence for one in result.verdict.checks if one.name == "recipe: accuracy"]
    assert (result.release.is_passed, told) == (False, ["accuracy is 0.2500 on dev; the recipe asks for >= 0.9."])


def test_where_it_cannot_be_shrunk_so_again_nothing_is_released(shrunk_home, monkeypatch):
    corrected(shrunk_home, 8)
    monkeypatch.setattr(parity, "LEAST_AGREEMENT", 1.1)  # more than all answers
    with pytest.raises(UserError) as caught:
        retrain("intent", [], Retraining(least=1, held_out=0, epochs=1, policy=LAX))
    assert str(caught.value) == (
        "intent: the result cannot be shrunk as production was, by vocabulary (common=0) + int8_static."
    )
    assert [one.version for one in shrunk_home.releases.all("intent")] == [1]
    assert all(one.used_in is None for one in shrunk_home.corrections.of_period("intent"))
