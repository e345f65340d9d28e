"""The data card: its figures, its JSON, its Markdown and its warnings."""

import json

import numpy as np

from burnish.data.card import DataCard, Dropped, class_counts, classes_card, duplicates_card, leak_card, split_card
from burnish.data.card_text import to_markdown, warnings
from burnish.data.duplicates import Clusters, Pair
from burnish.data.leaks import Leak, LeakExample
from burnish.data.measures import measure


class Rows(list):
    def take(self, indices):
        return [self[at] for at in indices]


def a_split(n=100, counts=None, **more):
    return split_card(measure(["good day"] * n), counts or {"a": n // 2, "b": n // 2}, np.full(n, 5), **more)


def a_card(train=None, duplicates=None, leaks=(), **more):
    return DataCard(
        splits={"train": train or a_split()}, duplicates=duplicates or {}, leaks=list(leaks), sources={}, dropped={}
    ).model_copy(update=more)


def a_leak(n_rows=3, text="copy"):
    example = LeakExample(text, 2, "Copy", 9, 1.0)
    return leak_card(Leak("test", "train", n_rows, 1, n_rows / 50, (example,) if n_rows else ()))


def test_labels_are_counted_and_a_missing_one_is_not():
    assert class_counts(np.array([0, 2, -1, 2], np.int32), ["a", "b", "c"]) == {"a": 1, "b": 0, "c": 2}


def test_classes_are_listed_most_rows_first_and_rare_ones_apart():
    found = classes_card({"few": 4, "many": 90, "single": 1, "none": 0, "enough": 5})
    assert list(found.counts.items()) == [("many", 90), ("enough", 5), ("few", 4), ("single", 1)]
    assert found.smallest == ("single", 1)
    assert list(found.rare.items()) == [("single", 1), ("few", 4)]
    assert (found.n, found.n_rare, found.n_single) == (4, 2, 1)
    assert classes_card({}) is None


def test_long_lists_of_classes_are_cut_but_counted():
    found = classes_card({f"l{number:04d}": 1 for number in range(2000)})
    assert (len(found.counts), len(found.rare), found.n, found.n_single) == (500, 500, 2000, 2000)


def test_a_split_is_summed_up():
    found = split_card(measure(["ab cd", "文本 ok", " "]), {"x": 3}, np.array([4, 6, 2]), n_cut=1, n_windowed=2)
    assert (found.n_rows, found.n_cut, found.n_windowed, found.n_empty) == (3, 1, 2, 1)
    assert (found.characters.minimum, found.characters.maximum) == (1, 5)
    assert (found.words.median, found.tokens.maximum) == (2, 6)
    assert split_card(measure(["a"])).tokens is None


def test_duplicates_show_the_rows():
    rows = Rows([{"text": "one", "line": 2}, {"text": "two", "line": 3}, {"text": "One", "line": 4}])
    ids = np.array([0, 1, 0])
    found = duplicates_card(Clusters(ids, ids, 1, 0, 0, (Pair(0, 2, 1.0),)), rows, n_conflicting=2)
    assert (found.n_exact, found.n_near, found.n_conflicting) == (1, 0, 2)
    [pair] = found.examples
    assert (pair.text, pair.line, pair.other_text, pair.other_line) == ("one", 2, "One", 4)


def test_the_card_survives_json():
    card = a_card(
        leaks=[a_leak()],
        sources={"train.csv": {"encoding": "GB18030"}},
        dropped={"dev": Dropped(n_rows=2, reasons=["a.csv:2: …"])},
    )
    assert DataCard.model_validate(json.loads(json.dumps(card.to_dict()))) == card


def test_a_healthy_card_has_no_warnings():
    assert warnings(a_card(leaks=[a_leak(0)])) == []


def test_leaks_are_warned_of():
    assert warnings(a_card(leaks=[a_leak()])) == [
        (
            "3 rows of test (6.00%) repeat a row of train (1 exactly, 2 nearly): scores on test will look too good. "
            "Remove such rows from one side."
        )
    ]
    assert (
        "1 row of test (2.00%) repeats a row of train (1 exactly, 0 nearly):" in warnings(a_card(leaks=[a_leak(1)]))[0]
    )


def test_rows_left_out_are_warned_of_with_the_first_reasons():
    reasons = [f"a.csv:{line}: 'text' is empty." for line in range(2, 22)]
    assert warnings(a_card(dropped={"train": Dropped(n_rows=30, reasons=reasons)})) == [
        (
            "train: 30 rows that cannot be used were left out (data.bad_rows: drop):\n  a.csv:2: 'text' is empty.\n"
            "  a.csv:3: 'text' is empty.\n  a.csv:4: 'text' is empty.\n  … and 27 more."
        )
    ]
    assert warnings(a_card(dropped={"dev": Dropped(n_rows=1, reasons=reasons[:1])})) == [
        "dev: 1 row that cannot be used was left out (data.bad_rows: drop):\n  a.csv:2: 'text' is empty."
    ]


def test_imbalance_is_warned_of_from_more_than_twenty_times():
    assert warnings(a_card(a_split(counts={"a": 200, "b": 10}))) == []
    assert warnings(a_card(a_split(counts={"a": 210, "b": 10}))) == [
        "train: the label 'a' has 21 times as many rows (210) as 'b' (10); consider train.class_weights: balanced."
    ]


def test_rare_labels_are_named():
    assert warnings(a_card(a_split(counts={"a": 20, "b": 1, "c": 4}))) == [
        "train: 1 label stands in one row only: b. Such a label can be learnt, not judged.",
        "train: 1 label stands in fewer than 5 rows: c. Add rows.",
    ]
    assert "2 labels stand in one row only: c, b." in warnings(a_card(a_split(counts={"a": 20, "b": 1, "c": 1})))[0]


def test_one_class_is_warned_of():
    assert warnings(a_card(a_split(counts={"a": 20}))) == [
        "train: every row has the label 'a'; there is nothing to tell apart."
    ]


def test_conflicting_labels_are_warned_of():
    ids = np.arange(3)
    found = duplicates_card(Clusters(ids, ids, 0, 0, 0, ()), Rows(), n_conflicting=4)
    [sentence] = warnings(a_card(duplicates={"train": found}))
    assert sentence.startswith("train: 4 rows have a copy with the same text under another label;")


def test_cut_and_empty_texts_are_warned_of():
    assert warnings(a_card(a_split(1000, n_cut=9))) == []
    assert warnings(a_card(a_split(1000, n_cut=10)))[0].startswith(
        "train: 10 rows (1.0%) are longer than the model reads; their ends are cut."
    )
    empty = split_card(measure([" ", "a"]), {"a": 1, "b": 1})
    assert "train: 1 rows (50.0%) have an empty text." in warnings(a_card(empty))


def test_markdown_holds_every_section():
    duplicates = {"train": duplicates_card(Clusters(np.arange(1), np.arange(1), 5, 2, 0, ()), Rows())}
    counts = {f"l{number:03d}": 100 - number for number in range(40)}
    text = to_markdown(
        a_card(
            a_split(counts=counts),
            duplicates,
            [a_leak()],
            sources={"train.csv": {"encoding": "UTF-8"}},
            dropped={"train": Dropped(n_rows=30, reasons=["a.csv:4: 'text' is empty."])},
        )
    )
    for expected in (
        "# Data card\n",
        "| train | 100 | 40 | 8 / 8 / 8 / 8 | 2 / 2 / 2 / 2 | 5 / 5 / 5 / 5 | 0 | 0 | 0 |",
        "… and 10 more; the smallest, l039, has 61.",
        "5 rows repeat an earlier row exactly, 2 nearly",
        "3 rows of test (6.00%) repeat a row of train: 1 exactly, 2 nearly.",
        "| 2 | copy | 9 | Copy | 1.00 |",
        "| train.csv | encoding | UTF-8 |",
        "## Rows of train left out\n\n30 rows cannot be used.\n\n- a.csv:4: 'text' is empty.\n- … and 29 more.\n",
    ):
        assert expected in text


def test_text_in_markdown_is_only_text():
    text = to_markdown(a_card(leaks=[a_leak(text="<script>x</script> | a\n# *b* " + "y" * 200)]))
    assert "| 2 | &lt;script&gt;x&lt;/script&gt; \\| a \\# \\*b\\* yyy" in text
    assert "<script" not in text
    assert "y" * 81 not in text
