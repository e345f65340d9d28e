"""Weights in fewer bits for models that write: what is left of them, and for which models."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.compression.methods.conftest import assert_same_weights, build_subject, weights_of
from tests.compression.methods.test_int8 import material_of

from burnish.bundle.torch_core import TorchCore
from burnish.compression.methods._saturation import is_cut_off
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.tasks._writing import told

METHODS = ("int8_weights", "int4_weights")
ASKED = ("a", "good day, 北京 so bad", "a good day")


def subject_of(base, task="generation", **decoding):
    settings = {"decoding": {"max_new_tokens": 6, **decoding}} if task != "causal_lm" else {}
    return build_subject(base, "causal", task, labels=(), **settings)


@pytest.fixture
def subject(tiny_causal_base):
    return subject_of(tiny_causal_base)


def features_of(subject, texts=ASKED):
    examples = [subject.task.read({"prompt": text, "response": "so good"}, True) for text in texts]
    return [f for one in subject.task.encode(examples, subject.reader, ()) for f in one.features]


def shrunk(subject, work, name="int8_weights", **settings):
    return Shelf("methods").build({"name": name, **settings}).apply(subject, material_of([], work))


def core_of(small, **settings):
    return small.runtime.model_copy(update=settings).load(small.files, small.task, small.reader, ())


def plain_core(subject):
    return TorchCore(subject.network, subject.task, subject.reader.pad_id, 0)


@pytest.mark.parametrize("name", METHODS)
def test_weights_are_rounded_and_the_model_is_left_as_it_was(name, subject, tmp_path):
    before = weights_of(subject.network)
    state = torch.random.get_rng_state()
    assert Shelf("methods").build(name).refusal(subject) is None
    small = shrunk(subject, tmp_path, name)
    assert_same_weights(subject.network, before)
    assert torch.equal(torch.random.get_rng_state(), state), "global randomness was drawn from"
    assert (small.steps, small.runtime.part_name) == ((name,), "openvino_causal")
    assert {"model.xml", "model.bin", "config.json", "tokenizer.json"} <= {one.name for one in small.files.iterdir()}
    n_weights = sum(p.numel() for p in subject.network.parameters())
    assert (small.files / "model.bin").stat().st_size < 2 * n_weights
    found, wanted = (
        [told(one).nll for one in core.run(features_of(subject))] for core in (core_of(small), plain_core(subject))
    )
    np.testing.assert_allclose(found, wanted, rtol=0.2)
    assert not np.array_equal(found, wanted), "nothing was rounded"


def test_int4_is_smaller_than_int8(subject, tmp_path):
    sizes = [(shrunk(subject, tmp_path, name).files / "model.bin").stat().st_size for name in METHODS]
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize(("first", "second"), [({"group": 32}, {"group": 8}), ({"share": 1.0}, {"share": 0.3})])
def test_a_setting_of_int4_changes_what_is_likely(first, second, subject, tmp_path):
    small = [shrunk(subject, tmp_path, "int4_weights", **one) for one in (first, second)]
    a, b = (np.array([told(one).nll for one in core_of(one).run(features_of(subject))]) for one in small)
    assert not np.array_equal(a, b)


@pytest.mark.skipif(is_cut_off(), reason="without VNNI OpenVINO multiplies activations as they are")
def test_activations_are_rounded_unless_it_is_said(subject, tmp_path):
    small = shrunk(subject, tmp_path)
    a, b = ([told(one).nll for one in core_of(small, activation_group=n).run(features_of(subject))] for n in (0, 32))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("name", METHODS)
def test_what_does_not_write_is_refused_in_a_sentence(name, tiny_causal_base, tiny_base, subject, tmp_path):
    method = Shelf("methods").build(name)
    for other in (build_subject(tiny_base), subject_of(tiny_causal_base, "causal_lm")):
        assert method.refusal(other) == (
            f"it is for causal models that write; the task '{other.task.part_name}' has none."
        )
    said = "the model was already made into files for openvino_causal; weights change before that."
    assert method.refusal(shrunk(subject, tmp_path)) == said


def test_a_model_that_takes_no_positions_is_refused(subject, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bloom"}))
    said = "the model takes no positions, so its texts cannot be continued outside of it."
    assert Shelf("methods").build("int8_weights").refusal(replace(subject, folder=tmp_path)) == said


@pytest.mark.parametrize("settings", [{"group": 4}, {"share": 0}, {"share": 1.5}])
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        Shelf("methods").build({"name": "int4_weights", **settings})


@pytest.mark.parametrize("library", ["nncf", "openvino"])
def test_a_missing_library_is_told(library, subject, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UserError, match=rf"this needs the library '{library}': pip install 'burnish\[openvino\]'\."):
        shrunk(subject, tmp_path)
