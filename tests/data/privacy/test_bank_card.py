"""Bank cards: schemes, lengths, the check, and groups that cards have."""

import random
from operator import mul

import pytest

from burnish.data.masking import Mask
from burnish.data.privacy.bank_card import passes_luhn

MASK = Mask.of(["bank_card"])


def luhn_by_hand(digits):
    """From the right: add every digit, every second one doubled, and of what exceeds 9 its own digits."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += sum(map(int, str(int(digit) * (1 + place % 2))))
    return total % 10 == 0


def with_check(head):
    return next(head + digit for digit in "0123456789" if luhn_by_hand(head + digit))


def test_the_check_is_luhns():
    draw = random.Random(7)
    for _ in range(1000):
        digits = "".join(draw.choices("0123456789", k=draw.randint(13, 19)))
        assert passes_luhn(digits) == luhn_by_hand(digits)


@pytest.mark.parametrize(
    "head",
    [
        "411111111111111",
        "555555555555444",
        "222300000000000",
        "37828224631000",
        "353011133330000",
        "601111111111111",
        "3056930902590",
        "622588012345678",
        "622848040256489001",
        "955880020010123456",
        "436742001234567890",
    ],
)
def test_a_card_of_each_scheme_is_found_with_its_check_only(head):
    card = with_check(head)
    assert MASK(card).counts == {"bank_card": 1}
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert MASK(wrong).found == ()


@pytest.mark.parametrize("head", ["11111111111111", "411111111111", "51111111111111", "2221", "99999999999999999"])
def test_other_first_digits_and_lengths_are_no_card(head):
    assert MASK(with_check(head)).found == ()


@pytest.mark.parametrize(
    "card",
    ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111（1111）11111111", "411111 1111111111", "41111111111\n11111"],
)
def test_groups_that_cards_have(card):
    (found,) = MASK(f"a {card} b").found
    assert (found.start, found.end) == (2, 2 + len(card))


@pytest.mark.parametrize("text", ["41111 11111111111", "4111-1111 1111-1111", "4111111111111111元"])
def test_groups_that_cards_do_not_have(text):
    assert MASK(text).found == ()


def test_a_number_beside_a_card_is_no_part_of_it():
    (found,) = MASK("2024 4111 1111 1111 1111 2025").found
    assert (found.start, found.end) == (5, 24)


def test_a_resident_id_is_no_card_even_with_the_check_of_cards():
    """62 is a province and the start of cards; the serial number is chosen so that both checks hold."""
    heads = [f"62282619900101{serial:03}" for serial in range(1000)]
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    checks = ["10X98765432"[sum(map(mul, map(int, head), weights)) % 11] for head in heads]
    numbers = [head + check for head, check in zip(heads, checks, strict=True) if check != "X"]
    resident = next(number for number in numbers if luhn_by_hand(number))
    assert Mask.of(["resident_id"])(resident).counts == {"resident_id": 1}
    assert MASK(f"card number {resident}").found == ()
    assert MASK(resident).found == ()


@pytest.mark.parametrize("text", ["id card 1234567890123456", "身份证1234567890123456"])
def test_another_sort_of_card_is_no_bank_card(text):
    assert MASK(text).found == ()
