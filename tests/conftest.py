"""Fixtures that more than one room needs. Outcomes are random but the same in every run."""

import numpy as np
import pytest

from burnish.metrics._answers import AnswerOutcome
from burnish.metrics._joint import JointOutcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._ranked import RankedOutcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._scores import ScoreOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import Span, SpanOutcome


def random_single(seed=0, n_rows=60, n_labels=5, is_perfect=False):
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(n_rows, n_labels)) * 2
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gold = draw.integers(n_labels, size=n_rows)
    if is_perfect:
        shares = np.eye(n_labels)[gold]
    return SingleOutcome(gold, shares, tuple(f"label {index}" for index in range(n_labels)))


def random_multi(seed=0, n_rows=60, n_labels=4, is_perfect=False):
    draw = np.random.default_rng(seed)
    gold = draw.random((n_rows, n_labels)) < 0.4
    shares = gold.astype(float) if is_perfect else draw.random((n_rows, n_labels))
    return MultiOutcome(gold, shares, np.full(n_labels, 0.5), tuple(f"label {index}" for index in range(n_labels)))


def spans_of_tags(tags, confidence):
    """IOB2 tags of one row → spans whose characters are word numbers, written apart from our own reader."""
    spans, start = [], None
    for at, tag in enumerate([*tags, "O"]):
        if start is not None and not (tag.startswith("I-") and tag[2:] == tags[start][2:]):
            spans.append(Span(start, at, tags[start][2:], float(min(confidence[start:at]))))
            start = None
        if tag.startswith("B-"):
            start = at
    return spans


def random_tags(draw, n_words):
    tags = []
    for _ in range(n_words):
        can_go_on = bool(tags) and tags[-1] != "O"
        kind = draw.choice(["O", "B", "I"] if can_go_on else ["O", "B"])
        tags.append("O" if kind == "O" else f"B-{draw.choice(['PER', 'LOC'])}" if kind == "B" else f"I-{tags[-1][2:]}")
    return tags


def random_spans(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    gold = [random_tags(draw, int(draw.integers(1, 9))) for _ in range(n_rows)]
    noisy = [tags if draw.random() < 0.5 else random_tags(draw, len(tags)) for tags in gold]
    found = gold if is_perfect else noisy
    sure = [np.ones(len(tags)) if is_perfect else draw.random(len(tags)) for tags in gold]
    return SpanOutcome(
        [spans_of_tags(tags, np.ones(len(tags))) for tags in gold],
        [spans_of_tags(tags, one) for tags, one in zip(found, sure, strict=True)],
        gold,
        found,
        [one.tolist() for one in sure],
        ("LOC", "PER"),
    )


def random_scores(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    gold = np.round(draw.random(n_rows), 1)  # with ties, as people give marks
    return ScoreOutcome(gold, gold if is_perfect else draw.random(n_rows), (0.0, 5.0))


def random_relations(seed=0, n_rows=60, is_perfect=False):
    single = random_single(seed, n_rows, 5, is_perfect)
    labels = ("a(e1,e2)", "a(e2,e1)", "b(e1,e2)", "none", "same as")
    return RelationOutcome(SingleOutcome(single.gold, single.probabilities, labels), "none")


def random_ranked(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    names = [f"t{number}" for number in range(20)]
    gold = [draw.choice(names, size=draw.integers(1, 4), replace=False).tolist() for _ in range(n_rows)]
    ranked = [draw.permutation(names).tolist() for _ in range(n_rows)]
    if is_perfect:
        ranked = [[*wanted, *(name for name in names if name not in wanted)] for wanted in gold]
    return RankedOutcome.of(gold, ranked)


def random_answers(seed=0, n_rows=60, is_perfect=False):
    draw = np.random.default_rng(seed)
    known = ["a red door", "red door", "in 1987", "北京大学", "北京的大学", "", "上海"]
    gold = [tuple(one for one in draw.choice(known, size=draw.integers(1, 3)) if one) for _ in range(n_rows)]
    guessed = [str(one) for one in draw.choice(known, size=n_rows)]
    found = [str(one[0]) if one else "" for one in gold] if is_perfect else guessed
    sure = np.ones(n_rows) if is_perfect else draw.random(n_rows)
    return AnswerOutcome(gold, found, sure, draw.random(n_rows), draw.random(n_rows) < 0.5)


def random_joint(seed=0, n_rows=60, is_perfect=False):
    n_first = n_rows // 3
    parts = {
        "mood": random_single(seed, n_first, is_perfect=is_perfect),
        "names": random_spans(seed, n_rows - n_first, is_perfect=is_perfect),
    }
    part = (np.arange(n_rows) >= n_first).astype(np.int64)
    at = np.concatenate([np.arange(n_first), np.arange(n_rows - n_first)])
    order = np.random.default_rng(seed).permutation(n_rows)
    return JointOutcome(parts, {"mood": "accuracy", "names": "entity_f1"}, part[order], at[order])


MAKERS = {
    JointOutcome: random_joint,
    AnswerOutcome: random_answers,
    RelationOutcome: random_relations,
    RankedOutcome: random_ranked,
    SingleOutcome: random_single,
    MultiOutcome: random_multi,
    SpanOutcome: random_spans,
    ScoreOutcome: random_scores,
}


@pytest.fixture
def make_outcome():
    """Random outcome of a type, e.g. `make_outcome(SingleOutcome, seed=3)`; with `is_perfect` it is certain gold."""
    return lambda kind, **settings: MAKERS[kind](**settings)


TINY_WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "good",
    "bad",
    "day",
    "so",
    "all",
    *"abcdefghijklmnopqrstuvwxyz",
    *"中国北京上海好坏的我",
]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory):
    """A folder with a BERT of 2 layers × 32, random weights, that reads letters, a few words and Chinese characters."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny-base")
    pieces = [*TINY_WORDS, *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"), *"0123456789.,!?-"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    return folder
