"""Do captions find their photograph, and photographs their captions?

    BURNISH_DATA=… python benchmarks/image.py --threads 2

Flickr8k (below BURNISH_DATA, see recipes/flickr8k.yaml), by the ready recipe: a tenth of the pictures is dev, which
chooses the epoch, a tenth is test. Each caption of a test picture searches among all test pictures, and each picture
among all their captions. Chance is what a random order would reach.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = (1, 5, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("overrides", nargs="*", help="of the recipe, e.g. train.epochs=4")
    asked = parser.parse_args()
    os.environ.setdefault("BURNISH_THREADS", str(asked.threads))
    import torch

    import burnish

    torch.set_num_threads(asked.threads)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        recipe = ROOT / "recipes" / "flickr8k.yaml"
        overrides = ["task.corpus=null", *asked.overrides]  # nothing is searched afterwards
        report = burnish.fit(recipe, overrides, out=Path(folder) / "bundle").report
    assert report is not None, "the recipe names test rows"
    n = report.about["n_judged"]
    print(f"{report.about['n_train']} pictures trained, {n} judged; {time.monotonic() - started:.0f} s in all\n")
    print("| search | n | Recall@1 | Recall@5 | Recall@10 |\n|---|---|---|---|---|")
    for words, name in (("text → image", "picture"), ("image → text", "text")):
        scores = [f"{100 * report.scores[f'{name}_recall_at_{k}']:.1f} %" for k in PLACES]
        print(f"| {words} | {n} | " + " | ".join(scores) + " |")
    print(f"| chance, text → image | {n} | " + " | ".join(f"{100 * k / n:.1f} %" for k in PLACES) + " |")
    low, high = report.intervals["picture_recall_at_10"]
    print(f"\ntext → image Recall@10: 95 % interval {100 * low:.1f}–{100 * high:.1f} %")


if __name__ == "__main__":
    main()
