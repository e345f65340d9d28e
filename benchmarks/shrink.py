"""Answers a second of a shrunk bundle against what a team would run instead, on the same texts with equal threads.

    BURNISH_DATA=… python benchmarks/shrink.py --bundle runs/clinc --small runs/clinc-small --threads 2

`--bundle` is a classification bundle with the head `mean` (recipes/clinc150.yaml), `--small` what `burnish shrink` made
of it; further ones may follow, e.g. one with a distilled network. The texts are the test rows that the recipe names.
A bundle of the task `tokens` (recipes/conll2003.yaml) will do for `--only sorted predict core one`.
Each engine has a process of its own; they take turns for `--rounds` rounds, the best of which counts:

    padded      a plain loop over transformers: every text padded to 128 tokens, 16 at a time
    pipeline    transformers.pipeline with the batch size that is best of 1, 8, 32 and 128
    sorted      torch in float32, batches of like length
    st          sentence-transformers' encode, which sorts too, and the linear head
    onnx        ONNX Runtime in float32 on the sorted batches
    predict     Burnish's predict on a bundle, from text to answer
    core        the same without tokenising and decoding, in operations a second
    one         predict, one text at a time

All but `core` tokenise. The peak of int8 products is measured on matrices of 2,048 × 2,048.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ENGINES = ("padded", "pipeline", "sorted", "st", "onnx")
OURS = ("predict", "core", "one")
N_SLOW = 640  # texts of the padded loop, which takes long enough with them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--small", type=Path, nargs="+", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--texts", type=int, help="the first so many of them; without it all")
    parser.add_argument("--only", nargs="+", choices=[*ENGINES, *OURS, "peak"])
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--on", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    os.environ.update(dict.fromkeys(("BURNISH_THREADS", "OMP_NUM_THREADS"), str(asked.threads)))
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    if asked.run:
        print(json.dumps(RUN[asked.run](asked)))
        return
    jobs = [(name, asked.bundle) for name in ("peak", *ENGINES)]
    jobs += [(name, folder) for folder in (asked.bundle, *asked.small) for name in OURS]
    jobs = [job for job in jobs if not asked.only or job[0] in asked.only]
    found: dict[tuple[str, Path], list[dict[str, float]]] = {job: [] for job in jobs}
    for _ in range(asked.rounds):
        for name, folder in jobs:
            command = [sys.executable, __file__, "--bundle", asked.bundle, "--small", *asked.small]
            command += ["--threads", str(asked.threads), "--run", name, "--on", folder]
            command += ["--texts", asked.texts] if asked.texts else []
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
            if done.returncode:
                print(done.stderr[-2000:], file=sys.stderr)
                continue
            found[name, folder].append(json.loads(done.stdout.splitlines()[-1]))
            print(name, folder, found[name, folder][-1], file=sys.stderr, flush=True)
    tell(found)


def tell(found: dict[tuple[str, Path], list[dict[str, float]]]) -> None:
    print("| engine | on | best of the rounds |\n|---|---|---|")
    for (name, folder), runs in found.items():
        if runs:
            best = max(runs, key=lambda one: one.get("texts_per_s", one.get("gops", -one.get("median_ms", 0))))
            print(f"| {name} | {folder.name} | {', '.join(f'{key} {value:,.4g}' for key, value in best.items())} |")


def texts(asked: argparse.Namespace) -> list[str]:
    from burnish.bundle.bundle import open_bundle
    from burnish.data.opening import open_sources
    from burnish.flows.judge import bundle_recipe, own_test_data

    bundle = open_bundle(asked.bundle)
    recipe = bundle_recipe(bundle, ["train.seed=1"])  # loaded anew, so that variables are read
    column = recipe.data.columns.get("text", "text")
    sources = open_sources(own_test_data(bundle, recipe.data), recipe.data.encoding, "data")
    rows = [row.values for source in sources for row in source.rows()]
    return [row[column] if column in row else " ".join(row["tokens"]) for row in rows[: asked.texts]]


def rate(answer: Callable[[], Any], n: int, n_rounds: int = 3) -> dict[str, float]:
    """Texts a second, the best of some rounds after one that is not counted."""
    answer()
    took = []
    for _ in range(n_rounds):
        started = time.perf_counter()
        answer()
        took.append(time.perf_counter() - started)
    return {"texts_per_s": n / min(took)}


def in_words(found: dict[str, float], some: list[str]) -> dict[str, float]:
    """The same with words a second."""
    return {**found, "words_per_s": found["texts_per_s"] * sum(len(text.split()) for text in some) / len(some)}


class Plain:
    """The bundle's network as a transformers user has it: encoder, pooling, linear head, tokenizer."""

    def __init__(self, asked: argparse.Namespace) -> None:
        import torch
        from safetensors.torch import load_file
        from transformers import AutoModel, AutoTokenizer

        torch.set_num_threads(asked.threads)
        folder = asked.bundle / "model"
        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.encoder = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        state = load_file(folder / "head.safetensors")
        self.weight, self.bias = (
            next(v for v in state.values() if v.ndim == 2),
            next(v for v in state.values() if v.ndim == 1),
        )

    def logits(self, **inputs: Any) -> Any:
        hidden = self.encoder(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1).float()
        return (hidden * mask).sum(1) / mask.sum(1) @ self.weight.T + self.bias


