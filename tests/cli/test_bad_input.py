"""What may be wrong with what a user gives: one clear sentence with its place, exit code 2, nothing half-written.

Each case runs the real `burnish fit` from the command line. The rooms below test the finer points of each.
"""

from __future__ import annotations

import errno
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.flows.conftest import sentiment_rows

from burnish.flows.encode import StoredBatches

ROWS = "".join(f"{text},{label}\n" for text, label in sentiment_rows(60))
WHOLE = f"text,label\n{ROWS}"
RECIPE = "task: classification\nbase: {base}\ndata: {train: train.csv}\ntrain: {epochs: 1, precision: fp32}\n"

Refused = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a base, a recipe and good training data."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copytree(tiny_base, folder / "base")
    (folder / "recipe.yaml").write_text(RECIPE.replace("{base}", "base"))
    (folder / "train.csv").write_text(WHOLE)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def refused(project: Path, burnish: Callable[..., Any]) -> Refused:
    """What a fit that ends with 2 says. Whatever it says, nothing was written."""

    def run(*words: str) -> str:
        before = sorted(project.rglob("*"))
        ended = burnish("fit", "recipe.yaml", "--out", "bundle", *words)
        assert (ended.code, ended.out) == (2, "")
        assert "Traceback" not in ended.err
        assert sorted(project.rglob("*")) == before
        return str(ended.err)

    return run


