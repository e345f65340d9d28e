"""From a recipe's data section to train, dev and test: every fault with its line, every setting with its effect."""

import json
from collections import Counter

import pytest
from tests.flows.conftest import sentiment_rows, write_csv

from burnish.core.errors import UserError
from burnish.core.events import Progress, ignore
from burnish.flows import ingest as ingest_module
from burnish.flows.carding import data_card
from burnish.flows.encode import Lengths
from burnish.flows.prepare import fresh_folder, prepare
from burnish.recipe.load import load

ROWS = sentiment_rows(120)


@pytest.fixture
def prepared(tmp_path):
    """The sides of a recipe, e.g. `prepared(rows, dev="20%")`; `rows` go to a file train.csv."""

    def run(rows=ROWS, *, task="classification", train=None, header=("text", "label"), listen=ignore, **data):
        path = train or write_csv(tmp_path / "train.csv", rows, header)
        seed = data.pop("seed", 7)
        weights = data.pop("class_weights", "none")
        settings = {"seed": seed, "class_weights": weights}
        recipe = {"task": task, "data": {"train": str(path), **data}, "train": settings}
        return prepare(load(recipe), fresh_folder(tmp_path / "work"), listen)

    return run


@pytest.fixture
def refused(prepared, tmp_path):
    """The sentences of a refusal, without the folder's name."""

    def run(*arguments, **settings):
        with pytest.raises(UserError) as caught:
            prepared(*arguments, **settings)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return run


def texts(side):
    return [example["text"] for example in side.corpus]


def sizes(found):
    return {name: len(side.corpus) for name, side in found.sides.items()}


def test_every_row_that_cannot_be_used_is_told_with_its_line(refused):
    rows = [("good", "a"), ("", "a"), ("so", " "), ("x", "a", "b"), ("bad", "b")]
    assert refused(rows) == [
        "train.csv:3: 'text' is empty; give it a text or take the row out (data.bad_rows: drop skips such rows).",
        "train.csv:4: 'label' is empty; give it a label or take the row out (data.bad_rows: drop skips such rows).",
        (
            "train.csv:5: the row has 3 cells where the file has 2 columns; "
            "put a cell that holds the delimiter (,) in double quotes."
        ),
    ]


def test_the_first_twenty_faults_are_told_and_how_many_more(refused):
    told = refused([("", "a")] * 30)
    assert len(told) == 21
    assert told[-1] == "… and 10 more like these."


def test_bad_rows_are_dropped_and_counted_when_the_recipe_says_so(prepared):
    found = prepared([*ROWS, ("", "good"), ("x", "")], bad_rows="drop")
    assert found.whole.n_dropped == 2
    assert sum(sizes(found).values()) == 120
    card = data_card(found, {name: Lengths.of(n) for name, n in sizes(found).items()})
    assert card.dropped["train"].n_rows == 2


def test_a_file_of_bad_rows_only_says_why(refused):
    assert refused([("", "a"), ("x", "")], bad_rows="drop") == [
        "train.csv: has no usable row.",
        "train.csv:2: 'text' is empty; give it a text or take the row out (data.bad_rows: drop skips such rows).",
        "train.csv:3: 'label' is empty; give it a label or take the row out (data.bad_rows: drop skips such rows).",
    ]


def test_nan_is_an_empty_cell(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["good", float("nan")], "label": ["a", "b"]})
    with pytest.raises(UserError) as caught:
        prepare(load(task="classification", train=frame), fresh_folder(tmp_path / "work"), ignore)
    assert str(caught.value) == (
        "rows given from Python:2: 'text' is empty; give it a text or take the row out "
        "(data.bad_rows: drop skips such rows)."
    )


def test_one_class_is_refused(refused):
    assert refused([("good", "a"), ("bad", "a")]) == [
        "train.csv: every row has the label 'a'; the task needs at least 2 labels."
    ]


def test_rows_without_any_label_are_refused(refused, tmp_path):
    file = tmp_path / "train.jsonl"
    file.write_text('{"text": "good day", "spans": []}\n')
    assert refused(task="tokens", train=file) == ["train.jsonl: no row carries a label; check data.columns."]


