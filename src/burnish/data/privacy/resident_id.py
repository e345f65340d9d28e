"""Chinese resident ids: 18 characters with a check (GB 11643), and the 15 digits of old ones; 居民身份证."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found, digits
from burnish.data.privacy._cues import OTHER, Cue
from burnish.data.privacy._regions import PROVINCES
from burnish.data.privacy._spelling import ALONE, GAP, plain

_LONG = re.compile(rf"[1-9]{ALONE}(?=(\n?[0-9](?:{GAP}?[0-9]){{15}}{GAP}?[0-9Xx])(?![0-9A-Za-z_]))")
_SHORT = re.compile(rf"[1-8]{ALONE}(?=(\n?[0-9](?:{GAP}?[0-9]){{13}})(?![0-9A-Za-z_]))")
_SHORT_PLACE = re.compile(r"(?:0[1-9]|[12][0-9]|3[0-4]|5[1-3]|90)(?:0[1-9]|[12][0-9]|3[0-5]|8[1-5])")  # city, county
_CUED = re.compile(rf"[0-9](?:{GAP}?[0-9]){{14}}(?![0-9A-Za-z_])")
_CUE = Cue(
    "身份证", "身份證", "身分證", "证件号", "id card", "id number", "id no", "identity card", "identity number",
    "identification number", "national id", "resident id", "citizen id",
)  # fmt: skip


class ResidentId(Detector):
    """Checks the province, the date of birth and the check character; near a cue such as 身份证号 also what fails.

    Foreign residents (9, then a province) and those from Hong Kong, Macau and Taiwan (81, 82, 83) have ids of the same
    form. Old ids have no check, so without a cue their city and county must look like real ones too.
    """

    signs: ClassVar[tuple[str, ...]] = (digits(15),)
    examples: ClassVar[dict[str, str]] = {
        "my id is 11010519491231002X.": "11010519491231002X",
        "身份证号：11010519491231002x，请查收": "11010519491231002x",
        "乘客440308 19990901 0017已登机": "440308 19990901 0017",
        "it is 1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X": "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X",
        "身份证号是110105194912310021": "110105194912310021",
        "旧证110105491231002": "110105491231002",
        "id card 110105491331002": "110105491331002",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "order 110105194912310021 has shipped",
        "单号990105194912310025",
        "snowflake 175928847299117063",
        "20240115123045123456",
        "IMEI 356938035643809",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for form, is_valid in ((_LONG, is_long_form), (_SHORT, is_short_form)):
            for one in form.finditer(shadow):
                if is_valid(plain(one[0] + one[1])):
                    yield self.at(one.start(), one.end(1))
        for start, end in _CUE.surroundings(shadow):
            for one in _LONG.finditer(shadow, start, end):
                if not OTHER.is_before(shadow, one.start()):
                    yield self.at(one.start(), one.end(1))
        for one in _CUE.values(shadow, _CUED):
            yield self.at(*one.span())


def is_long_form(number: str) -> bool:
    """Whether 18 characters are an id that can have been given out: province, date and check character."""
    province = number[1:3] if number[0] == "9" else number[:2]
    return province in PROVINCES and _is_birthday(number[6:14]) and check_character(number[:17]) == number[17].upper()


def is_short_form(number: str) -> bool:
    """Whether 15 digits look like an old id: province, city, county and date."""
    has_place = number[:2] in PROVINCES and _SHORT_PLACE.match(number, 2) is not None
    return has_place and _is_birthday(f"19{number[6:12]}")


def check_character(digits: str) -> str:
    """The 18th character for 17 digits: ISO 7064 MOD 11-2, in which ten is written X."""
    rest = (1 - 2 * int(digits, 13)) % 11  # 13 ≡ 2 mod 11, so base 13 weighs the digits by powers of two
    return "X" if rest == 10 else str(rest)


def _is_birthday(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return date(1900, 1, 1) <= born <= date.today()
