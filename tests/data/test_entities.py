"""Two entities of a row, from marks in the text, from offsets, and from their own words."""

import numpy as np
import pytest

from burnish.data.entities import Entities, marked_entities, placed_entities

COUNTED = "offsets count characters from 0, not bytes, and the end is exclusive"
OVERLAP = "overlap; the two entities must lie apart"


def problem(read, *given):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        read(*given)
    return str(caught.value)


def test_marks_are_taken_out_and_become_characters_of_the_text():
    found = marked_entities("A misty <e1>ridge</e1> from the <e2>surge</e2>.")
    assert found == Entities("A misty ridge from the surge.", (8, 13), (23, 28))
    assert (found.text[8:13], found.text[23:28]) == ("ridge", "surge")


def test_the_tail_may_stand_first():
    assert marked_entities("<e2>华为</e2>收购<e1>云图</e1>") == Entities("华为收购云图", (4, 6), (0, 2))


@pytest.mark.parametrize(("mark", "n"), [("<e1>", 0), ("</e1>", 2), ("<e2>", 2), ("</e2>", 0)])
def test_a_mark_that_is_missing_or_doubled_is_told(mark, n):
    text = "<e1>a</e1> <e2>b</e2>".replace(mark, mark * n)
    assert problem(marked_entities, text) == (
        f"the text has the mark {mark} {n} times; mark each entity once, as <e1>…</e1> and <e2>…</e2>, or give both in "
        "the columns 'head' and 'tail'."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("</e1>ab<e1> <e2>b</e2>", "the head [2, 0] is reversed: it ends before it starts."),
        ("<e1>a</e1> <e2> </e2>", f"the tail [2, 3] is empty; {COUNTED}."),
        ("<e1>a <e2>b</e1> c</e2>", f"the head [0, 3] 'a b' and the tail [2, 5] 'b c' {OVERLAP}."),
    ],
)
def test_marks_that_do_not_enclose_two_entities_apart_are_told(text, sentence):
    assert problem(marked_entities, text) == sentence


@pytest.mark.parametrize(
    ("head", "tail"),
    [([0, 3], [4, 8]), ("[0, 3]", " [4,8] "), (np.array([0, 3]), (4.0, 8.0)), ("Ana", "Lima"), ("Ana", [4, 8])],
)
def test_an_entity_is_given_by_offsets_also_as_text_or_by_its_own_words(head, tail):
    assert placed_entities("Ana Lima", head, tail) == Entities("Ana Lima", (0, 3), (4, 8))


def test_of_words_that_stand_several_times_the_first_is_taken_and_that_is_noted():
    found = placed_entities("Bo met Al, and Al left Bo.", "Al", "Bo")
    assert (found.head, found.tail) == ((7, 9), (0, 2))
    assert found.note == (
        "the head 'Al' stands 2 times in the text; the first is taken. the tail 'Bo' stands 2 times in the text; the "
        "first is taken."
    )


def test_words_inside_the_other_entity_are_not_its_own_place():
    """友达 also begins 友达光电; only its second place lies apart, so nothing was left open."""
    found = placed_entities("友达光电证实,有人访问过友达总部", "友达", "友达光电")
    assert found == Entities("友达光电证实,有人访问过友达总部", (12, 14), (0, 4))


def test_the_same_words_for_both_are_two_places():
    found = placed_entities("Rome and Rome", "Rome", "Rome")
    assert (found.head, found.tail, found.note) == ((0, 4), (9, 13), None)


@pytest.mark.parametrize(
    ("head", "tail", "sentence"),
    [
        ("Ana", "Bo", "the tail 'Bo' is not in the text; write it as the text does, or as [start, end]."),
        ("Ana", None, "'tail' is empty; give the entity as [start, end] or by its own words."),
        (float("nan"), "Ana", "'head' is empty; give the entity as [start, end] or by its own words."),
        (" ", "Ana", "'head' is empty; give the entity as [start, end] or by its own words."),
        ({"a": 1}, "Ana", "'head' is {'a': 1}, neither [start, end] nor the entity's own words."),
        ([1, 2, 3], "Ana", "'head' is [1, 2, 3], neither [start, end] nor the entity's own words."),
        ([0, "x"], "Lima", "the offset 'x' is not a whole number."),
        ([3, 0], "Lima", "the head [3, 0] is reversed: it ends before it starts."),
        ([4, 9], "Ana", f"the head [4, 9] leaves the text, which has 8 characters; {COUNTED}."),
        ([-1, 2], "Lima", f"the head [-1, 2] leaves the text, which has 8 characters; {COUNTED}."),
        ([3, 4], "Lima", f"the head [3, 4] is empty; {COUNTED}."),
        ([4, 4], "Ana", f"the head [4, 4] is empty; {COUNTED}."),
        ([0, 5], [4, 8], f"the head [0, 5] 'Ana L' and the tail [4, 8] 'Lima' {OVERLAP}."),
        ("Ana", "Ana", f"the head [0, 3] 'Ana' and the tail [0, 3] 'Ana' {OVERLAP}."),
    ],
)
def test_an_entity_that_cannot_be_placed_is_told_in_one_sentence(head, tail, sentence):
    assert problem(placed_entities, "Ana Lima", head, tail) == sentence
