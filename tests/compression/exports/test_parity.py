"""Every format of every encoder task computes what the network computes, and its script answers as Burnish does."""

import json
import os
import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.compression.exports.conftest import CASES

from burnish.compression.tracing import traced
from burnish.tasks._choices import Classified
from burnish.tasks.answers import FoundAnswer
from burnish.tasks.matching import Matched
from burnish.tasks.multilabel import Labelled
from burnish.tasks.tokens import Tagged

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torchscript's own script

EXPORTS = ("onnx", "openvino", "safetensors", "torch_export", "torchscript")
FURTHER = ("tokens-cosine", "contrastive")
"""Heads of tasks that are there with another one: only what each format writes for itself."""
MATRIX = [(case, export) for case in CASES for export in (("safetensors",) if case in FURTHER else EXPORTS)]
QUESTION, CONTEXT = "where is a good day", "so all in 上海 a good day in 北京, so bad."
ASKED = {
    "classification": ({"text": "good day, 北京"},),
    "multilabel": ({"text": "good day, 北京"},),
    "tokens": ({"text": "a good day in 北京, so  bad"},),
    "relations": ({"text": "a <e1>good</e1> day,<e2>北京</e2>"}, {"text": "<e2>so</e2><e1>bad</e1>"}),
    "matching": ({"text": "good day", "text_pair": "all good"},),
    "answers": ({"question": QUESTION, "context": CONTEXT}, {"question": "a", "context": ""}),
    "contrastive": ({"text": "good day, 北京"},),
}
"""Task → rows that scripts are asked; retrieval answers from a corpus, and its vectors are those of `contrastive`."""


def resized(found, n_rows, length):
    """The traced arrays at another size, repeated or cut; places among the tokens stay within them."""
    arrays = {}
    for name, array in zip(found.names, found.arrays, strict=True):
        shape = (n_rows, *(length if axis in found.axes[name] else extent for axis, extent in enumerate(array.shape)))
        shape = (n_rows, *shape[2:])
        arrays[name] = np.resize(array if 1 in found.axes[name] else np.minimum(array, length - 1), shape)
    return arrays


def ran(folder, monkeypatch, *said):
    """What is left of a script that was run in this process; scripts say which functions they have."""
    monkeypatch.setattr(sys, "argv", ["run.py", *said])
    return runpy.run_path(str(folder / "run.py"))


SHOWN = {
    Classified: lambda one: [f"{one.label} {one.confidence:.4f}{' (unsure)' * one.abstained}"],
    Labelled: lambda one: [f"{g.label} {g.confidence:.4f}{' (unsure)' * g.abstained}" for g in one.labels],
    Tagged: lambda one: [f"{s.text}  [{s.start}:{s.end}] {s.label} {s.confidence:.4f}" for s in one.spans],
    Matched: lambda one: [f"{'match' if one.is_match else 'no match'} {one.score:.4f}"],
    FoundAnswer: lambda one: [
        f"no answer {one.confidence:.4f}"
        if one.start is None
        else f"{one.answer}  [{one.start}:{one.end}] {one.confidence:.4f}"
    ],
}
"""Type of answer → Burnish's own answer as scripts print it."""


def shown(answer):
    return SHOWN[type(answer)](answer)


@pytest.mark.parametrize(("case", "export"), MATRIX)
def test_logits_and_answers_are_those_of_the_judged_model(case, export, case_of, exported, monkeypatch, capsys):
    one, folder = case_of(case), exported(case, export)
    task = one.subject.task.part_name
    rows = ASKED.get(task, ({"text": "good day"},))
    for row in rows:
        script = ran(folder, monkeypatch, *row.values())
        printed = capsys.readouterr().out
        if task == "contrastive":
            assert json.loads(printed) == pytest.approx(one.answer(**row).vector, abs=1e-5)
        elif task != "retrieval":
            assert [line.rstrip() for line in printed.splitlines()] == shown(one.answer(**row))
    found = traced(one.subject, one.features)
    sizes = [(1, 1), (1, 2), (5, 9), (2, one.subject.reader.max_length)]
    for arrays in [dict(zip(found.names, found.arrays, strict=True)), *(resized(found, *size) for size in sizes)]:
        with torch.inference_mode():
            wanted = one.subject.network(**{name: torch.from_numpy(array) for name, array in arrays.items()}).numpy()
        logits = script["logits_of"](arrays)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, wanted, atol=1e-4, rtol=0)


ALONE = [
    ("classification-cls", "onnx"),
    ("tokens", "openvino"),
    ("answers", "torch_export"),
    ("relations", "torchscript"),
    ("classification-cosine", "safetensors"),
]


@pytest.mark.parametrize(("case", "export"), ALONE)
def test_a_script_runs_where_burnish_is_not(case, export, case_of, exported, tmp_path):
    one, folder = case_of(case), exported(case, export)
    row = ASKED[one.subject.task.part_name][0]
    code = (
        "import sys, runpy; sys.modules['burnish'] = None; "
        f"sys.argv[0] = {str(folder / 'run.py')!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, *row.values()], cwd=tmp_path, env=plain, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown(one.answer(**row))


SHORT = {"classification-cls", "multilabel-max", "matching-cross", "retrieval"}


@pytest.mark.parametrize("case", sorted(SHORT))
@pytest.mark.parametrize("export", ["onnx", "openvino", "torchscript"])
def test_a_script_can_be_read_at_a_glance(case, export, exported):
    """Some 25 lines, the curve of a calibration counted in; finding the spans of tags takes as many again."""
    lines = (exported(case, export) / "run.py").read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 30
