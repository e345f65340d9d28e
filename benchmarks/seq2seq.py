"""Translation from nothing: a small T5 built from a config, random weights, trained on Multi30k English to German.

    BURNISH_DATA=… python benchmarks/seq2seq.py --judge test --rows 1000 --threads 2

BURNISH_DATA is the folder that holds multi30k/ (train.*.gz or unpacked). The tokenizer is a Unigram model of 8,000
pieces trained on both languages. What a pretrained T5 would do is another question: this shows that loss falls and that
the code works; the recipe (recipes/multi30k.yaml) is the same for any T5, BART or Marian.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BURNISH_DATA", ROOT.parent / "data")) / "multi30k"
N_PIECES = 8000
RECIPE = [  # random weights need no prompt that tells them which of many jobs is meant, more steps, and higher rates
    "data.prompt=''",
    "train.epochs=2",
    "train.tokens_per_batch=2048",
    "train.learning_rate=1.0e-3",
    "train.schedule={name: cosine, warmup: 0.1}",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", choices=["val", "test_2016_flickr"], default="val")
    parser.add_argument("--rows", type=int, default=1000, help="the first so many rows are judged")
    parser.add_argument("--train-rows", type=int, default=29_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings to change in the recipe")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["BURNISH_THREADS"] = str(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        unpack(Path(folder) / "multi30k", asked)
        build_base(Path(folder) / "small-t5", Path(folder) / "multi30k")
        os.environ["BURNISH_DATA"] = folder
        os.environ["BURNISH_SEQ2SEQ_BASE"] = str(Path(folder) / "small-t5")
        run(asked, Path(folder))


def run(asked: argparse.Namespace, folder: Path) -> None:
    import burnish  # after the number of threads is set

    started = time.monotonic()
    out = folder / "bundle"
    burnish.fit(ROOT / "recipes" / "multi30k.yaml", [*RECIPE, *asked.set], out=out, listen=tell)
    minutes = (time.monotonic() - started) / 60
    report = json.loads((out / "report" / "report.json").read_text())
    steps = [json.loads(line) for line in next(out.rglob("steps.jsonl")).read_text().splitlines()]
    losses = [step["loss"] for step in steps if "loss" in step]
    low, high = report["intervals"]["bleu"]
    scores = report["scores"]
    print(
        "| rows judged | loss, first → last 50 steps | BLEU (95 % interval) | chrF | ROUGE-L | perplexity | minutes |"
    )
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {report['n_rows']} of {asked.judge} | {losses[0]:.2f} → {sum(losses[-50:]) / len(losses[-50:]):.2f} "
        f"| **{100 * scores['bleu']:.2f}** ({100 * low:.1f} – {100 * high:.1f}) | {100 * scores['chrf']:.2f} "
        f"| {100 * scores['rouge_l']:.2f} | {scores['perplexity']:.2f} | {minutes:.1f} |"
    )
    for text in ("A man in a blue shirt is standing on a ladder.", "Two dogs are playing in the snow."):
        print(f"<!-- {text} → {burnish.load(out)(text).text} -->")


def unpack(folder: Path, asked: argparse.Namespace) -> None:
    """The files that the recipe names: train unpacked, the judged side as test, both cut to the rows asked for."""
    folder.mkdir()
    judged = {"test_2016_flickr": asked.judge}
    for side, most in (("train", asked.train_rows), ("val", 500), ("test_2016_flickr", asked.rows)):
        for language in ("en", "de"):
            file = DATA / f"{judged.get(side, side)}.{language}"
            raw = file.read_bytes() if file.is_file() else gzip.decompress(Path(f"{file}.gz").read_bytes())
            lines = raw.decode("utf-8").splitlines()[:most]
            (folder / f"{side}.{language}").write_text("\n".join(lines) + "\n", "utf-8")


def build_base(folder: Path, data: Path) -> None:
    """A T5 of 3 + 3 layers × 256 with random weights (drawn from a fixed seed), and its tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import T5Config, T5ForConditionalGeneration

    folder.mkdir()
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=N_PIECES, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    backend.train([str(data / "train.en"), str(data / "train.de")], trainer)
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    backend.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "</s>", "pad_token": "<pad>"}))
    config = T5Config(
        vocab_size=backend.get_vocab_size(),
        d_model=256,
        d_kv=32,
        d_ff=1024,
        num_heads=8,
        num_layers=3,
        feed_forward_proj="relu",
        dropout_rate=0.1,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    torch.manual_seed(7)
    T5ForConditionalGeneration(config).save_pretrained(folder)


def tell(event: object) -> None:
    if type(event).__name__ == "Message":
        print(f"<!-- {event.text} -->", flush=True)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
