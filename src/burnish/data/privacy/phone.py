"""Telephone numbers: Chinese mobiles and landlines, numbers with a country code, North American and British ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found, digits
from burnish.data.privacy._cues import OTHER, Cue
from burnish.data.privacy._spelling import ALONE, ENDED, GAP, groups, is_of_one_style, plain

_AREA = r"(?<=0)(?<![0-9A-Fa-f]-0)"  # 2025-0105-517525 has no area code
_DOMESTIC = re.compile(  # one look at each number for four forms; \n? where the first digits may stand on a line alone
    rf"[0-9](?:(?<=861)|(?<=8\n61)|{ALONE})(?=(?:(?<=1)(?P<mobile>\n?[3-9](?:{GAP}?[0-9]){{9}})"
    rf"|{_AREA}(?P<landline>\n?(?:1\n?0|2\n?[0-9]|[3-9]\n?[0-9]\n?[0-9])(?:{GAP}[1-9]|[2-9])(?:{GAP}?[0-9]){{6,7}}"
    rf"(?:[转-][0-9]{{1,5}})?(?![-][0-9]))"
    rf"|{_AREA}(?P<british>7[1-9][0-9]{{2}}{GAP}?[0-9]{{3}}{GAP}?[0-9]{{3}}|2[0-9]{GAP}[0-9]{{4}}{GAP}?[0-9]{{4}}"
    rf"|1[0-9]{{2}}{GAP}[0-9]{{3}}{GAP}[0-9]{{4}}|1[0-9]{{3}}{GAP}[0-9]{{3}}{GAP}?[0-9]{{3}})"
    rf"|(?P<american>(?<=[2-9])[0-9]{{2}}[ .-][2-9][0-9]{{2}}[ .-]?[0-9]{{4}}(?![.-][0-9]))){ENDED})"
)
_CHINA = re.compile(r"(?<![0-9A-Za-z_.])[(\[]?(?:\+ ?|0\n?0\n?)?8\n?6[ \n.-]?\Z")
_EXTENSION = re.compile("[转-][0-9]{1,5}$")
_TWO_YEARS = re.compile(rf"(?:19|20)[0-9]{{2}}{GAP}(?:19|20)[0-9]{{2}}")

_ABROAD = re.compile(
    r"(?:\+(?<![0-9A-Za-z_]\+)|00(?<![0-9A-Za-z_+.-]00))\(?([1-9](?:[ \n.()-]{0,2}[0-9]){6,14})(?![0-9])"
)
_COUNTRY = re.compile(
    "1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|(?:2[1-689]|3[578]|42|50|59|6[789]|8[058]|9[679])[0-9]"
)
_LENGTHS = {  # digits of a whole number with its country's code
    "1": (11, 11), "7": (11, 11), "31": (11, 11), "33": (11, 11), "34": (11, 11), "39": (10, 13), "41": (11, 11),
    "44": (11, 12), "49": (10, 14), "60": (10, 12), "61": (11, 11), "65": (10, 10), "81": (11, 12), "82": (11, 12),
    "86": (12, 13), "852": (11, 11), "853": (11, 11), "886": (11, 12), "91": (12, 12),
}  # fmt: skip

_ONE = re.compile(r"(?:(?<![0-9A-Za-z_.])\+?1[ .-]?)?\(?\Z")

_CUE = Cue(
    "phone", "telephone", "mobile", "cell", "cellphone", "tel", "call", "fax", "whatsapp", "text me", "dial",
    "contact", "hotline", "reach", "电话", "電話", "手机", "手機", "座机", "致电", "拨打", "联系方式", "联系", "传真",
    "热线", "来电", "打给", "请打", "回电",
)  # fmt: skip
_CUED = re.compile(
    rf"[+(]?[0-9](?:[0-9]{{6,12}}|[0-9]{{2,3}}[ .-][0-9]{{3,4}}(?:[ .-][0-9]{{4}})?|(?:[ ()\n-]{{0,2}}[0-9]){{6,14}})"
    rf"{ENDED}"
)
_DATE = re.compile(r"(?:19|20)[0-9]{2}\D?(?:0[1-9]|1[0-2])\D?(?:0[1-9]|[12][0-9]|3[01])")


class Phone(Detector):
    """Knows forms: a mobile by its first digits and its groups, others by a country code, an area code with its
    separator, or a cue such as `call` and 电话. A plain run of digits behind `order` or 单号 is no telephone number.
    """

    signs: ClassVar[tuple[str, ...]] = (digits(7),)
    examples: ClassVar[dict[str, str]] = {
        "13800138000": "13800138000",
        "我的手机是138-0013-8000，晚上打": "138-0013-8000",
        "+86 138 0013 8000 is mine": "+86 138 0013 8000",
        "008613800138000": "008613800138000",
        "请打１３８００１３８０００": "１３８００１３８０００",
        "split 1380013\n8000 over two lines": "1380013\n8000",
        "1. 13912345678": "13912345678",
        "座机010-12345678": "010-12345678",
        "收件人057187654321杭州": "057187654321",
        "公司0755 8666 8888转8001": "0755 8666 8888转8001",
        "call (415) 555-2671 today": "(415) 555-2671",
        "or 1-415-555-2671": "1-415-555-2671",
        "phone 415 555 2671": "415 555 2671",
        "London: +44 20 7946 0958.": "+44 20 7946 0958",
        "07700 900123 is her mobile": "07700 900123",
        "001 415 555 2671": "001 415 555 2671",
        "电话：87654321": "87654321",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "订单号13800138000",
        "order number 15912345678",
        "1700000000 and 1700000000000",
        "15 000 000 000 yuan",
        "0.13800138000",
        "13800138000.5",
        "￥13800138000元",
        "1990-2020 150 firms",
        "2024-01-15 12:30:45",
        "sizes 250 300 1000",
        "call 20240115",
        "a13800138000f",
        "+1,234,567,890",
        "2 + 17938452872*x",
        "港股03993）（603993）2月",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for one in _DOMESTIC.finditer(shadow):
            head = _HEADS[f"{one.lastgroup}"](shadow, one.start(), one.end(f"{one.lastgroup}"))
            if head is not None:
                yield self.at(one.start() - head, one.end(f"{one.lastgroup}"))
        yield from (self.at(*place) for place in _abroad(shadow))
        for cued in _CUE.values(shadow, _CUED):
            if not _DATE.match(cued[0]):
                yield self.at(*cued.span())


def _mobile_head(shadow: str, start: int, end: int) -> int | None:
    """How many characters before a mobile's first digit belong to it (+86 and such); None where it is no mobile."""
    before = shadow[max(0, start - 8) : start]
    prefix = _CHINA.search(before) if "6" in before else None
    if not prefix and (shadow[start - 1 : start].isdigit() or OTHER.is_before(shadow, start)):
        return None
    is_one = _is_grouped_like_a_mobile(shadow[start:end]) and not _is_price(shadow, start)
    return (len(prefix[0]) if prefix else 0) if is_one else None


