"""Plates: letters, digits and separators."""

import pytest

from burnish.data.masking import Mask

MASK = Mask.of(["plate"])


@pytest.mark.parametrize(
    "plate",
    [
        "京A12345",
        "京A·1234D",
        "粤BD12345",
        "沪A12345F",
        "川A-123AB",
        "琼A·12345",
        "湘 A 123 45",
        "粤Z1234港",
        "鄂a12345",
        "WJ京12345",
    ],
)
@pytest.mark.parametrize("around", ["{}", "我的车{}，在门口", "the car {} left"])
def test_a_chinese_plate_is_found(plate, around):
    text = around.format(plate)
    assert [text[one.start : one.end] for one in MASK(text).found] == [plate]


@pytest.mark.parametrize(
    "text", ["京A1234", "京A123456789", "京ABCDEF", "京I12345", "京1A2345", "美A12345", "京AB1C2D"]
)
def test_what_looks_alike_is_left(text):
    assert MASK(text).found == ()


def test_other_plates_need_a_cue_and_both_letters_and_digits():
    assert MASK("AB12 CDE").found == ()
    assert MASK("number plate: AB12 CDE").text == "number plate: [PLATE]"
    assert MASK("plate no. abc1234").text == "plate no. [PLATE]"
    assert MASK("plate number 12345").found == ()
    assert MASK("license plates are cheap").found == ()
