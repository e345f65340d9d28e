"""Training rate on CLINC150, side by side in one run: a plain loop, the transformers Trainer, and Burnish.

    python benchmarks/training_speed.py clinc150/data_full.json --threads 2

Every contender trains the same model (minilm, 150 labels, all weights) in a process of its own, one after the other
and round after round, so that drift of the machine hits all alike. Rate is the median over rounds, memory the peak
of the process. The peak of the machine is measured in the same run: the best matrix product in fp32 that torch or
numpy reaches on the shapes of this model or on large squares.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_LABELS = 150
ROUNDS = 3
CONTENDERS = ("plain", "trainer", "burnish-fp32", "burnish-auto")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="data_full.json of CLINC150")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=9, help="measured time of each contender and round")
    parser.add_argument("--only", choices=[*CONTENDERS, "peak"], help="run one in this process (used by the script)")
    asked = parser.parse_args()
    if asked.only:
        print(json.dumps(measure(asked)))
        return
    peak = max(run_one("peak", asked)["gflops"] for _ in range(2))
    rounds = [{name: run_one(name, asked) for name in CONTENDERS} for _ in range(ROUNDS)]
    print_table(rounds, peak)


def run_one(name: str, asked: argparse.Namespace) -> dict:
    words = [
        sys.executable,
        __file__,
        str(asked.data),
        "--threads",
        str(asked.threads),
        "--seconds",
        str(asked.seconds),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": str(asked.threads), "BURNISH_THREADS": str(asked.threads)}
    done = subprocess.run([*words, "--only", name], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def print_table(rounds: list[dict], peak: float) -> None:
    def median(name: str, key: str) -> float:
        return statistics.median(one[name][key] for one in rounds)

    base = {name: median(name, "rows_per_s") for name in CONTENDERS}
    print(f"\nfp32 matrix-product peak of this machine: {peak:.0f} GFLOP/s\n")
    print("| contender | examples/s | × plain | × Trainer | GFLOP/s | share of peak | real tokens | peak memory |")
    print("|---|---|---|---|---|---|---|---|")
    for name in CONTENDERS:
        gflops = median(name, "gflops")
        print(
            f"| {name} | {base[name]:.1f} | {base[name] / base['plain']:.1f} | {base[name] / base['trainer']:.2f} "
            f"| {gflops:.0f} | {gflops / peak:.0%} | {median(name, 'fill'):.0%} | {median(name, 'peak_mb'):.0f} MB |"
        )
    print("\nGFLOP/s counts 6 × non-embedding parameters a real token; padding is not counted as work.")


def measure(asked: argparse.Namespace) -> dict:
    import torch

    torch.set_num_threads(asked.threads)
    if asked.only == "peak":
        return {"gflops": peak_gflops()}
    rows = json.loads(asked.data.read_text())["train"]
    found = {"plain": plain, "trainer": trainer, "burnish-fp32": burnish, "burnish-auto": burnish}[asked.only](
        asked, rows
    )
    return {**found, "gflops": found["tokens_per_s"] * 6 * found.pop("n_parameters") / 1e9, "peak_mb": peak_memory_mb()}


def peak_gflops() -> float:
    """Best of torch and numpy, over large squares and this model's own shapes."""
    import numpy as np
    import torch

    best = 0.0
    for m, k, n in ((2048, 2048, 2048), (3072, 3072, 3072), (1024, 384, 1536), (1024, 1536, 384), (4096, 384, 1536)):
        a, b = torch.randn(m, k), torch.randn(k, n)
        x, y = a.numpy(), b.numpy()
        for product in (lambda a=a, b=b: a @ b, lambda x=x, y=y: np.matmul(x, y)):
            product()
            best = max(best, 2 * m * k * n / median_seconds(product, 15) / 1e9)
    return best


def median_seconds(work, n: int) -> float:
    times = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def base_folder() -> Path:
    from burnish.models.locate import locate

    return locate("minilm").folder


def count_parameters(model) -> int:
    """Without the embedding tables, which no matrix product touches."""
    return sum(p.numel() for name, p in model.named_parameters() if "embeddings" not in name)


