"""`retrain`: what feedback taught is learned, judged and registered; what cannot be learned from is told."""

import csv
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import yaml
from tests.flows.conftest import ask, copied_home, correct, mood_rows, sentiment_rows, write_csv

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.bundle.runtimes._contract import Runtime
from burnish.core.errors import GateMissed, UserError
from burnish.core.events import Message, ignore
from burnish.core.ids import new_id
from burnish.core.manifest import write_manifest
from burnish.core.shelves import Shelf
from burnish.data.splits.grown import Grown
from burnish.evaluation.promotion import Policy
from burnish.feedback.caps import Caps
from burnish.feedback.guard import Guard
from burnish.flows import retrain as module
from burnish.flows.canary import finish_canary
from burnish.flows.ground import lay_ground
from burnish.flows.prepare import prepare
from burnish.flows.promote import promote
from burnish.flows.release import release
from burnish.flows.retrain import Retraining, retrain
from burnish.flows.rowplaces import keep_places, known_places
from burnish.flows.traffic import Traffic, traffic_now
from burnish.flows.trying import _named
from burnish.recipe.load import load
from burnish.store.records import Feedback

LAX = Policy(most_times_slower=1000)
OPERATOR = "user ann"
"""Whose corrections no guard holds back."""


def chinese(n, seed=9):
    return [(text, label) for text, label in mood_rows(2 * n, seed) if not text.isascii()]


def corrected(home, rows, key=OPERATOR, **how):
    """Let production answer the texts of rows, and say what their labels are."""
    return correct(home, ask(home, [text for text, _ in rows], **how), [label for _, label in rows], key)


def right(bundle, rows):
    answers = burnish.predict(bundle, [text for text, _ in rows])
    return sum(one.label == label for one, (_, label) in zip(answers, rows, strict=True)) / len(rows)


def texts(told):
    return [one.text for one in told if isinstance(one, Message)]


def dev_of(recipe, work):
    """The texts that are dev by a recipe."""
    return [one["text"] for one in prepare(load(recipe), work, ignore).sides["dev"].corpus]


def recipe_of(bundle):
    return yaml.safe_load((bundle / "recipe.yaml").read_text("utf-8"))


# A retraining that learns: production tells good from bad in English, and is corrected in Chinese.


@pytest.fixture(scope="module")
def learned(first_release, tmp_path_factory):
    """What came of it; its installation, to be copied; and the folder in which rows and bundle were left."""
    folder, told = tmp_path_factory.mktemp("learned"), []
    with pytest.MonkeyPatch.context() as patch:
        for home in copied_home(first_release[0], folder / "home", patch):
            ids = corrected(home, chinese(100))
            asked = Retraining(held_out=0.3, policy=LAX, promote_if_better=True, epochs=3)
            gate = "judge.gates.accuracy=>= 0.5"
            result = retrain("intent", [gate], asked, out=folder / "work", listen=told.append)
    return SimpleNamespace(home=folder / "home", work=folder / "work", result=result, told=told, ids=ids)


@pytest.fixture
def second(learned, tmp_path, monkeypatch):
    """A copy of its installation, opened."""
    yield from copied_home(learned.home, tmp_path / "second", monkeypatch)


def test_the_result_is_a_version_that_passed_and_says_where_it_comes_from(learned):
    made = learned.result.release
    assert (made.name, made.version, made.parent, made.is_passed) == ("intent", 2, 1, True)
    assert made.why == f"retrained on {len(learned.result.taught.rows)} corrected inputs"
    assert made.by.startswith("user ")


def test_it_learned_what_it_was_told_and_forgot_nothing(learned, moods):
    new, rows = learned.work / "bundle", chinese(40, seed=11)
    assert right(moods / "bundle", rows) < 0.8
    assert right(new, rows) > 0.9
    assert right(new, sentiment_rows(40, seed=5)) == 1


def test_a_result_that_passes_and_is_better_is_promoted_where_that_is_asked_for(learned, second):
    assert (learned.result.is_promoted, learned.result.verdict.is_better) == (True, True)
    assert {one.alias: one.version for one in second.releases.aliases()} == {"production": 2, "previous": 1}
    last = list(second.audit.entries())[-1]
    assert (last.what, last.detail["why"]) == ("promote", "retrained, passed the gate, and is better")
    assert texts(learned.told)[-1] == "intent:2 is production"


