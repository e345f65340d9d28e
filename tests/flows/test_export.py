"""`export`: a bundle in every format that runs here, held against the judged model; what cannot be is told."""

import subprocess
import sys
from dataclasses import replace

import pytest
from tests.bundle.conftest import write_bundle
from tests.compression.methods.test_int8 import material_of

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.bundle.predictor import load_predictor
from burnish.compression.exports.onnx import Onnx
from burnish.compression.subject import subject_of
from burnish.core.errors import UserError
from burnish.core.files import read_json
from burnish.core.manifest import verify_manifest, write_manifest
from burnish.core.shelves import Shelf
from burnish.flows.shrinking import write_model
from burnish.tasks._contract import Decision

FORMATS = {"onnx": "model.onnx", "openvino": "model.xml", "safetensors": "model.safetensors",
           "torch_export": "model.pt2", "torchscript": "model.ts"}  # fmt: skip
DECISION = Decision("temperature", {"temperature": 2.0}, 0.5)
TASKS = {
    "classification": ("bad", "good"),
    "multilabel": ("bad", "good"),
    "tokens": ("CITY",),
    "relations": ("none", "near"),
    "matching": (),
    "answers": (),
}

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


@pytest.fixture(scope="module")
def made(tiny_base, tmp_path_factory):
    """`made("tokens")`: a bundle that was never trained."""

    def bundle(task):
        folder = tmp_path_factory.mktemp(task)
        return write_bundle(folder, tiny_base, task, TASKS[task], DECISION)

    return bundle


def refusal(*args, **options):
    with pytest.raises(UserError) as caught:
        burnish.export(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_that_runs_here_is_held_against_the_judged_model(format, made, tmp_path):
    bundle = made("classification")
    result = burnish.export(bundle, format, out=tmp_path / "out")
    assert result.folder == tmp_path / "out"
    assert {FORMATS[format], "tokenizer.json", "labels.json", "run.py"} <= {one.name for one in result.folder.iterdir()}
    assert (result.parity.kind, result.parity.n_edge) == ("float32", 200)
    assert result.parity.largest_difference <= 1e-4
    verify_manifest(bundle)
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("task", [task for task in TASKS if task != "classification"])
def test_every_encoder_task_is_exported(task, made, tmp_path):
    result = burnish.export(made(task), "openvino", out=tmp_path / "out")
    assert result.parity.n_edge >= 150


def test_the_decision_goes_with_it_and_the_script_answers_as_the_bundle(made, tmp_path):
    bundle = made("classification")
    folder = burnish.export(bundle, "safetensors", out=tmp_path / "out").folder
    told = read_json(folder / "labels.json")
    assert (told["calibration"], told["parameters"], told["abstain_below"]) == (
        "temperature",
        {"temperature": 2.0},
        0.5,
    )
    answer = load_predictor(bundle)("good day")
    script = [sys.executable, str(folder / "run.py"), "good day"]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == [answer.label, f"{answer.confidence:.4f}"]


def test_other_numbers_than_the_judged_ones_are_refused_and_nothing_is_left(made, tmp_path, monkeypatch):
    runs = Onnx.runs

    def off(self, subject, folder):
        run = runs(self, subject, folder)
        return lambda features: [one + 0.01 for one in run(features)]

    monkeypatch.setattr(Onnx, "runs", off)
    assert refusal(made("classification"), "onnx", out=tmp_path / "out") == (
        "onnx: what was written does not answer as the judged model does: its outputs differ by up to 0.01; 0.0001 is "
        "allowed."
    )
    assert list(tmp_path.iterdir()) == []


def test_what_nothing_here_runs_is_written_unproved(made, tmp_path, monkeypatch):
    monkeypatch.setattr(Onnx, "runs", lambda *_: None)
    assert burnish.export(made("classification"), "onnx", out=tmp_path / "out").parity is None
    assert Shelf("exports").build("gguf").runs(None, tmp_path) is None


@pytest.mark.parametrize(
    ("format", "said"),
    [
        ("onx", "format: there is no part 'onx' on the shelf 'exports'. Did you mean 'onnx'? It has: gguf, "),
        ({"nam": "onnx"}, "format: expected the name of a part, or a mapping with 'name'; got {'nam': 'onnx'}"),
        ({"name": "gguf", "converter": 3}, "format: 1 validation error for Gguf converter "),
        ("gguf", "gguf: it holds models with the head causal; this one's is cls."),
    ],
)
def test_a_format_that_cannot_be_is_told(format, said, made, tmp_path):
    assert refusal(made("classification"), format, out=tmp_path / "out").startswith(said)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def shrunk(made, tmp_path_factory):
    """`shrunk("int8_static")`: a bundle of a model in int8, and what computes it."""

    def bundle(method):
        opened = open_bundle(made("classification"))
        predictor = load_predictor(opened)
        task, reader = predictor.task, predictor.reader
        some = [task.read({"text": text}, False) for text in ("good day", "a bad bad day", "so " * 20)]
        features = [one.features[0] for one in task.encode(some, reader, predictor.knowledge.labels)]
        work = tmp_path_factory.mktemp(method)
        subject = subject_of(predictor, opened.model_folder)
        small = Shelf("methods").build(method).apply(subject, material_of(features, work))
        folder = work / "bundle"
        write_model(small, folder / "model")
        replace(opened.knowledge, runtime=small.runtime).save(folder)
        write_manifest(folder)
        return folder

    return bundle


HELD = {"int8_static": ("openvino", ("model.xml", "model.bin")), "int8_dynamic": ("onnx", ("model.onnx",))}


@pytest.mark.parametrize("method", HELD)
def test_what_a_bundle_was_shrunk_to_is_handed_out_as_it_is(method, shrunk, tmp_path):
    (format, files), bundle = HELD[method], shrunk(method)
    result = burnish.export(bundle, format, out=tmp_path / "out")
    for name in files:
        assert (result.folder / name).read_bytes() == (bundle / "model" / name).read_bytes()
    assert (result.parity.kind, result.parity.n_edge) == ("float32", 200)
    assert result.parity.largest_difference <= 1e-4
    answer = load_predictor(bundle)("good day")
    script = [sys.executable, str(result.folder / "run.py"), "good day"]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == [answer.label, f"{answer.confidence:.4f}"]


@pytest.mark.parametrize(("method", "format"), [("int8_static", "onnx"), ("int8_dynamic", "torchscript")])
def test_a_format_that_cannot_carry_what_a_bundle_was_shrunk_to_names_what_can(method, format, shrunk, tmp_path):
    bundle, able = shrunk(method), HELD[method][0]
    runtime = {"openvino": "openvino", "onnx": "onnxruntime"}[able]
    assert refusal(bundle, format, out=tmp_path / "out") == (
        f"{format}: {bundle} was shrunk to files for {runtime}, which this format cannot carry; take {able}, or export "
        "the bundle that it was made from."
    )
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_where_something_is_or_into_the_bundle(made, tmp_path):
    bundle = made("classification")
    (tmp_path / "mine").write_text("x")
    assert refusal(bundle, "onnx", out=tmp_path / "mine") == (
        f"{tmp_path / 'mine'}: is a file, not a folder; choose another place."
    )
    assert refusal(bundle, "onnx", out=bundle / "onnx") == (
        f"{bundle / 'onnx'}: lies in the bundle, which stays as it is; choose another with --out."
    )


def test_what_is_no_bundle_is_told(tmp_path):
    assert refusal(tmp_path / "no", "onnx", out=tmp_path / "out") == (
        f"{tmp_path / 'no'}: there is no such bundle; give the folder that `burnish fit` wrote."
    )
