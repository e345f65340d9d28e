"""Permits: the checks of Hong Kong's and Taiwan's cards."""

import pytest

from burnish.data.masking import Mask
from burnish.data.privacy.permit import is_hong_kong, is_taiwan

MASK = Mask.of(["permit"])


@pytest.mark.parametrize(
    ("number", "is_one"), [("G123456A", True), ("G1234567", False), ("AB9876543", True), ("AB9876544", False)]
)
def test_hong_kong_by_hand(number, is_one):
    """G123456A: 36·9 + 16·8 + 1·7 + 2·6 + 3·5 + 4·4 + 5·3 + 6·2 + 10 = 539 = 49·11.
    AB9876543: 10·9 + 11·8 + 9·7 + 8·6 + 7·5 + 6·4 + 5·3 + 4·2 + 3 = 374 = 34·11."""
    assert is_hong_kong(number) == is_one


@pytest.mark.parametrize(("number", "is_one"), [("A123456789", True), ("A123456788", False), ("Z123456780", True)])
def test_taiwan_by_hand(number, is_one):
    """A is 10: 1 + 0·9 + 1·8 + 2·7 + 3·6 + 4·5 + 5·4 + 6·3 + 7·2 + 8·1 + 9 = 130. Z is 33: 3 + 27 + 120 + 0 = 150."""
    assert is_taiwan(number) == is_one


def test_letters_before_the_digits_belong_to_it():
    (found,) = MASK("is AB987654(3) his").found
    assert (found.start, found.end) == (3, 14)


@pytest.mark.parametrize("text", ["ABC987654(3)", "1B987654(3)", "XA123456789", "A1234567890"])
def test_more_letters_or_digits_make_another_number(text):
    assert MASK(text).found == ()


def test_a_travel_permit_needs_its_cue():
    assert MASK("H12345678").found == ()
    assert MASK("回乡证 H12345678").counts == {"permit": 1}
    assert MASK("home return permit H1234567801").counts == {"permit": 1}
