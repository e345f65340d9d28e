"""Are films recommended better than by popularity, by words, or by neighbours; and what of films that are new?

    BURNISH_DATA=… python benchmarks/ranking.py --threads 2 --text-only

MovieLens (ratings.csv and movies.csv in movielens_small below BURNISH_DATA, see recipes/movielens.yaml). A like is a
rating of 4 or more. The newest tenth of all likes is test, the tenth before it dev. For each like of dev or test, all
9,125 films but those that the user liked before are ranked; no sample of them. Whatever a method learns, it learns from
train; what it must choose (how fast popularity fades, how many films of a history are asked with), it chooses on dev by
nDCG@10. Test is judged once.

popularity       likes in train
recent           the same, a like of h days before the end of train counting half
bm25             the texts (title, genres) of the last k films of the history as a query
item neighbours  sum over the last k films of the history of the cosine of who liked both in train, shrunk by 20 likes
text only        the same model without vectors of films of their own or popularity (id_dropout: 1)
burnish          recipes/movielens.yaml

New films are likes of films that nobody liked in train: all films that nobody liked in train are ranked, for the user
of the row, and nothing else; a random order finds 10 ÷ their number in the first ten. New users have no history at all.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
DAY = 86_400.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--side", nargs="+", choices=["dev", "test"], default=["test"], help="dev is for choosing")
    parser.add_argument("--text-only", action="store_true", help="train the model without films' own vectors, too")
    parser.add_argument(
        "--set", dest="settings", nargs="*", default=[], help="overrides of the recipe, e.g. train.epochs=2"
    )
    asked = parser.parse_args()
    os.environ.setdefault("BURNISH_THREADS", str(asked.threads))
    import torch

    torch.set_num_threads(asked.threads)
    settings = [f"train.seed={asked.seed}", "judge.n_bootstrap=0", *asked.settings]
    with tempfile.TemporaryDirectory() as folder:
        data = Films(Path(folder) / "ground", settings)
        methods = baselines(data)
        methods["burnish"] = fitted(Path(folder) / "bundle", settings)
        if asked.text_only:
            only = [*settings, "task.head={name: preference, id_dropout: 1}", "task.second_stage=off"]
            methods["text only"] = fitted(Path(folder) / "text", only)
        report(data, methods, asked.side)


class Films:
    """The sides as the recipe cuts them, and the catalogue."""

    def __init__(self, work: Path, settings: list[str]) -> None:
        from burnish.flows.ground import lay_ground
        from burnish.recipe.load import load

        loaded = load(ROOT / "recipes" / "movielens.yaml", [*settings, "judge.slices=[user]"])
        ground = lay_ground(loaded, work, lambda event: None)
        self.train = list(ground.prepared.train.corpus)
        self.dev, self.test = ground.dev.examples, ground.test.examples
        self.catalogue = ground.task.catalogue
        self.n = len(self.catalogue)
        self.likes = np.bincount([row["items"][0] for row in self.train], minlength=self.n).astype(float)
        new = np.flatnonzero(self.likes == 0)
        print(f"{self.n:,} films, {len(new):,} of them liked by nobody in train")
        for name in ("train", "dev", "test"):
            rows = getattr(self, name)
            n_users, n_nobody = len({user_of(row) for row in rows}), sum(not row["history"] for row in rows)
            n_new = len(self.of_new(rows))
            print(f"{name}: {len(rows):,} likes of {n_users} users, {n_new:,} of new films, {n_nobody} first ones")

    def of_new(self, rows):
        """Likes of films that nobody liked in train, to be found among those alone."""
        new = np.flatnonzero(self.likes == 0).tolist()
        return [{**row, "among": new} for row in rows if self.likes[row["items"][0]] == 0]


def user_of(row) -> str:
    return row["column.user"]


def baselines(data: Films):
    """Name → what scores all films for some rows; settings chosen on dev."""
    bm25, both = bm25_of(data), cosines(data)
    families = {
        "recent": {f"{days} days": partial(constant, recent(data, days)) for days in (180, 365, 730, 1460)},
        "bm25": {f"last {k}": partial(words, bm25, data, k) for k in (1, 3, 5, 10)},
        "item neighbours": {f"last {k}": partial(neighbours, both, data, k) for k in (5, 20, 200)},
    }
    chosen = {"popularity": partial(constant, data.likes)}
    for name, family in families.items():
        found = {label: scores_of(by_scores(method, data.dev))["ndcg_at_10"] for label, method in family.items()}
        best = max(found, key=found.get)
        print(f"{name}, nDCG@10 on dev:", ", ".join(f"{label} {value:.4f}" for label, value in found.items()))
        chosen[f"{name}, {best}"] = family[best]
    return {name: partial(by_scores, method) for name, method in chosen.items()}


def constant(scores, rows):
    return np.tile(scores, (len(rows), 1))


def recent(data: Films, days: int):
    end = max(row["time"] for row in data.train)
    weights = [0.5 ** ((end - row["time"]) / DAY / days) for row in data.train]
    return np.bincount([row["items"][0] for row in data.train], weights, minlength=data.n)


def bm25_of(data: Films):
    from burnish.tasks._bm25 import Bm25

    return Bm25(data.catalogue.read)


def words(bm25, data: Films, k: int, rows):
    texts = data.catalogue.read
    return np.stack([bm25.scores(" ".join(texts[film] for film in row["history"][-k:])) for row in rows])


def cosines(data: Films):
    """[N, N] how alike the users are who liked two films, in train."""
    from scipy.sparse import csr_matrix, diags

    users = {name: at for at, name in enumerate(sorted({user_of(row) for row in data.train}))}
    places = [users[user_of(row)] for row in data.train], [row["items"][0] for row in data.train]
    liked = csr_matrix((np.ones(len(data.train)), places), shape=(len(users), data.n))
    scale = diags(1 / np.sqrt(data.likes + 20))
    both = scale @ (liked.T @ liked) @ scale
    return (both - diags(both.diagonal())).tocsr()


def neighbours(both, data: Films, k: int, rows):
    from scipy.sparse import csr_matrix

    pasts = [row["history"][-k:] for row in rows]
    at = np.repeat(np.arange(len(rows)), [len(past) for past in pasts])
    films = np.array([film for past in pasts for film in past], np.int64)
    asked = csr_matrix((np.ones(len(films)), (at, films)), shape=(len(rows), data.n))
    return (asked @ both).toarray() + 1e-9 * data.likes


def by_scores(method, rows):
    """An outcome from scores of all films; equal scores stand in a random order."""
    from burnish.metrics._ranked import RankedOutcome
    from burnish.metrics._recommended import RecommendedOutcome, auc_of_places

    draw, ranked, places, n_each = np.random.default_rng(0), [], [], []
    for start in range(0, len(rows), 256):
        chunk = rows[start : start + 256]
        for row, scores in zip(chunk, method(chunk), strict=True):
            films = np.setdiff1d(row["among"] or np.arange(len(scores)), row["history"])
            order = films[np.lexsort((draw.random(len(films)), -scores[films]))]
            ranked.append(order[:100].tolist())
            places.append(np.flatnonzero(order == row["items"][0]))
            n_each.append(len(films))
    outcome = RankedOutcome.of([row["items"] for row in rows], ranked)
    return RecommendedOutcome(outcome, auc_of_places(places, np.array(n_each)))


def fitted(bundle: Path, settings: list[str]):
    """The model of the recipe: rows → outcome."""
    import burnish
    from burnish.bundle.predictor import load_predictor
    from burnish.tasks._contract import Decision

    started = time.monotonic()
    burnish.fit(ROOT / "recipes" / "movielens.yaml", settings, out=bundle)
    weights = bundle / "stock" / "weights.json"
    print(weights.read_text() if weights.is_file() else "no second stage")
    print(f"fitted in {time.monotonic() - started:.0f} s", flush=True)
    predictor = load_predictor(bundle)
    return lambda rows: predictor.task.outcome(predictor.answer(rows), (), Decision())


def scores_of(outcome):
    from burnish.evaluation.scores import score_all

    return score_all(outcome)


def report(data: Films, methods, sides) -> None:
    for side in sides:
        rows = getattr(data, side)
        table(f"{side}: all {len(rows):,} likes", methods, rows)
        first = [row for row in rows if not row["history"]]
        table(f"{side}: {len(first)} likes of users without a history", methods, first)
        new = data.of_new(rows)
        n = len(new[0]["among"])
        table(f"{side}: {len(new):,} likes of new films, among {n:,} new films (random Recall@10 {10 / n:.4f})",
              methods, new)  # fmt: skip


def table(title: str, methods, rows) -> None:
    print(f"\n{title}\n\n| method | nDCG@10 | Recall@10 | MRR | AUC | nDCG@5 |\n|---|---|---|---|---|---|")
    for name, method in methods.items():
        scores = scores_of(method(rows))
        columns = ("ndcg_at_10", "recall_at_10", "mrr", "ranking_auc", "ndcg_at_5")
        print(f"| {name} | " + " | ".join(f"{scores[column]:.4f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
