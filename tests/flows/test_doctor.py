from __future__ import annotations

import importlib.metadata
import json

import burnish
from burnish.core.errors import UserError
from burnish.flows.doctor import examine, extras, instruction_sets

CPUINFO = """\
processor\t: 0
model name\t: Some CPU @ 2.0GHz
flags\t\t: fpu avx2 avx512f avx512_vnni amx_bf16 amx_int8 avx512_bf16
"""


def test_findings_are_plain_and_name_versions():
    found = examine()
    assert json.loads(json.dumps(found)) == found
    assert found["burnish"]["version"] == burnish.__version__
    assert found["libraries"]["pydantic"] == importlib.metadata.version("pydantic")
    assert {"cores", "threads", "memory", "instructions"} <= found["machine"].keys()
    assert "minilm" in found["bases"]
    assert found["storage"]["sqlite"].count(".") == 2


def test_instruction_sets_that_matter_are_told():
    assert instruction_sets(CPUINFO) == [
        "AVX2", "AVX-512", "AVX-512 VNNI", "AVX-512 bf16", "AMX bf16", "AMX int8",
    ]  # fmt: skip
    assert instruction_sets("processor\t: 0\nFeatures\t: fp asimd bf16 i8mm\n") == ["NEON", "Arm bf16", "Arm int8"]
    assert instruction_sets("") == []


def test_extras_are_those_of_the_package_without_the_developers_own():
    assert "torch" in extras()["train"]
    assert extras()["hub"] == ["datasets"]
    assert not {"dev", "all"} & extras().keys()


def test_a_missing_library_comes_with_its_pip_line(monkeypatch):
    monkeypatch.setattr("burnish.flows.doctor.extras", lambda: {"hub": ["no-such-library", "pydantic"]})
    assert examine()["extras"] == {"hub": "lacks no-such-library: pip install 'burnish[hub]'"}


def test_a_base_whose_package_is_missing_says_so(monkeypatch):
    def refuse(self):
        raise UserError("this needs the library 'x': pip install 'burnish[train]'.")

    monkeypatch.setattr("burnish.models.bases.minilm.MiniLM.folder", refuse)
    assert examine()["bases"]["minilm"] == "this needs the library 'x': pip install 'burnish[train]'."


def test_without_torch_the_pip_line_is_told(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    from burnish.flows.doctor import _devices

    assert _devices() == {"torch": "not installed: pip install 'burnish[train]'"}


def test_a_machine_without_proc_is_examined_all_the_same(tmp_path):
    from burnish.flows.doctor import _machine

    assert _machine(tmp_path)["memory"] == "unknown"
    assert _machine(tmp_path)["instructions"] == "none of those that matter are known"