def padded(asked: argparse.Namespace) -> dict[str, float]:
    plain, some = Plain(asked), texts(asked)[:N_SLOW]

    def answer() -> None:
        with plain.torch.inference_mode():
            for start in range(0, len(some), 16):
                inputs = plain.tokenizer(
                    some[start : start + 16], padding="max_length", truncation=True, max_length=128, return_tensors="pt"
                )
                plain.logits(**inputs).argmax(-1).tolist()

    return rate(answer, len(some), 1)


def pipeline(asked: argparse.Namespace) -> dict[str, float]:
    """A classifier made of the encoder's weights and a head of the same size: the pipeline knows no mean pooling."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers import pipeline as build

    torch.set_num_threads(asked.threads)
    folder, some = asked.bundle / "model", texts(asked)[:2000]
    n_labels = len(json.loads((asked.bundle / "burnish.json").read_text())["labels"])
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=n_labels, dtype=torch.float32)
    classify = build("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(folder), device="cpu")
    found = {size: rate(lambda size=size: classify(some, batch_size=size), len(some), 1) for size in (1, 8, 32, 128)}
    best = max(found, key=lambda size: found[size]["texts_per_s"])
    return {**found[best], "batch_size": best}


def sorted_batches(asked: argparse.Namespace, encode: Callable[[list[str]], list[list[int]]]) -> list[dict[str, Any]]:
    """The token ids of all texts in batches of like length, 2,048 tokens each."""
    ids = sorted(encode(texts(asked)), key=len)
    batches, batch = [], []
    for one in ids:
        if batch and len(one) * (len(batch) + 1) > 2048:
            batches.append(batch)
            batch = []
        batch.append(one)
    return [arrays(batch) for batch in [*batches, batch]]


def arrays(batch: list[list[int]]) -> dict[str, Any]:
    ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
    mask = np.zeros_like(ids)
    for row, one in enumerate(batch):
        ids[row, : len(one)], mask[row, : len(one)] = one, 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


class PlainTokens:
    """The same of a bundle whose head labels tokens, which is the architecture's own."""

    def __init__(self, asked: argparse.Namespace) -> None:
        import torch
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        torch.set_num_threads(asked.threads)
        self.torch, folder = torch, asked.bundle / "model"
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32).eval()

    def logits(self, **inputs: Any) -> Any:
        return self.model(**inputs).logits


def sorted_torch(asked: argparse.Namespace) -> dict[str, float]:
    plain = (Plain if (asked.bundle / "model" / "head.safetensors").exists() else PlainTokens)(asked)

    def answer() -> None:
        with plain.torch.inference_mode():
            for batch in sorted_batches(asked, lambda some: plain.tokenizer(some)["input_ids"]):
                inputs = {name: plain.torch.from_numpy(array) for name, array in batch.items()}
                plain.logits(**inputs).argmax(-1).tolist()

    some = texts(asked)
    return in_words(rate(answer, len(some)), some)


