"""Static and dynamic int8: an artefact for a runtime without torch, for every encoder task."""

import sys

import numpy as np
import onnx
import openvino
import pytest
import torch
from tests.compression.exports.conftest import case_of, thin_base
from tests.compression.methods.conftest import assert_same_weights, build_subject, weights_of

from burnish.bundle.torch_core import TorchCore
from burnish.compression.methods import int8_static
from burnish.compression.methods._saturation import is_cut_off
from burnish.compression.subject import Material
from burnish.core.errors import UserError
from burnish.core.events import ignore
from burnish.core.shelves import Shelf

__all__ = ["case_of", "thin_base"]

METHODS = {"int8_static": ("openvino", ["model.bin", "model.xml"]), "int8_dynamic": ("onnxruntime", ["model.onnx"])}
"""Method → the runtime that computes what it makes, and its files."""
CASES = (
    *("classification-cls", "classification-cosine", "multilabel-max", "tokens", "relations", "matching-cross"),
    *("matching-bi", "answers", "retrieval", "contrastive"),
)
QUICK = "classification-mean"


def unused(*_, **__):
    raise AssertionError("quantising learns nothing")


def material_of(features, work):
    return Material(
        examples=features, batches=unused, loss=unused, learn=unused, features=unused, work=work, seed=5, listen=ignore
    )


def shrunk(one, name, work, features=None, **settings):
    method = Shelf("methods").build({"name": name, **settings})
    return method.apply(one.subject, material_of(one.features if features is None else features, work))


def outputs_of(small, features):
    core = small.runtime.load(small.files, small.task, small.reader, small.labels)
    return np.concatenate([one.ravel() for one in core.run(features)])


def torch_outputs(subject, features):
    core = TorchCore(subject.network, subject.task, subject.reader.pad_id, len(subject.labels))
    return np.concatenate([one.ravel() for one in core.run(features)])


def tables_in(small):
    """The types in which OpenVINO holds what rows are looked up in by tokens."""
    found = openvino.Core().compile_model(small.files / "model.xml", "CPU").get_runtime_model()
    gathers = [op for op in found.get_ops() if op.get_rt_info()["layerType"].astype(str) == "Gather"]
    tables = [op.input(0) for op in gathers if op.input(0).get_partial_shape().is_static]
    return {
        one.get_element_type().to_string() for one in tables if len(one.get_shape()) == 2 and one.get_shape()[1] > 1
    }


def largest_weight(small):
    """The largest int8 number of a matrix that is multiplied, by its amount."""
    if small.runtime.part_name == "onnxruntime":
        graph = onnx.load(small.files / "model.onnx").graph
        found = [onnx.numpy_helper.to_array(one) for one in graph.initializer if one.data_type == onnx.TensorProto.INT8]
        return max(abs(one.astype(int)).max() for one in found if one.ndim == 2)
    ops = openvino.Core().read_model(small.files / "model.xml").get_ordered_ops()
    constants = [op for op in ops if op.get_type_name() == "Constant" and op.get_element_type() == openvino.Type.i8]
    users = [(op, {one.get_node().get_type_name() for one in op.output(0).get_target_inputs()}) for op in constants]
    dense = [op.data for op, of_it in users if op.data.ndim == 2 and "Gather" not in of_it]  # no tables of vectors
    return max(abs(one.astype(int)).max() for one in dense)


def cosine(a, b):
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("case", CASES)
def test_every_encoder_task_becomes_an_artefact_that_answers_nearly_alike(case, name, case_of, tmp_path):
    one = case_of(case)
    before = weights_of(one.subject.network)
    state = torch.random.get_rng_state()
    assert Shelf("methods").build(name).refusal(one.subject) is None
    small = shrunk(one, name, tmp_path)
    runtime, files = METHODS[name]
    assert small.steps == (name,)
    assert small.runtime.part_name == runtime
    assert sorted(file.name for file in small.files.iterdir()) == files
    assert_same_weights(one.subject.network, before)
    assert torch.equal(torch.random.get_rng_state(), state), "global randomness was drawn from"
    found, wanted = outputs_of(small, one.features), torch_outputs(one.subject, one.features)
    assert found.shape == wanted.shape
    assert cosine(found, wanted) > 0.9
    assert not np.array_equal(found, wanted), "nothing was quantised"


