import json
import math

import numpy as np
import pytest

from burnish.monitoring.histogram import Histogram, edges_of

SCALES = ("probability", "share", "length", "duration")


@pytest.mark.parametrize("scale", SCALES)
def test_bins_rise_and_begin_at_zero(scale):
    edges = edges_of(scale)
    assert edges[0] == 0.0
    assert list(edges) == sorted(set(edges))


def test_the_mean_is_exact_and_quantiles_are_within_a_bin():
    values = np.random.default_rng(0).lognormal(3, 1, size=5000)
    found = Histogram.of("duration", values)
    assert len(found) == 5000
    assert found.mean == pytest.approx(values.mean())
    for share in (0.05, 0.5, 0.99):
        assert found.quantile(share) == pytest.approx(np.quantile(values, share), rel=0.05)


def test_nothing_has_neither_mean_nor_quantile():
    assert math.isnan(Histogram.of("length", []).mean)
    assert math.isnan(Histogram.of("length", []).quantile(0.5))


def test_values_that_are_no_numbers_are_left_out():
    assert len(Histogram.of("share", [0.1, math.nan, math.inf])) == 1


def test_confidences_near_one_are_told_apart():
    counts = Histogram.of("probability", [0.99, 0.999, 1.0]).counts
    assert (counts <= 1).all()


def test_a_share_of_zero_has_a_bin_of_its_own():
    found = Histogram.of("share", [0.0, 0.0, 0.001, 0.5, 1.0])
    assert found.counts[0] == 2
    assert found.above(0.5) == 2


def test_two_are_added_as_if_counted_together():
    both = Histogram.of("length", [1, 5]) + Histogram.of("length", [900])
    assert both.to_dict() == Histogram.of("length", [1, 5, 900]).to_dict()


@pytest.mark.parametrize("scale", SCALES)
def test_json_gives_it_back(scale):
    found = Histogram.of(scale, [0.0, 0.3, 1.0, 70.0])
    written = json.loads(json.dumps(found.to_dict()))
    assert Histogram.of_dict(written).to_dict() == found.to_dict()
