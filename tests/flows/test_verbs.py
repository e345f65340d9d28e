"""predict, judge, compare, check: on a tiny trained bundle."""

import csv
import json
import shutil

import pytest
from tests.flows.conftest import sentiment_rows, write_csv
from tests.flows.test_names import finder

import burnish
from burnish.core.errors import UserError
from burnish.core.events import Message
from burnish.core.manifest import write_manifest
from burnish.flows.predict import predict_file
from burnish.flows.writing import _cell


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, tiny_base):
    folder = tmp_path_factory.mktemp("verbs")
    write_csv(folder / "train.csv", sentiment_rows(120))
    data = {"train": str(folder / "train.csv"), "columns": {"text": "text", "label": "label"}}
    recipe = {
        "task": "classification",
        "base": str(tiny_base),
        "data": data,
        "train": {"epochs": 2, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 64},
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }
    return burnish.fit(recipe, out=folder / "bundle").bundle


def test_answers_come_in_order_and_one_by_one(bundle):
    texts = [f"good {'a' * i}" for i in range(20)]
    many = list(burnish.predict(bundle, texts))
    alone = [next(burnish.predict(bundle, text)) for text in texts]
    assert [one.label for one in many] == [one.label for one in alone]
    assert [one.confidence for one in many] == pytest.approx([one.confidence for one in alone], abs=1e-5)


def test_an_input_that_is_no_text_is_refused(bundle):
    with pytest.raises(UserError) as caught:
        list(burnish.predict(bundle, [{"text": ["a"]}]))
    assert str(caught.value) == "inputs: 'text' must be text; got list."


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_a_file_is_answered_row_by_row_in_the_form_of_the_output(bundle, tmp_path, suffix):
    source = write_csv(tmp_path / "in.csv", [("good day", "7"), ("bad, so bad", "8")], ("text", "id"))
    out = tmp_path / f"out{suffix}"
    assert predict_file(bundle, source, out) == 2
    rows = read_back(out)
    assert [row["id"] for row in rows] == ["7", "8"]
    assert [row["text"] for row in rows] == ["good day", "bad, so bad"]
    answers = [row["prediction"]["label"] if suffix == ".jsonl" else row["prediction_label"] for row in rows]
    assert answers == [one.label for one in burnish.predict(bundle, ["good day", "bad, so bad"])]


def test_files_hold_confidences_to_six_decimals_and_python_all_of_them(bundle, tmp_path):
    source = write_csv(tmp_path / "in.csv", [("good day",)], ("text",))
    [answer] = burnish.predict(bundle, "good day")
    predict_file(bundle, source, tmp_path / "out.jsonl")
    [row] = read_back(tmp_path / "out.jsonl")
    assert row["prediction"]["confidence"] == round(row["prediction"]["confidence"], 6)
    assert row["prediction"]["confidence"] == pytest.approx(answer.confidence, abs=1e-5)
    assert answer.confidence != round(answer.confidence, 6)


def test_a_spreadsheet_tells_the_next_labels_in_words(bundle, tmp_path):
    source = write_csv(tmp_path / "in.csv", [("good day",)], ("text",))
    predict_file(bundle, source, tmp_path / "out.csv")
    predict_file(bundle, source, tmp_path / "out.jsonl")
    [row], [told] = read_back(tmp_path / "out.csv"), read_back(tmp_path / "out.jsonl")
    [second] = told["prediction"]["runners_up"]
    assert row["prediction_runners_up"] == f"{second['label']}:{second['confidence']}"


def test_choices_in_a_cell_are_joined_by_bars_and_other_lists_are_json():
    choices = [{"label": "a", "confidence": 0.12}, {"label": "b", "confidence": 0.05}]
    assert _cell(choices) == "a:0.12|b:0.05"
    assert _cell([{"start": 0, "label": "a"}]) == '[{"start":0,"label":"a"}]'
    assert _cell([]) == "[]"


def read_back(path):
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    if path.suffix == ".parquet":
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path).to_pylist()
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("out.txt", "the output must end in one of .csv, .tsv, .jsonl, .ndjson, .parquet."),
        ("no/such/out.csv", "does not exist; make it first."),
        ("folder.csv", "folder.csv: is a folder; name a file in it."),
        ("in.csv/out.csv", "in.csv is a file, not a folder; choose another."),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_loaded(tmp_path, name, sentence):
    source = write_csv(tmp_path / "in.csv", [("good",)], ("text",))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError) as caught:
        predict_file(tmp_path / "no bundle", source, tmp_path / name)
    assert sentence in str(caught.value)


def test_a_table_with_other_columns_is_told_to_rename_one(bundle, tmp_path):
    source = write_csv(tmp_path / "in.csv", [("good",)], ("utterance",))
    with pytest.raises(UserError) as caught:
        predict_file(bundle, source, tmp_path / "out.csv")
    assert str(caught.value) == (
        f"{source}:2: there is no column 'text' (the text to classify). It has: utterance. Rename the column to 'text'."
    )


