"""E-mail addresses: where they start and end."""

import pytest

from burnish.data.masking import Mask

MASK = Mask.of(["email"])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("<bob@example.com>", "bob@example.com"),
        ("mail bob@example.com.", "bob@example.com"),
        ("bob@example.com. Thanks", "bob@example.com"),
        ("bob@example.com。谢谢", "bob@example.com"),
        ("bob@example.com\nThanks", "bob@example.com"),
        ("'bob@example.com'", "bob@example.com"),
        ("mailto:bob@example.com?subject=x", "bob@example.com"),
        ("联系bob@example.com或者", "bob@example.com"),
        ("bob @ example.com", "bob @ example.com"),
        ("bob（at）example（dot）com", "bob（at）example（dot）com"),
        ("b[dot]ob [at] example.com", "b[dot]ob [at] example.com"),
        ("bob艾特example.com", None),
        ("bob@mail.example.\ncom", "bob@mail.example.\ncom"),
        ("bob@exa\u200bmple.com", "bob@exa\u200bmple.com"),
        ("б@пример.рф", "б@пример.рф"),
        ("a@b", None),
        ("a@1.2.3.4", None),
        ("@bob.com", None),
        ("weights @ self.proj", None),
        ("icon@3x.webp", None),
    ],
)
def test_an_address_is_found_from_its_first_to_its_last_character(text, address):
    assert [text[one.start : one.end] for one in MASK(text).found] == ([address] if address else [])


def test_a_local_part_of_more_than_64_characters_is_masked_as_far_as_one_may_be_long():
    text = f"{'a' * 100}@example.com"
    assert MASK(text).text == f"{'a' * 36}[EMAIL]"
