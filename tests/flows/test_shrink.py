"""`shrink` on tiny bundles: what is written answers as its report says; what cannot be done leaves nothing behind."""

import errno
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.flows.conftest import sentiment_rows
from tests.flows.shrinkable import CASES, fit_case, write_jsonl
from tests.flows.test_retrieval import corpus_rows

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.compression import measuring, parity
from burnish.compression.frontier import JUDGED, Frontier
from burnish.core.errors import SickRun, UserError
from burnish.core.manifest import verify_manifest, write_manifest
from burnish.flows import shrink, shrinking
from burnish.flows.shrink import QUICK

WAYS = {
    "classification": ("{name: vocabulary, common: 0}, int8_static", "openvino"),
    "multilabel": ("int8_static", "openvino"),
    "tokens": ("int8_static", "openvino"),
    "relations": ("int8_static", "openvino"),
    "matching": ("int8_dynamic", "onnxruntime"),
    "answers": ("int8_static", "openvino"),
    "retrieval": ("int8_static", "openvino"),
}
"""Case → how it is shrunk, and what computes it then."""
CALLED = {"classification": "vocabulary (common=0) + int8_static"}
"""Case → what the way is called, where that is not as it was written."""
LAX = {"max_drop": 100}
"""Dev has few rows and the models hardly learnt: the interval of the drop is wide."""


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Speed is of no account here; and models that hardly learnt are about as sure of two answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "SHORTEST_S", 0.0)
        patch.setattr(measuring, "N_SINGLE", 5)
        patch.setattr(parity, "LEAST_AGREEMENT", 0.0)
        yield


@pytest.fixture(scope="module")
def made(tiny_base, tmp_path_factory):
    """`made("tokens")`: the bundle of a case, made once."""
    bundles = {}

    def bundle(name):
        if name not in bundles:
            bundles[name] = fit_case(name, tiny_base, tmp_path_factory.mktemp(name))
        return bundles[name]

    return bundle


@pytest.fixture(scope="module", params=CASES)
def case(request, made):
    """Every encoder task, shrunk: its name, its bundle, what came of it."""
    bundle = made(request.param)
    result = burnish.shrink(bundle, out=bundle.parent / "small", ways=[WAYS[request.param][0]], **LAX)
    assert result.bundle == bundle.parent / "small", result.frontier.refused
    return request.param, bundle, result


def refusal(*args, **options):
    with pytest.raises(UserError) as caught:
        burnish.shrink(*args, **options)
    return str(caught.value)


# what is written


def test_a_shrunk_bundle_needs_no_weights_of_torch(case):
    name, _, result = case
    knowledge = open_bundle(result.bundle).knowledge
    assert knowledge.runtime.part_name == WAYS[name][1]
    assert not list((result.bundle / "model").rglob("*.safetensors"))
    assert {"README.md", "recipe.yaml", "proof.json", "report", "model"} <= {
        one.name for one in result.bundle.iterdir()
    }


def test_it_answers_as_its_report_says(case):
    _, bundle, result = case
    again = burnish.judge(result.bundle, bundle.parent / "test.jsonl").report
    assert result.report.about["split"] == "test"
    assert again.scores == pytest.approx(result.report.scores, abs=1e-4)


def test_it_answers_as_its_proof_says_where_it_is_loaded(case):
    _, bundle, result = case
    row = json.loads((bundle.parent / "test.jsonl").read_text("utf-8").splitlines()[0])
    assert burnish.load(result.bundle)(row) == next(iter(burnish.predict(result.bundle, [row])))


def test_the_bundle_that_it_was_made_from_is_as_it_was(case):
    _, bundle, _ = case
    verify_manifest(bundle)
    assert [one.name for one in bundle.parent.iterdir() if one.name.startswith(".")] == []


def test_what_was_tried_is_kept_beside_the_report(case):
    name, _, result = case
    told = Frontier.model_validate_json((result.bundle / "report" / "shrink.json").read_text("utf-8"))
    assert told == result.frontier
    assert [one.name for one in told.candidates] == [JUDGED, told.chosen]
    assert told.chosen == CALLED.get(name, WAYS[name][0])
    assert told.candidates[1].parity.n_edge >= 150
    assert told.candidates[1].parity.kind == "quantised"
    assert told.metric in result.report.scores
    assert "<svg" in (result.bundle / "report" / "shrink.html").read_text("utf-8")


