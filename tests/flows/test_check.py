"""`check` refuses what `fit` would refuse, and leaves nothing behind."""

import pytest

import burnish
from burnish.core.errors import UserError


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("judge.gates.acuracy=>= 0.9", "judge.gates.acuracy: there is no score of that name. Did you mean 'accuracy'?"),
        ("judge.metric=entity_f1", "judge.metric: 'entity_f1' does not judge classification. It is judged by: "),
        ("train.class_weights={godo: 2}", "train.class_weights: there is no label 'godo'. Did you mean 'good'?"),
        ("data.max_length=65", "data.max_length: this base takes at most 64 tokens; got 65."),
        ("judge.slices=[channel]", "{data}/train.csv:2: there is no column 'channel'. It has: text, label."),
    ],
)
@pytest.mark.parametrize("verb", [burnish.check, burnish.fit])
def test_a_setting_that_cannot_hold_is_refused_before_anything_is_trained(
    recipe, tmp_path, monkeypatch, verb, override, sentence
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError) as caught:
        verb(recipe, [override])
    assert str(caught.value).startswith(sentence.replace("{data}", str(tmp_path)))
    assert sorted(path for path in tmp_path.iterdir() if path.name != "runs") == before
    assert not any((tmp_path / "runs").glob("*"))


def test_what_is_likely_to_hurt_is_warned_of(recipe):
    result = burnish.check(recipe, ["data.max_length=8"])
    assert any("are longer than the model reads" in warning for warning in result.warnings)
    assert result.recipe.data.max_length == 8
