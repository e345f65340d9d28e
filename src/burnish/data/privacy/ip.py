"""Addresses on networks: IPv4, IPv6 and the MAC address of a device."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found, digits
from burnish.data.privacy._cues import Cue

_DOT = r"(?:[.。]| \. |\[\.\]|\(\.\)|\n\.|\.\n)"
_V4 = re.compile(
    rf"[0-9](?<![0-9A-Za-z_].)(?<![0-9]\..)(?<![A-Za-z]-.)(?=([0-9]{{0,2}}(?:{_DOT}[0-9]{{1,3}}){{3}})"
    r"(?![0-9A-Za-z_]|[.。][0-9]|-[A-Za-z]))"
)
_NOT_A_DIGIT = re.compile(r"[^0-9]+")
_NOBODYS = ("0.", "127.", "255.255.255.")
_BEFORE_VERSION = re.compile(
    r"(?:\bv|ver|version|release|build|firmware|driver|sdk|(?:updat|upgrad)(?:e|ed|es|ing)(?: to)?|[=<>~^]=?|[a-z]/"
    r"|section|chapter|step|clause|版本号?|固件|升级到?|更新到?|驱动|第|章|节|步骤)[\s:是为.]{0,2}\Z",
    re.IGNORECASE,
)
_SMALL = 40
_NETWORK = Cue(
    "ip", "ipv4", "address", "host", "server", "from", "login", "client", "gateway", "dns", "ping", "ssh", "proxy",
    "http", "地址", "主机", "来自", "服务器", "登录", "网关", "代理", "终端",
)  # fmt: skip
_AFTER_VERSION = re.compile(r"\s?(?:版|release|version|build|章|节|条)", re.IGNORECASE)
_V6 = re.compile(
    r"[0-9A-Fa-f:](?<![0-9A-Za-z_:.].)(?=((?:[0-9A-Fa-f]{0,4}:\n?){1,8}[0-9A-Fa-f.]{0,15})(?![0-9A-Za-z_]))"
)
_LONG_GROUP = re.compile(r"[0-9A-Fa-f]{3}")
_MAC = re.compile(
    r"[0-9A-Fa-f](?<![0-9A-Za-z_:.-].)(?=([0-9A-Fa-f](?:(?:(?::\n?|\n)[0-9A-Fa-f]{2}){5}|(?:(?:-\n?|\n)[0-9A-Fa-f]{2}){5})"
    r"|[0-9A-Fa-f]{3}(?:\.[0-9A-Fa-f]{4}){2})(?![0-9A-Za-z_]|[:-][0-9A-Fa-f]))"
)


class Ip(Detector):
    """Four bytes beside no word such as `version` or 版本; what Python reads as IPv6; six bytes in hexadecimal.

    Loopback and unspecified addresses are nobody's.
    """

    signs: ClassVar[tuple[str, ...]] = (digits(1),)
    examples: ClassVar[dict[str, str]] = {
        "login from 203.0.113.7:8080": "203.0.113.7",
        "来自192.168.1.20的请求": "192.168.1.20",
        "IP是１０．２．３．４": "１０．２．３．４",
        "defanged 203[.]0[.]113[.]9": "203[.]0[.]113[.]9",
        "host [2001:db8::8a2e:370:7334] is up": "2001:db8::8a2e:370:7334",
        "网卡 00:1B:44:11:3A:B7": "00:1B:44:11:3A:B7",
        "mac 001b.4411.3ab7": "001b.4411.3ab7",
        "00-1B-44-11-3A-B7": "00-1B-44-11-3A-B7",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "version 1.2.3.4",
        "升级到10.2.3.4版本",
        "Chrome/120.0.0.1",
        "numpy==1.26.4.1",
        "lib-1.2.3.4",
        "1.2.3.4-beta",
        "1.2.3.4.5",
        "999.1.1.1",
        "127.0.0.1 and ::1",
        "at 12:30:45",
        "std::vector<a::b>",
        "1. 2. 3. 4",
        "1.12.3.4 crashes on start",
        "见第1.2.3.4节",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for one in _V4.finditer(shadow):
            if _is_v4(shadow[one.start() : one.end(1)]) and not _is_version(shadow, one.start(), one.end(1)):
                yield self.at(one.start(), one.end(1))
        for one in _V6.finditer(shadow) if shadow.count(":") > 1 else ():
            if n := _v6_length(shadow[one.start() : one.end(1)]):
                yield self.at(one.start(), one.start() + n)
        for one in _MAC.finditer(shadow) if max(map(shadow.count, ":-.")) > 1 else ():
            if one[1].count("\n") <= 1:
                yield self.at(one.start(), one.end(1))


def _is_v4(address: str) -> bool:
    numbers = _NOT_A_DIGIT.split(address)
    return all(int(number) <= 255 for number in numbers) and not ".".join(numbers).startswith(_NOBODYS)


def _is_version(shadow: str, start: int, end: int) -> bool:
    """Whether words say so, or four small numbers stand without a word about networks; 1 address of 1,700 has such."""
    if _BEFORE_VERSION.search(shadow[max(0, start - 20) : start]) or _AFTER_VERSION.match(shadow, end):
        return True
    numbers = map(int, _NOT_A_DIGIT.split(shadow[start:end]))
    return max(numbers) < _SMALL and not _NETWORK.is_near(shadow, start)


def _v6_length(candidate: str) -> int:
    """How much of a candidate is an address: all of it, or its first line; 0 where none is."""
    for text in (candidate, candidate.split("\n")[0]):
        text = text if text.endswith("::") else text.rstrip(":.\n")
        joined = text.replace("\n", "")
        if ("::" in joined or joined.count(":") in (6, 7)) and _is_v6(joined):
            return len(text)
    return 0


def _is_v6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    is_somebodys = not (address.is_loopback or address.is_unspecified)
    return is_somebodys and _LONG_GROUP.search(text) is not None and any(sign.isdigit() for sign in text)
