"""What do weights in fewer bits cost a model that writes, and what do they gain, on this machine?

    python benchmarks/shrink_writing.py runs/desk --threads 2

The bundle is one of the task `generation`. Its model is held in float32 by transformers, then in int8 and int4 by the
methods of `burnish shrink`; each writes greedily for dev rows, one alone and eight at once, in rounds that take turns,
of which the median counts; reading the prompt is in the time. Perplexity and ROUGE-L are those of all of dev.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

WAYS = {"float32, transformers": None, "int8_weights": {}, "int4_weights": {}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["BURNISH_THREADS"] = str(asked.threads)
    with tempfile.TemporaryDirectory() as work:
        report(asked, Path(work))


def report(asked: argparse.Namespace, work: Path) -> None:
    from burnish.bundle.bundle import open_bundle
    from burnish.compression.measuring import size_bytes
    from burnish.core.events import ignore
    from burnish.core.shelves import Shelf
    from burnish.flows.shrinking import Workshop, write_model

    shop = Workshop.opened(open_bundle(asked.bundle), asked.overrides, work, ignore)
    predictors, sizes = {}, {}
    for name, settings in WAYS.items():
        methods = [] if settings is None else [Shelf("methods").build({"name": name, **settings})]
        subject = shop.shrunk(methods)
        write_model(subject, work / name)
        sizes[name] = size_bytes(work / name)
        predictors[name] = shop.predictor(subject, shop.bundle.knowledge)
    rates = speeds(predictors, [{**one, "golds": None} for one in shop.dev_examples[:8]], asked.rounds)
    print("| weights | MB | tokens/s, one | × | tokens/s, eight at once | × | perplexity | ROUGE-L | drop, points |")
    print("|---|---|---|---|---|---|---|---|---|")
    first = None
    for name, predictor in predictors.items():
        found = [*rates[name], *scores(predictor, shop)]
        first = first or found
        one, eight, perplexity, rouge = found
        print(
            f"| {name} | {sizes[name] / 1e6:.0f} | {one:.1f} | {one / first[0]:.2f} | {eight:.1f} | "
            f"{eight / first[1]:.2f} | {perplexity:.3f} | {rouge:.3f} | {100 * (first[3] - rouge):+.2f} |"
        )


def speeds(predictors, examples, n_rounds: int):
    """Name → tokens a second of a text alone, and of eight at once."""
    seconds = {name: ([], []) for name in predictors}
    n_tokens = {}
    for predictor in predictors.values():
        predictor.answer(examples)
    for _ in range(n_rounds):
        for name, predictor in predictors.items():
            for at, groups in enumerate(([[one] for one in examples], [examples])):
                started = time.perf_counter()
                rows = [row for some in groups for row in predictor.answer(some)]
                seconds[name][at].append(time.perf_counter() - started)
                n_tokens[name, at] = sum(map(n_written(predictor), rows))
    return {
        name: [n_tokens[name, at] / statistics.median(one) for at, one in enumerate(both)]
        for name, both in seconds.items()
    }


def n_written(predictor):
    from burnish.tasks._writing import told

    backend = predictor.reader.tokenizer.backend
    return lambda row: len(backend.encode(told(row.outputs[0]).text, add_special_tokens=False).ids) + 1


def scores(predictor, shop) -> tuple[float, float]:
    from burnish.evaluation.scores import metrics_for, score_all
    from burnish.tasks._contract import Decision

    rows = predictor.answer(shop.dev_examples)
    outcome = predictor.task.outcome(rows, (), Decision())
    found = score_all(outcome, metrics_for(type(outcome)))
    return found["perplexity"], found["rouge_l"]


if __name__ == "__main__":
    main()