def test_a_row_without_any_input_is_answered_as_such_wherever_it_stands(tiny_base, tmp_path):
    tagger, source, out, answers = finder(tmp_path, tiny_base), tmp_path / "in.jsonl", tmp_path / "out.jsonl", []
    lines = ['{"note": "nothing to read"}', '{"text": "so x all day"}']
    for given in (lines, lines[::-1]):
        source.write_text("\n".join(given))
        assert predict_file(tagger, source, out) == 2
        answers.append([json.loads(line)["prediction"] for line in out.read_text("utf-8").splitlines()])
    assert answers[0] == answers[1][::-1]
    source.write_text(lines[0])
    with pytest.raises(UserError, match=r"in\.jsonl:1: there is no column 'text' .*, and no 'tokens' instead"):
        predict_file(tagger, source, out)


def test_a_bad_row_ends_the_work_and_leaves_no_output(bundle, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "good"}\n{"text": 5, \n')
    with pytest.raises(UserError, match=r"in\.jsonl:2: "):
        predict_file(bundle, source, tmp_path / "out.jsonl")
    assert [file.name for file in tmp_path.iterdir()] == ["in.jsonl"]


def test_judge_reads_the_same_columns_and_writes_the_report(bundle, tmp_path):
    data = write_csv(tmp_path / "new.csv", sentiment_rows(30, seed=5))
    result = burnish.judge(bundle, data, out=tmp_path / "report")
    assert result.report.n_rows == 30
    assert [file.name for file in result.files] == ["report.json"]
    assert (
        json.loads((tmp_path / "report/report.json").read_text())["scores"]["accuracy"]
        == result.report.scores["accuracy"]
    )


def test_judge_refuses_a_label_that_training_never_saw(bundle, tmp_path):
    data = write_csv(tmp_path / "new.csv", [("x", "good"), ("y", "godo")])
    with pytest.raises(UserError) as caught:
        burnish.judge(bundle, data)
    assert str(caught.value) == (
        f"{data}:3: the label 'godo' is not in the training data. Did you mean 'good'? "
        "Correct it, add training rows for it, or take the row out."
    )


def test_judge_without_data_says_what_to_give(bundle):
    with pytest.raises(UserError) as caught:
        burnish.judge(bundle)
    assert str(caught.value) == f"{bundle}: its recipe names no test file; give the rows to judge: --data FILE."


@pytest.mark.parametrize(
    "named", ["../data/test.csv", "{name: tsv, path: ../data/test.csv, encoding: utf-8}", "[../data/test.csv]"]
)
@pytest.mark.parametrize(
    "verb", [lambda one, **more: burnish.judge(one, **more), lambda one: burnish.compare(one, one)]
)
def test_test_data_that_is_not_there_is_told_with_the_folder_it_was_looked_for_from(
    bundle, tmp_path, monkeypatch, named, verb
):
    monkeypatch.chdir(tmp_path)
    elsewhere = with_recipe(bundle, tmp_path / "copy", "test: null", f"test: {named}")
    with pytest.raises(UserError) as caught:
        verb(elsewhere)
    assert str(caught.value) == (
        f"{elsewhere}: its recipe names the test data '../data/test.csv', which is not there as seen from the current "
        f"folder, {tmp_path}; give the rows to judge: --data FILE."
    )


def test_test_data_of_the_recipe_is_judged_where_it_is_there(bundle, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    write_csv(tmp_path / "test.csv", sentiment_rows(30, seed=5))
    copy = with_recipe(bundle, tmp_path / "copy", "test: null", "test: ../test.csv")
    assert burnish.judge(copy).report.n_rows == 30


def with_recipe(bundle, copy, old, new):
    """A copy of the bundle with one line of its recipe changed, and a manifest that agrees."""
    shutil.copytree(bundle, copy)
    text = (copy / "recipe.yaml").read_text()
    assert text.count(f"  {old}\n") == 1
    (copy / "recipe.yaml").write_text(text.replace(f"  {old}\n", f"  {new}\n"))
    (copy / "manifest.json").unlink()
    write_manifest(copy)
    return copy


def test_rows_that_cannot_be_used_are_told_when_they_are_left_out(bundle, tmp_path):
    data = write_csv(tmp_path / "new.csv", [*sentiment_rows(20, seed=5), ("", "good"), ("so bad", "")])
    told = []
    result = burnish.judge(bundle, data, overrides=["data.bad_rows=drop"], listen=told.append)
    assert result.report.n_rows == 20
    assert [one.text for one in told if isinstance(one, Message) and one.level == "warning"] == [
        (
            "data: 2 rows that cannot be used were left out (data.bad_rows: drop):\n"
            f"  {data}:22: 'text' is empty; give it a text or take the row out (data.bad_rows: drop skips such rows).\n"
            f"  {data}:23: 'label' is empty; give it a label or take the row out (data.bad_rows: drop skips such rows)."
        )
    ]


def test_a_bundle_compared_with_itself_does_not_differ(bundle, tmp_path):
    data = write_csv(tmp_path / "new.csv", sentiment_rows(30, seed=5))
    comparison = burnish.compare(bundle, bundle, data)
    assert comparison.to_dict()
    assert "differ" in comparison.sentence or "no " in comparison.sentence.lower()


def test_check_finds_the_faults_and_trains_nothing(tmp_path, tiny_base):
    data = write_csv(tmp_path / "train.csv", sentiment_rows(60))
    result = burnish.check(task="classification", train=str(data), base=str(tiny_base))
    assert result.card.splits["train"].n_rows + result.card.splits["dev"].n_rows == 60
    assert sorted(file.name for file in tmp_path.iterdir()) == ["train.csv"]