def test_it_was_held_against_production_by_the_gate_the_recipe_and_the_feedback_kept_back(learned):
    checks = {check.name: check for check in learned.result.verdict.checks}
    assert list(checks) == [
        "accuracy", "labels", "calibration", "latency", "size", "known labels", "recipe: accuracy",
        "feedback kept back", "corrections hold",
    ]  # fmt: skip
    assert "1000 times that is allowed" in checks["latency"].sentence  # by the policy that was asked for
    assert checks["recipe: accuracy"].sentence.endswith("on dev; the recipe asks for >= 0.5.")
    assert f"on the same {len(learned.result.taught.held_out)} rows" in checks["feedback kept back"].sentence


def test_what_was_learned_is_marked_and_what_was_kept_back_is_not(learned, second):
    found = {one.id: one for one in second.corrections.of_period("intent")}
    taught = learned.result.taught
    assert {one.used_in for one in map(found.get, taught.feedback)} == {2}
    kept_back = [found[one] for one in taught.judging]
    assert {(one.used_in, one.reason) for one in kept_back} == {(None, "kept back to judge retrained versions")}
    assert sorted([*taught.feedback, *taught.judging]) == sorted(learned.ids)
    held_out = {row["text"] for row in taught.held_out}
    written = (learned.work / "corrections.jsonl").read_text("utf-8")
    assert not any(text in written for text in held_out)
    assert len(held_out) >= 20


def test_dev_stays_what_production_was_never_trained_on(learned, moods, tmp_path):
    """Otherwise the confidence would be made honest on rows that it knows by heart."""
    new = recipe_of(learned.work / "bundle")
    assert new["data"]["split"] == {
        "name": "grown", "n_new": len(learned.result.taught.rows), "before": {"name": "stratified"},
    }  # fmt: skip
    new["train"] |= {"start": None, "start_share": 0}
    assert dev_of(new, tmp_path / "new") == dev_of(recipe_of(moods / "bundle"), tmp_path / "old")


def test_what_happens_is_told(learned):
    n, n_back = len(learned.result.taught.rows), len(learned.result.taught.held_out)
    assert texts(learned.told)[0] == f"{n} corrected inputs to learn from ({n} new), {n_back} kept back to judge"


def test_a_second_time_nothing_is_new(second):
    with pytest.raises(UserError) as caught:
        retrain("intent")
    assert str(caught.value) == ("intent: 0 inputs have new corrections; 20 are wanted, or fewer with --least.")


@pytest.mark.usefixtures("steady")
def test_the_next_retraining_goes_on_from_the_last_with_labels_that_reviewers_brought(second, moods):
    """Old rows are found although nobody said where they are; only what came since counts as new."""
    assert known_places(second, second.releases.find("intent:2"))["train"] == str(moods / "train.csv")
    asked = ask(second, [f"中国 {letter} 北京" for letter in "abcdefghijklmnop"], version=2)
    correct(second, asked, ["提问"] * 16, OPERATOR)
    result = retrain("intent", [], Retraining(least=5, held_out=0.2, policy=LAX))
    taught = result.taught
    assert (result.release.parent, result.release.version, result.is_promoted) == (2, 3, False)
    assert 5 <= taught.n_new <= 16
    assert len(taught.rows) > taught.n_new + 20  # with what was learned before
    bundle = open_bundle(second.bundles.get(result.release.digest))
    assert bundle.knowledge.labels == ("bad", "good", "提问")
    recipe = recipe_of(bundle.folder)
    assert recipe["data"]["split"]["before"] == {"name": "stratified"}  # and not grown of grown
    assert recipe["train"]["start_share"] == 0.5
    checks = {check.name: check.is_passed for check in result.verdict.checks}
    assert checks["known labels"]
    assert "feedback kept back" in checks or len(taught.held_out) < 20


@pytest.mark.usefixtures("steady")
def test_a_worse_result_is_registered_and_held_back(home, tmp_path):
    """Its old rows say the contrary of what they said."""
    turned = {"good": "bad", "bad": "good"}
    rows = write_csv(tmp_path / "turned.csv", [(text, turned[label]) for text, label in sentiment_rows(120)])
    corrected(home, sentiment_rows(12, seed=4))
    asked = Retraining(least=5, policy=LAX, promote_if_better=True)
    result = retrain("intent", [f"data.train={rows}", "train.epochs=4"], asked)
    assert (result.release.is_passed, result.is_promoted, result.verdict.is_better) == (False, False, False)
    assert home.releases.find("intent").version == 1
    with pytest.raises(GateMissed, match="intent:2 missed its gate"):
        promote("intent@candidate")
    assert {one.used_in for one in home.corrections.of_period("intent") if one.id in result.taught.feedback} == {2}


# What it is trained on, without training.


class Laid(Exception):
    """Everything is ready to be trained."""


