"""tsv: quotes are characters unless asked otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from burnish.core.errors import UserError
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.tsv import Tsv


def read(folder: Path, text: str, **fields: Any) -> list[Row | BadRow]:
    path = folder / "dev.tsv"
    path.write_bytes(text.encode())
    return list(Tsv(path=path, **fields).rows())


def test_stray_quotes_are_text(tmp_path: Path) -> None:
    assert read(tmp_path, 'text\tlabel\n"同步"A股\t2\n"开口\t3\n') == [
        Row(2, {"text": '"同步"A股', "label": "2"}),
        Row(3, {"text": '"开口', "label": "3"}),
    ]


def test_quoting_can_be_turned_on(tmp_path: Path) -> None:
    text = 'text\tlabel\n"a\tb\nc"\t2\n'
    assert read(tmp_path, text, is_quoted=True) == [Row(2, {"text": "a\tb\nc", "label": "2"})]
    assert read(tmp_path, text) == [Row(2, {"text": '"a', "label": "b"}), Row(3, {"text": 'c"', "label": "2"})]


def test_titles_without_a_header_take_their_names(tmp_path: Path) -> None:
    assert read(tmp_path, "锌价难续去年辉煌\t0\n", has_header=False, names=["text", "label"]) == [
        Row(1, {"text": "锌价难续去年辉煌", "label": "0"})
    ]


def test_a_surplus_tab_is_a_fault(tmp_path: Path) -> None:
    assert read(tmp_path, "text\tlabel\na\tb\t\n")[0] == BadRow(
        2, "the row has 3 cells where the file has 2 columns; remove the surplus delimiter (tab)."
    )


def test_a_long_cell_is_a_fault(tmp_path: Path) -> None:
    rows = read(tmp_path, "text\tlabel\n" + "x" * 1_000_001 + "\ta\nb\tc\n")
    assert rows[0] == BadRow(2, "a cell has over 1,000,000 characters; shorten it, or remove the row.")
    assert rows[1] == Row(3, {"text": "b", "label": "c"})


def test_only_a_header_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is only a header, no rows"):
        read(tmp_path, "text\tlabel\n")


def test_no_header_without_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="without a header, `names` must name the columns"):
        Tsv(path=tmp_path / "a.tsv", has_header=False)


def test_facts_and_place(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes("文本\t标签\n很好的酒店\t好\n".encode("gbk"))
    source = Tsv(path=path)
    assert source.facts() == {"encoding": "GB18030", "line ends": r"\n"}
    assert source.place() == str(path)
    assert Tsv(path=path, encoding="utf-8").encoding == "utf-8"
    with pytest.raises(UserError, match="is not UTF-8"):
        list(Tsv(path=path, encoding="utf-8").rows())
