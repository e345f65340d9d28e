import numpy as np
import pytest
from tests.monitoring.made import HOUR, NOON, counted, past

from burnish.monitoring.rhythm import rhythm_of

DAY = [10 + 20 * (hour >= 12) for hour in range(24)]  # quiet before noon, busy after


def test_after_three_days_each_hour_has_its_own_exposure():
    found = rhythm_of(counted({}, n_rows=99), past(DAY * 3), 24.0)  # NOON - 72 h is noon too
    assert found.n_phases == 24
    assert found.now == pytest.approx(DAY[0])
    assert found.past.tolist() == pytest.approx(DAY * 3)
    assert np.flatnonzero(found.like_now).tolist() == [0, 24, 48]


@pytest.mark.parametrize(("n_days", "rhythm_hours"), [(2, 24.0), (3, 0.0)])
def test_without_three_days_or_without_the_wish_every_hour_is_alike(n_days, rhythm_hours):
    found = rhythm_of(counted({}, n_rows=99), past(DAY * n_days), rhythm_hours)
    assert (found.now, found.n_phases) == (1.0, 1)
    assert found.past.tolist() == [1.0] * 24 * n_days
    assert found.like_now.all()


def test_the_length_of_the_day_is_a_setting():
    assert rhythm_of(counted({}, n_rows=9), past([5, 50] * 6), 2.0).n_phases == 2


def test_an_hour_in_which_nothing_ever_came_is_not_taken_for_impossible():
    found = rhythm_of(counted({}, n_rows=0), past([0, *[24] * 23] * 3), 24.0)
    assert found.now == pytest.approx(0.01 * 23)


@pytest.mark.parametrize("history", [[], past([0] * 72)])
def test_a_past_without_inputs_has_no_rhythm(history):
    assert rhythm_of(counted({}), history, 24.0).n_phases == 1


def test_an_hour_never_seen_before_has_no_rhythm():
    late = counted({}, start=NOON + 1.5 * HOUR, hours=0.5)
    assert rhythm_of(late, past([5, 6] * 6), 3.0).n_phases == 1
