import pytest
import torch
from pydantic import ValidationError
from tests.compression.methods.conftest import batch_of, build_material, build_subject, encoded, logits_of, reloaded

from burnish.compression.methods._layers import spread
from burnish.core.files import read_json, write_json
from burnish.core.shelves import Shelf
from burnish.models.network import load_pretrained


def method(**settings):
    return Shelf("methods").build({"name": "layers", "keep": 1, "recovery_epochs": 0, **settings})


@pytest.mark.parametrize(
    ("n_layers", "n_kept", "expected"),
    [(12, 6, [0, 2, 4, 7, 9, 11]), (6, 3, [0, 2, 5]), (6, 2, [0, 5]), (6, 1, [0]), (2, 2, [0, 1])],
)
def test_layers_that_stay_are_spread_from_the_first_to_the_last(n_layers, n_kept, expected):
    assert spread(n_layers, n_kept) == expected


@pytest.mark.parametrize("base", ["tiny_base", "tiny_xlmr", "tiny_roberta", "tiny_distilbert"])
def test_the_first_layer_alone_is_what_a_config_with_one_layer_loads(base, request, tmp_path):
    subject = build_subject(request.getfixturevalue(base))
    subject.network.save(tmp_path / "whole")
    file = tmp_path / "whole" / "config.json"
    told = read_json(file)
    write_json(file, {**told, ("n_layers" if "n_layers" in told else "num_hidden_layers"): 1})
    shallow = load_pretrained("AutoModelForSequenceClassification", tmp_path / "whole", {}).eval()
    small = method().apply(subject, build_material(subject, tmp_path))
    batch = batch_of(subject, encoded(subject))
    accepted = {name: value for name, value in batch.inputs.items() if small.network._accepts(name)}
    with torch.no_grad():
        expected = shallow(**accepted).logits
        torch.testing.assert_close(small.network(**batch.inputs), expected, atol=1e-6, rtol=0)


def test_given_indices_stay(subject, material):
    first, last = (method(indices=[index]).apply(subject, material) for index in (0, 1))
    assert not torch.allclose(logits_of(first), logits_of(last))
    kept = last.network.trunk.bert.encoder.layer[0].output.dense.weight
    assert torch.equal(kept, subject.network.trunk.bert.encoder.layer[1].output.dense.weight)


def test_what_is_left_comes_back_from_the_plain_layout(subject, material, tmp_path):
    small = method().apply(subject, material)
    assert small.is_plain
    torch.testing.assert_close(logits_of(reloaded(small, tmp_path / "saved")), logits_of(small), atol=1e-6, rtol=0)


def test_recovery_trains_as_asked(subject, material):
    still = logits_of(method().apply(subject, material))
    assert not material.learn.calls
    trained = method(recovery_epochs=3, learning_rate=0.01).apply(subject, material)
    assert material.learn.calls == [(3, 0.01)]
    assert not torch.allclose(logits_of(trained), still)


def test_the_share_of_the_teacher_changes_what_is_recovered(subject, material):
    def recovered(share):
        return logits_of(method(recovery_epochs=2, learning_rate=0.01, teacher_share=share).apply(subject, material))

    assert torch.equal(recovered(0.5), recovered(0.5))
    assert not torch.allclose(recovered(0.0), recovered(0.5))
    assert not torch.allclose(recovered(1.0), recovered(0.5))


def test_heads_whose_answers_cannot_be_compared_recover_by_labels_alone(tiny_base, tmp_path):
    task = Shelf("tasks").build("masked_lm")
    network = task.head_part.attach(tiny_base, task.head_plan(()))
    plain = build_subject(tiny_base)
    subject = type(plain)(task, (), network, plain.reader, tiny_base)
    material = build_material(plain, tmp_path)
    asked = []
    material = type(material)(**{**vars(material), "learn": lambda network, loss, **_: asked.append(loss)})
    method(recovery_epochs=1).apply(subject, material)
    assert asked == [material.loss]


def test_layers_that_are_not_there_or_would_all_stay_are_refused(subject):
    assert method().refusal(subject) is None
    assert method(keep=2).refusal(subject) == "the model has 2 layers, so none would go."
    assert method(indices=[0, 1]).refusal(subject) == "the model has 2 layers, so none would go."
    assert method(indices=[0, 7]).refusal(subject) == "the model has 2 layers, so there is none with the index 7."


@pytest.mark.parametrize("indices", [[2, 1], [1, 1], [-1, 2]])
def test_indices_are_named_from_the_bottom_up(indices):
    with pytest.raises(ValidationError, match="must name layers from the bottom up, each once, the lowest 0"):
        method(indices=indices)