def test_the_card_says_what_it_is(case):
    name, _, result = case
    card = (result.bundle / "README.md").read_text("utf-8")
    runtime = WAYS[name][1]
    assert f"Made from the bundle `bundle` by {result.frontier.chosen}; computed by `{runtime}`." in card
    assert f"`transformers` cannot load it: `model/` holds what `{runtime}` computes." in card
    assert "AutoModel" not in card


def test_the_size_that_is_told_is_that_of_its_model(case):
    *_, result = case
    n_bytes = sum(file.stat().st_size for file in (result.bundle / "model").iterdir())
    assert result.frontier.candidates[1].size_mb == pytest.approx(n_bytes / 1e6)


def test_a_shrunk_bundle_is_not_shrunk_again(case, tmp_path):
    *_, result = case
    assert refusal(result.bundle, out=tmp_path / "again") == (
        f"{result.bundle}: was shrunk before; shrink the bundle that it was made from."
    )


def test_a_corpus_is_searched_by_the_small_models_own_vectors(made, tmp_path):
    """Else a small model's queries would be compared with texts as the large one sees them."""
    result = burnish.shrink(made("retrieval"), out=tmp_path / "small", ways=["int8_static"], **LAX)
    before, now = (open_bundle(one).knowledge.task.index.vectors for one in (made("retrieval"), result.bundle))
    assert before.shape == now.shape
    assert not np.array_equal(before, now)
    first = burnish.load(result.bundle)(corpus_rows()[3][1]).hits[0]
    assert (first.id, first.similarity) == ("t3", pytest.approx(1.0, abs=1e-5))


def test_a_smaller_network_stays_with_torch_and_in_plain_layout(made, tmp_path):
    way = "{name: layers, keep: 1, recovery_epochs: 1}"
    result = burnish.shrink(made("classification"), out=tmp_path / "small", ways=[way], **LAX)
    assert result.frontier.chosen == "layers (keep=1)"
    assert result.frontier.candidates[1].parity.kind == "changed"
    assert open_bundle(result.bundle).knowledge.runtime.part_name == "torch"
    assert json.loads((result.bundle / "model" / "config.json").read_text("utf-8"))["num_hidden_layers"] == 1
    assert "AutoModelForSequenceClassification" in (result.bundle / "README.md").read_text("utf-8")
    assert burnish.load(result.bundle)("good day").label in ("good", "bad")


def test_without_ways_the_usual_ones_are_tried_and_the_fastest_is_taken(made, tmp_path):
    events = []
    result = burnish.shrink(made("classification"), out=tmp_path / "small", listen=events.append, **LAX)
    tried = {one.name: one for one in result.frontier.candidates}
    assert set(tried) | set(result.frontier.refused) == {JUDGED, *(way.replace(", ", " + ") for way in QUICK)}
    fitting = [one for name, one in tried.items() if name not in {JUDGED, *result.frontier.refused}]
    assert result.frontier.chosen == max(fitting, key=lambda one: one.speed.texts_per_s).name
    assert events[-1].text == f"wrote {tmp_path / 'small'}"


# the budget


def test_where_nothing_keeps_to_the_budget_nothing_is_written(made, tmp_path):
    result = burnish.shrink(
        made("classification"), out=tmp_path / "small", ways=["int8_static"], target_mb=0.001, target_ms=1e-6, **LAX
    )
    assert (result.bundle, result.report, result.frontier.chosen) == (None, None, None)
    assert list(tmp_path.iterdir()) == []
    too_slow, too_large = result.frontier.refused["int8_static"]
    assert too_slow.endswith(" ms a text; 1e-06 are allowed")
    assert too_large.endswith(" MB; 0.001 are allowed")