BAD_DATA: dict[str, tuple[str | bytes, str]] = {
    "empty file": ("", "train.csv: the file is empty (0 bytes)."),
    "only a header": ("text,label\n", "train.csv: there is only a header, no rows."),
    "missing column": (
        f"text,lable\n{ROWS}",
        (
            "train.csv:2: there is no column 'label' (the label's name). Did you mean 'lable'? It has: text, lable. "
            "Set data.columns: {label: <one of them>}."
        ),
    ),
    "doubled column": (
        f"text,text\n{ROWS}",
        "train.csv:1: the header names the column 'text' twice; give each column a name of its own.",
    ),
    "empty text": (
        f"{WHOLE},good\n",
        "train.csv:62: 'text' is empty; give it a text or take the row out (data.bad_rows: drop skips such rows).",
    ),
    "empty label": (
        f"{WHOLE}so good,\n",
        "train.csv:62: 'label' is empty; give it a label or take the row out (data.bad_rows: drop skips such rows).",
    ),
    "a label in one row only": (
        f"{WHOLE}so good,odd\n",
        (
            "train.csv:62: the label 'odd' stands in one row only; give it at least 2, merge it with another, "
            "or take the row out."
        ),
    ),
    "one class": (
        "text,label\na,good\nb,good\n",
        "train.csv: every row has the label 'good'; the task needs at least 2 labels.",
    ),
    "ragged row": (
        f"{WHOLE}so good\n",
        "train.csv:62: the row has 1 cell where the file has 2 columns; add the missing cells (they may be empty).",
    ),
    "wrong quoting": (
        f'{WHOLE}"so "good",good\n',
        (
            "train.csv:62: a cell that a double quote opens here goes on after its closing quote; "
            'write a quote that belongs to the text twice ("").'
        ),
    ),
    "an open quote": (
        f'{WHOLE}"so good,good\nall bad,bad\n',
        (
            "train.csv:62: a double quote opens a cell here that is not closed before the file ends, "
            'so nothing after it was read; close the quote, or write a quote that belongs to the text twice ("").'
        ),
    ),
    "a cell of 10 MB": (
        f"{WHOLE}{'x' * 10_000_000},good\n",
        "train.csv:62: a cell has over 1,000,000 characters; shorten it, or remove the row.",
    ),
    "wrong encoding": (
        WHOLE.encode() + "na\u00efve \u00e9t\u00e9,good\n".encode("cp1252"),
        (
            "train.csv:62: the byte 0xEF at offset 1,358 fits neither UTF-8 nor GB18030 (Chinese); save the file as "
            "UTF-8, or name its encoding: data.encoding, e.g. 'cp1252' for western European text."
        ),
    ),
    "a zip file": (
        b"PK\x03\x04 and so on",
        "train.csv: this is a ZIP archive or an Excel workbook, not text; export or unpack it as a text file first.",
    ),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_is_told_with_file_and_line(project: Path, refused: Refused, name: str) -> None:
    content, sentence = BAD_DATA[name]
    (project / "train.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    assert refused() == f"{sentence}\n"


def test_not_a_number_is_an_empty_cell(project: Path, refused: Refused) -> None:
    import pyarrow.parquet

    table = pyarrow.table({"text": ["good", None, "so bad"], "label": [1.0, 2.0, float("nan")]})
    pyarrow.parquet.write_table(table, project / "train.parquet")
    assert refused("data.train=train.parquet").splitlines() == [
        "train.parquet:2: 'text' is empty; give it a text or take the row out (data.bad_rows: drop skips such rows).",
        "train.parquet:3: 'label' is empty; give it a label or take the row out (data.bad_rows: drop skips such rows).",
    ]


def test_a_missing_file_is_told_with_its_neighbour(refused: Refused, project: Path) -> None:
    assert refused("data.train=trian.csv") == (
        f"trian.csv: there is no such file in '{project}'. Did you mean 'train.csv'?\n"
    )


@pytest.mark.parametrize("side", ["dev", "test"])
def test_an_unknown_label_in_dev_or_test_is_told_with_its_line(project: Path, refused: Refused, side: str) -> None:
    (project / "other.csv").write_text("text,label\nx,good\ny,godo\n")
    assert refused(f"data.{side}=other.csv") == (
        "other.csv:3: the label 'godo' is not in the training data. Did you mean 'good'? "
        "Correct it, add training rows for it, or take the row out.\n"
    )


@pytest.mark.parametrize(
    "content", [WHOLE.encode("utf-8-sig"), WHOLE.replace("\n", "\r\n", 20).encode(), WHOLE.encode("utf-16")]
)
def test_a_mark_and_mixed_line_ends_and_utf_16_are_no_faults(
    project: Path, burnish: Callable[..., Any], content: bytes
) -> None:
    (project / "train.csv").write_bytes(content)
    assert burnish("check", "recipe.yaml").code == 0


BAD_RECIPES = {
    "wrong YAML": ("task: [classification\n", "recipe.yaml:1: is not valid YAML: "),
    "a doubled key": (
        f"task: tokens\n{RECIPE}",
        "recipe.yaml:2: task is given twice, first at recipe.yaml:1; keep one of them.\n",
    ),
    "a wrong type": (
        f"{RECIPE.replace('epochs: 1', 'epochs: many')}",
        "recipe.yaml:4: train.epochs must be a whole number; got 'many'.\n",
    ),
    "an unknown part": (
        f"{RECIPE.replace('epochs: 1', 'optimizer: adam')}",
        (
            "recipe.yaml:4: train.optimizer: there is no part 'adam' on the shelf 'optimizers'. Did you mean 'adamw'? "
            "It has: adafactor, adamw, sgd.\n"
        ),
    ),
    "a negative rate": (
        f"{RECIPE.replace('epochs: 1', 'learning_rate: -1')}",
        "recipe.yaml:4: train.learning_rate must be greater than 0; got -1.\n",
    ),
}


@pytest.mark.parametrize("name", BAD_RECIPES)
def test_a_bad_recipe_is_told_with_file_and_line(project: Path, refused: Refused, name: str) -> None:
    content, sentence = BAD_RECIPES[name]
    (project / "recipe.yaml").write_text(content.replace("{base}", "base"))
    assert refused().startswith(sentence)


def cut(base: Path) -> None:
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def corrupt(base: Path) -> None:
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:8] + b"\xff" + weights.read_bytes()[9:])


def pickle_inside(base: Path) -> None:
    (base / "model.safetensors").write_bytes(b"\x80\x04" + bytes(100))


def pickle_beside(base: Path) -> None:
    (base / "model.safetensors").rename(base / "pytorch_model.bin")


def other_folder(base: Path) -> None:
    (base / "config.json").unlink()