@pytest.fixture
def laid(monkeypatch, tmp_path):
    """`laid(overrides, settings)`: the recipe that would be trained, and the ground of it."""

    def fit(recipe, overrides=(), *, out, listen):
        raise Laid(recipe, lay_ground(load(recipe, overrides), tmp_path / "ground", listen))

    monkeypatch.setattr(module, "fit", fit)

    def run(overrides=(), **how):
        with pytest.raises(Laid) as caught:
            retrain("intent", overrides, Retraining(**{"least": 1, "held_out": 0, **how}))
        return caught.value.args

    return run


def remade(home, moods, out, **sections):
    """Production made anew from another recipe, which says the same of the same rows in another way."""
    bundle = shutil.copytree(moods / "bundle", out)
    recipe = recipe_of(bundle)
    for section, changes in sections.items():
        recipe[section] |= changes
    (bundle / "recipe.yaml").write_text(yaml.safe_dump(recipe, allow_unicode=True), "utf-8")
    write_manifest(bundle)
    first = home.releases.find("intent:1")
    made = home.releases.register(replace(first, digest=home.bundles.put(bundle), parent=1))
    home.releases.promote("intent", made.version, OPERATOR)
    keep_places(home, made, load(recipe))
    return recipe


def sides(ground):
    return {name: [one["text"] for one in side.corpus] for name, side in ground.prepared.sides.items()}


NEW = [("我的好 a", "good"), ("坏 b", "bad"), ("上海 c", "good")]


def with_columns(moods, path):
    """The old rows under other names, with an author, a day and a language."""
    rows = csv.DictReader((moods / "train.csv").read_text("utf-8").splitlines())
    table = [
        (row["text"], row["label"], f"author {number // 4}", f"2024-{1 + number // 28:02d}-{1 + number % 28:02d}", "en")
        for number, row in enumerate(rows)
    ]
    return write_csv(path, table, ("utterance", "意图", "author", "day", "language"))


@pytest.mark.parametrize(
    "split",
    [
        {"name": "stratified"},
        {"name": "random"},
        {"name": "grouped", "column": "author"},
        {"name": "time", "column": "day", "format": None},
    ],
    ids=lambda split: split["name"],
)
def test_corrections_are_trained_on_whatever_columns_are_called_and_however_rows_are_split(
    home, moods, tmp_path, laid, split
):
    """By time they would be the newest, and be dev all of them."""
    rows = with_columns(moods, tmp_path / "rows.csv")
    data = {"train": str(rows), "columns": {"text": "utterance", "label": "意图"}, "split": split}
    old = remade(home, moods, tmp_path / "own", data=data, judge={"slices": ["language"]})
    corrected(home, NEW, version=2)
    recipe, ground = laid()
    old["data"] |= {"test": None}
    assert sides(ground)["dev"] == dev_of(old, tmp_path / "old")
    assert sides(ground)["train"][-3:] == [text for text, _ in NEW]
    assert len(sides(ground)["train"]) + len(sides(ground)["dev"]) == 120 + 3
    assert recipe["judge"]["slices"] == []


def test_spans_are_learned_beside_words_with_tags_under_other_names(new_home, tiny_base, tmp_path, laid):
    """What was said of an answer is text and spans; the old rows are words and tags."""
    tags = {"北": "B-CITY", "京": "I-CITY"}
    rows = [["a", "day", "北", "京", letter] for letter in "bcdefghijklmnopq"]
    lines = [{"词": words, "标签": [tags.get(word, "O") for word in words]} for words in rows]
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    data = {"train": str(tmp_path / "rows.jsonl"), "columns": {"tokens": "词", "tags": "标签"}}
    recipe = {"task": "tokens", "base": str(tiny_base), "data": {**data, "dev": "25%", "split": "random"}}
    bundle = burnish.fit(recipe, ["train.epochs=0", "judge.n_bootstrap=0"], out=tmp_path / "bundle").bundle
    release(bundle, "intent")
    promote("intent:1")
    [one] = ask(new_home, ["so 北京 z"])
    said = Feedback(new_id("f"), 1.0, one.id, "intent", 1, OPERATOR, "spans", [[3, 5, "CITY"]])
    new_home.corrections.add([said], None, "")
    recipe, ground = laid()
    learned = list(ground.prepared.sides["train"].corpus)[-1]
    assert (learned["text"], ground.labels) == ("so 北京 z", ("CITY",))
    assert recipe["data"]["columns"] == data["columns"]