def test_a_label_in_one_row_only_is_told_with_that_row(refused):
    assert refused([*ROWS[:10], ("so", "odd"), ("all", "lone")]) == [
        f"train.csv:{line}: the label '{label}' stands in one row only; give it at least 2, "
        "merge it with another, or take the row out."
        for line, label in ((12, "odd"), (13, "lone"))
    ]


def test_a_span_label_may_stand_in_one_row(prepared, tmp_path):
    rows = [{"text": f"good {i}", "spans": [[0, 4, "A" if i else "B"]]} for i in range(20)]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert prepared(task="tokens", train=tmp_path / "train.jsonl").labels == ("A", "B")


@pytest.mark.parametrize("side", ["dev", "test"])
def test_a_label_that_training_never_saw_is_told_with_its_line(refused, tmp_path, side):
    other = write_csv(tmp_path / "other.csv", [("x", "good"), ("y", "godo"), ("z", "neutral")])
    assert refused(**{side: str(other)}) == [
        (
            "other.csv:3: the label 'godo' is not in the training data. Did you mean 'good'? "
            "Correct it, add training rows for it, or take the row out."
        ),
        (
            "other.csv:4: the label 'neutral' is not in the training data. "
            "Correct it, add training rows for it, or take the row out."
        ),
    ]


def test_weights_of_labels_that_the_data_lacks_are_told_before_anything_is_trained(refused):
    assert refused(class_weights={"godo": 2.0, "bad": 1.0, "x": 3.0}) == [
        "train.class_weights: there is no label 'godo'. Did you mean 'good'? The data has: bad, good.",
        "train.class_weights: there is no label 'x'. The data has: bad, good.",
    ]


def test_columns_are_read_under_their_own_names(prepared):
    found = prepared(header=("utterance", "intent"), columns={"text": "utterance", "label": "intent"})
    assert found.labels == ("bad", "good")


def test_a_column_that_is_missing_is_told_with_those_that_are_there(refused):
    assert refused(header=("text", "lable")) == [
        (
            "train.csv:2: there is no column 'label' (the label's name). Did you mean 'lable'? "
            "It has: text, lable. Set data.columns: {label: <one of them>}."
        )
    ]


def test_an_encoding_that_is_named_is_used(prepared, refused, tmp_path):
    content = "text,label\n" + "".join(f"{text} café,{label}\n" for text, label in ROWS)
    (tmp_path / "latin.csv").write_bytes(content.encode("cp1252"))
    assert all(text.endswith("café") for text in texts(prepared(train=tmp_path / "latin.csv", encoding="cp1252").train))
    assert "fits neither UTF-8 nor GB18030 (Chinese)" in refused(train=tmp_path / "latin.csv")[0]


def test_shares_are_cut_as_large_as_the_recipe_says(prepared):
    assert sizes(prepared(dev="25%", test="10%")) == {"train": 78, "dev": 30, "test": 12}
    assert sizes(prepared(dev="5%")) == {"train": 114, "dev": 6}


def test_a_share_takes_no_more_rows_than_the_recipe_allows(prepared):
    rows = sentiment_rows(600)
    assert sizes(prepared(rows, dev="50%", duplicates="off"))["dev"] == 300
    assert sizes(prepared(rows, dev="50%", duplicates="off", most_share_rows=100))["dev"] == 100


def test_the_seed_decides_which_rows_a_share_takes(prepared):
    first, again, other = (texts(prepared(seed=seed).sides["dev"]) for seed in (7, 7, 8))
    assert first == again != other


def test_a_stratified_share_keeps_the_classes_in_proportion_and_a_random_one_need_not(prepared):
    rows = [*sentiment_rows(100), *((f"so all {text}", "rare") for text, _ in sentiment_rows(20, seed=9))]
    stratified = Counter(
        example["label"] for example in prepared(rows, dev="50%", split="stratified").sides["dev"].corpus
    )
    assert stratified == {"good": 25, "bad": 25, "rare": 10}
    drawn = [prepared(rows, dev="50%", split="random", seed=seed) for seed in (1, 2, 3)]
    assert any(Counter(one["label"] for one in found.sides["dev"].corpus) != stratified for found in drawn)


