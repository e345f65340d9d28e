"""Retrieval: the corpus, word scores by hand, the fusion, learning within a batch, and what is refused."""

from math import log

import numpy as np
import pyarrow as pa
import pytest
import torch

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.data.corpus import CorpusWriter
from burnish.tasks._bm25 import Bm25, terms_of
from burnish.tasks._contract import Collated
from burnish.tasks._contrast import targets_of
from burnish.tasks._corpus import read_corpus
from burnish.tasks._index import Index, open_index

ROWS = [{"id": "a", "text": "lost card", "answer": "block it"}, {"id": "b", "text": "open an account"}]


def build(**settings):
    return Shelf("tasks").build({"name": "retrieval", **settings})


def opened(rows=ROWS, **settings):
    return build(**settings).changed(Index.of(read_corpus(rows, {}, {})))


# words


def test_words_are_folded_and_chinese_is_cut_into_characters_and_pairs():
    assert list(terms_of("Lost CARD, no. ７!")) == ["lost", "card", "no", "7"]
    assert list(terms_of("丢了卡 card")) == ["丢", "了", "卡", "丢了", "了卡", "card"]


def test_word_scores_are_bm25_by_hand():
    found = Bm25(["lost card card", "open account"]).scores("card card lost nowhere")
    idf = log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    held = 1.2 * (0.25 + 0.75 * 3 / 2.5)
    card, lost = idf * 2 * 2.2 / (2 + held), idf * 1 * 2.2 / (1 + held)
    assert found.tolist() == pytest.approx([2 * card + lost, 0.0])


def test_a_corpus_without_any_word_is_searched_all_the_same():
    assert Bm25(["?", "!"]).scores("card").tolist() == [0.0, 0.0]


# the index


@pytest.fixture
def index():
    """Three texts; the query's vector is (1, 0), so their cosines are 0.6, 1 and 0."""
    rows = read_corpus([{"text": "red card"}, {"text": "blue door"}, {"text": "card"}], {}, {})
    return Index.of(rows).with_vectors(np.array([[0.6, 0.8], [1, 0], [0, 1]], np.float32))


@pytest.mark.parametrize(
    ("share", "ids"),
    [(1.0, ["2", "1", "3"]), (0.0, ["3", "1"]), (0.5, ["1", "2", "3"])],
)
def test_vectors_and_words_are_added_by_their_share(index, share, ids):
    (found,) = index.search(["card"], np.array([[1.0, 0.0]]), share)
    assert [index.ids[row] for row in found.rows] == ids
    assert found.cosines.tolist() == pytest.approx([{"1": 0.6, "2": 1.0, "3": 0.0}[name] for name in ids])


def test_rows_are_deleted_and_added_with_their_vectors(index, tmp_path):
    added = Index.of(read_corpus([{"text": "new", "kind": 7}], {}, index.row_of)).with_vectors(
        np.array([[0, -1]], np.float32)
    )
    changed = index.without(["2"]).with_rows(added)
    changed.save(tmp_path / "stock")
    again = open_index(tmp_path / "stock")
    assert list(again.ids) == ["1", "3", "4"]
    assert np.allclose(again.vectors, [[0.6, 0.8], [0, 1], [0, -1]])
    assert again.payload(2) == {"kind": 7}
    assert len(index) == 3


def test_an_unknown_id_to_delete_is_refused(index):
    with pytest.raises(UserError) as caught:
        index.without(["2", "22"])
    assert str(caught.value) == "delete: the id '22' is not in the corpus. Did you mean '2'? It has 3 ids."


def test_an_index_without_its_vectors_is_refused(index, tmp_path):
    index.save(tmp_path)
    (tmp_path / "vectors.safetensors").write_bytes(b"no")
    with pytest.raises(UserError, match=r"vectors\.safetensors: is not the vectors of an index \("):
        open_index(tmp_path)


@pytest.mark.parametrize("content", [b"no", b'{"id": "1", "text": "a"}\n', b"[1]\n", None])
def test_an_index_without_its_texts_is_refused(content, index, tmp_path):
    index.save(tmp_path)
    (tmp_path / "rows.jsonl").unlink() if content is None else (tmp_path / "rows.jsonl").write_bytes(content)
    with pytest.raises(UserError, match=r"rows\.jsonl: is not the texts of an index \(.+\); copy the bundle again\.$"):
        open_index(tmp_path)


def test_rows_of_an_older_bundle_are_read_too(index, tmp_path):
    index.save(tmp_path)
    (tmp_path / "rows.jsonl").unlink()
    names = ("id", "text", "more", "payload")
    with CorpusWriter(tmp_path / "rows.arrow", pa.schema([(name, pa.string()) for name in names])) as writer:
        for row in zip(index.ids, index.texts, index.more, index.payloads, strict=True):
            writer.add(dict(zip(names, row, strict=True)))
    again = open_index(tmp_path)
    assert (again.ids, again.searched, again.payloads) == (index.ids, index.searched, index.payloads)