def test_several_old_files_and_sources_with_settings_go_on_beside_corrections(home, moods, tmp_path, laid):
    more = write_csv(tmp_path / "more.csv", sentiment_rows(20, seed=8))
    given = [str(moods / "train.csv"), {"name": "csv", "path": str(more)}]
    remade(home, moods, tmp_path / "own", data={"train": given})
    corrected(home, NEW, version=2)
    recipe, ground = laid()
    assert recipe["data"]["train"][:2] == given
    assert len(ground.prepared.whole.corpus) == 120 + 20 + 3


@pytest.mark.parametrize("encoding", ["cp1252", "gb18030"])
def test_corrections_are_read_as_they_are_written_whatever_encoding_the_old_rows_have(
    home, moods, tmp_path, laid, encoding
):
    file = tmp_path / "old.csv"
    file.write_bytes((moods / "train.csv").read_text("utf-8").encode(encoding))
    remade(home, moods, tmp_path / "own", data={"train": str(file), "encoding": encoding})
    said = [("où est ma carte", "good"), ("zurück 退款呢", "bad"), ("好了", "good")]
    corrected(home, said, version=2)
    assert sides(laid()[1])["train"][-3:] == [text for text, _ in said]


def test_a_few_rows_a_label_are_all_of_them_now(home, moods, tmp_path, laid):
    remade(home, moods, tmp_path / "own", data={"rows_per_class": 4})
    corrected(home, NEW, version=2)
    assert len(sides(laid()[1])["train"]) == 90 + 3


def test_settings_and_overrides_are_those_of_the_training(home, laid):
    corrected(home, NEW)
    recipe, ground = laid(epochs=5, anchor={"name": "replay", "rows": 7})
    assert (recipe["train"]["keep"], recipe["train"]["patience"]) == ("last", None)
    assert (recipe["train"]["epochs"], recipe["train"]["anchor"]["rows"], len(ground.old)) == (5, 7, 7)
    recipe, ground = laid(["train.epochs=1", "train.learning_rate=0.5", "data.split=random"], epochs=5)
    assert (recipe["train"]["epochs"], ground.recipe.train.learning_rate) == (1, 0.5)
    assert ground.recipe.data.split == Grown(n_new=3, before="random")


@pytest.mark.parametrize("peft", ["full", "lora"])
def test_production_keeps_a_share_of_the_weights_and_nothing_else_holds_unless_asked(home, moods, tmp_path, laid, peft):
    remade(home, moods, tmp_path / "own", train={"peft": peft, "anchor": "none"})
    corrected(home, NEW, version=2)
    train = laid()[0]["train"]
    assert (train["start_share"], train["anchor"]) == (0.5, {"name": "none"})
    assert laid(start_share=0)[0]["train"]["start_share"] == 0
    assert laid(["train.start_share=0.25"])[0]["train"]["start_share"] == 0.25
    assert laid(["train.anchor=replay"])[0]["train"]["anchor"]["name"] == "replay"


def test_rows_to_hold_on_to_are_left_out_where_the_anchor_reads_none(home, moods, tmp_path, laid):
    """Those of the run before, whose anchor did."""
    remade(home, moods, tmp_path / "own", data={"replay": str(moods / "train.csv")})
    corrected(home, NEW, version=2)
    assert laid()[0]["data"]["replay"] is None
    assert laid(anchor="replay")[0]["data"]["replay"] == str(moods / "train.csv")


def test_old_rows_may_be_elsewhere_now(home, tmp_path, monkeypatch, laid):
    corrected(home, NEW)
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "other.csv", sentiment_rows(40, seed=6))
    _, ground = laid(["data.train=other.csv"])
    assert len(ground.prepared.whole.corpus) == 43
    _, ground = laid(["data.train=[other.csv, other.csv]", "data.dev=other.csv"])
    assert (len(ground.prepared.whole.corpus), len(ground.dev)) == (83, 40)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("data.trian=x.csv", "data.trian is not a setting. Did you mean 'train'?"),
        ("data.train=[", "data.train"),
        ("data.train=gone.csv", "gone.csv"),
        ("train.epochs=many", "train.epochs must be a whole number; got 'many'."),
        ("epochs", "must read key=value"),
    ],
)
def test_an_override_that_cannot_be_used_is_told(home, override, sentence):
    corrected(home, NEW)
    with pytest.raises(UserError) as caught:
        retrain("intent", [override], Retraining(least=1, held_out=0))
    assert sentence in str(caught.value)


def test_old_rows_that_have_gone_are_asked_for(home, moods, tmp_path):
    rows = shutil.copyfile(moods / "train.csv", tmp_path / "rows.csv")
    remade(home, moods, tmp_path / "own", data={"train": str(rows)})
    rows.unlink()
    with pytest.raises(UserError, match=r"rows\.csv: the train rows of 'intent' are not there any more; say where"):
        retrain("intent")


