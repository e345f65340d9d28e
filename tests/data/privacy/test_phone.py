"""Telephone numbers: groups, prefixes, extensions, and numbers that only look alike."""

import pytest

from burnish.data.masking import Mask

MASK = Mask.of(["phone"])


def found_in(text):
    return [text[one.start : one.end] for one in MASK(text).found]


@pytest.mark.parametrize(
    "number",
    [
        "+8613800138000",
        "(+86) 138-0013-8000",
        "0086 138 0013 8000",
        "86-13800138000",
        "1 3 8 0 0 1 3 8 0 0 0",
        "13 80 01 38 00 0",
        "138.0013.8000",
        "138 00138 000",
        "（138）00138000",
        "021-6888 8888",
        "0571-8765432",
        "02168888888",
        "010-68888888-801",
        "+1 (415) 555-2671",
        "+49 151 23456789",
        "+852 9123 4567",
        "020 7946 0958",
        "0161 496 0000",
        "01632 960 001",
        "415.555.2671",
    ],
)
@pytest.mark.parametrize("around", ["{}", "联系{}，谢谢", "call {} today"])
def test_a_number_is_found_as_it_is_written(number, around):
    inner = number.strip("（")
    (found,) = found_in(around.format(number))
    assert inner in found or found in number
    assert sum(sign.isdigit() for sign in found) == sum(sign.isdigit() for sign in number)


def test_numbers_side_by_side_are_told_apart():
    assert found_in("13800138000 13900139000\n138 0013 8000") == ["13800138000", "13900139000", "138 0013 8000"]
    assert found_in("1999 138 0013 8000") in (["138 0013 8000"], ["1999 138 0013 8000"])


def test_a_number_with_a_country_ends_where_that_country_ends():
    assert found_in("+44 20 7946 0958 2024") == ["+44 20 7946 0958"]
    assert found_in("+86 138 0013 8000 12") == ["+86 138 0013 8000"]


def test_spaces_only_need_a_cue_a_bracket_or_a_one():
    assert found_in("415 555 2671") == []
    assert found_in("reach Ann on 415 555 2671") == ["415 555 2671"]
    assert found_in("(415) 555 2671") == ["(415) 555 2671"]
    assert found_in("1 415 555 2671") == ["1 415 555 2671"]


@pytest.mark.parametrize(
    "text", ["3,{},张三", "3，{}，张三", "订单20391，{}", "编号20391,{}", "单号18038005.{}", "{},5", "{}。2"]
)
def test_a_number_of_a_list_is_no_part_of_an_amount(text):
    assert found_in(text.format("13800138000")) == ["13800138000"]


def test_a_local_number_needs_a_cue():
    assert found_in("87654321") == []
    assert found_in("座机 8765 4321") == ["8765 4321"]
    assert found_in("call me at 555-0142") == ["555-0142"]


@pytest.mark.parametrize(
    "text",
    [
        "+0123456789",
        "+44 20 79",
        "订单号00493782543553",
        "799-0049719-2413588",
        "2025-0105-517525",
        "029-3481716-6022662",
        "52571512-0063-126f-a191-038655626401",
        "¥ 13800138000",
        "13800138000%",
        "15218614363万",
        "1995 2020 150",
        "30(4): 532-563 (2007)",
        "12345678901",
        "10800138000",
    ],
)
def test_what_looks_alike_is_left(text):
    assert found_in(text) == []
