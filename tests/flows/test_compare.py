import pytest
from tests.bundle.conftest import write_bundle
from tests.flows.conftest import sentiment_rows, write_csv

import burnish
from burnish.core.errors import UserError
from burnish.core.manifest import write_manifest


@pytest.fixture
def data(tmp_path):
    return write_csv(tmp_path / "rows.csv", sentiment_rows(30))


def refusal(first, second, data):
    with pytest.raises(UserError) as caught:
        burnish.compare(first, second, data)
    return str(caught.value)


def test_bundles_of_different_tasks_are_not_compared(tmp_path, tiny_base, data):
    one = write_bundle(tmp_path / "one", tiny_base)
    other = write_bundle(tmp_path / "other", tiny_base, "multilabel")
    assert refusal(one, other, data) == (
        f"{one} does classification and {other} does multilabel; compare bundles of one task."
    )


def test_bundles_that_know_different_labels_are_not_compared(tmp_path, tiny_base, data):
    one = write_bundle(tmp_path / "one", tiny_base)
    other = write_bundle(tmp_path / "other", tiny_base, labels=("bad", "fine", "good"))
    assert refusal(one, other, data) == (
        f"{one} and {other} know different labels (e.g. 'fine'); judge each on its own."
    )


def test_labels_may_stand_in_another_order(tmp_path, tiny_base, data):
    bundles = [
        with_recipe(write_bundle(tmp_path / name, tiny_base, labels=labels))
        for name, labels in (("one", ("bad", "good")), ("other", ("good", "bad")))
    ]
    comparison = burnish.compare(*bundles, data)
    assert comparison.n_rows == 30
    # Both have the same head, whose first output is `bad` in one and `good` in the other: what one gets right, the
    # other gets wrong.
    assert comparison.main.first == pytest.approx(1 - comparison.main.second)


def with_recipe(bundle):
    (bundle / "recipe.yaml").write_text("task: classification\ndata: {train: train.csv}\n")
    (bundle / "manifest.json").unlink()
    write_manifest(bundle)
    return bundle