@pytest.mark.parametrize("name", METHODS)
def test_weights_take_a_byte_each(name, case_of, tmp_path):
    one = case_of(QUICK)
    small = shrunk(one, name, tmp_path)
    matrices = [p.numel() for p in one.subject.network.parameters() if p.ndim == 2]
    n_bytes = sum(file.stat().st_size for file in small.files.glob("model.*") if file.suffix in (".bin", ".onnx"))
    structure = 400_000 if name == "int8_dynamic" else 0  # the graph itself lies in the same file
    assert n_bytes < structure + 4 * sum(matrices)


@pytest.mark.parametrize(
    ("processor", "is_narrow"),
    [
        ({"architecture": "x86_64", "avx2": True, "avx512_vnni": False, "avx_vnni": False}, True),
        ({"architecture": "x86_64", "avx2": True, "avx512_vnni": True, "avx_vnni": False}, False),
        ({"architecture": "x86_64", "avx2": True, "avx512_vnni": False, "avx_vnni": True}, False),
        ({"architecture": "aarch64"}, False),
    ],
)
@pytest.mark.parametrize("name", METHODS)
def test_weights_have_seven_bits_where_sums_of_products_would_be_cut_off(
    name, processor, is_narrow, case_of, tmp_path, monkeypatch
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: processor)
    largest = largest_weight(shrunk(case_of(QUICK), name, tmp_path))
    assert largest <= 64 if is_narrow else largest >= 126


def test_an_older_torch_that_cannot_tell_gets_all_eight_bits(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert not is_cut_off()


@pytest.mark.parametrize("case", [QUICK, "tokens"])
def test_tables_stay_int8_in_memory_and_no_answer_is_another(case, case_of, tmp_path, monkeypatch):
    one = case_of(case)
    small = shrunk(one, "int8_static", tmp_path)
    assert tables_in(small) == {"i8"}
    monkeypatch.setattr(int8_static, "look_up_first", lambda model: None)
    before = shrunk(one, "int8_static", tmp_path)
    assert tables_in(before) == {"f32"}
    assert np.array_equal(outputs_of(small, one.features), outputs_of(before, one.features))


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("int8_static", {"smooth": 0.95}, {"smooth": -1}),
        ("int8_static", {"examples": 1}, {"examples": 3}),
        ("int8_dynamic", {"per_channel": True}, {"per_channel": False}),
    ],
)
def test_a_setting_changes_the_answers(name, first, second, case_of, tmp_path):
    one = case_of(QUICK)
    features = one.features[::-1]  # the longest first
    a, b = (outputs_of(shrunk(one, name, tmp_path, features, **told), features) for told in (first, second))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("settings", [{"examples": 0}, {"smooth": 1.5}, {"smooth": -2}])
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        Shelf("methods").build({"name": "int8_static", **settings})


@pytest.mark.parametrize("name", METHODS)
def test_what_writes_text_is_refused_in_a_sentence(name, tiny_causal_base):
    subject = build_subject(tiny_causal_base, "causal", "causal_lm", labels=())
    assert Shelf("methods").build(name).refusal(subject) == (
        "it is for encoders of text; the head 'causal' is none of them."
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("int8_static", "int8_static: there are no training texts to read the ranges of activations from."),
        ("int8_dynamic", "there are no texts to trace the model with."),
    ],
)
def test_without_texts_nothing_is_made(name, said, case_of, tmp_path):
    with pytest.raises(UserError) as caught:
        shrunk(case_of(QUICK), name, tmp_path, features=[])
    assert str(caught.value) == said


@pytest.mark.parametrize("name", METHODS)
def test_texts_that_are_all_of_one_length_do_not_tell_which_axis_it_is(name, case_of, tmp_path):
    one = case_of(QUICK)
    with pytest.raises(UserError) as caught:
        shrunk(one, name, tmp_path, features=[one.features[0]] * 3)
    assert str(caught.value) == ("all 3 texts to trace with are of one length; give some of another length too.")


@pytest.mark.parametrize(("name", "library"), [("int8_static", "nncf"), ("int8_dynamic", "onnxruntime.quantization")])
def test_a_missing_library_is_told(name, library, case_of, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UserError, match=rf"this needs the library '{library}': pip install 'burnish\[\w+\]'\."):
        shrunk(case_of(QUICK), name, tmp_path)
