"""Every schedule: a pure function of progress from 0 to 1, which rises during the warm-up."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from burnish.core.shelves import Shelf

SHELF = Shelf("schedules")
PROGRESS = np.linspace(0, 1, 201)


@pytest.fixture(params=SHELF.names())
def part(request):
    return SHELF.get(request.param)


def test_the_shelf_has_the_schedules_that_the_recipe_promises():
    assert SHELF.names() == ["constant", "cosine", "linear"]


def test_a_schedule_starts_at_nothing_peaks_after_the_warm_up_and_stays_between_0_and_1(part):
    factor = part(warmup=0.2).factor
    values = [factor(progress) for progress in PROGRESS]
    assert factor(0.0) == 0.0
    assert factor(0.1) == pytest.approx(0.5)
    assert factor(0.2) == pytest.approx(1.0)
    assert max(values) <= 1
    assert min(values) >= 0


def test_after_the_peak_a_schedule_never_rises(part):
    values = [part(warmup=0.2).factor(progress) for progress in PROGRESS if progress >= 0.2]
    assert values == sorted(values, reverse=True)


def test_without_warm_up_a_schedule_starts_at_its_peak(part):
    assert part(warmup=0.0).factor(0.0) == 1.0


@pytest.mark.parametrize("warmup", [-0.1, 1.0])
def test_a_warm_up_that_is_no_share_is_refused(part, warmup):
    with pytest.raises(ValidationError, match="warmup"):
        part(warmup=warmup)


def test_a_schedule_is_written_in_the_recipe_and_read_back(part):
    written = part(warmup=0.25).as_recipe()
    assert written == {"name": part.__module__.rsplit(".", 1)[-1], "warmup": 0.25}
    assert SHELF.build(written) == part(warmup=0.25)


# Derived by hand with a warm-up of 0.2: progress 0.4, 0.6 and 1 are 1/4, 1/2 and all of the way down.
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("constant", [1, 1, 1]),
        ("linear", [3 / 4, 1 / 2, 0]),
        ("cosine", [(1 + math.sqrt(1 / 2)) / 2, 1 / 2, 0]),
    ],
)
def test_the_way_down_has_the_shape_that_its_name_says(name, expected):
    schedule = SHELF.build({"name": name, "warmup": 0.2})
    np.testing.assert_allclose([schedule.factor(progress) for progress in (0.4, 0.6, 1.0)], expected, atol=1e-12)
