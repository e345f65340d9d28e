"""TensorFlow SavedModel: one text at a time in one length; through onnx2tf, which has an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from burnish.compression.exports._beside import refusal_of, write_beside
from burnish.compression.exports._contract import Export
from burnish.compression.subject import Subject
from burnish.core.errors import UserError
from burnish.tasks._contract import Feature

TOOL = "onnx2tf"
KEPT = ("saved_model.pb", "fingerprint.pb", "variables", "assets")
"""What a SavedModel is made of; the converter writes models for telephones beside it."""


class SavedModel(Export):
    """`saved_model/`, converted from ONNX. It reads [1, longest text]: the converter loses the rank of what varies.

    Its pins (numpy 1.26, onnx 1.19) cannot be installed beside ours, so it is run as the separate program that it is.
    """

    converter: str | None = None
    """Path of the program `onnx2tf`; null finds it on PATH."""

    def refusal(self, subject: Subject) -> str | None:
        return refusal_of(subject)

    def write(self, subject: Subject, examples: list[Feature], folder: Path) -> None:
        from burnish.compression.tracing import to_onnx, traced

        tool = self._tool()
        found = traced(subject, examples).fixed()
        with tempfile.TemporaryDirectory() as name:
            source, made = to_onnx(found, Path(name) / "model.onnx"), Path(name) / "made"
            _convert(tool, source, made)
            (folder / "saved_model").mkdir()
            for kept in KEPT:
                if (made / kept).exists():
                    shutil.move(made / kept, folder / "saved_model" / kept)
        write_beside(subject, found.names, folder, "tensorflow", "saved_model")

    def _tool(self) -> str:
        found = self.converter or shutil.which(TOOL)
        if found is None or not Path(found).is_file():
            raise UserError(
                f"saved_model: there is no program {TOOL} {'at ' + found if found else 'on PATH'}; make it an "
                "environment of its own with `python3 -m venv tf && tf/bin/pip install onnx2tf`, and name "
                "tf/bin/onnx2tf as the setting converter."
            )
        return found


def _convert(tool: str, source: Path, made: Path) -> None:
    command = [tool, "-i", str(source), "-o", str(made), "-osd", "-n"]  # -osd: with a signature, -n: say little
    done = subprocess.run(command, capture_output=True, text=True, cwd=source.parent)  # noqa: S603  # the user's own
    if done.returncode or not (made / "saved_model.pb").is_file():
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it wrote no SavedModel"]
        raise UserError(f"saved_model: {tool} could not convert this model ({lines[-1][:300]}).")
