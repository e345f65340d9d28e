"""`release` of a model that several tasks share: each is held against what it was, on rows of its own."""

import pytest
from safetensors.torch import load_file, save_file
from tests.flows.conftest import sentiment_rows, write_csv
from tests.flows.test_multitask import alike, recipe_of, written
from tests.flows.test_release import audited, copied, reference_of, texts

import burnish
from burnish.core.errors import UserError
from burnish.core.files import sha256_of
from burnish.core.manifest import write_manifest
from burnish.data.corpus import Corpus
from burnish.flows.frozen import frozen_rows
from burnish.flows.promote import promote
from burnish.flows.release import release
from burnish.flows.retrain import retrain

pytestmark = pytest.mark.usefixtures("steady")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Rows of three tasks, enough of `mood` to learn it, with test rows of `mood` and `alike`."""
    place = written(tmp_path_factory.mktemp("joint"))
    write_csv(place / "mood.csv", sentiment_rows(160))
    pairs = [(f"{text} y", text if n % 2 else "so bad", n % 2) for n, (text, _) in enumerate(sentiment_rows(30, 5))]
    write_csv(place / "alike_test.csv", pairs, ("first", "second", "same"))
    return place


@pytest.fixture(scope="module")
def bundle(place, tiny_base):
    """Tells moods and finds places."""
    return burnish.fit(recipe_of(place, tiny_base), ["train.epochs=8"], out=place / "bundle").bundle


@pytest.fixture(scope="module")
def grown(bundle, place, tiny_base):
    """The same, and whether two texts are alike."""
    section = alike(place)
    section["data"]["test"] = str(place / "alike_test.csv")
    added = {"task": {"name": "multitask", "start": str(bundle), "tasks": {"alike": section}}, "base": "minilm"}
    return burnish.fit({**recipe_of(place, tiny_base), **added}, out=place / "grown").bundle


@pytest.fixture
def released(new_home, bundle):
    """Version 1 is in production; and what was told."""
    told = []
    release(bundle, "both", listen=told.append)
    promote("both:1")
    return new_home, told


def turned(bundle, out):
    """A bundle that says good where the other says bad, and finds the same places."""
    copied(bundle, out)
    file = out / "model" / "head.safetensors"
    weights = load_file(file)
    named = {name: one.flip(0).contiguous() if name.startswith("head_mood") else one for name, one in weights.items()}
    save_file(named, file, metadata={"format": "pt"})
    write_manifest(out)
    return out


def passed(result):
    return {check.name: check.is_passed for check in result.verdict.checks}


def test_the_test_rows_of_each_task_that_names_some_are_frozen(released):
    home, told = released
    rows = frozen_rows(home, "both", "mood")
    assert [one["text"] for one in Corpus(rows)] == [text for text, _ in sentiment_rows(20, seed=1)]
    assert (rows.stem, rows.parent) == (sha256_of(rows), home.folder / "tests")
    assert (frozen_rows(home, "both"), frozen_rows(home, "both", "places")) == (None, None)
    assert audited(home)[0] == ("test rows frozen", "both/mood")
    assert texts(told)[:2] == [
        "froze 20 test rows of mood: every version of 'both' is judged on them",
        (
            "it names no test file of places, so versions cannot be held against each other by it: give "
            "task.tasks.places.data.test=FILE"
        ),
    ]


def test_without_any_test_file_nothing_is_held_against_anything(new_home, bundle):
    without = release(bundle, "both", ["task.tasks.mood.data.test=null"])
    promote("both:1")
    assert (without.verdict, reference_of(new_home, without.release)) == (None, None)
    assert release(bundle, "both", ["task.tasks.mood.data.test=null"]).verdict is None


def test_the_same_again_passes_and_every_task_is_looked_at(released, bundle, place):
    """Places get their test rows from the second version on."""
    result = release(bundle, "both", [f"task.tasks.places.data.test={place / 'places.jsonl'}"])
    assert (result.is_good, result.verdict.is_better, result.verdict.n_rows) == (True, False, 44)
    assert list(passed(result)) == [
        "task_mean", "mood/accuracy", "mood/labels", "mood/calibration", "places/entity_f1", "places/calibration",
        "latency", "size", "known labels",
    ]  # fmt: skip


def test_one_task_that_got_worse_holds_all_of_them_back(released, bundle, place, tmp_path):
    found = passed(release(turned(bundle, tmp_path / "turned"), "both",
                           [f"task.tasks.places.data.test={place / 'places.jsonl'}"]))  # fmt: skip
    assert (found["mood/accuracy"], found["places/entity_f1"]) == (False, True)


def test_a_task_put_beside_the_others_is_judged_from_then_on_and_may_not_go_again(released, bundle, grown):
    home, _ = released
    second = release(grown, "both")
    assert (second.is_good, second.verdict.n_rows) == (True, 20)  # what both can answer
    assert len(Corpus(frozen_rows(home, "both", "alike"))) == 30
    promote("both:2")
    again = release(grown, "both")
    assert (again.is_good, again.verdict.n_rows) == (True, 50)
    assert list(passed(again))[:5] == [
        "task_mean",
        "mood/accuracy",
        "mood/labels",
        "mood/calibration",
        "alike/spearman",
    ]
    back = release(bundle, "both")
    told = {check.name: check.sentence for check in back.verdict.checks if not check.is_passed}
    assert told == {"known labels": "It does not know alike any more."}


def test_a_task_that_has_become_another_under_its_old_name_is_refused(released, place, tiny_base, tmp_path):
    recipe = recipe_of(place, tiny_base)
    recipe["task"]["tasks"]["mood"], recipe["task"]["tasks"]["alike"] = (
        recipe["task"]["tasks"]["places"], recipe["task"]["tasks"]["mood"],
    )  # fmt: skip
    other = burnish.fit(recipe, ["train.epochs=1"], out=tmp_path / "other").bundle
    with pytest.raises(UserError) as caught:
        release(other, "both")
    assert str(caught.value) == (
        f"{other}: its task mood reads other columns than the frozen test rows of 'both' have; release it under "
        "another name."
    )


def test_what_several_tasks_share_is_not_retrained_from_feedback(released):
    with pytest.raises(UserError) as caught:
        retrain("both")
    assert str(caught.value) == (
        "both: the task 'multitask' is not trained further; task.start puts further tasks beside those of a bundle."
    )


def test_live_answers_are_held_against_those_of_all_tasks_to_the_same_texts(released, bundle):
    home, _ = released
    found = reference_of(home, home.releases.find("both:1"))
    rows = sentiment_rows(20, seed=1)
    answers = [one.mood.label for one in burnish.predict(bundle, [text for text, _ in rows])]
    right = sum(answer == label for answer, (_, label) in zip(answers, rows, strict=True))
    assert found.answers.n_rows == 20
    assert found.accuracy == pytest.approx(right / 20)
