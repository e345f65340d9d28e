"""How names and numbers are worded, the same in every format."""

from __future__ import annotations

from typing import Any

from burnish.core.members import BETWEEN
from burnish.evaluation.findings import Report, Selective

NAMES = {
    "accuracy": "Accuracy",
    "answer_f1": "Answer F1",
    "auc": "Area under the ROC curve",
    "aurc": "Area under risk–coverage",
    "best_f1": "F1 at the best threshold",
    "bleu": "BLEU",
    "brier": "Brier score",
    "cer": "Character error rate",
    "chrf": "chrF",
    "coverage_at_target": "Answered",
    "ece": "Calibration error",
    "entity_f1": "Entity F1",
    "entity_macro_f1": "Entity macro F1",
    "entity_precision": "Entity precision",
    "entity_recall": "Entity recall",
    "exact_match": "Exact match",
    "f1": "F1",
    "given_ece": "Calibration error of given labels",
    "hamming_loss": "Hamming loss",
    "macro_f1": "Macro F1",
    "mae": "Mean absolute error",
    "micro_f1": "Micro F1",
    "mrr": "Mean reciprocal rank",
    "ndcg_at_10": "nDCG of the first 10",
    "ndcg_at_5": "nDCG of the first 5",
    "nll": "Negative log-likelihood",
    "pairing_mrr": "Mean reciprocal rank, both ways",
    "pearson": "Pearson correlation",
    "perplexity": "Perplexity",
    "picture_recall_at_1": "Recall of pictures at 1",
    "picture_recall_at_10": "Recall of pictures at 10",
    "picture_recall_at_5": "Recall of pictures at 5",
    "precision_at_target": "Precision of the answered",
    "ranking_auc": "Area under the ROC curve of each row",
    "recall_at_1": "Recall at 1",
    "recall_at_10": "Recall at 10",
    "recall_at_5": "Recall at 5",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "semeval_f1": "SemEval F1",
    "spearman": "Spearman correlation",
    "span_ece": "Calibration error of spans",
    "subset_accuracy": "Exact set of labels",
    "task_mean": "Mean over the tasks",
    "text_recall_at_1": "Recall of texts at 1",
    "text_recall_at_10": "Recall of texts at 10",
    "text_recall_at_5": "Recall of texts at 5",
    "token_f1": "Token F1 with O",
    "token_f1_without_o": "Token F1 without O",
    "token_macro_f1": "Token macro F1",
    "weighted_f1": "Weighted F1",
    "wer": "Word error rate",
}
NOT_SHARES = {
    "nll",
    "brier",
    "mrr",
    "pairing_mrr",
    "ndcg_at_5",
    "ndcg_at_10",
    "aurc",
    "auc",
    "ranking_auc",
    "pearson",
    "perplexity",
    "spearman",
    "task_mean",
}  # not shares of anything: a percent sign would mislead


def name_of(score: str) -> str:
    """The name of a score; `sentiment: Accuracy` where several tasks are judged."""
    task, between, own = score.rpartition(BETWEEN)
    return f"{task}: {name_of(own)}" if between else NAMES.get(score, score.replace("_", " "))


def value_of(score: str, value: float) -> str:
    """`96.2 %` for shares, `0.1234` for the rest and for metrics that this file does not know."""
    return percent(value) if _is_share(score) else f"{value:.4f}"


def _is_share(score: str) -> bool:
    own = score.rpartition(BETWEEN)[2]
    return own in NAMES and own not in NOT_SHARES


def percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f} %"


def interval_of(report: Report, score: str) -> str:
    """`95.6–96.8 %`, or nothing when the score has no interval."""
    if score not in report.intervals:
        return ""
    low, high = report.intervals[score]
    if _is_share(score):
        return f"{100 * low:.1f}–{100 * high:.1f} %"
    return f"{low:.4f}–{high:.4f}"


def title_of(report: Report) -> str:
    """What was judged, in a few words: the name, or the task and the base."""
    parts = [str(report.about[key]) for key in ("name", "task", "base") if report.about.get(key)]
    return " · ".join(parts) or "Evaluation"


def facts_of(report: Report) -> list[tuple[str, str]]:
    """What `about` says, as words: nested values are written as `key: value`."""
    return [(key.replace("_", " "), _plain(value)) for key, value in report.about.items() if value not in (None, "")]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


def abstention_sentence(found: Selective) -> str:
    """What the abstention threshold does, in one sentence."""
    aim = "" if found.is_reached else f" (the wanted {percent(found.target_precision)} could not be assured)"
    return (
        f"Answering only from confidence {found.threshold:.3f} up keeps {percent(found.coverage)} of "
        f"{found.n_answers:,} {found.noun} at a precision of {percent(found.precision)}{aim}; "
        f"the threshold was chosen on {found.chosen_on}."
    )
