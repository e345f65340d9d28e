import pytest

from burnish.evaluation import scores
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import SpanOutcome
from burnish.metrics.accuracy import Accuracy


@pytest.mark.parametrize("kind", [SingleOutcome, MultiOutcome, SpanOutcome])
def test_names_are_known_before_anything_is_judged(kind, make_outcome):
    assert scores.score_names(kind) == sorted(scores.score_all(make_outcome(kind)))


def test_two_metrics_with_one_score_name_are_refused(make_outcome):
    with pytest.raises(TypeError, match="metric 'accuracy' gives 'accuracy', which another metric gives already"):
        scores.score_all(make_outcome(SingleOutcome), [Accuracy(), Accuracy()])
