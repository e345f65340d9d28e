"""Car plates: Chinese ones, those of new-energy cars too, by their form; others behind a cue word, 车牌."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found, digits
from burnish.data.privacy._cues import Cue

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_SIGN = "0-9A-HJ-NP-Za-hj-np-z"  # no I, no O
_GAP = r"[ \n.·()\[\]-]{0,2}"
_CHINESE = re.compile(
    rf"[{_PROVINCES}]{_GAP}[A-HJ-NP-Za-hj-np-z](?:{_GAP}[{_SIGN}]){{4}}(?:{_GAP}[挂学警港澳]|{_GAP}[{_SIGN}]){{1,2}}"
    r"(?![0-9A-Za-z_])"
)
_POLICE = re.compile(rf"WJ{_GAP}[{_PROVINCES}]?(?:{_GAP}[0-9]){{4}}{_GAP}[0-9TDSHBXJ](?![0-9A-Za-z_])", re.IGNORECASE)
_CUE = Cue(
    "license plate", "licence plate", "number plate", "plate number", "plate no", "plate", "车牌", "車牌", "牌照"
)
_CUED = re.compile(r"(?:[使领][ ]?)?(?:[A-Z0-9]{1,7}(?:[ -][A-Z0-9]{1,4}){0,2}|[a-z0-9]{5,8})(?![0-9A-Za-z_])")
_MIXED = re.compile(r"(?=.{5,})(?=.*[0-9]).*[A-Za-z使领]", re.DOTALL)


class Plate(Detector):
    """A province, a letter, and five or six signs, at least three of them digits (GA 36). Behind a cue also what mixes
    letters and digits as plates elsewhere do.
    """

    signs: ClassVar[tuple[str, ...]] = (digits(1),)
    examples: ClassVar[dict[str, str]] = {
        "the car 京A12345 left": "京A12345",
        "车牌粤B·D12345新能源": "粤B·D12345",
        "沪 A 123 45": "沪 A 123 45",
        "川a1234f": "川a1234f",
        "教练车苏E1234学": "苏E1234学",
        "licence plate AB12 CDE": "AB12 CDE",
        "车牌号：使014578": "使014578",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "新ABCDEF上市",
        "京A1234",
        "吉林B座12345室",
        "a plate of 12 biscuits",
        "车牌是什么",
        "云A1234567",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for one in _CHINESE.finditer(shadow):
            if sum(character.isdigit() for character in one[0]) >= 3:
                yield self.at(*one.span())
        for one in _POLICE.finditer(shadow):
            yield self.at(*one.span())
        for one in _CUE.values(shadow, _CUED):
            if _MIXED.match(one[0]):
                yield self.at(*one.span())
