"""Permits and identity cards of Hong Kong, Macau and Taiwan: 回乡证, 台胞证, 通行证, HKID, 身分證."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found, digits
from burnish.data.privacy._cues import OTHER, Cue
from burnish.data.privacy._spelling import ENDED, GAP, plain

_HONG_KONG = re.compile(  # a digit, then back to the letters: digits are rarer
    rf"[0-9](?<=[A-Za-z].)(?<![0-9A-Za-z_][A-Za-z]{{2}}.)(?<![0-9_][A-Za-z].)(?=((?:{GAP}?[0-9]){{5}} ?[(-][0-9Aa]\)))"
)
_TAIWAN = re.compile(rf"[1289](?<=[A-Za-z].)(?<![0-9A-Za-z_][A-Za-z].)(?=((?:\n?[0-9]){{8}}){ENDED})")
_TAIWAN_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
"""In the order of the numbers that they stand for, from 10."""
_CUE = Cue(
    "通行证", "通行證", "回乡证", "回鄉證", "台胞证", "臺胞證", "来往内地", "来往大陆", "往来港澳", "往来台湾",
    "入台证", "港澳证件", "香港身份证", "香港身份證", "澳门身份证", "台湾身份证", "身分證", "hkid",
    "home return permit", "mainland travel permit", "travel permit", "permit", "hong kong id",
    "hong kong identity card", "macau id", "taiwan id",
)  # fmt: skip
_CUED = re.compile(
    rf"(?:[A-Za-z]{{1,2}}(?:{GAP}?[0-9]){{8,10}}|[A-Za-z]?(?:{GAP}?[0-9]){{7,10}}(?:[ (-]{{0,2}}[0-9A-Za-z]\)?)?"
    rf"|[A-Za-z]{{1,2}}(?:{GAP}?[0-9]){{6}}[ (-]{{0,2}}[0-9Aa]\)?)(?![0-9A-Za-z_])"
)


class Permit(Detector):
    """Identity cards of Hong Kong (with the last digit in brackets) and of Taiwan are known by their checks. Travel
    permits have none and need a cue.
    """

    signs: ClassVar[tuple[str, ...]] = (digits(6),)
    examples: ClassVar[dict[str, str]] = {
        "回乡证H1234567890": "H1234567890",
        "home return permit no. M12345678": "M12345678",
        "台胞证：12345678": "12345678",
        "往来港澳通行证号码是C12345678。": "C12345678",
        "He is G123456(A) on file": "G123456(A)",
        "香港身份证 G123456A": "G123456A",
        "客户A123456789在台北": "A123456789",
        "travel permit CA1234567": "CA1234567",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "see G123456(7)",
        "customer A123456788",
        "order A123456789",
        "H12345678",
        "we permit 20 people",
        "通行证办理大厅3楼",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for form, is_valid in ((_HONG_KONG, is_hong_kong), (_TAIWAN, is_taiwan)):
            for one in form.finditer(shadow):
                start, end = one.start() - 1, one.end(1)
                if shadow[start - 1 : start].isalpha() and shadow[start - 1].isascii():
                    start -= 1
                number = re.sub("[()]", "", plain(shadow[start:end])).upper()
                if is_valid(number) and not OTHER.is_before(shadow, start):
                    yield self.at(start, end)
        for one in _CUE.values(shadow, _CUED):
            yield self.at(*one.span())


def is_hong_kong(number: str) -> bool:
    """Whether letters, six digits and a check add up: weights 9 … 1, letters from A = 10, a missing one 36, mod 11."""
    values = [36 if sign == " " else int(sign, 36) for sign in number.rjust(9)]
    return sum(value * weight for value, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def is_taiwan(number: str) -> bool:
    """Whether a letter and nine digits add up: the letter's two digits and the rest, weights 1, 9 … 1, 1, mod 10."""
    tens, ones = divmod(_TAIWAN_LETTERS.index(number[0]) + 10, 10)
    weights = (8, 7, 6, 5, 4, 3, 2, 1, 1)
    rest = sum(int(digit) * weight for digit, weight in zip(number[1:], weights, strict=True))
    return (tens + 9 * ones + rest) % 10 == 0