@pytest.mark.parametrize(("least", "is_kept"), [(0.5, True), (1.0, False)])
def test_a_label_is_kept_or_nothing_is(least, is_kept, made, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "burnish.flows.trying.Search._label_f1", lambda *_: {"good": 0.9, "bad": 0.2}
    )  # what it gets there is tested below
    result = burnish.shrink(
        made("classification"), out=tmp_path / "small", ways=["int8_static"], keep={"good": least}, **LAX
    )
    assert (result.bundle is not None) == is_kept
    if not is_kept:
        assert result.frontier.refused["int8_static"] == ["F1 of 'good' is 0.900; 1 is asked"]


@pytest.mark.parametrize("name", ["classification", "multilabel", "tokens", "relations"])
def test_every_label_has_an_f1_that_can_be_kept(name, made, tmp_path):
    bundle = made(name)
    labels = open_bundle(bundle).knowledge.labels
    result = burnish.shrink(bundle, out=tmp_path / "small", ways=["merge"], keep=dict.fromkeys(labels, 0), **LAX)
    assert result.bundle is None, "nothing to merge"
    shop = shrinking.Workshop.opened(open_bundle(bundle), (), tmp_path / "work", lambda _: None)
    search = shrink.Search(shop, shrink.Budget(keep=dict.fromkeys(labels, 0)))
    assert search.judged.label_f1.keys() == set(labels)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"keep": {"god": 0.9}}, "keep: there is no label 'god'. Did you mean 'good'? The bundle has: bad, good."),
        ({"keep": {"good": 2}}, "keep.good: Input should be less than or equal to 1; got 2."),
        ({"max_drop": -1}, "max_drop: Input should be greater than or equal to 0; got -1."),
        ({"target_ms": 0}, "target_ms: Input should be greater than 0; got 0."),
        (
            {"max_drp": 1},
            "'max_drp' is no limit. Did you mean 'max_drop'? There are: max_drop, target_ms, target_mb, keep.",
        ),
    ],
)
def test_a_limit_that_cannot_be_is_told(limits, said, made, tmp_path):
    assert refusal(made("classification"), out=tmp_path / "small", **limits) == said


def test_where_there_are_no_labels_none_is_kept(made, tmp_path):
    said = refusal(made("matching"), out=tmp_path / "small", keep={"good": 0.9})
    assert said == "keep: the bundle has no labels whose F1 could be kept; take it out."


# ways


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("int8_statc", "--try 'int8_statc': there is no part 'int8_statc' on the shelf 'methods'. Did you mean 'int8_"),
        ("", "--try '': names no method; there are: distill, "),
        ("{name: layers, keep: 0}", "--try '{name: layers, keep: 0}': keep: Input should be greater than or equal to"),
        ("{name: layers", "--try '{name: layers': "),
        ("5", "--try '5': expected the name of a part, or a mapping with 'name'; got 5"),
        ("int8_static, vocabulary", "--try 'int8_static, vocabulary': what writes an artefact comes last."),
    ],
)  # fmt: skip
def test_a_way_that_cannot_be_read_is_told(way, said, made, tmp_path):
    found = refusal(made("classification"), out=tmp_path / "small", ways=[way])
    assert found.startswith(said)
    assert "\n" not in found


def test_what_learns_cannot_come_after_tokens_got_other_numbers(made, tmp_path):
    way = "vocabulary, {name: distill, layers: 1, epochs: 1}"
    result = burnish.shrink(made("classification"), out=tmp_path / "small", ways=[way], **LAX)
    assert result.bundle is None
    assert result.frontier.refused == {
        "vocabulary + distill (layers=1, epochs=1)": [
            "what is trained must come before `vocabulary`, which gives tokens other numbers; swap the two."
        ]
    }


def test_ways_of_the_same_methods_are_told_apart_and_none_is_tried_twice(made, tmp_path):
    ways = ["{name: layers, keep: 5}", "{name: layers, keep: 7}", "{name: layers, keep: 5}"]
    events = []
    result = burnish.shrink(made("classification"), out=tmp_path / "small", ways=ways, listen=events.append, **LAX)
    assert list(result.frontier.refused) == ["layers (keep=5)", "layers (keep=7)"]
    assert sum(event.text.startswith("layers (keep=5): ") for event in events if hasattr(event, "text")) == 1


