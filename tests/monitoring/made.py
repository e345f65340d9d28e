"""Predictions, windows and references made in memory: the same in every run."""

import numpy as np

from burnish.monitoring.reference import Reference
from burnish.monitoring.summary import Summary
from burnish.monitoring.window import Window
from burnish.store.records import Alert, Feedback, Prediction

HOUR = 3600.0
NOON = 1_764_072_000.0  # 2025-11-25 12:00 UTC, a whole number of hours
LABELS = ("退款", "refund", "praise", "complaint", "other")
SHARES = (0.3, 0.3, 0.2, 0.15, 0.05)


def prediction(number=0, at=NOON, **fields):
    """One answer in English of 20 characters; `fields` change it."""
    given = {
        "id": f"p{number}",
        "at": at,
        "name": "support",
        "version": 1,
        "key": "k",
        "input": None,
        "input_digest": "",
        "answer": {"label": "refund"},
        "label": "refund",
        "confidence": 0.9,
        "n_tokens": 5,
        "n_characters": 20,
        "ms": 10.0,
    }
    return Prediction(**{**given, **fields})


def feedback(number=0, about="p0", at=NOON, **fields):
    given = {"id": f"f{number}", "at": at, "prediction": about, "name": "support", "version": 1, "key": "k"}
    return Feedback(**{**given, "kind": "accepted", "value": True, **fields})


TURNED = {
    "labels": SHARES,
    "sharpness": 1.0,
    "cjk": 0.4,
    "longer": 1.0,
    "unknown": 0.02,
    "unsure": 0.05,
    "private": 0.01,
}
"""What `drawn` can be told to change: shares of labels, of Chinese, of unsure answers, …"""


def drawn(n, seed=0, at=NOON, **turned):
    """`n` answers of a model with five labels: what it is asked and how sure it is can be turned."""
    told = {**TURNED, **turned}
    draw = np.random.default_rng(seed)
    return [_drawn(number, at, draw, told) for number in range(n)]


def _drawn(number, at, draw, told):
    label = int(draw.choice(5, p=np.asarray(told["labels"]) / sum(told["labels"])))
    logits = draw.normal(size=5)
    logits[label] = logits.max() + draw.gamma(3.0)
    shares = np.exp(logits * told["sharpness"])
    shares /= shares.sum()
    return prediction(
        number,
        at,
        label=LABELS[label],
        answer={"label": LABELS[label]},
        confidence=float(shares.max()),
        is_abstained=bool(draw.random() < told["unsure"]),
        n_characters=int(told["longer"] * draw.lognormal(3, 0.4)) + 1,
        share_cjk=0.9 if draw.random() < told["cjk"] else 0.0,
        share_unknown=float(draw.beta(1, 1 / told["unknown"])),
        ms=float(draw.lognormal(2.3, 0.4)),
        private={"phone": 1} if draw.random() < told["private"] else {},
        vector=[round(float(share), 4) for share in shares],
    )


def reference(n=2000, seed=1, accuracy=0.9, **turned):
    return Reference.of(drawn(n, seed, **turned), accuracy)


def window(predictions=(), *, start=NOON, n_errors=0, n_judged=0, n_wrong=0, hours=1.0):
    """A window of given predictions, and of feedback in numbers."""
    return Window(start, start + hours * HOUR, Summary.of(predictions), n_errors, n_judged, n_wrong)


def counted(labels, start=NOON, n_rows=None, hours=1.0):
    """A window of which only the labels' counts are known."""
    empty = Summary.of([])
    n = sum(labels.values()) if n_rows is None else n_rows
    fields = {name: getattr(empty, name) for name in empty.__dataclass_fields__}
    return Window(start, start + hours * HOUR, Summary(**{**fields, "n_rows": n, "labels": labels}), 0, 0, 0)


def past(counts, start=NOON):
    """Windows of hours before `start`, oldest first; each of `counts` is a number of inputs or a mapping of labels."""
    made = []
    for number, one in enumerate(counts):
        begin = start - (len(counts) - number) * HOUR
        made.append(counted(one, begin) if isinstance(one, dict) else counted({}, begin, n_rows=one))
    return made


def alert(**fields):
    given = {"id": "alert_1", "at": NOON, "name": "support", "watch": "drift", "severity": "warning"}
    return Alert(**{**given, "sentence": "Elsewhere.", "numbers": {"rule": "drift", "value": 0.5}, **fields})