def test_an_index_with_too_few_vectors_is_refused(index, tmp_path):
    index.with_vectors(index.vectors[:2]).save(tmp_path)
    with pytest.raises(UserError, match=r": has 2 vectors for 3 texts; copy the bundle again\.$"):
        open_index(tmp_path)


# the corpus


def refusal(rows, **columns):
    with pytest.raises(UserError) as caught:
        read_corpus(rows, columns, {"old": 0}).ids  # noqa: B018
    return str(caught.value)


def test_ids_texts_and_further_columns_are_read():
    found = read_corpus([{"n": 5, "q": "why", "a": "so", "x": 1}], {"id": "n", "text": "q", "more": "a"}, {})
    assert (found.ids, found.texts, found.more, found.payloads) == (["5"], ["why"], ["so"], ['{"a":"so","x":1}'])
    assert Index.of(found).searched == ["why\nso"]


def test_doubled_ids_are_refused():
    said = refusal([{"id": "a", "text": "x"}, {"id": "a", "text": "y"}])
    assert said.endswith(":2: the id 'a' stands at rows given from Python:1 already; give each row an id of its own.")


def test_an_id_of_the_index_is_refused():
    said = refusal([{"id": "old", "text": "x"}])
    assert said.endswith(":1: the id 'old' is in the index already; delete it in the same call to replace it.")


def test_an_empty_text_of_the_corpus_is_refused():
    assert refusal([{"id": "a", "text": " "}]).endswith(":1: 'text' is empty; give it a text or take the row out.")


def test_an_id_that_is_no_name_is_refused():
    assert refusal([{"id": 1.5, "text": "x"}]).endswith(":1: 'id' must be text or a whole number; got 1.5.")


def test_an_empty_corpus_is_refused(tmp_path):
    (tmp_path / "faq.jsonl").write_text("[]")
    assert "faq.jsonl" in refusal(str(tmp_path / "faq.jsonl"))


def test_a_missing_column_names_the_setting():
    assert "Set task.corpus_columns: {text: <one of them>}." in refusal([{"question": "x"}])


# rows


def test_a_row_names_its_text_or_its_id():
    task = opened()
    by_text = task.read({"query": "my card is gone", "passage": "lost card "}, True)
    by_id = task.read({"query": "my card is gone", "id": ["a", "b"]}, True)
    assert (by_text["ids"], by_text["passage"]) == (["a"], "lost card")
    assert (by_id["ids"], by_id["passage"]) == (["a", "b"], "lost card")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"query": " ", "id": "a"}, "'query' is empty; give it a text"),
        (
            {"query": "q"},
            "the row has neither 'passage' nor 'id'; give the text, or the id, that the query should find.",
        ),
        ({"query": "q", "id": "c"}, "the id 'c' is not in the corpus. It has 2 ids."),
        ({"query": "q", "id": True}, "'id' must be text, a whole number, or a list of them; got True."),
        (
            {"query": "q", "passage": "nothing"},
            "'passage' is no text of the corpus; correct it, give the row's 'id', or add it to the corpus.",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_told_in_one_sentence(values, sentence):
    with pytest.raises(ValueError, match="^" + sentence.replace("(", r"\(")):
        opened().read(values, True)


def test_a_task_without_a_corpus_is_refused():
    with pytest.raises(UserError, match=r"^task\.corpus is missing: the file with the texts to search"):
        build().opened(lambda name: None, None)


# learning


def test_the_same_text_in_another_row_is_no_wrong_answer():
    """Rows: q1 p1 n1, q2 p2 with p2 = p1. At cosine 1 with its own text and 0 with n1 nothing is left to learn."""
    features = [
        {"n_each": np.array([1, 1, 1]), "codes": np.array([5, 6])},
        {"n_each": np.array([1, 1]), "codes": np.array([5])},
    ]
    targets = targets_of([3, 2], features)
    assert targets["queries"].tolist() == [0, 3]
    assert targets["passages"].tolist() == [1, 2, 4]
    assert targets["own"].tolist() == [0, 2]
    assert targets["is_twin"].tolist() == [[False, False, True], [True, False, False]]
    near, far = [1.0, 0.0], [0.0, 1.0]
    vectors = torch.tensor([near, near, far, near, near])
    loss = build().loss(vectors, Collated({}, targets, 2, 5, [3, 2]).to("cpu"), None, 0.0)
    assert loss.item() == pytest.approx(np.log(1 + np.exp(-20) + np.exp(-40)), abs=1e-6)
