import numpy as np
import pytest

from burnish.evaluation.report import Evidence, build_report
from burnish.recipe.schema import JudgeSection


@pytest.fixture
def make_evidence(make_outcome):
    """Evidence about a random outcome of a type; fields can be replaced: `make_evidence(SingleOutcome, dev=None)`."""

    def make(kind, n_rows=60, **fields):
        outcome = make_outcome(kind, n_rows=n_rows)
        defaults = {
            "outcome": outcome,
            "raw": outcome,
            "dev": make_outcome(kind, seed=1, n_rows=n_rows),
            "texts": lambda rows: [f"text of row {row}" for row in rows],
            "n_tokens": np.arange(len(outcome)) + 3,
            "split": "test",
            "slices": {"channel": ["app", "web", "app"] * (len(outcome) // 3)},
            "parameters": {"temperature": 1.5},
            "about": {"task": "classification", "base": "minilm", "data": {"train": "train.csv"}, "seconds": 61.5},
        }
        return Evidence(**defaults | fields)

    return make


@pytest.fixture
def make_report(make_evidence):
    """Report of a random outcome of a type; `gates` and `n_errors` go into the settings, the rest into the evidence."""

    def make(kind, gates=None, n_errors=10, **fields):
        settings = JudgeSection(gates=gates or {}, n_errors=n_errors, n_bootstrap=20)
        return build_report(make_evidence(kind, **fields), settings, seed=7)

    return make
