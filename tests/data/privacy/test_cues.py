"""Cue words: found as words, in both languages, directly before or near."""

import re

import pytest

from burnish.data.privacy._cues import OTHER, Cue

PHONE = Cue("phone", "cell", "电话")
NUMBER = re.compile("[0-9]+")


@pytest.mark.parametrize(
    "text",
    [
        "phone 123",
        "Phone number is: 123",
        "my phones are 123",
        "phonenumber=123",
        "phone no. 123",
        'phone": "123',
        "电话号码为：123",
        "电话[123]",
        "打电话123",
    ],
)
def test_a_value_stands_directly_behind_its_cue_but_for_fillers(text):
    assert [found[0] for found in PHONE.values(text, NUMBER)] == ["123"]
    assert PHONE.is_before(text, text.index("123"))


@pytest.mark.parametrize(
    "text", ["iphone 123", "phonetic 123", "excellent 123", "phone rings 123", "电话打了123", "123 phone"]
)
def test_no_value_stands_behind_other_words(text):
    assert not list(PHONE.values(text, NUMBER))
    assert not PHONE.is_before(text, text.index("123"))


def test_near_is_within_some_words_before():
    assert PHONE.is_near("reach my phone, any time, on 123", 29)
    assert not PHONE.is_near("my phone is broken and there are more than 123", 43)


def test_what_is_masked_already_is_neither_cue_nor_filler():
    assert not PHONE.is_before("phone [PHONE] 123", 14)
    assert not PHONE.is_before("[CELL_PHONE] 123", 13)
    assert PHONE.is_before("[phone] 123", 8)


def test_surroundings_reach_to_both_sides_and_do_not_start_again_for_every_cue():
    text = f"{'.' * 100}电话{'.' * 100}"
    assert list(PHONE.surroundings(text)) == [(34, 170)]
    stretches = list(PHONE.surroundings("电话" * 1000))
    assert sum(end - start for start, end in stretches) < 10_000


def test_words_that_say_that_a_number_is_no_persons_are_of_both_languages():
    assert OTHER.is_before("Order no. 123", 10)
    assert OTHER.is_before("订单号：123", 4)
    assert not OTHER.is_before("disorder 123", 9)
