"""interactions: likes in the order of time, each with the past only; what cannot be read is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.data.opening import open_sources
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.interactions import Interactions

LOG = """user,item,time,stars
ann,c,30,5
ann,a,10,4
bob,a,10,5
ann,b,20,2
bob,b,25,4
ann,d,30,4
ann,e,40,5
"""


def read(folder: Path, text: str = LOG, **settings: object) -> list[Row | BadRow]:
    (folder / "log.csv").write_text(text, "utf-8")
    return list(Interactions(path=folder / "log.csv", **settings).rows())


def histories(rows: list[Row | BadRow]) -> list[tuple[int, str, str, list[str]]]:
    return [(row.line, row.values["user"], row.values["item"], row.values["history"]) for row in rows]


def test_rows_come_in_time_order_with_what_was_liked_before(tmp_path: Path) -> None:
    """Line 5 is no like; lines 2 and 7 have one time, so neither knows of the other."""
    rows = read(tmp_path, rating="stars", least_rating=4)
    assert histories(rows) == [
        (3, "ann", "a", []),
        (4, "bob", "a", []),
        (6, "bob", "b", ["a"]),
        (2, "ann", "c", ["a"]),
        (7, "ann", "d", ["a"]),
        (8, "ann", "e", ["a", "c", "d"]),
    ]
    assert [row.values["time"] for row in rows] == [10, 10, 25, 30, 30, 40]


def test_every_line_is_a_like_without_ratings(tmp_path: Path) -> None:
    assert histories(read(tmp_path))[-1] == (8, "ann", "e", ["a", "b", "c", "d"])


def test_a_history_keeps_the_newest(tmp_path: Path) -> None:
    assert histories(read(tmp_path, most_history=2))[-1] == (8, "ann", "e", ["c", "d"])


def test_an_item_is_liked_once(tmp_path: Path) -> None:
    source_text = "user,item,time\nann,a,1\nann,b,2\nann,a,3\nann,c,4\n"
    rows = read(tmp_path, source_text)
    assert [(item, past) for _, _, item, past in histories(rows)] == [("a", []), ("b", ["a"]), ("c", ["a", "b"])]
    facts = Interactions(path=tmp_path / "log.csv").facts()
    assert facts["likes"] == "4, 1 of them of an item liked before, left out"
    assert (facts["users"], facts["items"], facts["lines"]) == ("1", "3", "4")


def test_columns_dates_and_the_form_of_the_file_are_settings(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("7\t12\t31.01.2024\n7\t13\t01.02.2024\n", "utf-8")
    (source,) = open_sources(
        {
            "name": "interactions",
            "path": tmp_path / "u.data",
            "user": "who",
            "item": "what",
            "time": "when",
            "format": "%d.%m.%Y",
            "reader": {"name": "tsv", "has_header": False, "names": ["who", "what", "when"]},
        }
    )
    assert histories(list(source.rows())) == [(1, "7", "12", []), (2, "7", "13", ["12"])]  # type: ignore[arg-type]


def test_numbers_are_ids_too(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"user": 1.0, "item": 5, "time": "2024-01-31"}\n', "utf-8")
    (row,) = Interactions(path=tmp_path / "log.jsonl").rows()
    assert isinstance(row, Row)
    assert (row.values["user"], row.values["item"], row.values["time"]) == ("1", "5", 1706659200.0)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "ann,a,soon,4",
            "'soon' in the column 'time' is not a time; write ISO dates such as 2024-01-31 or 2024-01-31T12:00:00",
        ),
        ("ann,a,2024-01-31,4", "'2024-01-31' in the column 'time' is a date where rows above have numbers."),
        ("ann,a,nan,4", "'nan' in the column 'time' is not a time; write ISO dates"),
        ("ann, ,5,4", "' ' in the column 'item' is no id; write text or a whole number."),
        (",a,5,4", "'' in the column 'user' is no id; write text or a whole number."),
        ("ann,a,5,good", "'good' in the column 'stars' is no number; a rating must be one."),
    ],
)
def test_a_line_that_cannot_be_used_is_told(tmp_path: Path, line: str, problem: str) -> None:
    found = read(tmp_path, f"user,item,time,stars\nbob,b,1,5\n{line}\n", rating="stars", least_rating=4)
    (bad,) = [row for row in found if isinstance(row, BadRow)]
    assert bad.line == 3
    assert bad.problem.startswith(problem)
    assert len(found) == 2


def test_a_number_among_dates_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, "user,item,time\nbob,b,2024-01-31\nann,a,5\n")
    assert found[0] == BadRow(3, "'5' in the column 'time' is a number where rows above have dates.")


def test_a_form_of_times_that_does_not_fit_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, "user,item,time\nbob,b,5\n", format="%Y")
    assert found == [BadRow(2, "'5' in the column 'time' is not a time written as %Y.")]


def test_a_log_in_which_nobody_liked_anything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, rating="stars", least_rating=5.5)
    assert str(caught.value) == (
        f"{tmp_path / 'log.csv'}: nobody liked anything: there is no row with 'stars' of 5.5 or more."
    )
    with pytest.raises(UserError) as caught:
        read(tmp_path, since=50, until="60")
    assert str(caught.value).endswith("log.csv: nobody liked anything: there is no row since 50.0, before 60.")


def test_rows_of_a_span_know_what_came_before_it(tmp_path: Path) -> None:
    assert histories(read(tmp_path, since=30, until="40")) == [
        (2, "ann", "c", ["a", "b"]),
        (7, "ann", "d", ["a", "b"]),
    ]


def test_a_bound_that_is_no_time_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG, "utf-8")
    with pytest.raises(UserError, match=r"since: must be a time; write ISO dates such as .*; got 'soon'"):
        open_sources({"name": "interactions", "path": tmp_path / "log.csv", "since": "soon"})


def test_a_missing_column_is_refused_with_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, user="users")
    assert str(caught.value) == (
        f"{tmp_path / 'log.csv'}:2: there is no column 'users'. Did you mean 'user'? It has: user, item, time, stars. "
        "The settings user, item, time and rating of the source say which to read."
    )


def test_a_rating_without_its_least_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG, "utf-8")
    with pytest.raises(UserError, match="rating and least_rating go together: the column, and from which number on"):
        open_sources({"name": "interactions", "path": tmp_path / "log.csv", "rating": "stars"})


def test_it_is_on_the_shelf_and_claims_no_suffix() -> None:
    assert "interactions" in Shelf("sources").names()
    assert Interactions.suffixes == ()