# What is refused.


def test_too_few_new_corrections_are_told_with_what_could_not_be_used(home):
    corrected(home, NEW, keep="off")
    corrected(home, [("坏", "bad")])
    with pytest.raises(UserError) as caught:
        retrain("intent", [], Retraining(held_out=0))
    assert str(caught.value) == (
        "intent: 1 inputs have new corrections (3 more cannot be used: their inputs were not kept); 20 are wanted, or "
        "fewer with --least."
    )


@pytest.mark.parametrize("keep", ["off", "hashed"])
def test_where_inputs_are_not_kept_nothing_can_be_learned(home, keep):
    corrected(home, chinese(30), keep=keep)
    with pytest.raises(UserError, match=r"0 inputs have new corrections \(30 more cannot be used"):
        retrain("intent")


def test_what_the_guard_holds_back_is_not_learned(home):
    corrected(home, chinese(30), key="key_1")
    strict = Guard(caps=Caps(free=0, count=4))
    with pytest.raises(UserError, match="intent: 4 inputs have new corrections; 20 are wanted"):
        retrain("intent", [], Retraining(held_out=0, guard=strict))
    held = list(home.corrections.of_period("intent", states=("quarantined",)))
    assert len(held) == 26


@pytest.mark.parametrize("name", ["intent:1", "intent@candidate", "意图"])
def test_only_what_is_in_production_is_retrained(home, name):
    with pytest.raises(UserError, match="retraining goes on from what is in production; give the name alone"):
        retrain(name)


def test_a_name_that_is_not_there_is_told(home):
    with pytest.raises(UserError, match="Did you mean 'intent'"):
        retrain("intnt")


class Elsewhere(Runtime):
    """A runtime other than torch."""

    def load(self, folder, task, reader, labels):
        raise NotImplementedError


def test_a_shrunk_version_without_its_source_is_told_how_to_release_it(home, monkeypatch):
    def opened(folder):
        found = open_bundle(folder)
        return replace(found, knowledge=replace(found.knowledge, runtime=Elsewhere()))

    monkeypatch.setattr(module, "open_bundle", opened)
    with pytest.raises(UserError) as caught:
        retrain("intent")
    assert str(caught.value) == (
        "intent:1 is a shrunk bundle, which cannot be trained further; release it with the bundle that it was made "
        "from: burnish release … --source FOLDER."
    )


@pytest.mark.parametrize(
    ("methods", "way"),
    [
        (["int8_static"], "int8_static"),
        ([{"name": "vocabulary", "common": 0}, "int8_static"], "{name: vocabulary, common: 0}, int8_static"),
        ([{"name": "distill", "layers": 2}], "{name: distill, layers: 2}"),
        ([{"name": "static", "dimensions": None}, "int8_static"], "{name: static, dimensions: null}, int8_static"),
    ],
)
def test_a_way_to_shrink_is_asked_for_again_as_it_was(methods, way):
    from burnish.flows.shrinking import chains

    built = [Shelf("methods").build(one) for one in methods]
    assert module._as_asked_for(" + ".join(map(_named, built))) == way
    assert chains([way]) == [built]


def test_nothing_is_left_behind_where_no_folder_is_named(home, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    corrected(home, NEW)
    with pytest.raises(UserError):
        retrain("intent", ["data.train=gone.csv"], Retraining(least=1))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_result_that_passes_answers_a_share_first_where_that_is_asked_for(home, tmp_path):
    corrected(home, chinese(60))
    asked = Retraining(policy=LAX, canary=7.5, canary_inputs=30, epochs=3)
    result = retrain("intent", [], asked)
    assert (result.release.is_passed, result.is_canary, result.is_promoted) == (True, True, False)
    assert traffic_now(home, "intent") == Traffic(canary=2, percent=7.5)
    assert {one.alias: one.version for one in home.releases.aliases()} == {"production": 1, "candidate": 2}
    assert finish_canary("intent").sentence == (
        "intent:2 answered 0 inputs and version 1 0; it is decided when each has answered 30."
    )


def test_one_that_missed_its_gate_answers_nobody(home):
    corrected(home, chinese(60))
    result = retrain("intent", ["judge.gates.accuracy=> 1"], Retraining(policy=LAX, canary=5))
    assert (result.release.is_passed, result.is_canary) == (False, False)
    assert traffic_now(home, "intent") == Traffic()


def test_a_canary_and_promoting_at_once_are_two_ways():
    with pytest.raises(ValueError, match="a canary is promoted by what comes of it; leave out promote_if_better, or"):
        Retraining(canary=5, promote_if_better=True)
