"""Clusters of duplicates: what is joined, what is not, and nothing of it by chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.data.duplicates import all_duplicates, comparable, duplicate_clusters, label_conflicts
from burnish.data.near import bands_for, candidates


def clusters(texts, work, mode="near", similarity=0.8, find=duplicate_clusters):
    return find(texts, len(texts), mode, similarity, work)


LONG = "could you please tell me how much money is left in my savings account today"


def similarity_of(one, other):
    """Jaccard similarity of the 5-grams, by Python's sets."""
    grams = [{text[at : at + 5] for at in range(len(text) - 4)} for text in (one, other)]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def test_exact_duplicates_differ_in_case_width_and_spacing_only(tmp_path):
    found = clusters(["Hello world", "other", "hello  WORLD", "ｈｅｌｌｏ world", "hello world!"], tmp_path, "exact")
    assert found.ids.tolist() == [0, 1, 0, 0, 4]
    assert (found.n_exact, found.n_near) == (2, 0)


def test_near_duplicates_join_and_are_counted(tmp_path):
    texts = [
        LONG,
        "a quite different sentence about the weather",
        LONG.replace("today", "now"),
        LONG.upper(),
        LONG + "?",
    ]
    found = clusters(texts, tmp_path)
    assert found.ids.tolist() == [0, 1, 0, 0, 0]
    assert found.exact_ids.tolist() == [0, 1, 2, 0, 4]
    assert (found.n_exact, found.n_near) == (1, 2)
    assert {(pair.first, pair.second) for pair in found.examples} == {(0, 2), (0, 3), (0, 4)}
    near = next(pair for pair in found.examples if pair.second == 2)
    assert near.similarity == round(similarity_of(texts[0], texts[2]), 4)


def test_chinese_texts_are_equals(tmp_path):
    text = "请问我的信用卡账单应该怎样在手机银行里面查询和下载呢"
    assert clusters([text, "今天天气怎么样", text + "？", text.replace("呢", "啊")], tmp_path).ids.tolist() == [
        0,
        1,
        0,
        0,
    ]


def test_off_finds_nothing(tmp_path):
    found = clusters(["same", "same"], tmp_path, "off")
    assert found.ids.tolist() == [0, 1]
    assert (found.n_exact, found.n_near, found.examples) == (0, 0, ())


def test_short_texts_do_not_chain(tmp_path):
    texts = [
        "yes",
        "yes please",
        "yes!",
        "no",
        "not",
        "set alarm for 6",
        "set alarm for 7",
        "play song 1",
        "play song 2",
    ]
    assert clusters(texts, tmp_path).ids.tolist() == [0, 1, 0, 3, 4, 5, 6, 7, 8]


def test_similarity_decides(tmp_path):
    texts = [LONG, LONG.replace("savings", "checking")]
    assert 0.6 < similarity_of(*texts) < 0.8
    assert clusters(texts, tmp_path, similarity=0.8).ids.tolist() == [0, 1]
    assert clusters(texts, tmp_path, similarity=0.6).ids.tolist() == [0, 0]


def test_near_duplicates_of_near_duplicates_share_a_cluster(tmp_path):
    texts = [LONG, LONG + " or now", LONG + " or now and then"]
    assert similarity_of(texts[0], texts[2]) < 0.85 < min(similarity_of(*texts[:2]), similarity_of(*texts[1:]))
    assert clusters(texts, tmp_path, similarity=0.85).ids.tolist() == [0, 0, 0]


def template(number):
    return f"dear customer, your order {number:05d} has left our warehouse and will reach you soon"


def test_a_template_does_not_become_one_giant_cluster(tmp_path):
    texts = [template(number) for number in range(300)]
    found = clusters(texts, tmp_path)
    assert np.bincount(found.ids).max() <= 20
    assert found.n_full > 0
    assert np.bincount(clusters(texts, tmp_path, find=all_duplicates).ids).max() > 250


