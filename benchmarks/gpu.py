"""A GPU: how fast minilm trains and answers on CLINC150, beside the transformers Trainer, in one run.

    python benchmarks/gpu.py clinc150/data_full.json

Every contender trains all weights in a process of its own, one after the other; rates leave out the first steps. The
Trainer gets bf16, rows of like length together and the best of three batch sizes. Then `burnish.predict` answers the
test texts, on the GPU and, in a process that must not use it, on the CPU: same answers, and the rates of both.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from training_speed import base_folder

SKIPPED = 20  # first steps, in which CUDA loads and chooses kernels
TOKENS = (704, 4096, 16384)
ROWS = (64, 384, 1536)  # as many rows of 11 tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="data_full.json of CLINC150")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--only", help="run one contender in this process (used by the script)")
    parser.add_argument("--bundle", type=Path, help="where the bundle to answer with is, or is put")
    asked = parser.parse_args()
    if asked.only:
        print(json.dumps(measure(asked)))
        return
    with tempfile.TemporaryDirectory() as folder:
        asked.bundle = asked.bundle or Path(folder) / "bundle"
        for precision in ("bf16", "fp32"):
            for tokens in TOKENS:
                show(asked, f"burnish {precision} {tokens}")
        for rows in ROWS:
            show(asked, f"trainer bf16 {rows}")
        on_gpu, on_cpu = show(asked, "predict gpu"), show(asked, "predict cpu")
    alike = sum(a == b for a, b in zip(on_gpu["answers"], on_cpu["answers"], strict=True))
    apart = max(abs(a - b) for a, b in zip(on_gpu["confidences"], on_cpu["confidences"], strict=True))
    print(f"same answers: {alike} of {len(on_cpu['answers'])}; confidences differ by {apart:.1e} at most")


def show(asked: argparse.Namespace, what: str) -> dict:
    """Run one contender and print its numbers."""
    words = [sys.executable, __file__, str(asked.data), "--epochs", str(asked.epochs), "--bundle", str(asked.bundle)]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true" if what == "predict cpu" else "false"}
    done = subprocess.run([*words, "--only", what], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{what} failed:\n{done.stderr[-3000:]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    print(what, {name: value for name, value in found.items() if not isinstance(value, list)}, flush=True)
    return found


def measure(asked: argparse.Namespace) -> dict:
    contender, setting, *rest = asked.only.split()
    data = json.loads(asked.data.read_text())
    if contender == "burnish":
        return train(asked, data["train"], setting, int(rest[0]))
    return trainer(asked, data["train"], int(rest[0])) if contender == "trainer" else predict(asked, data)


def train(asked: argparse.Namespace, rows: list, precision: str, tokens: int) -> dict:
    """`burnish.fit`; the rate is that of its own steps. The first one leaves its bundle for `predict`."""
    import burnish

    recipe = {
        "task": {"name": "classification", "head": "mean"},
        "data": {"train": [{"text": text, "label": label} for text, label in rows], "duplicates": "off"},
        "train": {"tokens_per_batch": tokens, "precision": precision, "epochs": asked.epochs},
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "bundle" if asked.bundle.exists() else asked.bundle
        burnish.fit(recipe, out=out)
        lines = next(out.rglob("steps.jsonl")).read_text().splitlines()
    steps = [step for step in map(json.loads, lines) if "n_rows" in step][SKIPPED:]  # epochs stand between them
    return rates(sum(step["n_rows"] for step in steps), sum(step["seconds"] for step in steps))


def trainer(asked: argparse.Namespace, rows: list, n_rows: int) -> dict:
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(base_folder())
    index = {label: i for i, label in enumerate(sorted({label for _, label in rows}))}
    read = tokenizer([text for text, _ in rows], truncation=True)["input_ids"]
    data = [{"input_ids": ids, "labels": index[label]} for ids, (_, label) in zip(read, rows, strict=True)]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        base_folder(), num_labels=len(index), dtype=torch.float32
    )
    clock = {"step": 0, "start": 0.0}

    class Clock(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            clock["step"] += 1
            if clock["step"] == min(SKIPPED, 5):
                torch.cuda.synchronize()
                clock["start"] = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            folder, per_device_train_batch_size=n_rows, num_train_epochs=asked.epochs, bf16=True, report_to=[],
            train_sampling_strategy="group_by_length", disable_tqdm=True, save_strategy="no", logging_strategy="no",
        )  # fmt: skip
        collate = transformers.DataCollatorWithPadding(tokenizer)
        transformers.Trainer(model, arguments, data_collator=collate, train_dataset=data, callbacks=[Clock()]).train()
    torch.cuda.synchronize()
    done = (clock["step"] - min(SKIPPED, 5)) * n_rows
    return rates(done, time.perf_counter() - clock["start"])


def predict(asked: argparse.Namespace, data: dict) -> dict:
    """The test texts once to warm up, then twice: the better one counts."""
    import burnish

    texts = [text for text, _ in data["test"]]
    predictor = burnish.load(asked.bundle)
    answers = list(burnish.predict(predictor, texts))
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        answers = list(burnish.predict(predictor, texts))
        seconds.append(time.perf_counter() - began)
    right = sum(one.label == label for one, (_, label) in zip(answers, data["test"], strict=True))
    return {
        **rates(len(texts), min(seconds)),
        "accuracy": right / len(texts),
        "answers": [one.label for one in answers],
        "confidences": [one.confidence for one in answers],
    }


def rates(n_rows: int, seconds: float) -> dict:
    return {"rows": n_rows, "seconds": round(seconds, 2), "rows_per_s": round(n_rows / seconds, 1)}


if __name__ == "__main__":
    main()
