"""Every scheme means the same spans as seqeval and conlleval read from it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from burnish.data.tagging import FoundScheme, find_scheme, iob2_of, spans_of, split_tag, to_iob2

LABELS = st.sampled_from(["PER", "LOC", "A-B"])


def tags_with(letters: str) -> st.SearchStrategy[list[str]]:
    tag = st.one_of(st.just("O"), st.tuples(st.sampled_from(letters), LABELS).map("-".join))
    return st.lists(tag, max_size=12)


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[tuple[int, int, str]], int]:
    n_words = draw(st.integers(1, 15))
    cuts = sorted(draw(st.sets(st.integers(0, n_words), max_size=10)))
    pairs = [(a, b) for a, b in itertools.pairwise(cuts) if draw(st.booleans())]
    return [(start, end, draw(LABELS)) for start, end in pairs], n_words


def seqeval_spans(tags: list[str]) -> list[tuple[int, int, str]]:
    return [(start, last + 1, label) for label, start, last in get_entities(tags)]


@given(tags_with("BI"))
def test_broken_iob2_is_read_as_seqeval_reads_it(tags: list[str]) -> None:
    assert spans_of(tags) == seqeval_spans(tags)


@given(tags_with("BIES"))
def test_broken_bioes_is_read_as_seqeval_reads_it(tags: list[str]) -> None:
    assert spans_of(to_iob2(tags, "bioes")) == seqeval_spans(tags)


@given(sentences())
def test_spans_survive_iob2(case: tuple[list[tuple[int, int, str]], int]) -> None:
    spans, n_words = case
    assert spans_of(iob2_of(spans, n_words)) == spans


@given(sentences(), st.sampled_from(["iob1", "bioes", "bmes", "bilou"]))
def test_spans_survive_every_scheme(case: tuple[list[tuple[int, int, str]], int], scheme: str) -> None:
    spans, n_words = case
    tags = iob2_of(spans, n_words)
    written = as_iob1(spans, n_words) if scheme == "iob1" else as_edges(spans, n_words, scheme)
    assert to_iob2(written, "bioes" if scheme == "bilou" else scheme) == tags


def as_iob1(spans: list[tuple[int, int, str]], n_words: int) -> list[str]:
    """B only where the word before ends a span of the same label (Ramshaw & Marcus 1995)."""
    tags = ["O"] * n_words
    ended = {}
    for start, end, label in spans:
        tags[start:end] = [f"I-{label}"] * (end - start)
        if ended.get(start) == label:
            tags[start] = f"B-{label}"
        ended[end] = label
    return tags


def as_edges(spans: list[tuple[int, int, str]], n_words: int, scheme: str) -> list[str]:
    begin, inside, last, single = {"bioes": "BIES", "bmes": "BMES", "bilou": "BILU"}[scheme]
    tags = ["O"] * n_words
    for start, end, label in spans:
        letters = single if end - start == 1 else begin + inside * (end - start - 2) + last
        tags[start:end] = [f"{letter}-{label}" for letter in letters]
    return tags


def test_plain_tags_stay_as_they_are() -> None:
    assert to_iob2(["NNP", "VBZ", "B"], "plain") == ["NNP", "VBZ", "B"]


@pytest.mark.parametrize("tag", ["B", "PER", "", "B-", "-PER", "BB-PER"])
def test_a_tag_of_another_form_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match=f"the tag '{tag}' is neither O nor a letter, a hyphen and a label"):
        split_tag(tag)


def test_a_letter_that_the_scheme_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the scheme iob2 has no tag 'E-PER'; it has O and B-…, I-…"):
        to_iob2(["B-PER", "E-PER"], "iob2")


@pytest.mark.parametrize("span", [(2, 2, "A"), (3, 2, "A"), (-1, 2, "A"), (0, 5, "A")])
def test_a_span_outside_the_words_is_refused(span: tuple[int, int, str]) -> None:
    with pytest.raises(ValueError, match="does not lie within 4 words"):
        iob2_of([span], 4)


def test_overlapping_spans_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the span \[1, 3\) 'B' overlaps another"):
        iob2_of([(0, 2, "A"), (1, 3, "B")], 4)


@pytest.mark.parametrize(
    ("texts", "name", "n_without_begin"),
    [
        (["B-PER I-PER O", "B-LOC O"], "iob2", 0),
        (["I-PER I-PER O", "I-LOC B-LOC O"], "iob1", 2),
        (["B-PER I-PER O B-LOC", "B-LOC I-PER B-PER"], "iob2", 1),
        (["B-PER E-PER O S-LOC"], "bioes", 0),
        (["B-PER L-PER O U-LOC"], "bioes", 0),
        (["O I-PER E-PER"], "bioes", 1),
        (["B-PER M-PER E-PER S-LOC"], "bmes", 0),
        (["B-PER M-PER I-PER"], "plain", 0),
        (["NNP VBZ O"], "plain", 0),
        (["B M E S"], "plain", 0),
        (["X-PER O"], "plain", 0),
        (["O O"], "iob2", 0),
    ],
)
def test_the_scheme_is_found_from_tags_and_transitions(texts: list[str], name: str, n_without_begin: int) -> None:
    found = find_scheme(text.split() for text in texts)
    assert found.name == name
    if name != "plain":
        assert found == FoundScheme(name, n_without_begin)
