"""Time: the newest texts are judged on, and nothing that is not a time passes for one."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.core.errors import UserError
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible
from burnish.data.splits.time import Time


def assigned(values, dev=0.25, test=0.25, clusters=None, **settings):
    column = np.array(values, dtype=object)
    ids = np.arange(len(column)) if clusters is None else np.array(clusters)
    rows = Divisible(ids, np.zeros(len(column), np.int32), column)
    return Time(column="when", **settings).assign(rows, dev, test, seed=7).tolist()


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-02", "2024-01-04", "2024-01-01", "2024-01-03"],
        ["2024-01-01T10:00:00Z", "2024-01-01T13:00:00+01:00", "2024-01-01 09:00", "2024-01-01T11:00:00"],
        [2, 4, 1, 3.5],
        ["20", "40", "-1e1", "30.5"],
        [date(2024, 1, 2), date(2024, 1, 4), date(2024, 1, 1), date(2024, 1, 3)],
        [datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3), datetime(2024, 1, 1), datetime(2024, 1, 2, 5)],
    ],
)
def test_the_newest_rows_are_test_then_dev(values):
    assert assigned(values) == [TRAIN, TEST, TRAIN, DEV]


def test_numpy_dates_are_dates():
    column = np.array(["2024-01-02", "2024-01-04", "2024-01-01", "2024-01-03"], dtype="M8[D]")
    rows = Divisible(np.arange(4), np.zeros(4, np.int32), column)
    assert Time(column="when").assign(rows, 0.25, 0.25, 7).tolist() == [TRAIN, TEST, TRAIN, DEV]


def test_zones_are_heard():
    east = timezone(timedelta(hours=8))
    values = [datetime(2024, 1, 1, 12, tzinfo=east), datetime(2024, 1, 1, 5, tzinfo=UTC)]
    assert assigned(values, dev=0.5, test=0) == [TRAIN, DEV]


def test_the_format_setting_reads_other_dates():
    values = ["02.01.2024", "04.01.2023", "01.01.2025", "03.01.2024"]
    assert assigned(values, format="%d.%m.%Y") == [TRAIN, TRAIN, TEST, DEV]


def test_a_repeated_text_counts_from_when_it_was_first_seen():
    assert assigned([1, 2, 3, 9], clusters=[0, 1, 2, 0], dev=0, test=0.25) == [TRAIN, TRAIN, TEST, TRAIN]


def test_of_equal_times_the_later_row_is_newer():
    assert assigned([5, 5, 5, 5]) == [TRAIN, TRAIN, DEV, TEST]


@given(st.lists(st.integers(0, 50), min_size=4, max_size=60), st.integers(0, 9))
def test_texts_are_first_seen_in_the_order_train_dev_test(times, n_clusters):
    clusters = [at if at % (n_clusters + 1) else 0 for at in range(len(times))]
    sides = np.array(assigned(times, clusters=clusters, dev=0.2, test=0.2)) if len(set(clusters)) > 2 else None
    if sides is None:
        return
    seen = {}
    for cluster, time in zip(clusters, times, strict=True):
        seen[cluster] = min(seen.get(cluster, time), time)
    first_seen = np.array([seen[cluster] for cluster in clusters])
    assert first_seen[sides == TRAIN].max() <= first_seen[sides == DEV].min()
    assert first_seen[sides == DEV].max() <= first_seen[sides == TEST].min()


@pytest.mark.parametrize("value", ["28-01-2016", "soon", "", None, True, float("nan"), "inf", "2024-13-01", [1]])
def test_what_is_no_time_is_named_with_its_row(value):
    column = np.empty(3, dtype=object)
    column[:] = ["2024-01-01", value, "2024-01-02"]
    rows = Divisible(np.arange(3), np.zeros(3, np.int32), column)
    with pytest.raises(UserError) as caught:
        Time(column="when").assign(rows, 0.3, 0, 7)
    assert str(caught.value) == (
        f"data.split: row 2: {value!r} in the column 'when' is not a time; write ISO dates such as 2024-01-31 or "
        "2024-01-31T12:00:00, or numbers, or set the split's format."
    )


def test_a_missing_numpy_date_is_named():
    rows = Divisible(np.arange(2), np.zeros(2, np.int32), np.array(["2024-01-01", "NaT"], dtype="M8[D]"))
    with pytest.raises(UserError, match="row 2: None in the column 'when' is not a time"):
        Time(column="when").assign(rows, 0.5, 0, 7)


def test_pandas_timestamps_are_dates_and_its_missing_one_is_named():
    pandas = pytest.importorskip("pandas")
    days = [pandas.Timestamp("2024-01-02"), pandas.Timestamp("2024-01-03", tz="UTC"), pandas.Timestamp("2024-01-01")]
    assert assigned(days, dev=0, test=0.3) == [TRAIN, TEST, TRAIN]
    with pytest.raises(UserError, match="row 2: NaT in the column 'when' is not a time"):
        assigned([days[0], pandas.NaT])


def test_a_value_unlike_the_format_is_named():
    with pytest.raises(
        UserError, match=r"row 1: '2024-01-01' in the column 'when' is not a time written as %d\.%m\.%Y\."
    ):
        assigned(["2024-01-01", "02.01.2024"], format="%d.%m.%Y")


def test_all_bad_times_are_reported_at_once():
    with pytest.raises(UserError, match="… and 5 more like these") as caught:
        assigned(["x"] * 25)
    assert len(caught.value.faults) == 20


def test_numbers_and_dates_do_not_mix():
    with pytest.raises(UserError) as caught:
        assigned(["2024-01-01", "2024-01-02", "17"])
    assert str(caught.value) == (
        "data.split: the column 'when' mixes numbers and dates: row 1 has '2024-01-01', row 3 has '17'; "
        "write all of them in one way."
    )


def test_a_missing_column_is_named():
    with pytest.raises(UserError, match=r"^data\.split: time needs the column 'when', which the data does not have\.$"):
        Time(column="when").assign(Divisible(np.arange(2), np.zeros(2, np.int32), None), 0.5, 0, 7)