def other_json(base: Path) -> None:
    (base / "config.json").write_text(json.dumps({"name": "a web project"}))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (shutil.rmtree, "recipe.yaml:2: base: 'base' is neither a named base nor a folder."),
        (cut, "base/model.safetensors: should have "),
        (corrupt, "base/model.safetensors: its safetensors header is damaged; fetch it again.\n"),
        (
            pickle_inside,
            "base/model.safetensors: is a pickle or archive under the name of safetensors; it is refused.\n",
        ),
        (
            pickle_beside,
            (
                "recipe.yaml:2: base: base holds its weights as pytorch_model.bin, a format that can run code; Burnish "
                "reads safetensors only. Get a safetensors version of the model, or convert it with the model's "
                "own library.\n"
            ),
        ),
        (
            other_folder,
            "recipe.yaml:2: base: base is not a model: it has no config.json. Give a folder in Hugging Face layout.\n",
        ),
        (
            other_json,
            "recipe.yaml:2: base: base/config.json names no model_type, so it is not a transformers model.\n",
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_bad_base_is_told(project: Path, refused: Refused, damage: Callable[[Path], None], sentence: str) -> None:
    damage(project / "base")
    assert refused().startswith(sentence)


def test_a_folder_that_is_not_empty_is_left_alone(project: Path, refused: Refused) -> None:
    (project / "bundle").mkdir()
    (project / "bundle" / "mine.txt").write_text("keep")
    assert refused() == "bundle: the folder is not empty; choose another, or remove it first.\n"


def test_a_folder_that_may_not_be_written_is_told(
    project: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere, so the answer is made here
    assert refused() == f"bundle: the folder {project} cannot be written; choose another place.\n"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full; free some space and run the same command again"),
        (errno.EROFS, "the file system is read-only; choose another folder"),
    ],
)
def test_a_disk_that_refuses_at_the_very_first_write_is_told(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(number, "refused", str(path))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    told = refused()
    assert told.endswith(f": cannot be written: {reason}.\n")
    assert told.count("\n") == 1


def test_ctrl_c_saves_all_that_was_learnt_and_resuming_ends_in_a_bundle(
    project: Path, burnish: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Runs of several labels are not stopped when they have hardly learned.
    words = ["fit", "recipe.yaml", "task=multilabel", "data.columns.labels=label", "train.tokens_per_batch=64"]
    read, n_reads = StoredBatches.read, 0

    def read_and_interrupt(*arguments: Any) -> Any:
        nonlocal n_reads
        n_reads += 1
        if n_reads == 3:
            signal.raise_signal(signal.SIGINT)
        return read(*arguments)

    monkeypatch.setattr(StoredBatches, "read", read_and_interrupt)
    ended = burnish(*words, "--out", "bundle")
    assert ended.code == 130
    assert ended.err.splitlines()[-2:] == [
        (
            "warning: Training was interrupted after step 3; everything is saved in "
            f"{project}/.bundle.work/seed-7, and the same command with --resume goes on from there."
        ),
        f"warning: Stopped. Go on where it stopped with: burnish {' '.join(words)} --out bundle --resume",
    ]
    assert not (project / "bundle").exists()
    assert burnish(*words, "--out", "bundle", "--resume").code == 0
    assert {path.name for path in project.iterdir()} == {"base", "bundle", "recipe.yaml", "train.csv"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "corpus.txt: the file is empty (0 bytes)."),
        (b"\n \n", "corpus.txt: holds no text."),
        (b"\x89PNG\r\n\x1a\n\xff\xd8", "fits neither UTF-8 nor GB18030"),
        (b"one document only.", "the column 'document' has one value only"),
    ],
)
def test_text_to_learn_from_that_is_none_is_refused(project, burnish, content, sentence):
    (project / "corpus.txt").write_bytes(content)
    ended = burnish("pretrain", "--text", "corpus.txt", "--base", "base", "--out", "mine")
    assert ended.code == 2
    assert sentence in " ".join(ended.err.split())
    assert "Traceback" not in ended.err
    assert not (project / "mine").exists()
