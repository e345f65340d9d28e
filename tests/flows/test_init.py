from __future__ import annotations

import json
from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.data.measures import looks_chinese
from burnish.flows.guessing import guess
from burnish.flows.init import init
from burnish.recipe.load import load

INTENTS = [{"id": f"r{n}", "utterance": f"how do I pay bill number {n}", "intent": "ab"[n % 2]} for n in range(40)]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def csv(rows: list[dict[str, str]], name: str = "data.csv", separator: str = ",") -> str:
    lines = [separator.join(rows[0]), *(separator.join(row.values()) for row in rows)]
    Path(name).parent.mkdir(exist_ok=True, parents=True)
    Path(name).write_text("\n".join(lines) + "\n", "utf-8")
    return name


def jsonl(rows: list[dict[str, object]], name: str = "data.jsonl") -> str:
    Path(name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return name


def written(data: str) -> tuple[str, dict[str, str]]:
    """Task and columns of the recipe that `init` wrote, read back by `load`."""
    Path("recipe.yaml").unlink(missing_ok=True)
    recipe = load(init(data).path).recipe
    return recipe.task.part_name, recipe.data.columns


def test_one_label_a_row_is_classification():
    assert written(csv(INTENTS)) == ("classification", {"text": "utterance", "label": "intent"})


def test_columns_without_telling_names_are_found_by_what_they_hold():
    rows = [{"a": f"{n}", "b": f"a longer text about matter {n}", "c": f"class {n % 3}"} for n in range(60)]
    assert written(csv(rows)) == ("classification", {"text": "b", "label": "c"})


def test_addresses_and_numbers_are_no_texts():
    rows = [
        {
            "url": f"https://example.org/a/very/long/path/{n}",
            "price": f"{n}.25",
            "news": f"gold rose {n}",
            "class": "ab"[n % 2],
        }
        for n in range(40)
    ]
    assert written(csv(rows)) == ("classification", {"text": "news", "label": "class"})


@pytest.mark.parametrize(("first", "second"), [("text_a", "text_b"), ("premise", "hypothesis"), ("q1", "q2")])
def test_two_texts_that_go_together_are_a_pair(first, second):
    rows = [{first: f"some words {n}", second: f"other words {n}", "label": "ab"[n % 2]} for n in range(40)]
    assert written(csv(rows)) == ("classification", {"text": first, "text_pair": second, "label": "label"})


def test_lists_of_labels_are_multilabel():
    rows = [{"text": f"some words {n}", "topics": ["a", "b"][: n % 3]} for n in range(40)]
    assert written(jsonl(rows)) == ("multilabel", {"text": "text", "labels": "topics"})


@pytest.mark.parametrize("separator", ["|", ";", "、"])
def test_joined_labels_are_multilabel_with_their_separator(separator):
    kinds = ["price", "taste", f"price{separator}taste", f"taste{separator}service", "service"]
    rows = [{"text": f"some words {n}", "labels": kinds[n % 5]} for n in range(60)]
    recipe = load(init(csv(rows)).path).recipe
    assert recipe.task.part_name == "multilabel"
    assert recipe.task.separator == separator


def test_words_with_tags_are_tokens():
    Path("data.conll").write_text("Anna B-PER\nsleeps O\n\nBerlin B-LOC\n\n" * 5)
    assert written("data.conll") == ("tokens", {"tokens": "tokens", "tags": "tags"})


@pytest.mark.parametrize(
    "spans",
    [
        [[0, 6, "LOC"]],
        [{"start": 0, "end": 6, "label": "LOC"}],
        {"LOC": {"Berlin": [[0, 5]]}},
    ],
)
def test_labelled_pieces_of_a_text_are_tokens(spans):
    rows = [{"text": f"Berlin has {n} lakes", "entities": spans} for n in range(20)]
    assert written(jsonl(rows)) == ("tokens", {"text": "text", "spans": "entities"})


def test_a_file_without_a_header_is_read_as_one():
    Path("data.tsv").write_text("".join(f"第{n}条新闻的标题\t{n % 10}\n" for n in range(100)), "utf-8")
    result = init("data.tsv")
    recipe = load(result.path).recipe
    assert recipe.data.train == {
        "name": "tsv",
        "path": "data.tsv",
        "has_header": False,
        "names": ["column1", "column2"],
    }
    assert recipe.data.columns == {"text": "column1", "label": "column2"}


def test_a_txt_file_is_read_as_tabs():
    name = csv(INTENTS, "data.txt", "\t")
    assert load(init(name).path).recipe.data.train == {"name": "tsv", "path": "data.txt"}


def test_chinese_texts_get_a_base_that_reads_chinese():
    rows = [{"text": f"这家餐厅的菜很好吃{n}", "label": "ab"[n % 2]} for n in range(40)]
    assert load(init(csv(rows)).path).recipe.base == "hub:intfloat/multilingual-e5-small"
    assert load(init(csv(INTENTS), out="other.yaml").path).recipe.base == "minilm"
    assert looks_chinese("iPhone 手机壳很好看") != looks_chinese("the word 好 in a sentence")


def test_files_beside_the_training_rows_are_taken_up():
    for name in ("train.csv", "val.csv", "test.csv"):
        csv(INTENTS, f"rows/{name}")
    recipe = load(init("rows/train.csv", out="recipes/r.yaml").path)
    assert (recipe.recipe.data.train, recipe.recipe.data.dev, recipe.recipe.data.test) == (
        "../rows/train.csv",
        "../rows/val.csv",
        "../rows/test.csv",
    )
    assert recipe.located("data", "dev").resolve() == Path("rows/val.csv").resolve()


def test_without_such_files_dev_is_a_share_and_a_test_file_is_asked_for():
    result = init(csv(INTENTS, "train.csv"))
    data = load(result.path).recipe.data
    assert (data.dev, data.test) == ("20%", None)
    assert (
        "  # test: FILE   rows to be judged on and nothing else; without them dev is judged, too kindly\n"
        in result.text
    )


def test_every_guess_has_its_reason_beside_it():
    text = init(csv(INTENTS)).text
    assert "# guessed: one label a row, in 'intent'\ntask: {name: classification, head: cls}\n" in text
    assert "    # guessed: 2 different values in 40 rows, such as a, b\n    label: intent\n" in text


def test_a_file_sorted_by_its_label_is_pointed_out():
    text = init(csv([{"text": f"some words {n}", "label": "good"} for n in range(40)])).text
    assert "only 'good' in the first 40 rows; is the file sorted by it?" in text


def test_a_recipe_that_is_there_is_never_overwritten():
    Path("recipe.yaml").write_text("mine")
    with pytest.raises(UserError, match=r"^recipe\.yaml: is there already; remove it, or choose another with --out\.$"):
        init(csv(INTENTS))
    assert Path("recipe.yaml").read_text() == "mine"


def test_rows_without_a_label_are_explained():
    rows = [{"id": f"{n}", "text": f"some words {n}"} for n in range(40)]
    with pytest.raises(UserError) as caught:
        init(csv(rows))
    assert str(caught.value) == (
        "data.csv: no column looks like a label (columns: id, text); a label is a value that comes again in many rows. "
        "Name a file with labelled rows, or call the column 'label'."
    )
    assert not Path("recipe.yaml").exists()


def test_scores_with_decimals_are_no_labels():
    with pytest.raises(ValueError, match="no column looks like a label"):
        guess([{"text": f"some words {n}", "score": f"{n % 13}.{n % 7}"} for n in range(600)])


def test_a_file_whose_rows_are_all_bad_says_why():
    Path("data.jsonl").write_text("[1]\n[2]\n")
    with pytest.raises(UserError, match=r"^data\.jsonl:1: .*\ndata\.jsonl:2: "):
        init("data.jsonl")


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r"data\.csv: there is no such file"):
        init("data.csv")


def test_a_folder_that_cannot_be_written_is_named(monkeypatch):
    def refuse(path, content):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("burnish.flows.init.write_bytes", refuse)
    with pytest.raises(
        UserError, match=r"^recipe\.yaml: cannot be written: permission denied; choose a folder that you"
    ):
        init(csv(INTENTS))
