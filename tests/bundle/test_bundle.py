import json

import pytest

from burnish.bundle.bundle import Knowledge, open_bundle
from burnish.core.errors import UserError
from burnish.core.manifest import write_manifest
from burnish.core.shelves import Shelf
from burnish.models.tokenizer import load_tokenizer
from burnish.tasks._contract import Decision


def resealed(folder, change):
    """The refusal of a bundle whose burnish.json was changed and whose manifest agrees with that."""
    state = json.loads((folder / "burnish.json").read_text())
    (folder / "burnish.json").write_text(json.dumps(change(state)))
    write_manifest(folder)
    with pytest.raises(UserError) as caught:
        open_bundle(folder)
    return str(caught.value).replace(str(folder), "BUNDLE")


@pytest.mark.parametrize("task", ["classification", {"name": "multilabel", "separator": ";", "head": "mean"}, "tokens"])
def test_what_a_bundle_knows_comes_back(tmp_path, task):
    decision = Decision("temperature", {"temperature": 1.25}, abstain_below=0.5, label_thresholds=(0.25, 0.75))
    knowledge = Knowledge(Shelf("tasks").build(task), ("北京", "b"), decision, 128, "minilm")
    knowledge.save(tmp_path)
    write_manifest(tmp_path)
    opened = open_bundle(str(tmp_path))
    assert opened.knowledge == knowledge
    assert (opened.folder, opened.model_folder) == (tmp_path, tmp_path / "model")


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_a_state_of_another_format_is_refused(bundle, number):
    sentence = resealed(bundle, lambda state: {**state, "format": number})
    assert sentence == f"BUNDLE: its burnish.json is of format {number}; this Burnish reads 1."


@pytest.mark.parametrize("state", [[], 3, "x", None])
def test_a_state_that_is_no_object_is_refused(bundle, state):
    assert resealed(bundle, lambda _: state) == "BUNDLE: its burnish.json is of format None; this Burnish reads 1."


@pytest.mark.parametrize("key", ["task", "labels", "decision", "max_length", "base"])
def test_a_missing_key_is_named(bundle, key):
    sentence = resealed(bundle, lambda state: {name: value for name, value in state.items() if name != key})
    assert sentence == f"BUNDLE: its burnish.json lacks '{key}'; copy the bundle again."


@pytest.mark.parametrize("key", ["calibration", "parameters", "abstain_below", "label_thresholds"])
def test_a_missing_part_of_the_decision_is_named(bundle, key):
    def without(state):
        return {**state, "decision": {name: value for name, value in state["decision"].items() if name != key}}

    sentence = resealed(bundle, without)
    assert sentence == f"BUNDLE: its burnish.json lacks '{key}'; copy the bundle again."


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {"task": "astrology"},
            f"there is no part 'astrology' on the shelf 'tasks'. It has: {', '.join(Shelf('tasks').names())}.",
        ),
        ({"task": {"name": "classification", "tone": 1}}, "1 validation error for Classification"),
        ({"task": 3}, "expected the name of a part, or a mapping with 'name'; got 3"),
        ({"labels": 3}, "'int' object is not iterable"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(bundle, changed, reason):
    sentence = resealed(bundle, lambda state: {**state, **changed})
    assert sentence == f"BUNDLE: its burnish.json cannot be used ({reason}); was it made by a newer Burnish?"


def test_the_bases_own_tokenizer_settings_stay_but_its_code_does_not(tiny_base, tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "tokenizer_config.json").write_text(
        json.dumps({"auto_map": {"AutoTokenizer": "evil.py"}, "cls_token": "[CLS]", "model_max_length": 512})
    )
    load_tokenizer(tiny_base, max_length=20).save(tmp_path / "model", base)
    assert json.loads((tmp_path / "model/tokenizer_config.json").read_text()) == {
        "cls_token": "[CLS]",
        "model_max_length": 20,
    }
    again = load_tokenizer(tmp_path / "model")
    assert again.max_length == 20
    assert again.ids(["good"])[0].ids == load_tokenizer(tiny_base).ids(["good"])[0].ids


def test_a_base_without_tokenizer_settings_gets_the_length_only(tiny_base, tmp_path):
    load_tokenizer(tiny_base, max_length=20).save(tmp_path, tmp_path)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text()) == {"model_max_length": 20}
