"""Bank and credit cards: 13 to 19 digits of a known scheme with a check (Luhn, ISO/IEC 7812-1), 银行卡."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found, digits
from burnish.data.privacy._cues import OTHER, Cue
from burnish.data.privacy._spelling import ALONE, ENDED, GAP, groups, is_of_one_style, plain
from burnish.data.privacy.resident_id import is_long_form, is_short_form

_CARD = re.compile(
    rf"[2-69]{ALONE}(?=([0-9]{{2,7}}(?:{GAP}[0-9]{{3,13}}){{2,4}}(?:{GAP}[0-9]{{1,4}})?|[0-9]{{0,17}}{GAP}[0-9]{{1,18}}"
    rf"|[0-9]{{12,18}}){ENDED})"
)
_SCHEMES = re.compile(  # by first digits, with the lengths that each gives out; ranges of ISO/IEC 7812 as published
    r"(?:62|81|955[89])[0-9]{12,17}\Z"  # UnionPay, and domestic debit cards older than 62
    r"|4[0-9]{15}\Z|(?:43674[25]|456351)[0-9]{13}\Z"  # Visa, and domestic debit cards among its numbers
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}\Z"  # Mastercard
    r"|3[47][0-9]{13}\Z"  # American Express
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}\Z"  # JCB
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12}(?:[0-9]{3})?\Z"  # Discover
    r"|3(?:0[0-5]|[689][0-9])[0-9]{11}\Z"  # Diners Club
    r"|6013[0-9]{15}\Z"  # Bank of China
)
_CUE = Cue(
    "card number", "card no", "bank card", "credit card", "debit card", "card", "visa", "mastercard", "unionpay",
    "amex", "bank account", "account number", "account no", "银行卡", "卡号", "卡號", "信用卡", "储蓄卡", "借记卡",
    "银联", "账号", "帐号", "賬號", "账户",
)  # fmt: skip
_CUED = re.compile(rf"[0-9](?:{GAP}?[0-9]){{12,18}}(?![0-9A-Za-z_])")
_OTHER_CARD = Cue("id card", "identity card", "身份证", "身份證", "sim card", "gift card")
_SINGLE = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]))


class BankCard(Detector):
    """Without a cue a number needs a scheme's first digits and length, the check, and groups that cards have.

    Some domestic account numbers fail the check, so behind a cue such as 卡号 any 13 to 19 digits are taken.
    """

    signs: ClassVar[tuple[str, ...]] = (digits(13),)
    examples: ClassVar[dict[str, str]] = {
        "pay with 4111 1111 1111 1111 please": "4111 1111 1111 1111",
        "378282246310005": "378282246310005",
        "3782-822463-10005": "3782-822463-10005",
        "转到6228480402564890018谢谢": "6228480402564890018",
        "卡号：1234567890123456": "1234567890123456",
        "split 62284804025\n64890018": "62284804025\n64890018",
        "my card number is 5555555555554445": "5555555555554445",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "4111111111111112",
        "order 4111111111111111",
        "订单号：4111111111111111",
        "20240115123045123",
        "1111222233334444",
        "ISBN 9787111128069",
        "4.111111111111111",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for one in _CARD.finditer(shadow):
            end = _card_end(shadow[one.start() : one.end(1)])
            if end and not OTHER.is_before(shadow, one.start()):
                yield self.at(one.start(), one.start() + end)
        for one in _CUE.values(shadow, _CUED):
            if not _OTHER_CARD.is_before(shadow, one.start()) and not _is_resident(plain(one[0])):
                yield self.at(*one.span())


def passes_luhn(number: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B: every second digit from the right is doubled and its digits added."""
    signs = number.encode()
    return (sum(signs[-1::-2].translate(_SINGLE)) + sum(signs[-2::-2].translate(_DOUBLED))) % 10 == 0


def _card_end(number: str) -> int:
    """Where a card ends that starts a number: at its end, or before some of its last groups; 0 where there is none."""
    sizes = groups(number)
    while sizes:
        end = sum(sizes) + len(sizes) - 1
        if 14 <= sum(sizes) <= 19 and _is_card(number[:end], sizes):
            return end
        sizes.pop()
    return 0


def _is_card(number: str, sizes: list[int]) -> bool:
    joined = plain(number)
    is_known = _SCHEMES.match(joined) is not None and passes_luhn(joined)
    is_one = len(sizes) != 2 or sizes[0] in (4, 6, 8) or "\n" in number  # else two numbers may stand side by side
    return is_known and is_one and is_of_one_style(number) and not _is_resident(joined)


def _is_resident(number: str) -> bool:
    return (len(number) == 18 and is_long_form(number)) or (len(number) == 15 and is_short_form(number))
