"""parquet: rows by number, in constant memory; damage is a sentence."""

from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from burnish.core.errors import UserError
from burnish.data.sources import parquet
from burnish.data.sources._contract import Row
from burnish.data.sources.parquet import Parquet


def saved(folder: Path, table: pa.Table, **options: int) -> Path:
    path = folder / "train.parquet"
    pq.write_table(table, path, **options)
    return path


def test_rows_are_numbered_over_row_groups_and_batches(tmp_path: Path) -> None:
    n = 2 * parquet.ROWS_AT_ONCE + 5
    path = saved(tmp_path, pa.table({"text": [f"t{i}" for i in range(n)]}), row_group_size=700)
    rows = list(Parquet(path=path).rows())
    assert [row.line for row in rows] == list(range(1, n + 1))
    assert rows[1500] == Row(1501, {"text": "t1500"})


def test_types_arrive_as_python_values(tmp_path: Path) -> None:
    day = datetime.date(2024, 5, 1)
    table = pa.table({"text": ["很好", None], "tokens": [["a"], []], "day": [day, day]})
    assert [row.values for row in Parquet(path=saved(tmp_path, table)).rows() if isinstance(row, Row)] == [
        {"text": "很好", "tokens": ["a"], "day": day},
        {"text": None, "tokens": [], "day": day},
    ]


def test_facts_tell_version_and_rows(tmp_path: Path) -> None:
    source = Parquet(path=saved(tmp_path, pa.table({"text": ["a"]})))
    assert source.facts() == {"format": "parquet 2.6", "rows": "1"}
    assert source.place() == str(tmp_path / "train.parquet")


def test_another_format_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    path.write_text("text,label\na,b\n")
    with pytest.raises(
        UserError, match="cannot be read as parquet; the file is damaged, cut off, or of another format"
    ):
        list(Parquet(path=path).rows())


def test_a_cut_file_is_a_sentence(tmp_path: Path) -> None:
    path = saved(tmp_path, pa.table({"text": ["a" * 100] * 1000}))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="cannot be read as parquet"):
        Parquet(path=path).facts()


def test_damage_in_the_middle_is_a_sentence(tmp_path: Path) -> None:
    path = saved(tmp_path, pa.table({"text": [f"some text {i * 7919}" for i in range(50_000)]}))
    content = bytearray(path.read_bytes())
    content[50_000:150_000] = b"\xff" * 100_000
    path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as parquet"):
        list(Parquet(path=path).rows())


def test_no_rows_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r": has columns, but no rows\.$"):
        list(Parquet(path=saved(tmp_path, pa.table({"text": pa.array([], pa.string())}))).rows())


def test_a_doubled_column_is_a_sentence(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    with pytest.raises(UserError, match=r": two columns are named 'text'; give each column a name of its own\.$"):
        list(Parquet(path=saved(tmp_path, table)).rows())


def test_a_missing_file_is_hinted(tmp_path: Path) -> None:
    saved(tmp_path, pa.table({"text": ["a"]}))
    with pytest.raises(UserError, match=r"Did you mean 'train.parquet'\?"):
        list(Parquet(path=tmp_path / "trian.parquet").rows())
