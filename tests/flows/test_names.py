"""Names of persons are masked by a bundle for `tokens`, English and Chinese, wherever a text is kept."""

import json
import random
import threading

import pytest
from tests.conftest import TINY_WORDS
from tests.flows.conftest import ask, write_csv

import burnish
from burnish.core.errors import UserError
from burnish.core.settings import Settings, settings
from burnish.flows.feedback import import_feedback
from burnish.flows.names import Names, mask_of
from burnish.flows.release import release

ENGLISH, CHINESE = ("x", "y", "z"), "北京上海"
"""Letters and characters that are names where the tiny base lives; no other text holds them."""
assert set(ENGLISH) | set(CHINESE) <= set(TINY_WORDS)


def rows(n, seed):
    """`so x all day` and `我的北好`, the name marked."""
    draw, made = random.Random(seed), []
    around = [
        (["so ", "all day ", ""], ENGLISH, [" bad", " day so"]),
        (["我的", "好", ""], CHINESE, ["的", "坏", "中国"]),
    ]
    for number in range(n):
        before, name, after = map(draw.choice, around[number % 2])
        made.append({"text": before + name + after, "spans": [[len(before), len(before) + len(name), "PER"]]})
    return made


def finder(folder, base):
    """A bundle that finds these names."""
    train = folder / "train.jsonl"
    train.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows(160, 1)), "utf-8")
    recipe = {
        "task": "tokens",
        "base": str(base),
        "data": {"train": str(train), "dev": "20%", "duplicates": "off"},
        "train": {"epochs": 8, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 128},
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }
    return burnish.fit(recipe, out=folder / "bundle").bundle


@pytest.fixture(scope="module")
def bundle(tiny_base, tmp_path_factory):
    return finder(tmp_path_factory.mktemp("names"), tiny_base)


def masking(bundle, **own):
    return Settings(mask_names=str(bundle), **own)


def test_names_are_masked_in_both_languages_with_all_else(home, bundle):
    mask = mask_of(home, masking(bundle))
    assert mask("so x all day, 13800138000").text == "so [NAME] all day, [PHONE]"
    assert mask("我的北坏").text == "我的[NAME]坏"
    assert mask("so x bad").counts == {"name": 1}
    assert mask("  ").text == "  "


def test_without_the_setting_names_are_not_looked_for(home):
    assert mask_of(home, Settings(mask_names="")).names is None


def test_a_release_may_be_named_instead_of_a_folder(home, bundle):
    release(bundle, "names")
    for said in ("names:1", "names@candidate"):
        assert mask_of(home, masking(said))("so x bad").text == "so [NAME] bad"


def test_names_of_fields_and_labels_are_nobodys_name(home, bundle):
    mask = mask_of(home, masking(bundle))
    value = {"x": "so y bad", "label": "x"}
    assert mask.values(value, {"x"})[0] == {"x": "so [NAME] bad", "label": "x"}
    assert mask.values(value)[0] == {"x": "so [NAME] bad", "label": "[NAME]"}


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        (
            {"mask_names": "{moods}"},
            "BURNISH_MASK_NAMES: '{moods}' does classification; names are found by a bundle for tokens.",
        ),
        (
            {"name_labels": "PERSON, 人名"},
            (
                "BURNISH_MASK_NAMES: '{bundle}' has the labels PER, and none of them is a name by BURNISH_NAME_LABELS "
                "(PERSON, 人名); say there which are."
            ),
        ),
        (
            {"mask_names": "nmaes"},
            (
                "BURNISH_MASK_NAMES: 'nmaes' is neither the folder of a bundle nor a release: there is no release of "
                "the name 'nmaes'. There are: intent."
            ),
        ),
    ],
)  # fmt: skip
def test_a_bundle_that_finds_no_names_is_refused_at_the_start(home, bundle, moods, own, sentence):
    places = {"bundle": bundle, "moods": moods / "bundle"}
    asked = {"mask_names": str(bundle), **{name: value.format(**places) for name, value in own.items()}}
    with pytest.raises(UserError) as caught:
        mask_of(home, Settings(**asked))
    assert str(caught.value) == sentence.format(**places)


def test_texts_that_were_told_ahead_are_found_together_and_once(bundle):
    predictor, batches = burnish.load(bundle), []

    class Watched:
        def predict(self, texts):
            batches.append((list(texts), threading.current_thread().name))
            return predictor.predict(texts)

    names = Names(Watched(), frozenset({"PER"}))
    names.ahead(["so x bad", "我的北坏", "", "so x bad"])
    found = [[(one.start, one.end, one.kind) for one in names(text)] for text in ("so x bad", "我的北坏", "so x bad")]
    assert found == [[(3, 4, "name")], [(2, 3, "name")], [(3, 4, "name")]]
    [(texts, thread)] = batches
    assert texts == ["so x bad", "我的北坏"]
    assert thread.startswith("names")


def test_no_more_texts_are_remembered_than_a_bound(bundle, monkeypatch):
    monkeypatch.setattr("burnish.flows.names.MOST_KNOWN", 2)
    names = Names(burnish.load(bundle), frozenset({"PER"}))
    for text in ("so x bad", "so y bad", "so z bad"):
        assert len(names(text)) == 1
    assert len(names._known) == 2


def test_feedback_that_is_taken_in_from_a_file_is_masked_too(home, bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("BURNISH_MASK_NAMES", str(bundle))
    settings.cache_clear()
    [answered] = ask(home, ["good day"])
    write_csv(
        tmp_path / "said.csv",
        [(answered.id, "bad", "so x bad")],
        header=("prediction", "label", "comment"),
    )
    assert import_feedback("intent", tmp_path / "said.csv", "csv") == 1
    [said] = home.corrections.of_period("intent")
    assert (said.value, said.comment) == ("bad", "so [NAME] bad")
