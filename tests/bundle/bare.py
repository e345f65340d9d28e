"""A machine with numpy, tokenizers and safetensors only: a runtime in numpy, bundles for it, and what they answer.

`python bare.py BASE FOLDER` prints as JSON what each task of encoders answers there, and what is refused.
"""

from __future__ import annotations

import csv
import importlib
import json
import shutil
import sys
from pathlib import Path

ABSENT = ("torch", "transformers", "pyarrow", "scipy", "sklearn")
N_NUMBERS = 8  # of a vector
RUNTIME = '''"""numpy: a number for each token and output, drawn once."""

from tests.bundle.bare import NumpyCore

from burnish.bundle.runtimes._contract import Runtime


class Bare(Runtime):
    """Reads nothing but the tokenizer."""

    def load(self, folder, task, reader, labels):
        return NumpyCore(task, reader, labels)
'''
CASES = {
    "classification": ({"name": "classification"}, ("bad", "good"), {"text": "so good"}),
    "multilabel": ({"name": "multilabel"}, ("bad", "good"), {"text": "so good"}),
    "tokens": ({"name": "tokens"}, ("PLACE",), {"text": "good day 北京"}),
    "relations": ({"name": "relations"}, ("a", "b"), {"text": "<e1>day</e1> is <e2>good</e2>"}),
    "matching": ({"name": "matching"}, (), {"text": "so good", "text_pair": "all bad"}),
    "matching apart": ({"name": "matching", "head": "vector"}, (), {"text": "so good", "text_pair": "all bad"}),
    "answers": ({"name": "answers"}, (), {"question": "so", "context": "good day"}),
    "retrieval": ({"name": "retrieval", "corpus": "given"}, (), {"query": "so good"}),
}
"""Name → task, labels, and a row that is asked."""
CORPUS = [{"id": "a", "text": "so good", "more": "yes"}, {"id": "b", "text": "all bad"}]


class NumpyCore:
    """Outputs of the right shape, from the tokens alone: means of each token's numbers where a row is wanted."""

    def __init__(self, task, reader, labels):
        import numpy as np

        self.task, self.pad_id, self.n_labels = task, reader.pad_id, len(labels)
        self.gives = task.head_part.gives
        width = N_NUMBERS if self.gives == "vectors" else len(task.head_plan(labels).labels)
        self.numbers = np.random.default_rng(0).normal(size=(reader.backend.get_vocab_size(), width))

    def run(self, features):
        from burnish.bundle.core import run_batches

        return run_batches(features, self._collate, self._ask)

    def _collate(self, features):
        return self.task.collate(features, self.pad_id, self.n_labels)

    def _ask(self, collated):
        import numpy as np

        states = self.numbers[collated.inputs["input_ids"]].astype(np.float32)  # [B, T, K]
        if self.gives in ("tokens", "spans"):
            return states
        mask = collated.inputs["attention_mask"][:, :, None].astype(np.float32)
        rows = (states * mask).sum(1) / mask.sum(1)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True) if self.gives == "vectors" else rows


def put_on_the_shelf(folder):
    """The numpy runtime as a part of a file of its own, as other packages add one."""
    import burnish.bundle.runtimes as package

    folder.mkdir(exist_ok=True)
    (folder / "bare.py").write_text(RUNTIME, "utf-8")
    package.__path__.append(str(folder))
    package.__spec__.submodule_search_locations = package.__path__
    importlib.invalidate_caches()


def write_bare_bundle(folder, base, task, labels):
    """A bundle for the numpy runtime. Its model folder holds config and tokenizer, and no weights."""
    from burnish.bundle.bundle import MODEL, STOCK, Knowledge
    from burnish.core.events import ignore
    from burnish.core.manifest import write_manifest
    from burnish.core.shelves import Shelf
    from burnish.tasks._contract import Decision

    task, runtime = Shelf("tasks").build(task), Shelf("runtimes").build("bare")
    (folder / MODEL).mkdir(parents=True)
    shutil.copy(base / "config.json", folder / MODEL)
    reader = task.load_reader(base, None, "")
    reader.save(folder / MODEL, base)
    core = runtime.load(folder / MODEL, task, reader, labels)
    task = task.opened(lambda name: CORPUS, None).completed(reader, core.run, ignore)
    task.keep(folder / STOCK)
    Knowledge(task, labels, Decision(), reader.max_length, "tiny", runtime=runtime).save(folder)
    (folder / "recipe.yaml").write_text(f"task: {task.part_name}\ndata:\n  train: rows.csv\n  columns: {{}}\n")
    write_manifest(folder)
    return folder


def answers_of(base, folder):
    """What each task answers: from Python, from a file to JSON lines and to CSV, and on the command line."""
    import contextlib
    import io

    import burnish
    from burnish.cli.main import main
    from burnish.flows.predict import predict_file

    found = {}
    for name, (task, labels, row) in CASES.items():
        place = folder / name
        bundle = write_bare_bundle(place / "bundle", base, task, labels)
        [answer] = burnish.predict(bundle, [row])
        (place / "rows.jsonl").write_text(json.dumps(row), "utf-8")
        with (place / "rows.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, row)
            table.writeheader()
            table.writerow(row)
        predict_file(bundle, place / "rows.jsonl", place / "out.csv")
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
            main(["predict", str(bundle), "--input", str(place / "rows.csv"), "--output", str(place / "out.jsonl")])
        [line] = (place / "out.jsonl").read_text("utf-8").splitlines()
        found[name] = {
            "python": answer.model_dump(mode="json"),
            "file": json.loads(line)["prediction"],
            "csv": (place / "out.csv").read_text("utf-8"),
        }
    return found


def refusals_of(base, folder):
    """What is said where a library is wanted after all."""
    import burnish
    from burnish.core.errors import UserError
    from burnish.flows.predict import predict_file

    place = folder / "classification"
    (folder / "rows.parquet").write_bytes(b"PAR1")
    (folder / "gold.csv").write_text("text,label\nso good,good\nall bad,bad\n")
    tried = {
        "parquet in": lambda: predict_file(place / "bundle", folder / "rows.parquet", folder / "out.csv"),
        "parquet out": lambda: predict_file(place / "bundle", place / "rows.csv", folder / "out.parquet"),
        "judge": lambda: burnish.judge(place / "bundle", folder / "gold.csv"),
        "a base as it is": lambda: burnish.load(base, "matching"),
    }
    said = {}
    for name, call in tried.items():
        try:
            call()
        except UserError as error:
            said[name] = str(error)
    return said


if __name__ == "__main__":
    for absent in ABSENT:
        sys.modules[absent] = None
    tiny, work = map(Path, sys.argv[1:])
    put_on_the_shelf(work / "shelf")
    sys.stdout.write(json.dumps({"answers": answers_of(tiny, work), "refusals": refusals_of(tiny, work)}))
