"""`release`: what is registered, what it is held against, and what is refused before anything is."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tests.flows.conftest import mood_rows, write_csv

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.bundle.predictor import load_predictor
from burnish.bundle.runtimes._contract import Runtime
from burnish.bundle.runtimes.torch import Torch
from burnish.core.errors import UserError
from burnish.core.events import Message, ignore
from burnish.core.files import read_json, sha256_of, write_json
from burnish.core.manifest import write_manifest
from burnish.data.corpus import Corpus
from burnish.flows.frozen import Freezing, frozen_rows, median_ms
from burnish.flows.promote import promote
from burnish.flows.release import Releasing, reference_state, release
from burnish.metrics._single import SingleOutcome
from burnish.monitoring.reference import Reference
from burnish.recipe.load import load
from burnish.store.states import read_state

pytestmark = pytest.mark.usefixtures("steady")


def copied(bundle, out, **state):
    """The same bundle as another folder, with some of what it knows changed."""
    shutil.copytree(bundle, out)
    write_json(out / "burnish.json", {**read_json(out / "burnish.json"), **state})
    write_manifest(out)
    return out


def flipped(bundle, out):
    """A bundle that says good where the other says bad."""
    copied(bundle, out)
    file = out / "model" / "model.safetensors"
    weights = load_file(file)
    turned = {name: one.flip(0).contiguous() if "classifier" in name else one for name, one in weights.items()}
    save_file(turned, file, metadata={"format": "pt"})
    write_manifest(out)
    return out


def texts(told):
    return [one.text for one in told if isinstance(one, Message)]


def audited(home):
    return [(one.what, one.about) for one in home.audit.entries()]


def reference_of(home, made):
    with home.store.reading() as connection:
        found = read_state(connection, reference_state(made))
    return None if found is None else Reference.of_dict(found)


# The first version.


def test_the_first_release_freezes_the_test_rows(home, first_release):
    made, rows = home.releases.find("intent:1"), frozen_rows(home, "intent")
    assert (made.task, made.why, made.parent) == ("classification", "wir beginnen 开始", None)
    assert (made.gates, made.is_passed, made.source) == (None, True, "")
    assert (rows.stem, rows.parent) == (sha256_of(rows), home.folder / "tests")
    assert [one["text"] for one in Corpus(rows)] == [text for text, _ in mood_rows(60, seed=1)]
    assert audited(home) == [("test rows frozen", "intent"), ("release", "intent:1"), ("promote", "intent:1")]
    assert texts(first_release[1]) == [
        "froze 60 test rows: every version of 'intent' is judged on them",
        "'intent' has no version in production yet, so there is nothing to hold it against",
        "registering a version of 'intent'",
        "released intent:1",
    ]


def test_a_release_says_what_it_was_made_from(home, moods):
    made = home.releases.find("intent:1")
    assert made.data_digest == sha256_of(moods / "bundle" / "data_card.json")
    assert (made.code_version, made.by.startswith("user ")) == (burnish.__version__, True)
    assert made.recipe == (moods / "bundle" / "recipe.yaml").read_text("utf-8")


def test_what_it_answers_to_the_test_rows_is_kept_for_monitoring(home, moods):
    rows = mood_rows(60, seed=1)
    answers = [one.label for one in burnish.predict(moods / "bundle", [text for text, _ in rows])]
    right = sum(answer == label for answer, (_, label) in zip(answers, rows, strict=True))
    found = reference_of(home, home.releases.find("intent:1"))
    assert found.answers.n_rows == 60
    assert found.answers.labels == {label: answers.count(label) for label in set(answers)}
    assert found.accuracy == pytest.approx(right / 60)


def test_every_row_says_where_answers_lie_and_two_releases_say_the_same(home, moods):
    """Of requests a tenth does; of 60 rows that would be too few for drift to be told."""
    first = reference_of(home, home.releases.find("intent:1")).answers.vectors
    again = reference_of(home, release(moods / "bundle", "intent").release).answers.vectors
    assert (first.shape, again.tolist()) == ((60, 2), first.tolist())


def test_of_more_rows_than_are_looked_at_those_are_that_lie_evenly(home, moods, monkeypatch):
    """Rows may be sorted by their labels."""
    monkeypatch.setattr("burnish.flows.release.MOST_REFERENCE_ROWS", 4)
    rows = list(Corpus(frozen_rows(home, "intent")))
    asked = Releasing(home, open_bundle(moods / "bundle"), "intent", "user ann", ignore)
    predictor = load_predictor(moods / "bundle")
    found = asked._reference(predictor, {"": frozen_rows(home, "intent")}).answers
    labels = [one.label for one in predictor.predict(rows[at]["text"] for at in (0, 15, 30, 45))]
    assert (found.n_rows, found.labels) == (4, {label: labels.count(label) for label in set(labels)})


def test_how_likely_a_text_is_has_no_right_and_wrong(home, moods, monkeypatch):
    monkeypatch.setattr("burnish.flows.release.LikelihoodOutcome", SingleOutcome)
    asked = Releasing(home, open_bundle(moods / "bundle"), "intent", "user ann", ignore)
    assert asked._reference(load_predictor(moods / "bundle"), {"": frozen_rows(home, "intent")}).accuracy is None


def test_rows_may_be_elsewhere_now_and_those_that_are_not_there_are_told(new_home, moods, tmp_path):
    told, file = [], write_csv(tmp_path / "moved.csv", mood_rows(8, seed=5))
    release(moods / "bundle", "intent", [f"data.test={file}", "data.train=gone.csv"], listen=told.append)
    assert len(Corpus(frozen_rows(new_home, "intent"))) == 8
    assert texts(told)[-1] == "its training rows are not where its recipe says as seen from here: retraining will ask"


def test_without_a_test_file_nothing_is_frozen_until_a_later_version_names_one(new_home, moods):
    told = []
    first = release(moods / "bundle", "intent", ["data.test=10%"], listen=told.append)
    assert "it names no test file, so versions cannot be held against each other: give data.test=FILE" in texts(told)
    assert (first.verdict, frozen_rows(new_home, "intent"), reference_of(new_home, first.release)) == (None, None, None)
    promote("intent:1")
    second = release(moods / "bundle", "intent")
    assert second.verdict.n_rows == 60


def test_of_two_first_releases_at_once_the_rows_of_one_stay(new_home, moods, tmp_path):
    opened, recipe = open_bundle(moods / "bundle"), moods / "bundle" / "recipe.yaml"
    one, other = (write_csv(tmp_path / f"{seed}.csv", mood_rows(8, seed)) for seed in (1, 2))
    asked = Freezing(new_home, "intent", opened, "user ann", ignore)
    first = asked.freeze(load(recipe, [f"data.test={one}"]))
    second = replace(asked, by="user bob").freeze(load(recipe, [f"data.test={other}"]))
    assert first == second == frozen_rows(new_home, "intent")
    assert audited(new_home) == [("test rows frozen", "intent")]


# Against production.


def test_the_same_again_passes_and_is_not_better(home, moods):
    told = []
    result = release(moods / "bundle", "intent", listen=told.append)
    assert (result.release.version, result.release.parent, result.is_good) == (2, 1, True)
    assert (result.verdict.is_better, result.verdict.n_rows) == (False, 60)
    names = ["accuracy", "labels", "calibration", "latency", "size", "known labels"]
    assert [check.name for check in result.verdict.checks] == names
    assert home.releases.find("intent:2").gates == result.verdict.to_dict()
    assert "holding it against intent:1 on the frozen test rows" in texts(told)
    assert {one.alias: one.version for one in home.releases.aliases()} == {"candidate": 2, "production": 1}


def test_a_worse_one_is_registered_and_misses_the_gate(home, moods, tmp_path):
    worse = flipped(moods / "bundle", tmp_path / "worse")
    result = release(worse, "intent")
    shutil.rmtree(worse)  # a copy was kept
    assert burnish.load(home.bundles.get(result.release.digest))("good day").label == "bad"
    missed = {check.name for check in result.verdict.checks if not check.is_passed}
    assert {"accuracy", "labels", "calibration"} <= missed
    assert (result.is_good, home.releases.find("intent@candidate").is_passed) == (False, False)


def test_it_is_judged_on_the_frozen_rows_whatever_its_recipe_names(home, moods, tmp_path):
    flattering = write_csv(tmp_path / "flattering.csv", [("all", "good"), ("day", "bad")] * 4)
    result = release(moods / "bundle", "intent", [f"data.test={flattering}"])
    assert result.verdict.n_rows == 60


def test_a_label_that_it_does_not_know_any_more_holds_it_back(home, moods, tmp_path):
    """It is right wherever it can be judged, and could not give an answer that production gives."""
    result = release(copied(moods / "bundle", tmp_path / "less", labels=["bad", "odd"]), "intent")
    missed = [check for check in result.verdict.checks if not check.is_passed]
    assert "It does not know good any more." in [check.sentence for check in missed]
    assert result.verdict.n_rows == 30


def test_two_that_know_no_label_in_common_cannot_be_compared(home, moods, tmp_path):
    strange = copied(moods / "bundle", tmp_path / "strange", labels=["坏", "好"])
    with pytest.raises(UserError, match="none of the frozen test rows has labels that both versions of 'intent' know"):
        release(strange, "intent")
    assert len(home.releases.all("intent")) == 1


def test_a_version_that_knows_none_of_the_frozen_labels_has_no_reference(home, moods, tmp_path):
    strange = open_bundle(copied(moods / "bundle", tmp_path / "strange", labels=["坏", "好"]))
    asked = Releasing(home, strange, "intent", "user ann", ignore)
    assert asked._reference(load_predictor(strange), {"": frozen_rows(home, "intent")}) is None


def test_reports_and_records_do_not_make_it_larger(home, moods, tmp_path):
    large = copied(moods / "bundle", tmp_path / "large")
    (large / "report" / "pictures.html").write_bytes(bytes(10_000_000))
    write_manifest(large)
    assert release(large, "intent").is_good


def test_one_that_takes_much_longer_is_held_back(home, moods, monkeypatch):
    monkeypatch.setattr("burnish.flows.release.median_ms", lambda predictors, examples: [1.0, 1.6])
    missed = [check for check in release(moods / "bundle", "intent").verdict.checks if not check.is_passed]
    assert [check.name for check in missed] == ["latency"]


def test_a_few_rows_are_enough_to_tell_how_long_one_takes(moods):
    predictor = load_predictor(moods / "bundle")
    example = predictor.task.read({"text": "good day"}, is_labelled=False)
    for n_rows in (1, 2, 3):
        assert all(ms > 0 for ms in median_ms([predictor, predictor], [example] * n_rows))


def test_without_frozen_rows_further_checks_alone_decide(new_home, moods):
    """As in retraining: what the recipe asks for, and what feedback that was kept back says."""
    from burnish.evaluation.promotion import Check

    release(moods / "bundle", "intent", ["data.test=null"])
    promote("intent:1")
    loaded = load(moods / "bundle" / "recipe.yaml", ["data.test=null"])
    asked = Releasing(new_home, open_bundle(moods / "bundle"), "intent", "user ann", ignore)
    made = asked.run(loaded, checks=[Check(name="recipe: accuracy", is_passed=False, sentence="It is low.")])
    assert (made.is_good, made.verdict.n_rows, made.verdict.is_better) == (False, 0, False)


# Shrunk bundles.


class Elsewhere(Runtime):
    """A runtime other than torch, which computes the same."""

    def load(self, folder, task, reader, labels):
        return Torch().load(folder, task, reader, labels)


@pytest.fixture
def shrunk(moods, tmp_path, monkeypatch):
    """A copy of the bundle that looks as if it had been shrunk from it."""
    folder = copied(moods / "bundle", tmp_path / "small")

    def opened(place):
        found = open_bundle(place)
        is_small = found.folder == folder
        return replace(found, knowledge=replace(found.knowledge, runtime=Elsewhere())) if is_small else found

    monkeypatch.setattr("burnish.flows.release.open_bundle", opened)
    return folder


def test_a_shrunk_bundle_without_its_source_is_warned_of(new_home, shrunk):
    told = []
    made = release(shrunk, "intent", listen=told.append).release
    assert made.source == ""
    assert (
        Message(
            "it is a shrunk bundle, which cannot be trained further: for retraining, name what it was made from with "
            "--source.",
            "warning",
        )
        in told
    )


def test_the_source_of_a_shrunk_bundle_is_kept_beside_it(new_home, shrunk, moods):
    made = release(shrunk, "intent", source=moods / "bundle").release
    assert open_bundle(new_home.bundles.get(made.source)).knowledge.labels == ("bad", "good")
    assert made.source == sha256_of(moods / "bundle" / "manifest.json")


def test_a_source_that_was_shrunk_itself_is_refused(new_home, shrunk):
    with pytest.raises(UserError, match=r"small: was shrunk itself; name the bundle that it was made from as --source"):
        release(shrunk, "intent", source=shrunk)
    assert new_home.releases.all() == []


def test_a_source_of_other_labels_is_refused(new_home, shrunk, moods, tmp_path):
    other = copied(moods / "bundle", tmp_path / "other", labels=["坏", "好"])
    with pytest.raises(UserError, match=r"other: is of another task or of other labels than .*small; name the bundle"):
        release(shrunk, "intent", source=other)


# What is refused.


@pytest.mark.parametrize("name", ["Intent", "", "a/b", "../x", "-a", "意图", "a" * 65, "a b", "intent:1"])
def test_a_name_that_could_not_be_typed_or_be_a_file_is_refused(new_home, moods, name):
    with pytest.raises(UserError, match="cannot be used: up to 64 of a-z 0-9"):
        release(moods / "bundle", name)


def test_a_bundle_of_another_task_is_refused_even_where_nothing_is_in_production(new_home, moods, tmp_path):
    release(moods / "bundle", "intent")
    other = copied(moods / "bundle", tmp_path / "other", task={"name": "tokens"})
    with pytest.raises(UserError, match=r"does tokens, and 'intent' is of classification; release it under another"):
        release(other, "intent")
    assert len(new_home.releases.all()) == 1


@pytest.mark.parametrize("harm", [lambda file: file.write_bytes(b"easier rows"), lambda file: file.unlink()])
def test_frozen_rows_that_were_changed_or_lost_are_refused(home, moods, harm):
    harm(frozen_rows(home, "intent"))
    with pytest.raises(UserError, match=r"the frozen test rows of 'intent' are missing or changed; restore them from"):
        release(moods / "bundle", "intent")
    assert len(home.releases.all("intent")) == 1


def test_a_folder_that_is_no_bundle_is_refused(new_home, tmp_path):
    with pytest.raises(UserError, match="gone"):
        release(tmp_path / "gone", "intent")


def test_test_rows_that_are_not_there_or_of_unknown_labels_are_told_and_nothing_is_registered(
    new_home, moods, tmp_path
):
    with pytest.raises(UserError) as caught:
        release(moods / "bundle", "intent", ["data.test=gone.csv"])
    assert str(caught.value) == (
        f"{moods / 'bundle'}: its recipe names the test data 'gone.csv', which is not there as seen from the current "
        f"folder, {Path.cwd()}; say where it is: data.test=FILE."
    )
    odd = write_csv(tmp_path / "odd.csv", [("good day", "good"), ("so so", "soso")])
    with pytest.raises(UserError, match=r"odd\.csv:3: the label 'soso' is not in the training data"):
        release(moods / "bundle", "intent", [f"data.test={odd}"])
    assert (new_home.releases.all(), frozen_rows(new_home, "intent")) == ([], None)


def test_test_rows_that_were_given_from_python_must_be_named(new_home, moods, tmp_path):
    rows = [{"text": text, "label": label} for text, label in mood_rows(24)]
    recipe = {
        "task": "classification",
        "base": "minilm",
        "data": {"train": rows, "dev": "25%", "test": rows[:4]},
        "train": {"start": str(moods / "bundle"), "epochs": 0},
        "judge": {"n_bootstrap": 0, "formats": []},
    }
    made = burnish.fit(recipe, out=tmp_path / "made").bundle
    with pytest.raises(UserError, match="these rows were given from Python, so the recipe alone cannot repeat them"):
        release(made, "intent")
    told = []
    release(made, "intent", [f"data.test={moods / 'test.csv'}"], listen=told.append)
    assert texts(told)[-1].endswith("retraining will ask")
