"""How the groups of a number are told apart and put together."""

import re

import pytest

from burnish.data.privacy._spelling import ALONE, ENDED, groups, is_of_one_style, plain

NUMBER = re.compile(rf"1{ALONE}(?=(23){ENDED})")


def test_a_number_without_its_separators():
    assert plain("138-0013 80\n0.0") == "13800138000"


def test_groups_are_counted_in_characters():
    assert groups("138-0013-8000") == [3, 4, 4]
    assert groups("13800138000") == [11]


@pytest.mark.parametrize(
    ("number", "is_one"), [("1-2-3", True), ("1 2 3", True), ("1-2\n3", True), ("1-2 3", False), ("1\n2\n3", False)]
)
def test_one_sort_of_separator_and_one_line_break_are_one_style(number, is_one):
    assert is_of_one_style(number) == is_one


@pytest.mark.parametrize(
    "text",
    ["123", "是123个", "id123", "Tel123", "no.123", "(123)", "1. 123", "123.", "123,5", "1234567.123", "123.1234567"],
)
def test_a_number_may_stand_beside_these(text):
    assert NUMBER.search(text)


@pytest.mark.parametrize(
    "text", ["x123", "_123", "4123", "0.123", "123x", "1234", "123_", "123.5", "123%", "123元", "123*x"]
)
def test_a_number_goes_on_into_these(text):
    assert not NUMBER.search(text)
