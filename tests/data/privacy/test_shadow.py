"""The shadow: what is seen of a text, and the way back to its offsets."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.data.privacy._shadow import DOUBTFUL, FOLDS, shadow_of


def seen(text):
    return shadow_of(text).text


def back(text, piece):
    """The piece of the text that a piece of its shadow came from."""
    shadow = shadow_of(text)
    start = shadow.text.index(piece)
    first, end = shadow.span(start, start + len(piece))
    return text[first:end]


@pytest.mark.parametrize(
    "text",
    [
        "138\u200b0013",
        "138\u202e0013",
        "138\U000e00310013",
        "138\ufe0f0013",
        "1\u03363\u03368\u20e30013",
        "138\x080013",
    ],
)
def test_what_cannot_be_seen_is_left_out(text):
    assert seen(text) == "1380013"


@pytest.mark.parametrize(
    ("text", "shadow"),
    [
        ("１３８＠ｑｑ．ｃｏｍ", "138@qq.com"),
        ("𝟏𝟑𝟖 ①②③ ₁₂₃ ١٣٨", "138 123 123 138"),
        ("京Ａ·12345 Х", "京A·12345 X"),
        ("a\u3000b\u00a0c", "a b c"),
        ("a—b‑c−d", "a-b-c-d"),
        ("【a】「b」", "[a][b]"),
        ("你好，世界！", "你好，世界!"),
    ],
)
def test_what_looks_like_ascii_is_ascii(text, shadow):
    assert seen(text) == shadow


@pytest.mark.parametrize(
    ("text", "shadow"),
    [
        ("138 - 0013", "138-0013"),
        ("138（0013）8000", "138-0013-8000"),
        ("138\r\n0013", "138\n0013"),
        ("138\r\u200b\n0013", "138\n0013"),
        ("138\t0013", "138 0013"),
        ("138  0013", "138 0013"),
        ("138 0013", "138 0013"),
        ("(138) 0013", "(138-0013"),
        ("(81380013) 0013", "(81380013 0013"),
        ("138 (0013)", "138 0013)"),
        ("138 (abc) 0013", "138 (abc) 0013"),
        ("138     0013", "138     0013"),  # as far apart as columns of a table
    ],
)
def test_what_is_put_between_digits_is_one_separator(text, shadow):
    assert seen(text) == shadow


@pytest.mark.parametrize(
    ("text", "shadow"),
    [
        ("1 3 8 0 0 1 3 8 please", "13800138 please"),
        ("it is 1-3-8-0-0-1-3-8.", "it is 13800138."),
        ("9 1 3 5 0 1 0 0 M 0 1", "91350100M01"),
        ("1 2 3 4 5 6 7 8 9 10", "1 2 3 4 5 6 7 8 9 10"),  # someone counts
        ("1 2 3 4 5 6", "1 2 3 4 5 6"),
    ],
)
def test_digits_that_stand_alone_are_one_number(text, shadow):
    assert seen(text) == shadow


@pytest.mark.parametrize(
    ("text", "shadow"),
    [
        ("138.0013.8000", "138-0013-8000"),
        ("192.168.100.200", "192.168.100.200"),
        ("13800.138000", "13800.138000"),
        ("120.0.6099.109", "120.0.6099.109"),
    ],
)
def test_dots_between_long_groups_are_separators_but_not_those_of_addresses_and_decimals(text, shadow):
    assert seen(text) == shadow


def test_many_small_numbers_are_a_list():
    assert seen(" ".join(["138"] * 30)) == ";".join(["138"] * 30)
    assert seen(" ".join(["1380"] * 30)) == " ".join(["1380"] * 30)


def test_a_place_leads_back_to_the_characters_that_it_came_from():
    assert back("tel\u200b: 1\u200b38 - 0013\u200d", "138-0013") == "1\u200b38 - 0013"
    assert back("😀１ 3 8 0 0 1 3 8！", "13800138") == "１ 3 8 0 0 1 3 8"
    assert back("a\u0301b\u0301c\u0301", "b") == "b"


def test_every_digit_of_every_script_is_folded():
    digits = [character for character in map(chr, range(sys.maxunicode + 1)) if character.isdecimal()]
    known = [one for one in digits if one.isascii() or FOLDS.get(one) == str(unicodedata.decimal(one))]
    assert known == digits


def test_folding_keeps_lengths_also_in_lower_case():
    assert all(len(one) == len(plain) == len(plain.lower()) == 1 for one, plain in FOLDS.items())


@given(st.text())
def test_every_character_of_a_shadow_is_one_of_the_text_or_a_separator(text):
    shadow = shadow_of(text)
    for at, character in enumerate(shadow.text):
        start, end = shadow.span(at, at + 1)
        assert end == start + 1
        assert character in (text[start], FOLDS.get(text[start], text[start]), " ", "-", "\n", ";")


@given(st.text())
def test_places_lead_back_in_order(text):
    shadow = shadow_of(text)
    starts = [shadow.span(at, at + 1)[0] for at in range(len(shadow.text))]
    assert starts == sorted(set(starts))


@given(st.text(st.characters(codec="ascii", categories=["L", "P", "S", "Z"])))
def test_a_text_without_doubt_is_its_own_shadow(text):
    assert DOUBTFUL.search(text) or seen(text) == text