def test_ways_that_teach_are_tried_when_no_quick_one_fits_or_when_asked(made, tmp_path, monkeypatch):
    monkeypatch.setattr(shrink, "QUICK", ("merge",))
    monkeypatch.setattr(shrink, "THOROUGH", ("{name: layers, keep: 9}",))
    for ways in ((), ("thorough",)):
        result = burnish.shrink(made("classification"), out=tmp_path / "small", ways=ways, **LAX)
        assert list(result.frontier.refused) == ["merge", "layers (keep=9)"]
    only = burnish.shrink(made("classification"), out=tmp_path / "small", ways=["merge"], **LAX)
    assert list(only.frontier.refused) == ["merge"]


def test_a_way_whose_training_goes_wrong_is_noted_and_the_others_go_on(made, tmp_path, monkeypatch):
    def sick(*_):
        raise SickRun("every row of dev gets the label 'good': nothing was learned.")

    monkeypatch.setattr("burnish.compression.methods.distill.Distillation.apply", sick)
    ways = ["{name: distill, layers: 1}", "int8_static"]
    result = burnish.shrink(made("classification"), out=tmp_path / "small", ways=ways, **LAX)
    assert result.frontier.chosen == "int8_static"
    assert result.frontier.refused == {
        "distill (layers=1)": ["every row of dev gets the label 'good': nothing was learned."]
    }


def test_a_head_that_no_encoders_method_suits_is_told(made, tmp_path, monkeypatch):
    bundle = made("classification")
    monkeypatch.setattr("burnish.compression.methods.int8_static.not_an_encoder", lambda _: "it is not for this.")
    result = burnish.shrink(bundle, out=tmp_path / "small", ways=["int8_static"], **LAX)
    assert result.frontier.refused == {"int8_static": ["int8_static: it is not for this."]}


# rows


def test_other_rows_with_other_labels_are_refused(made, tmp_path):
    rows = [{"text": text, "label": f"{label}!"} for text, label in sentiment_rows(60)]
    other = write_jsonl(tmp_path / "other.jsonl", rows)
    bundle = made("classification")
    assert refusal(bundle, [f"data.train={other}", "data.test=null"], out=tmp_path / "small") == (
        f"{bundle}: the rows that its recipe names now have other labels than it learnt; name those it was made from, "
        "e.g. data.train=FILE."
    )