def test_a_text_repeated_often_is_one_cluster_however_large(tmp_path):
    assert set(clusters([LONG] * 500, tmp_path).ids.tolist()) == {0}


def test_almost_every_similar_pair_is_found(tmp_path):
    """Against brute force: texts made by edits, similarity 0.8 and more on one side for at least 99 % of pairs."""
    rng = np.random.default_rng(5)
    texts = []
    for _ in range(120):
        base = "".join(rng.choice(list("abcdefghij klmno"), 80))
        texts += [base, base[:40] + "#" + base[41:], base[:-4], "x" + base]
    ids = clusters(texts, tmp_path).ids
    pairs = [
        (a, b)
        for a in range(len(texts))
        for b in range(a + 1, a - a % 4 + 4)
        if similarity_of(texts[a], texts[b]) >= 0.8
    ]
    assert len(pairs) > 400
    assert np.mean([ids[a] == ids[b] for a, b in pairs]) >= 0.99
    assert all(a // 4 == b // 4 for a, b in enumerate(ids.tolist()))  # and nothing unlike was joined


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet="ab ", max_size=6), max_size=30), st.sampled_from(["near", "exact"]))
def test_ids_name_the_smallest_row_and_counts_add_up(tmp_path_factory, texts, mode):
    found = clusters(texts, tmp_path_factory.getbasetemp() / "work", mode)
    assert np.array_equal(found.ids[found.ids], found.ids)
    assert np.all(found.ids <= np.arange(len(texts)))
    assert np.array_equal(found.ids[found.exact_ids], found.ids)  # exact copies are never parted
    assert found.n_exact == len(texts) - len(set(found.exact_ids.tolist()))
    assert found.n_exact + found.n_near == len(texts) - len(set(found.ids.tolist()))


def test_the_same_texts_give_the_same_clusters_and_leave_no_files(tmp_path):
    texts = [template(number) for number in range(100)]
    assert clusters(texts, tmp_path).ids.tolist() == clusters(texts, tmp_path).ids.tolist()
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told(tmp_path):
    heard = []
    duplicate_clusters([LONG, LONG + "!"], 2, "near", 0.8, tmp_path, heard.append)
    assert (heard[-1].stage, heard[-1].done) == ("near duplicates", heard[-1].total)


@pytest.mark.parametrize(("n", "message"), [(1, "got more texts than the 1"), (3, "got 2 texts, but 3 were announced")])
def test_a_wrong_count_is_refused(tmp_path, n, message):
    with pytest.raises(ValueError, match=message):
        duplicate_clusters(["a", "b"], n, "exact", 0.8, tmp_path)


@pytest.mark.parametrize("similarity", [0.01, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_are_as_strict_as_recall_allows(similarity):
    n_bands, n_rows = bands_for(similarity)
    assert n_bands * n_rows <= 128
    if n_rows > 1:
        assert 1 - (1 - similarity**n_rows) ** n_bands >= 0.995


def test_candidates_are_the_first_and_the_previous_of_a_group():
    left, right = candidates(np.array([7, 5, 7, 9, 7], np.uint64))
    assert sorted(zip(left.tolist(), right.tolist(), strict=True)) == [(0, 2), (0, 4), (2, 4)]


def test_a_text_pair_counts_as_one_text():
    assert comparable({"text": "a", "text_pair": "b"}) == "a\nb"
    assert comparable({"text": "a", "text_pair": None}) == comparable({"text": "a"}) == "a"


def test_conflicts_are_all_rows_of_a_text_under_two_labels():
    ids = np.array([0, 1, 0, 3, 1, 0])
    codes = np.array([2, 1, 2, 0, 1, 0], np.int32)
    assert label_conflicts(ids, codes).tolist() == [0, 2, 5]


def test_copies_of_what_is_no_text_are_told_by_a_digest_of_it():
    assert comparable({"text": "a.png", "content": "9f3c"}) == "9f3c"
    assert comparable({"text": "a", "text_pair": "b", "content": None}) == "a\nb"
