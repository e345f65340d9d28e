"""Passports: Chinese forms alone, other ones behind a cue."""

import pytest

from burnish.data.masking import Mask

MASK = Mask.of(["passport"])


@pytest.mark.parametrize("number", ["E12345678", "EA1234567", "e12345678", "E-12345678", "E1234\n5678"])
@pytest.mark.parametrize("around", ["{}", "旅客{}。", "I have {}, thanks"])
def test_a_chinese_passport_is_found_without_a_cue(number, around):
    text = around.format(number)
    assert [text[one.start : one.end] for one in MASK(text).found] == [number]


@pytest.mark.parametrize("number", ["G12345678", "C01X00T47", "512345678", "N1234567", "AB1234567", "14-1234567"])
def test_others_need_a_cue(number):
    assert MASK(number).found == ()
    assert MASK(f"passport number: {number}").text == "passport number: [PASSPORT]"
    assert MASK(f"护照号码是{number}。").text == "护照号码是[PASSPORT]。"


@pytest.mark.parametrize(
    "text", ["E1234567", "E123456789", "EI1234567", "AE12345678", "order E12345678", "型号E12345678"]
)
def test_what_looks_alike_is_left(text):
    assert MASK(text).found == ()