def _british_head(shadow: str, start: int, end: int) -> int | None:
    """The same for numbers with a British area code: an opening bracket."""
    is_one = is_of_one_style(shadow[start:end]) and not OTHER.is_before(shadow, start)
    return int(shadow[start - 1 : start] == "(") if is_one else None


def _landline_head(shadow: str, start: int, end: int) -> int | None:
    """The same for numbers with a Chinese area code, which is their first group if they have some."""
    number = _EXTENSION.split(shadow[start:end])[0]
    n_area = 0 if number.isdigit() or "\n" in number else groups(number)[0]
    is_one = n_area in (0, 3, 4) and is_of_one_style(number[n_area + 1 :]) and not OTHER.is_before(shadow, start)
    return int(shadow[start - 1 : start] == "(") if is_one else None


def _american_head(shadow: str, start: int, end: int) -> int | None:
    """The same for 3-3-4 digits: a bracket, 1 or +1. With spaces, as in 250 300 1000, it needs these or a cue."""
    head = _ONE.search(shadow[max(0, start - 5) : start])
    is_plain = " " in shadow[start:end] or len(groups(shadow[start:end])) < 3
    is_one = (head and head[0]) or not is_plain or _CUE.is_near(shadow, start)
    return (len(head[0]) if head else 0) if is_one and not OTHER.is_before(shadow, start) else None


_HEADS = {
    "mobile": _mobile_head,
    "landline": _landline_head,
    "british": _british_head,
    "american": _american_head,
}


def _is_grouped_like_a_mobile(number: str) -> bool:
    if number.isdigit():
        return True
    sizes = groups(number)
    has_groups = len(sizes) <= 3 or sizes[0] == 3 or max(sizes) <= 2  # 15 000 000 000 is an amount
    return has_groups and is_of_one_style(number) and not _TWO_YEARS.match(number)


def _is_price(shadow: str, start: int) -> bool:
    return shadow[max(0, start - 2) : start].strip()[-1:] in {*"$¥€£￥"}


def _abroad(shadow: str) -> Iterator[tuple[int, int]]:
    for one in _ABROAD.finditer(shadow):
        country = _COUNTRY.match(plain(one[1]))
        if not country:
            continue
        shortest, longest = _LENGTHS.get(country[0], (8, 15))
        end = _cut(one[1], longest)
        n_digits = sum(character.isdigit() for character in one[1][:end])
        is_sure = one[0][0] == "+" or country[0] in _LENGTHS or _CUE.is_before(shadow, one.start())
        is_other = one[0][0] == "0" and OTHER.is_before(shadow, one.start())
        if is_sure and not is_other and shortest <= n_digits <= longest and one[1][:end].count(".") != 1:
            yield one.start(), one.start(1) + end


def _cut(number: str, most: int) -> int:
    """Where a number ends whose last groups are dropped while it has more than `most` digits."""
    ends = [one.end() for one in re.finditer("[0-9]+", number)]
    counts = [sum(character.isdigit() for character in number[:end]) for end in ends]
    return max((end for end, n_digits in zip(ends, counts, strict=True) if n_digits <= most), default=0)
