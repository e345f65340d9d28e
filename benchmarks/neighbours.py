"""Search of a large corpus: every text compared, and the neighbours that faiss's inverted lists give, in one process.

    python benchmarks/neighbours.py --rows 100000 --threads 2

Vectors of 384 numbers lie about 3,000 centres, texts have twelve words of a vocabulary that falls off as 1/rank; one
query at a time. Told are the time of a query and how many of the exact search's first ten rows the other one finds.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np

WIDTH, N_CENTRES, N_WORDS, N_QUERIES = 384, 3000, 20_000, 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    os.environ.update(dict.fromkeys(("BURNISH_THREADS", "OMP_NUM_THREADS"), str(asked.threads)))
    from burnish.tasks._index import Index

    draw = np.random.default_rng(0)
    centres = draw.normal(size=(N_CENTRES, WIDTH)).astype(np.float32)
    vectors = centres[draw.integers(0, N_CENTRES, asked.rows)]
    vectors += 0.9 * draw.normal(size=vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shares = 1 / np.arange(1, N_WORDS + 1)
    words = draw.choice(N_WORDS, size=(asked.rows, 12), p=shares / shares.sum())
    texts = [" ".join(f"w{word}" for word in row) for row in words]
    blank = [""] * asked.rows
    index = Index([str(row) for row in range(asked.rows)], texts, blank, ["{}"] * asked.rows, vectors)
    started = time.perf_counter()
    _ = index.neighbours
    print(f"{asked.rows:,} rows; the lists are made in {time.perf_counter() - started:.1f} s\n")
    print(
        "| share of vectors in the score | exact, ms | faiss, ms | × | of the first ten, found |\n|---|---|---|---|---|"
    )
    for share in (1.0, 0.5):
        found, took = {}, {}
        for is_exact in (True, False):
            index.search(texts[:2], vectors[:2], share, is_exact=is_exact)  # the first one counts words
            started = time.perf_counter()
            found[is_exact] = [
                index.search([texts[row]], vectors[row : row + 1], share, is_exact=is_exact)[0].rows[:10]
                for row in range(N_QUERIES)
            ]
            took[is_exact] = 1000 * (time.perf_counter() - started) / N_QUERIES
        same = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found[True], found[False], strict=True)])
        print(f"| {share:g} | {took[True]:.1f} | {took[False]:.1f} | {took[True] / took[False]:.1f} | {same:.0%} |")


if __name__ == "__main__":
    main()
