import numpy as np
import pytest

from burnish.core.shelves import Shelf
from burnish.evaluation.formats._contract import Format
from burnish.evaluation.report import Evidence, build_report
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import SpanOutcome
from burnish.recipe.schema import JudgeSection


@pytest.fixture(params=Shelf("formats").names())
def form(request):
    return Shelf("formats").get(request.param)()


@pytest.mark.parametrize("kind", [SingleOutcome, MultiOutcome, SpanOutcome])
@pytest.mark.parametrize("n_rows", [0, 60])
def test_it_writes_one_file_for_every_kind_of_report(form, kind, n_rows, make_outcome, tmp_path):
    outcome = make_outcome(kind).take(np.arange(n_rows))
    evidence = Evidence(
        outcome=outcome,
        raw=outcome,
        dev=None,
        texts=lambda rows: ["查询 余额" for _ in rows],
        n_tokens=np.full(n_rows, 7),
        split="test",
    )
    path = form.write(build_report(evidence, JudgeSection(n_bootstrap=5), seed=7), tmp_path / "reports")
    assert isinstance(form, Format)
    assert list((tmp_path / "reports").iterdir()) == [path]
    assert path.read_text("utf-8")
