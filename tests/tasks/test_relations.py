"""Relations: marks of punctuation, where the starts stand among the tokens, and texts that are too long."""

import numpy as np
import pytest

from burnish.core.shelves import Shelf


@pytest.fixture
def task():
    return Shelf("tasks").build("relations")


def row(text, label="none", **entities):
    return {"text": text, "label": label, **entities}


def words(feature, tokenizer):
    return [tokenizer.backend.id_to_token(int(number)) for number in feature["input_ids"]]


def encoded(task, tokenizer, values):
    (one,) = task.encode([task.read(values, True)], tokenizer, ("none",))
    return one


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (row("A <e1>cat</e1>, <e2>two dogs</e2>."), "A @ cat @, # two dogs #."),
        (row("A <e2>cat</e2><e1>dog</e1>"), "A # cat # @ dog @"),
        (row("友达光电收购友达", head="友达", tail="友达光电"), "# 友达光电 #收购 @ 友达 @"),
        (row("a@b #c", head=[0, 1], tail=[5, 6]), "@ a @@b # # c #"),
    ],
)
def test_the_text_that_a_model_and_a_reader_see_is_marked_by_punctuation(task, values, text):
    example = task.read(values, True)
    assert example["text"] == text
    for name, mark in (("head", "@"), ("tail", "#")):
        opening, closing = example[name]
        assert text[opening] == text[closing] == mark
        assert text[opening + 2 : closing - 1] in "cat two dogs 友达光电 a b c"


def test_empty_columns_for_head_and_tail_mean_that_the_text_is_marked(task):
    example = task.read(row("<e1>a</e1> <e2>b</e2>", head="", tail=float("nan")), True)
    assert example["text"] == "@ a @ # b #"


def test_with_head_and_tail_given_the_text_is_taken_as_it_stands(task):
    assert task.read(row("<e1> a b", head="a", tail="b"), True)["text"] == "<e1> @ a @ # b #"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (row("a b"), "the text has the mark <e1> 0 times; mark each entity once"),
        (row("a b", head="a"), "'tail' is empty; give the entity as"),
        (row("a b", head="a", tail="c"), "the tail 'c' is not in the text; write it as the text does"),
        (row("a b", head=[0, 2], tail=[1, 3]), r"the head \[0, 2\] 'a ' and the tail \[1, 3\] ' b' overlap;"),
        (row("a b", head=[1, 0], tail="b"), r"the head \[1, 0\] is reversed: it ends before it starts"),
        (row("a b", head=[0, 0], tail="b"), r"the head \[0, 0\] is empty;"),
    ],
)
def test_a_row_without_two_entities_apart_is_told_when_training_and_when_predicting(task, values, sentence):
    for is_labelled in (True, False):
        with pytest.raises(ValueError, match=f"^{sentence}"):
            task.read(values, is_labelled)


def test_the_starts_are_the_tokens_of_the_opening_marks(task, tokenizer):
    one = encoded(task, tokenizer, row("Is @ a <e2>cat</e2> or an <e1>unbelievable dog</e1>?"))
    (feature,) = one.features
    tokens = words(feature, tokenizer)
    head, tail = feature["starts"]
    assert (tokens[head], tokens[head + 1]) == ("@", "unbelievable")
    assert (tokens[tail], tokens[tail + 1]) == ("#", "cat")
    assert (tokens[0], tokens[-1]) == ("[CLS]", "[SEP]")
    assert (one.n_tokens, one.n_cut, one.notes) == (len(tokens), 0, ())


def test_chinese_entities_start_at_a_token_of_their_own(task, tokenizer):
    (feature,) = encoded(task, tokenizer, row("传将与上航合并东方航空", head="东方航空", tail="上航")).features
    tokens = words(feature, tokenizer)
    assert [tokens[start] for start in feature["starts"]] == ["@", "#"]
    assert tokens[feature["starts"][1] + 1] == "上"


def test_a_long_text_is_cut_around_its_entities(task, short_tokenizer):
    """Room for 14 tokens: @ cat @ and # dog # is 7, so 7 of context: 3 before and 4 behind."""
    text = f"{'a ' * 30}<e1>cat</e1> and <e2>dog</e2>{' b' * 30}"
    one = encoded(task, short_tokenizer, row(text))
    tokens = words(one.features[0], short_tokenizer)
    assert tokens == ["[CLS]", *"aaa", "@", "cat", "@", "and", "#", "dog", "#", *"bbbb", "[SEP]"]
    assert (one.n_tokens, one.n_cut, one.notes) == (69, 53, ())


@pytest.mark.parametrize("side", ["before", "behind"])
def test_context_that_one_side_lacks_goes_to_the_other(task, short_tokenizer, side):
    pair = "<e1>cat</e1> and <e2>dog</e2>"
    one = encoded(task, short_tokenizer, row(f"{'a ' * 30}{pair}" if side == "before" else f"{pair}{' a' * 30}"))
    tokens = words(one.features[0], short_tokenizer)
    middle = ["@", "cat", "@", "and", "#", "dog", "#"]
    assert tokens[1:-1] == [*"a" * 7, *middle] if side == "before" else [*middle, *"a" * 7]


def test_entities_too_far_apart_lose_the_middle_and_that_is_noted(task, short_tokenizer):
    """33 tokens of which 14 fit: 7 from each opening mark on, as far as there are any."""
    one = encoded(task, short_tokenizer, row(f"x <e2>cat</e2>{' a' * 27} <e1>dog</e1> y z"))
    tokens = words(one.features[0], short_tokenizer)
    assert tokens == ["[CLS]", "#", "cat", "#", *"aaaa", "@", "dog", "@", "y", "z", "[SEP]"]
    assert [tokens[start] for start in one.features[0]["starts"]] == ["@", "#"]
    assert one.notes == (
        "the two entities and what lies between them are 33 tokens, of which 14 fit; the middle is cut.",
    )


def test_entities_longer_than_the_room_still_keep_both_starts(task, short_tokenizer):
    one = encoded(task, short_tokenizer, row(f"<e1>cat</e1> <e2>{'dog ' * 40}</e2>"))
    tokens = words(one.features[0], short_tokenizer)
    assert len(tokens) == 16
    assert [tokens[start] for start in one.features[0]["starts"]] == ["@", "#"]


def test_an_entity_that_stands_twice_is_noted(task, tokenizer):
    one = encoded(task, tokenizer, row("cat dog cat", head="cat", tail="dog"))
    assert one.notes == ("the head 'cat' stands 2 times in the text; the first is taken.",)


def test_the_label_of_no_relation_is_a_setting_that_reaches_the_score():
    from burnish.tasks._contract import Answered, Decision

    example = {"label": "Other"}
    answered = [Answered(example, [], [np.array([0.0, 3.0], np.float32)])]
    scores = {}
    for name in ("Other", "none"):
        task = Shelf("tasks").build({"name": "relations", "no_relation": name})
        outcome = task.outcome(answered, ("A(e1,e2)", "Other"), Decision())
        scores[name] = outcome.no_relation
    assert scores == {"Other": "Other", "none": "none"}


@pytest.mark.parametrize("head", ["entities", "cls", "mean"])
def test_a_head_for_whole_texts_may_read_the_marked_text(head, tiny_base):
    task = Shelf("tasks").build({"name": "relations", "head": head})
    assert task.head_part.attach(tiny_base, task.head_plan(("a", "b"))).head_modules()