def test_a_grouped_split_reads_the_groups_from_its_column(prepared):
    rows = [(*row, f"author {number // 10}") for number, row in enumerate(ROWS)]
    split = {"name": "grouped", "column": "who"}
    found = prepared(rows, header=("text", "label", "who"), dev="25%", split=split)
    authors = [{example["column.who"] for example in side.corpus} for side in found.sides.values()]
    assert len(authors) == 2
    assert authors[0].isdisjoint(authors[1])


def test_a_split_by_time_reads_its_column(prepared):
    rows = [(*row, f"2024-01-{1 + number % 30:02}") for number, row in enumerate(ROWS)]
    split = {"name": "time", "column": "when"}
    found = prepared(rows, header=("text", "label", "when"), dev="25%", split=split, duplicates="off")
    train, dev = ([example["column.when"] for example in found.sides[side].corpus] for side in ("train", "dev"))
    assert max(train) <= min(dev)


def test_a_column_that_the_split_needs_and_the_data_lacks_is_told(refused):
    assert refused(split={"name": "grouped", "column": "author"}) == [
        "train.csv:2: there is no column 'author'. It has: text, label."
    ]


@pytest.mark.parametrize(
    ("mode", "n_exact", "n_near"), [("near", 1, 1), ("exact", 1, 0), ("off", 0, 0)], ids=["near", "exact", "off"]
)
def test_duplicates_are_looked_for_as_the_recipe_says(prepared, mode, n_exact, n_near):
    text = "please tell me how much money is on my account today"
    found = prepared([*ROWS, (text, "good"), (text.upper(), "good"), (f"{text} ok", "good")], duplicates=mode)
    assert (found.duplicates.n_exact, found.duplicates.n_near) == (n_exact, n_near)
    if mode == "near":
        assert len({any(text.lower() in one.lower() for one in texts(side)) for side in found.sides.values()}) == 2


def test_similarity_decides_which_texts_are_near(prepared):
    text = "please tell me how much money is on my account today"
    rows = [*ROWS, (text, "good"), (f"{text} thank you", "good")]
    assert [prepared(rows, similarity=limit).duplicates.n_near for limit in (0.7, 0.95)] == [1, 0]


def test_leaks_between_given_files_are_found(prepared, tmp_path):
    other = write_csv(tmp_path / "test.csv", [ROWS[0], ("a text of its own", "good")])
    [leak] = prepared(test=str(other)).leaks
    assert (leak.side, leak.other, leak.n_rows, leak.n_exact) == ("test", "train", 1, 1)


def test_several_files_are_one_side_and_each_row_knows_its_own(tmp_path):
    files = [write_csv(tmp_path / f"{name}.csv", sentiment_rows(40, seed)) for seed, name in enumerate("ab")]
    recipe = load(task="classification", train=[str(file) for file in files])
    found = prepare(recipe, fresh_folder(tmp_path / "work"), ignore)
    assert found.train.places == [str(file) for file in files]
    places = {found.whole.where(example) for example in found.whole.corpus}
    assert places == {f"{file}:{line}" for file in files for line in range(2, 42)}


def test_the_digest_is_that_of_the_rows(prepared):
    first, again, other = (prepared(rows).digest for rows in (ROWS, ROWS, [*ROWS[1:], ("so good", "good")]))
    assert first == again != other


def test_reading_tells_how_far_it_is(prepared, monkeypatch, tmp_path):
    monkeypatch.setattr(ingest_module, "TELL_EVERY_ROWS", 50)
    told = []
    prepared(listen=told.append)
    read = [event for event in told if isinstance(event, Progress) and event.stage.startswith("read ")]
    assert read == [Progress(f"read {tmp_path}/train.csv", n, None, "rows") for n in (50, 100)]