def st(asked: argparse.Namespace) -> dict[str, float]:
    plain, some = Plain(asked), texts(asked)
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    body = Transformer(str(asked.bundle / "model"))
    model = SentenceTransformer(modules=[body, Pooling(body.get_word_embedding_dimension(), "mean")], device="cpu")

    def answer() -> None:
        vectors = model.encode(some, batch_size=128, convert_to_tensor=True, show_progress_bar=False)
        (vectors @ plain.weight.T + plain.bias).argmax(-1).tolist()

    return rate(answer, len(some))


def onnx(asked: argparse.Namespace) -> dict[str, float]:
    import tempfile

    import onnxruntime
    from tokenizers import Tokenizer

    from burnish.flows.export import export

    tokenizer = Tokenizer.from_file(str(asked.bundle / "model" / "tokenizer.json"))
    with tempfile.TemporaryDirectory() as folder:
        out = export(asked.bundle, "onnx", out=Path(folder) / "onnx").folder
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = asked.threads
        session = onnxruntime.InferenceSession(out / "model.onnx", options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]

    def answer() -> None:
        for batch in sorted_batches(asked, lambda some: [one.ids for one in tokenizer.encode_batch_fast(some)]):
            session.run(None, {name: batch[name] for name in names})[0].argmax(-1).tolist()

    return rate(answer, len(texts(asked)))


def predict(asked: argparse.Namespace) -> dict[str, float]:
    from burnish.bundle.predictor import load_predictor

    predictor, some = load_predictor(asked.on), texts(asked)
    return in_words(rate(lambda: list(predictor.predict(some)), len(some)), some)


def core(asked: argparse.Namespace) -> dict[str, float]:
    """Multiplications and additions of the encoder's matrices for the real tokens, padding not counted, a second."""
    from burnish.bundle.predictor import load_predictor

    predictor, some = load_predictor(asked.on), texts(asked)
    knowledge = predictor.knowledge
    examples = [predictor.task.read({"text": text}, is_labelled=False) for text in some]
    features = [f for one in predictor.task.encode(examples, predictor.reader, knowledge.labels) for f in one.features]
    config = json.loads((asked.on / "model" / "config.json").read_text())
    hidden, wide, layers = (config[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers"))
    lengths = np.array([len(feature["input_ids"]) for feature in features], np.float64)
    n_operations = float(np.sum(layers * (lengths * (8 * hidden**2 + 4 * hidden * wide) + 4 * lengths**2 * hidden)))
    found = rate(lambda: predictor.core.run(features), len(features))
    return {**found, "gops": n_operations / len(features) * found["texts_per_s"] / 1e9}


def one(asked: argparse.Namespace) -> dict[str, float]:
    from burnish.bundle.predictor import load_predictor

    predictor, took = load_predictor(asked.on), []
    some = texts(asked)[:1000]
    for text in some[:200]:
        predictor(text)
    for text in some:
        started = time.perf_counter()
        predictor(text)
        took.append(1000 * (time.perf_counter() - started))
    return {"median_ms": float(np.median(took)), "p99_ms": float(np.quantile(took, 0.99))}


def peak(asked: argparse.Namespace) -> dict[str, float]:
    import torch

    torch.set_num_threads(asked.threads)
    n = 2048
    left, right = (torch.randint(-128, 127, (n, n), dtype=torch.int8) for _ in range(2))
    a, b = torch.randn(n, n), torch.randn(n, n)

    def gops(product: Callable[[], Any]) -> float:
        return 2 * n**3 * rate(product, 1, 7)["texts_per_s"] / 1e9

    return {"gops": gops(lambda: torch._int_mm(left, right)), "fp32_gflops": gops(lambda: a @ b)}


RUN = {
    "padded": padded, "pipeline": pipeline, "sorted": sorted_torch, "st": st, "onnx": onnx, "predict": predict,
    "core": core, "one": one, "peak": peak,
}  # fmt: skip


if __name__ == "__main__":
    main()
