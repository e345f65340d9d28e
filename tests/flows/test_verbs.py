"""predict, judge, compare, check: on a tiny trained bundle."""

import csv
import json
import shutil

import pytest
from tests.flows.conftest import sentiment_rows, write_csv

import burnish
from burnish.core.errors import UserError
from burnish.flows.predict import predict_file


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
    ],
)
def test_an_output_that_cannot_be_written_is_refused(bundle, tmp_path, name, sentence):
    source = write_csv(tmp_path / "in.csv", [("good",)], ("text",))
    with pytest.raises(UserError, match="out") as caught:
        predict_file(bundle, source, tmp_path / name)
    assert sentence in str(caught.value)


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
    with pytest.raises(
        UserError, match="its recipe names no test file; say which rows to judge: burnish judge BUNDLE --data FILE"
    ):
        burnish.judge(bundle)


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


FLIPS = [0.0, 0.1, 0.37, 0.5, 0.9, 0.999]


@pytest.mark.parametrize("name", ["model/model.safetensors", "burnish.json", "model/tokenizer.json", "recipe.yaml"])
@pytest.mark.parametrize("where", FLIPS)
def test_one_flipped_byte_anywhere_is_refused(bundle, tmp_path, name, where):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    content = bytearray((copy / name).read_bytes())
    content[int(where * (len(content) - 1))] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        burnish.load(copy)
    assert (
        str(caught.value) == f"{copy}: the file {name} was changed or damaged (SHA-256 differs); copy the bundle again."
    )


def damaged(bundle, tmp_path, change):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    change(copy)
    with pytest.raises(UserError) as caught:
        burnish.load(copy)
    return str(caught.value).replace(str(copy), "BUNDLE")


def test_a_missing_file_is_named(bundle, tmp_path):
    sentence = damaged(bundle, tmp_path, lambda copy: (copy / "burnish.json").unlink())
    assert sentence == "BUNDLE: the file burnish.json is missing; copy the bundle again."


def test_an_added_file_is_named(bundle, tmp_path):
    sentence = damaged(bundle, tmp_path, lambda copy: (copy / "model/evil.py").write_text("x"))
    assert sentence == "BUNDLE: the file model/evil.py is not part of the bundle; take it out."


def test_a_link_is_refused(bundle, tmp_path):
    def link(copy):
        (copy / "burnish.json").rename(tmp_path / "elsewhere.json")
        (copy / "burnish.json").symlink_to(tmp_path / "elsewhere.json")

    assert damaged(bundle, tmp_path, link) == "BUNDLE: burnish.json is a link; a bundle holds files only."


def test_a_folder_without_manifest_is_no_bundle(bundle, tmp_path):
    sentence = damaged(bundle, tmp_path, lambda copy: (copy / "manifest.json").unlink())
    assert sentence == "BUNDLE: is not a bundle: it has no manifest.json."


@pytest.mark.parametrize("content", ["[]", '{"format": 1}', '{"format": 1, "files": 3}'])
def test_a_damaged_manifest_is_refused(bundle, tmp_path, content):
    sentence = damaged(bundle, tmp_path, lambda copy: (copy / "manifest.json").write_text(content))
    assert sentence == "BUNDLE: its manifest.json is damaged; copy the bundle again."


def test_a_bundle_of_a_newer_format_is_refused(bundle, tmp_path):
    sentence = damaged(bundle, tmp_path, lambda copy: (copy / "manifest.json").write_text('{"format": 2, "files": {}}'))
    assert sentence == "BUNDLE: is of bundle format 2; this Burnish reads format 1. Update Burnish."


def test_a_bundle_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError) as caught:
        burnish.load(tmp_path / "nothing")
    assert (
        str(caught.value) == f"{tmp_path}/nothing: there is no such bundle; give the folder that `burnish fit` wrote."
    )
