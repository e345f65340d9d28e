"""Company codes: the check of GB 32100 by the standard's own table of weights."""

import random

import pytest

from burnish.data.masking import Mask
from burnish.data.privacy.uscc import check_sign, is_valid

MASK = Mask.of(["uscc"])
SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def check_by_table(signs):
    rest = sum(SIGNS.index(sign) * weight for sign, weight in zip(signs, WEIGHTS, strict=True)) % 31
    return SIGNS[(31 - rest) % 31]


def test_the_check_is_that_of_the_standards_table():
    draw = random.Random(7)
    for _ in range(1000):
        signs = "".join(draw.choices(SIGNS, k=17))
        assert check_sign(signs) == check_by_table(signs)


def test_a_code_of_a_real_form_passes_and_one_wrong_sign_is_noticed():
    code = "91350100M000100Y43"  # an example that is printed with the standard
    assert is_valid(code)
    for at in range(17):
        changed = code[:at] + ("2" if code[at] != "2" else "3") + code[at + 1 :]
        assert not is_valid(changed)


def test_a_code_of_digits_needs_an_organisation_code_too():
    """By hand for 1000 1000: 1·3 + 1·5 = 8 with weights 3, 7, 9, 10, 5, 8, 4, 2, so its check is 11 − 8 = 3."""
    regions = [f"{region:06}" for region in range(330100, 330200)]
    whole = [head + check_by_table(head) for head in (f"91{region}100010003" for region in regions)]
    broken = [head + check_by_table(head) for head in (f"91{region}100010004" for region in regions)]
    assert all(map(is_valid, whole))
    assert any(code.isdigit() for code in whole)
    assert [is_valid(code) for code in broken] == [not code.isdigit() for code in broken]


@pytest.mark.parametrize(
    "text", ["代码91350100M000100Y44", "91350100M000100Y4", "91350100M000100Y433", "A91350100M000100Y43"]
)
def test_what_fails_is_no_code(text):
    assert MASK(text).found == ()


def test_behind_a_cue_what_fails_is_taken():
    assert MASK("税号91350100M000100Y44").counts == {"uscc": 1}
    assert MASK("tax id: 91350100M000100Y44").counts == {"uscc": 1}
