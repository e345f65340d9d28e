"""Every method that makes a network: settings in, a smaller model out; what it was made of stays as it was."""

import copy
from typing import Annotated

import pytest
import torch
from pydantic import TypeAdapter
from tests.compression.methods.conftest import (
    LABELS,
    TEXTS,
    assert_same_weights,
    build_material,
    build_subject,
    logits_of,
    reloaded,
    weights_of,
)

from burnish.core.parts import Part
from burnish.core.shelves import Shelf

SHELF = Shelf("methods")
SETTINGS = {
    "distill": {"layers": 1, "epochs": 1, "hidden_weight": 1.0, "relation_weight": 1.0},
    "heads": {"keep": 0.5},
    "layers": {"keep": 1},
    "magnitude": {},
    "merge": {},
    "static": {"dimensions": 8, "epochs": 1},
    "vocabulary": {"common": 0},
    "width": {"multiple": 8},
}
"""Those with which each suits a BERT of 2 layers × 32."""

NETWORK_METHODS = [name for name in SHELF.names() if SHELF.get(name).makes == "network"]


@pytest.fixture(params=NETWORK_METHODS)
def method(request):
    return SHELF.build({"name": request.param, **SETTINGS[request.param]})


@pytest.fixture(params=["cls", "mean"])
def subject(request, method, tiny_base):
    subject = build_subject(tiny_base, request.param)
    if method.part_name == "merge":
        Shelf("peft").build("lora").put_on(subject.network)
    return subject


@pytest.fixture
def material(subject, tmp_path):
    return build_material(subject, tmp_path)


def test_it_suits_an_encoder_that_classifies(method, subject):
    assert method.refusal(subject) is None


def test_the_subject_is_left_bit_for_bit(method, subject, material):
    before, config = weights_of(subject.network), copy.deepcopy(subject.network.trunk.config)
    trained = [parameter.requires_grad for parameter in subject.network.parameters()]
    told, is_training = subject.reader.backend.to_str(), subject.network.training
    state = torch.random.get_rng_state()
    method.apply(subject, material)
    assert_same_weights(subject.network, before)
    assert subject.network.trunk.config.to_dict() == config.to_dict()
    assert [parameter.requires_grad for parameter in subject.network.parameters()] == trained
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in subject.network.modules())
    assert subject.network.training == is_training
    assert subject.reader.backend.to_str() == told
    assert torch.equal(torch.random.get_rng_state(), state), "global randomness was drawn from"


def test_the_result_answers_in_the_same_shape_and_says_how_it_was_made(method, subject, material):
    small = method.apply(subject, material)
    logits = logits_of(small)
    assert logits.shape == (len(TEXTS), len(LABELS))
    assert logits.isfinite().all()
    assert small.steps == (method.part_name,)
    assert not small.network.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in small.network.modules())


def test_it_is_smaller(method, subject, material):
    small = method.apply(subject, material)
    if method.part_name == "magnitude":  # the shapes stay
        counts = [sum(int((p != 0).sum()) for p in one.network.parameters()) for one in (small, subject)]
    else:
        counts = [sum(p.numel() for p in one.network.parameters()) for one in (small, subject)]
    assert counts[0] < counts[1]


def test_what_is_plain_comes_back_from_its_folder(method, subject, material, tmp_path):
    small = method.apply(subject, material)
    assert small.is_plain == (method.part_name not in ("heads", "static"))
    if small.is_plain:
        again = reloaded(small, tmp_path / "saved")
        torch.testing.assert_close(logits_of(again), logits_of(small), atol=1e-5, rtol=0)


def test_it_is_written_in_a_recipe_and_read_back(method):
    field = TypeAdapter(Annotated[Part, SHELF])
    assert field.validate_python(method.as_recipe()) == method


def test_what_does_not_suit_is_refused_in_a_sentence(method, tiny_causal_base):
    """A decoder that writes; what no method minds is a model whose parts it has never seen."""
    plain = build_subject(tiny_causal_base, "causal", "causal_lm", labels=())
    plain.network.trunk = torch.nn.Linear(2, 2)
    reason = method.refusal(plain)
    assert isinstance(reason, str)
    assert reason.endswith(".")
    assert reason[0].islower(), "it goes on after the method's name"


@pytest.mark.parametrize("name", ["heads", "magnitude", "static", "vocabulary", "width"])
def test_it_can_follow_a_layer_drop(name, tiny_base, tmp_path):
    subject = build_subject(tiny_base)
    material = build_material(subject, tmp_path)
    shallow = SHELF.build({"name": "layers", "keep": 1}).apply(subject, material)
    method = SHELF.build({"name": name, **SETTINGS[name]})
    assert method.refusal(shallow) is None
    small = method.apply(shallow, material)
    assert small.steps == ("layers", name)
    assert logits_of(small).shape == (len(TEXTS), len(LABELS))
