"""Unified social credit codes of Chinese organisations: 18 characters with a check (GB 32100), 统一社会信用代码."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import mul
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found, digits
from burnish.data.privacy._cues import OTHER, Cue
from burnish.data.privacy._regions import PROVINCES
from burnish.data.privacy._spelling import ALONE, GAP
from burnish.data.privacy.resident_id import is_long_form

_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z
_VALUES = bytes.maketrans(_SIGNS.encode(), bytes(range(31)))
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_BETWEEN = r"[ \n()\[\]-]{0,2}"
_CODE = re.compile(
    rf"[1-9ANY]{ALONE}(?=({_BETWEEN}[1-9](?:{GAP}?[0-9]){{6}}(?:{_BETWEEN}[0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]){{10}})"
    r"(?![0-9A-Za-z_]))"
)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CUE = Cue(
    "统一社会信用代码", "社会信用代码", "信用代码", "税号", "纳税人识别号", "uscc", "social credit code",
    "credit code", "tax id", "taxpayer id", "tax number",
)  # fmt: skip
_CUED = re.compile(rf"(?=[A-Za-z]{{0,4}}[0-9])[0-9A-Za-z](?:{GAP}?[0-9A-Za-z]){{17}}(?![0-9A-Za-z_])")
_NO_SIGN = re.compile("[^0-9A-Z]")


class Uscc(Detector):
    """Checks the province and the last character (mod 31). A code of digits only must also hold a valid organisation
    code (GB 11714, mod 11). Behind a cue such as 统一社会信用代码 any 18 characters are taken.
    """

    signs: ClassVar[tuple[str, ...]] = (digits(6),)
    examples: ClassVar[dict[str, str]] = {
        "the company is 91350100M000100Y43.": "91350100M000100Y43",
        "统一社会信用代码91350100M000100Y43": "91350100M000100Y43",
        "甲方：9135 0100 M000 100Y 43": "9135 0100 M000 100Y 43",
        "91350100m000100y43": "91350100m000100y43",
        "税号：91350100M000100Y44": "91350100M000100Y44",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "91350100M000100Y44",
        "91990100M000100Y43",
        "913501000001001234",
        "sku 9135AB100M000100Y4",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "单号322181935354439673",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for one in _CODE.finditer(shadow):
            code = _NO_SIGN.sub("", shadow[one.start() : one.end(1)].upper())
            if is_valid(code) and not (code.isdigit() and OTHER.is_before(shadow, one.start())):
                yield self.at(one.start(), one.end(1))
        for one in _CUE.values(shadow, _CUED):
            yield self.at(*one.span())


def is_valid(code: str) -> bool:
    """Whether 18 characters have the check of GB 32100 and name a province."""
    has_check = code[2:4] in PROVINCES and check_sign(code[:17]) == code[17]
    return has_check and (not code.isdigit() or (_has_organisation(code[8:17]) and not is_long_form(code)))


def check_sign(signs: str) -> str:
    """The 18th sign for 17: weights are powers of 3, mod 31 (GB 32100-2015, 附录 A)."""
    return _SIGNS[-sum(map(mul, signs.encode().translate(_VALUES), _WEIGHTS)) % 31]


def _has_organisation(code: str) -> bool:
    """Whether nine digits are an organisation code with its check (GB 11714-1997)."""
    rest = -sum(int(sign) * weight for sign, weight in zip(code[:8], _ORGANISATION_WEIGHTS, strict=True)) % 11
    return rest != 10 and int(code[8]) == rest