def peak_memory_mb() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def plain(asked: argparse.Namespace, rows: list) -> dict:
    """The loop of many tutorials: pad to 128, batch 16, AdamW one tensor at a time, eager attention."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base_folder())
    index = {label: i for i, label in enumerate(sorted({label for _, label in rows}))}
    model = AutoModelForSequenceClassification.from_pretrained(
        base_folder(), num_labels=N_LABELS, dtype=torch.float32, attn_implementation="eager"
    ).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=False, foreach=False)
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).tolist()
    batches = (order[start : start + 16] for start in range(0, len(order), 16))
    n_rows = n_tokens = n_computed = 0
    start = None
    for number, batch in enumerate(batches):
        if number == 3:
            start, n_rows, n_tokens, n_computed = time.perf_counter(), 0, 0, 0
        inputs = tokenizer(
            [rows[i][0] for i in batch], padding="max_length", max_length=128, truncation=True, return_tensors="pt"
        )
        labels = torch.tensor([index[rows[i][1]] for i in batch])
        model(**inputs, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        n_rows, n_tokens = n_rows + len(batch), n_tokens + int(inputs["attention_mask"].sum())
        n_computed += inputs["input_ids"].numel()
        if start and time.perf_counter() - start > asked.seconds:
            break
    return rates(n_rows, n_tokens, time.perf_counter() - start, n_tokens / n_computed, count_parameters(model))


def trainer(asked: argparse.Namespace, rows: list) -> dict:
    """transformers.Trainer as it comes: dynamic padding, fused AdamW; 64 rows a batch, as Burnish has on average."""
    import torch
    import transformers
    from datasets import Dataset

    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(base_folder())
    index = {label: i for i, label in enumerate(sorted({label for _, label in rows}))}
    data = Dataset.from_dict(
        {**tokenizer([text for text, _ in rows], truncation=True), "labels": [index[label] for _, label in rows]}
    )
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        base_folder(), num_labels=N_LABELS, dtype=torch.float32
    )
    seen = {"rows": 0, "tokens": 0, "computed": 0, "start": 0.0, "step": 0}
    collate = transformers.DataCollatorWithPadding(tokenizer)

    def counting(features):
        batch = collate(features)
        seen["rows"] += len(features)
        seen["tokens"] += int(batch["attention_mask"].sum())
        seen["computed"] += batch["input_ids"].numel()
        return batch

    class Clock(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            seen["step"] += 1
            if seen["step"] == 3:
                seen.update(rows=0, tokens=0, computed=0, start=time.perf_counter())
            if seen["step"] > 3 and time.perf_counter() - seen["start"] > asked.seconds:
                seen["seconds"] = time.perf_counter() - seen["start"]
                control.should_training_stop = True

    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            folder, per_device_train_batch_size=64, report_to=[], use_cpu=True, disable_tqdm=True, save_strategy="no"
        )
        transformers.Trainer(
            model=model, args=arguments, train_dataset=data, data_collator=counting, callbacks=[Clock()]
        ).train()
    fill = seen["tokens"] / seen["computed"]
    return rates(seen["rows"], seen["tokens"], seen["seconds"], fill, count_parameters(model))


def burnish(asked: argparse.Namespace, rows: list) -> dict:
    """`burnish.fit` as a user calls it, interrupted after the measured time; the rates are those of its own steps."""
    import torch
    from transformers import AutoModelForSequenceClassification

    import burnish
    from burnish.core.events import Progress

    started: list[float] = []
    lines: list[str] = []

    def stop_in_time(event: object) -> None:
        if isinstance(event, Progress) and event.stage == "train":
            started.append(time.perf_counter())
            if started[-1] - started[0] > asked.seconds:
                lines.extend((Path(folder) / ".bundle.work" / "seed-7" / "steps.jsonl").read_text().splitlines())
                raise KeyboardInterrupt

    recipe = {
        "task": "classification",
        "data": {"train": [{"text": text, "label": label} for text, label in rows], "duplicates": "off"},
        "train": {"tokens_per_batch": 64 * 11, "precision": asked.only.removeprefix("burnish-")},
    }
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        burnish.fit(recipe, out=Path(folder) / "bundle", listen=stop_in_time)
    steps = [json.loads(line) for line in lines][3:]
    n_rows, n_tokens, seconds = (sum(step[key] for step in steps) for key in ("n_rows", "n_tokens", "seconds"))
    model = AutoModelForSequenceClassification.from_pretrained(base_folder(), num_labels=N_LABELS, dtype=torch.float32)
    return rates(n_rows, n_tokens, seconds, sorted_fill(rows), count_parameters(model))


def sorted_fill(rows: list) -> float:
    """Real tokens ÷ computed tokens in the batches that Burnish makes of these rows."""
    import numpy as np
    from tokenizers import Tokenizer

    from burnish.data.order import batches_of, fill

    tokenizer = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    lengths = np.array([len(one.ids) for one in tokenizer.encode_batch([text for text, _ in rows])], np.int32)
    return fill(lengths, batches_of(lengths, 64 * 11, 7, 0))


def rates(n_rows: int, n_tokens: int, seconds: float, fill: float, n_parameters: int) -> dict:
    return {
        "rows_per_s": n_rows / seconds,
        "tokens_per_s": n_tokens / seconds,
        "fill": fill,
        "n_parameters": n_parameters,
    }


if __name__ == "__main__":
    main()
