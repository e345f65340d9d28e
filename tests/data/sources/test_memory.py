"""memory: each form that Python programs hold gives the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from burnish.core.errors import UserError
from burnish.data.sources import memory
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.memory import Memory

ROWS = [{"text": f"t{i}", "label": i % 3} for i in range(memory.ROWS_AT_ONCE + 3)]
COLUMNS = {name: [row[name] for row in ROWS] for name in ("text", "label")}


def problem_of(data: Any) -> str:
    with pytest.raises(UserError) as caught:
        list(Memory(data=data).rows())
    return str(caught.value).removeprefix("rows given from Python: ")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (ROWS, "list of dicts"),
        (tuple(ROWS), "list of dicts"),
        (COLUMNS, "dict of lists"),
        ({"text": pd.Series(COLUMNS["text"]), "label": np.array(COLUMNS["label"])}, "dict of lists"),
        ({"text": pa.chunked_array([COLUMNS["text"]]), "label": tuple(COLUMNS["label"])}, "dict of lists"),
        (pd.DataFrame(COLUMNS, index=range(7, 7 + len(ROWS))), "pandas DataFrame"),
        (pa.table(COLUMNS), "pyarrow Table"),
    ],
)
def test_every_form_gives_the_same_rows_twice(data: Any, kind: str) -> None:
    source = Memory(data=data)
    expected = [Row(number, row) for number, row in enumerate(ROWS, 1)]
    assert list(source.rows()) == expected
    assert list(source.rows()) == expected
    assert source.facts() == {"given as": kind, "rows": f"{len(ROWS):,}"}
    assert all(type(row.values["label"]) is int for row in source.rows() if isinstance(row, Row))


def test_a_datasets_dataset_gives_names_for_class_numbers() -> None:
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["bad", "good"])
    tags = datasets.ClassLabel(names=["O", "B-PER"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names, "tags": datasets.Sequence(tags)})
    data = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, -1], "tags": [[0, 1], []]}, features=features)
    source = Memory(data=data.with_format("numpy"))
    assert list(source.rows()) == [
        Row(1, {"text": "a", "label": "good", "tags": ["O", "B-PER"]}),
        Row(2, {"text": "b", "label": None, "tags": []}),
    ]
    assert source.facts() == {"given as": "datasets.Dataset", "rows": "2"}
    assert (
        problem_of(datasets.DatasetDict(train=data, test=data))
        == "this holds the splits train, test; give one of them."
    )


def test_every_kind_of_missing_value_of_pandas_is_none() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", None, float("nan")],
            "n": pd.array([1, pd.NA, 3], dtype="Int64"),
            "day": pd.to_datetime(["2024-05-01", None, None]),
        }
    )
    assert [row.values for row in Memory(data=frame).rows() if isinstance(row, Row)] == [
        {"text": "a", "n": 1, "day": pd.Timestamp("2024-05-01")},
        {"text": None, "n": None, "day": None},
        {"text": None, "n": 3, "day": None},
    ]


def test_column_names_become_text() -> None:
    assert list(Memory(data=pd.DataFrame([["a", "b"]])).rows()) == [Row(1, {"0": "a", "1": "b"})]


def test_an_item_that_is_no_dict_is_a_fault() -> None:
    assert list(Memory(data=[{"text": "a"}, ("b", 1)]).rows()) == [
        Row(1, {"text": "a"}),
        BadRow(2, "the row is a tuple, not a dict of column and value."),
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ([], "there are none."),
        ({}, "there are none."),
        (pd.DataFrame({"text": []}), "there are none."),
        ({"text": ["a", "b"], "label": [1]}, "the columns differ in length (text 2, label 1)."),
        ({"text": "abc"}, "'text' holds a str, not a list of values."),
        ({"text": {"a": 1}}, "'text' holds a dict, not a list of values."),
        (pd.DataFrame([["a", "b"]], columns=["x", "x"]), "two columns are named 'x'; give each a name of its own."),
        (
            pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]),
            ("two columns are named 'x'; give each a name of its own."),
        ),
        ((row for row in ROWS), "a generator can be read only once; give a list."),
        (
            7,
            (
                "a int cannot be read; give a list of dicts, a dict of lists, a pandas DataFrame, a pyarrow Table or a "
                "datasets.Dataset."
            ),
        ),
    ],
)
def test_what_cannot_be_read_is_a_sentence(data: Any, problem: str) -> None:
    assert problem_of(data) == problem


def test_the_recipe_holds_the_number_of_rows_and_never_the_rows() -> None:
    source = Memory(data=[{"text": "secret"}])
    assert source.as_recipe() == {"name": "memory", "n_rows": 1}
    assert source.model_dump() == {}
    assert "secret" not in repr(source)
    assert Memory(data=COLUMNS).n_rows == len(ROWS)
    assert source.place() == "rows given from Python"
