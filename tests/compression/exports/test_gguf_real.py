"""GGUF by llama.cpp's own converter, run by llama.cpp: what it writes greedily is what the bundle writes.

Needs llama-cpp-python, `BURNISH_GGUF_CONVERTER` (see docs/exports.md) and `BURNISH_CAUSAL_BASE`, a folder with
SmolLM2-135M-Instruct: the converter knows tokenizers by their hash, so none that is made for a test will do.
"""

import os
import subprocess
import sys

import pytest

import burnish

CONVERTER, BASE = (os.environ.get(f"BURNISH_{name}") for name in ("GGUF_CONVERTER", "CAUSAL_BASE"))
ASKED = ("What is the capital of France?", "Write one sentence about the sea.", "How many days has a week?")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CONVERTER and BASE), reason="no converter or no base is named in the environment"),
]


def test_llama_cpp_writes_what_the_bundle_writes(tmp_path):
    pytest.importorskip("llama_cpp")
    rows = [{"prompt": str(n), "response": str(n)} for n in range(4)]
    recipe = {
        "task": {"name": "generation", "decoding": {"max_new_tokens": 24}},
        "base": BASE,
        "data": {"train": rows, "dev": "25%", "prompt": "Answer in one sentence. "},
        "train": {"epochs": 0},
    }
    bundle = burnish.fit(recipe, out=tmp_path / "bundle").bundle
    folder = burnish.export(bundle, {"name": "gguf", "converter": CONVERTER}, out=tmp_path / "gguf").folder
    ours = burnish.load(bundle)
    for text in ASKED:
        done = subprocess.run(
            [sys.executable, str(folder / "run.py"), text], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == ours(text).text