def with_recipe(bundle, folder, change):
    """A copy of a bundle whose recipe was changed."""
    copy = shutil.copytree(bundle, folder)
    recipe = yaml.safe_load((copy / "recipe.yaml").read_text("utf-8"))
    change(recipe["data"])
    (copy / "recipe.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    write_manifest(copy)
    return copy


def test_rows_that_are_gone_are_named(made, tmp_path):
    gone = tmp_path / "gone.jsonl"
    bundle = with_recipe(made("classification"), tmp_path / "bundle", lambda data: data.update(train=str(gone)))
    assert refusal(bundle, out=tmp_path / "small") == (
        f"{bundle}: its recipe names the rows '{gone}', which are not there as seen from the current folder, "
        f"{Path.cwd()}; say where they are: data.train=FILE."
    )
    assert not (tmp_path / "small").exists()


def test_a_recipe_that_trains_must_say_where_dev_comes_from(made, tmp_path):
    bundle = with_recipe(made("classification"), tmp_path / "bundle", lambda data: data.update(dev=None))
    said = refusal(bundle, out=tmp_path / "small")
    assert said == "data.dev is needed: it chooses the best epoch and fits the calibration; give a share or a file."


@pytest.mark.parametrize(("has_dev", "missing"), [(True, "training"), (False, "dev")])
def test_without_rows_there_is_nothing_to_shrink_it_with(has_dev, missing, tiny_base, tmp_path):
    rows = write_jsonl(tmp_path / "dev.jsonl", [{"text": text, "label": label} for text, label in sentiment_rows(20)])
    task = {"name": "classification", "labels": ["good", "bad"]}
    data = {"dev": str(rows)} if has_dev else {}
    bundle = burnish.fit({"task": task, "base": str(tiny_base), "data": data}, out=tmp_path / "bundle").bundle
    assert refusal(bundle, out=tmp_path / "small") == (
        f"{bundle}: its recipe names no {missing} rows; a model is shrunk with training rows and held against the "
        "judged one on dev rows: name both, e.g. data.train=FILE data.dev=10%."
    )


# where it is written


def test_a_place_that_is_taken_is_refused_before_anything_is_done(made, tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "mine").write_text("x")
    assert refusal(made("classification"), out=tmp_path / "small") == (
        f"{tmp_path / 'small'}: the folder is not empty; choose another, or remove it first."
    )


@pytest.mark.parametrize("inside", ["", "small", "model/small"])
def test_nothing_is_written_into_the_bundle_that_is_shrunk(inside, made):
    bundle = made("classification")
    assert refusal(bundle, out=bundle / inside) == (
        f"{bundle / inside}: lies in the bundle that is shrunk, which stays as it is; choose another with --out."
    )


def test_the_usual_place_is_beside_the_bundle_also_from_within(made, monkeypatch):
    bundle = made("classification")
    assert shrink._target(bundle, None) == bundle.with_name("bundle-small")
    monkeypatch.chdir(bundle)
    assert shrink._target(shrink.Path("."), None) == bundle.with_name("bundle-small")


@pytest.fixture
def work(tmp_path, monkeypatch):
    """The folder for files that are made on the way."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("place", ["shrinking.write_model", "trying.write_model", "shrunk.write_report"])
def test_a_full_disk_is_told_and_leaves_nothing(place, made, tmp_path, work, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    bundle = made("classification")
    if place.startswith("shrinking"):
        monkeypatch.setattr(shrinking.Material, "new_folder", fail)
    else:
        monkeypatch.setattr(f"burnish.flows.{place}", fail)
    said = refusal(bundle, out=tmp_path / "small", ways=["int8_static"], **LAX)
    assert said.endswith(": cannot be written: the disk is full; free some space and run the same command again.")
    assert list(tmp_path.iterdir()) == [work]
    assert list(work.iterdir()) == []
    verify_manifest(bundle)


@pytest.mark.parametrize("place", ["trying.measure", "shrunk.write_report"])
def test_ctrl_c_leaves_nothing(place, made, tmp_path, work, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"burnish.flows.{place}", stop)
    with pytest.raises(KeyboardInterrupt):
        burnish.shrink(made("classification"), out=tmp_path / "small", ways=["int8_static"], **LAX)
    assert list(tmp_path.iterdir()) == [work]
    assert list(work.iterdir()) == []


# the proof where a bundle is loaded


@pytest.fixture
def small(made, tmp_path):
    """A shrunk bundle of its own, which may be damaged."""
    bundle = made("classification").parent / "small"
    if not bundle.is_dir():
        burnish.shrink(made("classification"), out=bundle, ways=[WAYS["classification"][0]], **LAX)
    return shutil.copytree(bundle, tmp_path / "damaged")


def change_proof(bundle, change):
    proof = json.loads((bundle / "proof.json").read_text("utf-8"))
    (bundle / "proof.json").write_text(json.dumps(change(proof)), "utf-8")
    write_manifest(bundle)


def test_a_bundle_that_answers_otherwise_here_is_not_loaded_to_stay(small):
    change_proof(small, lambda proof: {**proof, "answers": [{"label": "x"}] * len(proof["answers"])})
    with pytest.raises(UserError) as caught:
        burnish.load(small)
    assert str(caught.value) == (
        f"{small}: answers 50 of 50 texts otherwise on this machine than where it was shrunk; shrink the bundle that "
        "it was made from here."
    )
    assert len(list(burnish.predict(small, ["good day"]))) == 1, "one that is asked once need not wait for that"


def test_a_proof_that_cannot_be_read_is_told(small):
    change_proof(small, lambda proof: {"examples": proof["examples"]})
    with pytest.raises(UserError) as caught:
        burnish.load(small)
    assert str(caught.value) == f"{small}: its proof.json cannot be used (it lacks 'answers'); copy the bundle again."


def test_a_proof_that_somebody_changed_is_found_by_the_manifest(small):
    (small / "proof.json").write_text("{}", "utf-8")
    with pytest.raises(UserError, match=r"the file proof\.json was changed or damaged"):
        burnish.load(small)
