"""Does a search find a bank's questions again when they are misspelt, reworded or cut?

    BURNISH_DATA=… BURNISH_ZH_BASE=… python benchmarks/retrieval.py --threads 2

The corpus are the questions of bank_faq (BankFAQs.csv below BURNISH_DATA, see recipes/bank_faq.yaml), nothing is
trained. Queries are the distinct questions, each perturbed in three ways by a generator with a fixed seed: typos (a
fifth of the words of four letters or more, at least one), synonyms (phrases of the table below, else a polite
preamble), cut (a third of the words, neighbours, left out). A row is right when it asks the same question; the file
has some of them several times, for several products. The weight of the fusion is chosen on half of the questions and
every number is of the other half.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SYNONYMS = {
    "how do i": "what is the way to", "how can i": "what must i do to", "what is": "what does one mean by",
    "what are": "which are", "can i": "am i able to", "obtain": "get", "required": "needed", "charges": "fees",
    "mobile": "phone", "change": "modify", "documents": "papers", "apply": "request", "available": "offered",
    "procedure": "process", "minimum": "lowest", "maximum": "highest", "benefits": "advantages", "open": "start",
    "register": "sign up", "details": "information", "issue": "give", "receive": "get", "amount": "sum",
    "customer": "client", "purchase": "buy", "eligible": "qualified", "transfer": "send", "statement": "record",
    "happens": "occurs", "lost": "missing", "facility": "service", "features": "characteristics", "repay": "pay back",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    os.environ.setdefault("BURNISH_THREADS", str(asked.threads))
    import torch

    import burnish

    torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        bundle = burnish.fit(ROOT / "recipes" / "bank_faq.yaml", out=Path(folder) / "bundle").bundle
        print(f"corpus indexed in {time.monotonic() - started:.0f} s")
        report(bundle, asked.seed)


def report(bundle: Path, seed: int) -> None:
    from burnish.bundle.predictor import load_predictor

    predictor = load_predictor(bundle)
    index = predictor.knowledge.task.index
    rows_of = defaultdict(list)
    for text, name in zip(index.texts, index.ids, strict=True):
        rows_of[plain(text)].append(name)
    questions = list(rows_of)
    random.Random(seed).shuffle(questions)
    half = len(questions) // 2
    tuning, judged = (perturbed(part, seed) for part in (questions[:half], questions[half:]))
    print(f"{len(index)} rows, {len(questions)} distinct questions; {len(tuning)} queries tune, {len(judged)} judge")
    examples = {name: predictor.answer([read(predictor, query) for _, _, query in queries])
                for name, queries in (("tune", tuning), ("judge", judged))}  # fmt: skip
    started = time.monotonic()
    found = {share: outcome(predictor, share, examples["tune"], tuning, rows_of) for share in SHARES}
    best = max(SHARES, key=lambda share: scores_of(found[share])["recall_at_1"])
    seconds = (time.monotonic() - started) / len(SHARES) / len(tuning)
    print("recall@1 on the tuning half by vector_share:",
          ", ".join(f"{share:g}: {scores_of(one)['recall_at_1']:.4f}" for share, one in found.items()))  # fmt: skip
    print(f"one search took {1000 * seconds:.2f} ms, without encoding\n")
    print("| search | queries | n | Recall@1 | Recall@5 | Recall@10 | MRR | nDCG@10 |")
    print("|---|---|---|---|---|---|---|---|")
    for name, share in (("bm25", 0.0), ("vectors", 1.0), ("fusion 0.5", 0.5), (f"fusion {best:g}, tuned", best)):
        table(name, outcome(predictor, share, examples["judge"], judged, rows_of), judged)


def table(name, found, queries) -> None:
    import numpy as np

    for kind in ("all", "typos", "synonyms", "cut"):
        rows = np.array([row for row, (one, _, _) in enumerate(queries) if kind in ("all", one)])
        scores = scores_of(found.take(rows))
        names = ("recall_at_1", "recall_at_5", "recall_at_10", "mrr", "ndcg_at_10")
        print(f"| {name} | {kind} | {len(rows):,} | " + " | ".join(f"{scores[one]:.4f}" for one in names) + " |")


def read(predictor, query):
    return predictor.knowledge.task.read({"query": query}, is_labelled=False)


def outcome(predictor, share, answered, queries, rows_of):
    """The outcome at one weight of the fusion; the network's outputs are the same for all."""
    from burnish.tasks._contract import Decision

    task = predictor.knowledge.task.model_copy(update={"vector_share": share})
    gold = [rows_of[question] for _, question, _ in queries]
    rows = [one._replace(example={**one.example, "ids": ids}) for one, ids in zip(answered, gold, strict=True)]
    return task.outcome(rows, (), Decision())


def scores_of(found):
    from burnish.evaluation.scores import score_all

    return score_all(found)


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


def perturbed(questions, seed: int):
    """(kind, question, query) three times for each question; the same in every run."""
    queries = []
    for question in questions:
        draw = random.Random(f"{seed} {question}")
        queries += [
            ("typos", question, with_typos(question, draw)),
            ("synonyms", question, with_synonyms(question, draw)),
            ("cut", question, cut(question, draw)),
        ]
    return queries


def with_typos(text: str, draw: random.Random) -> str:
    words = text.split()
    long = [at for at, word in enumerate(words) if len(word) >= 4 and word.isalpha()] or list(range(len(words)))
    for at in draw.sample(long, max(1, len(long) // 5)):
        words[at] = typo(words[at], draw)
    return " ".join(words)


def typo(word: str, draw: random.Random) -> str:
    """Two letters swapped, one left out, one doubled, or one replaced."""
    if len(word) < 2:
        return word * 2
    at = draw.randrange(len(word) - 1)
    made = [
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[: at + 1] + word[at:],
        word[:at] + draw.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :],
    ]
    return draw.choice(made)


def with_synonyms(text: str, draw: random.Random) -> str:
    said = text
    for phrase, other in SYNONYMS.items():
        said = re.sub(rf"\b{phrase}\b", other, said)
    return (
        said
        if said != text
        else draw.choice(["please tell me ", "i would like to know ", "help me with this: "]) + text
    )


def cut(text: str, draw: random.Random) -> str:
    words = text.split()
    n_out = len(words) // 3
    start = draw.randrange(len(words) - n_out + 1)
    return " ".join(words[:start] + words[start + n_out :])


if __name__ == "__main__":
    main()
