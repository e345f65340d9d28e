"""Passports: Chinese ones by their form, those of other countries behind a cue word, 护照."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found, digits
from burnish.data.privacy._cues import OTHER, Cue
from burnish.data.privacy._spelling import ENDED, GAP

_CHINESE = re.compile(rf"[Ee](?<![0-9A-Za-z_-].)(?=((?:[A-HJ-NP-Za-hj-np-z]|{GAP}?[0-9])(?:{GAP}?[0-9]){{7}}){ENDED})")
_CUE = Cue("passport", "travel document", "护照", "護照", "旅行证")
_CUED = re.compile(
    rf"(?:[A-Za-z]{{0,3}}{GAP}?[0-9](?:{GAP}?[0-9]){{5,8}}[A-Za-z]?|(?=[A-Za-z]{{0,5}}[0-9])[0-9A-Za-z]{{8,9}}){ENDED}"
)


class Passport(Detector):
    """Chinese ones of today: E and eight digits, or E, a letter and seven. Others, as the older G, need a cue."""

    signs: ClassVar[tuple[str, ...]] = (digits(6), "passport", "travel document", "护照", "護照", "旅行证")
    examples: ClassVar[dict[str, str]] = {
        "I travel with E12345678.": "E12345678",
        "护照EA1234567已过期": "EA1234567",
        "passport no. C01X00T47": "C01X00T47",
        "my passport is 512345678": "512345678",
        "护照号码：g 12345678": "g 12345678",
        "护照号 K1234567": "K1234567",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "order E12345678",
        "gate G12345678",
        "型号E12345678",
        "1e12345678",
        "E1234567",
        "E123456789",
        "passport control opens at 10",
        "护照办理需要15天",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for one in _CHINESE.finditer(shadow):
            if not OTHER.is_before(shadow, one.start()):
                yield self.at(one.start(), one.end(1))
        for one in _CUE.values(shadow, _CUED):
            yield self.at(*one.span())
