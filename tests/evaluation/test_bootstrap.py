import numpy as np
import pytest

from burnish.evaluation import bootstrap
from burnish.evaluation.scores import metrics_for
from burnish.metrics._contract import Metric
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import SpanOutcome
from burnish.metrics.accuracy import Accuracy
from burnish.metrics.f1 import F1


class SlowAccuracy(Metric):
    """A metric that knows nothing of resamples, as a third party may write one."""

    def score(self, outcome):
        return {"slow": float((outcome.probabilities.argmax(axis=1) == outcome.gold).mean())}


def test_the_interval_of_accuracy_is_that_of_a_binomial_share(make_outcome):
    outcome = make_outcome(SingleOutcome, n_rows=2000, n_labels=2)
    low, high = bootstrap.intervals(outcome, [Accuracy()], 2000, seed=7)["accuracy"]
    share = Accuracy().score(outcome)["accuracy"]
    half_width = 1.96 * np.sqrt(share * (1 - share) / 2000)
    assert low == pytest.approx(share - half_width, abs=0.003)
    assert high == pytest.approx(share + half_width, abs=0.003)


@pytest.mark.parametrize("kind", [SingleOutcome, MultiOutcome, SpanOutcome])
def test_every_score_of_the_shelf_gets_an_interval_with_its_low_end_first(kind, make_outcome):
    found = bootstrap.intervals(make_outcome(kind), metrics_for(kind), 50, seed=7)
    assert set(found) == {name for metric in metrics_for(kind) for name in metric.score(make_outcome(kind))}
    assert all(interval.low <= interval.high for interval in found.values())


def test_a_metric_that_cannot_count_is_scored_on_copied_rows(make_outcome):
    found = bootstrap.resampled_scores(make_outcome(SingleOutcome), [SlowAccuracy(), Accuracy()], 20, seed=7)
    assert found["slow"] == pytest.approx(found["accuracy"])


def test_the_same_seed_takes_the_same_rows_and_another_takes_others(make_outcome):
    outcome = make_outcome(SingleOutcome)
    first, again, other = (bootstrap.resampled_scores(outcome, [F1()], 30, seed)["f1"] for seed in (7, 7, 8))
    assert first.tolist() == again.tolist() != other.tolist()


def test_memory_is_bounded_by_chunks_that_do_not_change_the_result(make_outcome, monkeypatch):
    outcome = make_outcome(SingleOutcome)
    whole = bootstrap.resampled_scores(outcome, [F1()], 30, seed=7)["f1"]
    monkeypatch.setattr(bootstrap, "CHUNK_CELLS", 7 * len(outcome))
    assert bootstrap.resampled_scores(outcome, [F1()], 30, seed=7)["f1"].tolist() == whole.tolist()


def test_no_resamples_or_no_rows_give_no_intervals(make_outcome):
    outcome = make_outcome(SingleOutcome)
    assert bootstrap.intervals(outcome, [F1()], 0, seed=7) == {}
    assert bootstrap.intervals(outcome.take(np.array([], dtype=int)), [F1()], 10, seed=7) == {}
