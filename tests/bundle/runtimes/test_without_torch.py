"""OpenVINO and ONNX Runtime give the outputs that torch gives, for every encoder task, in the order of the features."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from tests.compression.exports.conftest import CASES

from burnish.bundle.runtimes import onnxruntime, openvino
from burnish.bundle.torch_core import TorchCore
from burnish.compression.edges import edge_texts
from burnish.compression.subject import Subject
from burnish.compression.tracing import to_openvino, traced
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf

FILES = {"openvino": openvino.MODEL_FILE, "onnxruntime": onnxruntime.MODEL_FILE}
LIBRARY = {"openvino": ("openvino", "serve"), "onnxruntime": ("onnxruntime", "onnx")}
TOLERANCE = 1e-4
OF_BOTH = ("classification-cls", "relations", "matching-bi", "answers", "tokens")
"""What each head gives in one case; tests of exports hold every ONNX file to torch."""
MATRIX = [(case, "openvino") for case in CASES] + [(case, "onnxruntime") for case in OF_BOTH]


def mixed_features(subject, rows, n=60):
    """Features of texts of very unlike lengths, as the task asks about them."""
    texts = edge_texts(subject.reader.max_length)
    examples = [subject.task.read(subject.task.edge_row(text, rows[0]), False) for text in texts[:: len(texts) // n]]
    encoded = subject.task.encode(examples, subject.reader, subject.labels)
    return [feature for one in encoded for feature in one.features]


def torch_core(subject):
    return TorchCore(subject.network, subject.task, subject.reader.pad_id, len(subject.labels))


def loaded(subject, runtime, folder, **settings):
    part = Shelf("runtimes").build({"name": runtime, **settings})
    return part.load(folder, subject.task, subject.reader, subject.labels)


def assert_alike(found, wanted):
    assert [one.shape for one in found] == [one.shape for one in wanted]
    assert all(one.dtype == np.float32 for one in found)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(("case", "runtime"), MATRIX)
def test_outputs_are_those_of_torch_for_every_encoder_task(case, runtime, case_of, written):
    one = case_of(case)
    features = mixed_features(one.subject, one.examples)
    lengths = {len(feature["input_ids"]) for feature in features}
    assert len(lengths) > 10
    found = loaded(one.subject, runtime, written(case, runtime)).run(features)
    assert_alike(found, torch_core(one.subject).run(features))


@pytest.mark.parametrize("settings", [{"streams": 2}, {"tokens_per_batch": 1}, {"tokens_per_batch": 4096}])
def test_batches_and_streams_change_no_answer(settings, case_of, written):
    one = case_of("matching-bi")
    features = mixed_features(one.subject, one.examples)
    found = loaded(one.subject, "openvino", written("matching-bi", "openvino"), **settings).run(features)
    assert_alike(found, torch_core(one.subject).run(features))


def test_a_lone_stream_computes_in_the_thread_that_asks_and_several_in_their_own(case_of, written, monkeypatch):
    monkeypatch.setenv("BURNISH_THREADS", "2")
    one, folder = case_of("matching-bi"), written("matching-bi", "openvino")
    cores = [loaded(one.subject, "openvino", folder, streams=streams) for streams in (1, 2)]
    assert [(core.n_streams, core.has_threads) for core in cores] == [(1, False), (2, True)]


@pytest.mark.parametrize("runtime", FILES)
def test_nothing_gives_nothing_and_one_text_is_as_good_as_many(runtime, case_of, written):
    one = case_of("tokens")
    core = loaded(one.subject, runtime, written("tokens", runtime))
    assert core.run([]) == []
    assert_alike(core.run(one.features[:1]), torch_core(one.subject).run(one.features[:1]))


def test_few_shapes_are_computed_however_texts_come(case_of, written, monkeypatch):
    """OpenVINO keeps code for each shape; 16 lengths to 64, and at most 5 numbers of rows for each."""
    one = case_of("matching-bi")
    core = loaded(one.subject, "openvino", written("matching-bi", "openvino"))
    seen = set()

    def spy(*args):
        inputs = filled(*args)
        seen.add(inputs["input_ids"].shape)
        return inputs

    filled = openvino.filled
    monkeypatch.setattr(openvino, "filled", spy)
    draw = np.random.default_rng(0)
    features = mixed_features(one.subject, one.examples, 200)
    for _ in range(40):
        n = int(draw.integers(1, 150))
        core.run([features[at] for at in draw.integers(0, len(features), n)])
    lengths = {length for _, length in seen}
    assert len(lengths) <= 16
    assert max(sum(length == one for _, length in seen) for one in lengths) <= 8
    before = len(seen)
    for _ in range(20):
        core.run([features[at] for at in draw.integers(0, len(features), int(draw.integers(1, 150)))])
    assert len(seen) <= before + 10


@pytest.fixture
def short_base(thin_base, tmp_path):
    """A base with positions for 50 tokens, a length between two of the rounded ones."""
    from transformers import BertConfig, BertModel

    folder = tmp_path / "short"
    shutil.copytree(thin_base, folder)
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        BertModel(BertConfig(**{**settings, "max_position_embeddings": 50})).save_pretrained(folder)
    return folder


def test_no_text_is_padded_beyond_the_positions_of_the_model(short_base, tmp_path):
    task = Shelf("tasks").build("classification")
    network = task.head_part.attach(short_base, task.head_plan(("a", "b"))).eval()
    subject = Subject(task, ("a", "b"), network, task.load_reader(short_base, None, ""), short_base)
    assert subject.reader.max_length == 50
    rows = [task.read({"text": text}, False) for text in ("good", "a " * 47, "a " * 99)]
    features = [feature for one in task.encode(rows, subject.reader, ("a", "b")) for feature in one.features]
    assert [len(feature["input_ids"]) for feature in features] == [3, 49, 50]
    to_openvino(traced(subject, features), tmp_path / FILES["openvino"])
    found = loaded(subject, "openvino", tmp_path).run(features)
    assert_alike(found, torch_core(subject).run(features))


@pytest.mark.parametrize(("runtime", "called"), [("openvino", "OpenVINO"), ("onnxruntime", "ONNX Runtime")])
@pytest.mark.parametrize("content", [None, b"", b"<?xml", b"\x00\x01nothing that anyone reads"])
def test_what_cannot_be_read_is_told_in_one_sentence(runtime, called, content, case_of, tmp_path):
    subject, file = case_of("tokens").subject, tmp_path / FILES[runtime]
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        Shelf("runtimes").build(runtime).load(tmp_path, subject.task, subject.reader, subject.labels)
    [fault] = caught.value.faults
    assert fault.startswith(f"{file}: {called} cannot load it (")
    assert fault.endswith(").")
    assert "\n" not in fault


def test_a_model_without_its_weights_is_told_too(case_of, written, tmp_path):
    one = case_of("tokens")
    shutil.copytree(written("tokens", "openvino"), tmp_path, dirs_exist_ok=True)
    weights = tmp_path / "model.bin"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(UserError, match=r"model\.xml: OpenVINO cannot load it \(.+\)\."):
        Shelf("runtimes").build("openvino").load(tmp_path, one.subject.task, one.subject.reader, one.subject.labels)


@pytest.mark.parametrize("runtime", FILES)
def test_a_missing_library_is_told_with_the_line_that_brings_it(runtime, case_of, tmp_path, monkeypatch):
    subject, (library, extra) = case_of("tokens").subject, LIBRARY[runtime]
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UserError) as caught:
        Shelf("runtimes").build(runtime).load(tmp_path, subject.task, subject.reader, subject.labels)
    assert str(caught.value).startswith(f"this needs the library '{library}': pip install 'burnish[{extra}]'. (")


@pytest.mark.parametrize("runtime", FILES)
def test_nothing_is_streamed_by_what_writes_no_text(runtime, case_of, written):
    one = case_of("tokens")
    core = loaded(one.subject, runtime, written("tokens", runtime))
    with pytest.raises(UserError) as caught:
        core.stream(one.features[0])
    assert str(caught.value) == ("the task 'tokens' writes no text here: nothing can be streamed; ask for the answer.")
