"""Resident ids: the check of GB 11643, dates and provinces."""

import random

import pytest

from burnish.data.masking import Mask
from burnish.data.privacy.resident_id import check_character, is_long_form, is_short_form

MASK = Mask.of(["resident_id"])
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def check_by_table(digits):
    """As the standard writes it: a table of weights, and a table of what each rest stands for."""
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11]


def with_check(digits):
    return digits + check_by_table(digits)


def test_the_check_is_that_of_the_standards_table():
    draw = random.Random(7)
    for _ in range(1000):
        digits = "".join(draw.choices("0123456789", k=17))
        assert check_character(digits) == check_by_table(digits)


def test_the_standards_own_examples_pass():
    assert is_long_form("11010519491231002X")  # GB 11643-1999, appendix A
    assert is_long_form("440524188001010014") is False  # born in 1880, an example of the standard's too


@pytest.mark.parametrize(
    ("digits", "is_one"),
    [
        ("11010519900228001", True),
        ("11010519900229001", False),  # no leap year
        ("11010520000229001", True),
        ("11010519901301001", False),
        ("11010529900101001", False),  # not born yet
        ("16010519900101001", False),  # no such province
        ("83000019900101001", True),  # Taiwan
        ("91112419810803002", True),  # a foreign resident of province 11
        ("91612419810803002", False),
    ],
)
def test_place_and_date_must_be_possible(digits, is_one):
    assert is_long_form(with_check(digits)) == is_one


def test_one_wrong_digit_is_always_noticed():
    number = "11010519491231002X"
    for at in range(17):
        for digit in "0123456789":
            changed = number[:at] + digit + number[at + 1 :]
            assert is_long_form(changed) == (changed == number)


@pytest.mark.parametrize(
    ("number", "is_one"),
    [("110105491231002", True), ("110105491331002", False), ("110005491231002", False), ("110175491231002", False)],
)
def test_an_old_id_must_look_like_one(number, is_one):
    assert is_short_form(number) == is_one


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310021是我的身份证号",
        "身份证和户口本的号码都在这里：110105194912310021",
        "my national id, as you asked, is 110105194912310021",
    ],
)
def test_a_failed_check_near_a_cue_is_masked(text):
    assert MASK(text).counts == {"resident_id": 1}


@pytest.mark.parametrize(
    "text", ["110105194912310021", "身份证已上传，订单号110105194912310021", f"身份证{'。' * 60}110105194912310021"]
)
def test_a_failed_check_elsewhere_is_not(text):
    assert MASK(text).found == ()


@pytest.mark.parametrize("end", ["7", "A", "_", "x1"])
def test_a_longer_number_is_no_id(end):
    assert MASK(f"440308199909010017{end}").found == ()
