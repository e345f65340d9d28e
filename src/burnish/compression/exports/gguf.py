"""GGUF: for llama.cpp and what is built on it, of models that write; through llama.cpp's own converter."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from burnish.compression.exports._beside import render
from burnish.compression.exports._contract import Export
from burnish.compression.subject import Subject
from burnish.core.errors import UserError
from burnish.core.files import write_bytes
from burnish.tasks._contract import Feature

SCRIPT = "convert_hf_to_gguf.py"
NEEDS = "sentencepiece protobuf"
"""What the converter imports beside our own libraries; its `gguf` lies beside it."""


class Gguf(Export):
    """`model.gguf`: weights, tokenizer and chat template in one file."""

    converter: str | None = None
    """Path of `convert_hf_to_gguf.py` in a copy of llama.cpp's repository; null finds it on PATH."""

    precision: Literal["f32", "f16", "bf16", "q8_0"] = "f32"
    """Of the weights; `f32` answers as the judged model did, `q8_0` is a quarter of its size."""

    def refusal(self, subject: Subject) -> str | None:
        if subject.task.head_part.part_name != "causal":
            return f"it holds models with the head causal; this one's is {subject.task.head_part.part_name}"
        if not subject.is_plain:
            return "the layers were cut to unlike numbers of heads, which llama.cpp cannot build"
        return None

    def write(self, subject: Subject, examples: list[Feature], folder: Path) -> None:
        script = self._script()
        with tempfile.TemporaryDirectory() as name:
            model = Path(name)
            subject.network.save(model)
            subject.reader.save(model, subject.folder)
            for file in subject.folder.glob("*generation_config.json"):  # the tokens at which answers end
                shutil.copy(file, model / file.name)
            self._convert(script, model, folder / "model.gguf")
        write_bytes(folder / "run.py", render("gguf", task=subject.task.part_name, **_asking(subject)))

    def _script(self) -> str:
        found = self.converter or shutil.which(SCRIPT)
        if found is None or not Path(found).is_file():
            raise UserError(
                f"gguf: there is no {SCRIPT} {'at ' + found if found else 'on PATH'}; get it with `pip download "
                "--no-deps --no-binary llama-cpp-python llama-cpp-python && tar xzf llama_cpp_python-*.tar.gz && pip "
                f"install {NEEDS}`, and name llama_cpp_python-*/vendor/llama.cpp/{SCRIPT} as the setting converter."
            )
        return found

    def _convert(self, script: str, model: Path, file: Path) -> None:
        command = [sys.executable, script, str(model), "--outfile", str(file), "--outtype", self.precision]
        done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603  # the user named the program
        if done.returncode or not file.is_file():
            lines = (done.stderr or done.stdout).strip().splitlines() or ["it wrote no file"]
            raise UserError(f"gguf: {script} could not convert this model ({lines[-1][:300]}).")


def _asking(subject: Subject) -> dict[str, Any]:
    """What the script says before a text, and how much may be written, as Python writes it."""
    task = subject.task
    decoding = getattr(task, "decoding", None)
    return {
        "is_chat": task.part_name in ("generation", "dialogue"),
        "system": repr(getattr(task, "system", "")),
        "prompt": repr(subject.reader.prompt),
        "n_tokens": 64 if decoding is None else decoding.max_new_tokens,
    }
