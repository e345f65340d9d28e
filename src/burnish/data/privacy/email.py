"""E-mail addresses, also with (at), [dot], spaces or a line break about the signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found

_LETTER = "A-Za-z0-9\u00c0-\u2dff"  # scripts with an alphabet; Chinese stands beside an address without a space
_LOCAL_BACKWARDS = re.compile(rf"\s?([{_LETTER}_+-](?:[{_LETTER}._%+'-]|[\])}}>](?:tod|点|\.)[\[({{<]){{0,63}}+)")
_LABEL = rf"[{_LETTER}][{_LETTER}-]{{0,62}}+"
_AT = re.compile(rf"(?:@|[\[({{<]\s?(?:at|@|艾特)\s?[\])}}>])(?=\s?{_LABEL}[.。 \n\[({{<])", re.IGNORECASE)
_DOMAIN = re.compile(rf"\s?({_LABEL}(?:[.。]{_LABEL}){{1,6}}+)")
_SPACED_DOT = r"(?:[.。]\n?|[ \n]\.[ \n]?|[ ]?[\[({<][ ]?(?:dot|点|\.)[ ]?[\])}>][ ]?|[ ]dot[ ])"
_SPACED_DOMAIN = re.compile(rf"\s?({_LABEL}(?:{_SPACED_DOT}{_LABEL}){{1,6}}+)", re.IGNORECASE)
_TOP = re.compile(r"(.*[^A-Za-z0-9\u00c0-\u2dff-][A-Za-z\u00c0-\u2dff]{2,24})(?![A-Za-z0-9\u00c0-\u2dff-])", re.DOTALL)
_TAIL = re.compile(r"\.\n(?:com|net|org|edu|gov|info|cn|uk|de|jp)(?![A-Za-z0-9-])")  # no words of English
_COMMON = re.compile(
    r"[^A-Za-z](?:com|net|org|edu|gov|info|io|co|me|cn|hk|tw|jp|kr|sg|in|eu|uk|de|fr|nl|it|es|ru|ca|au)\Z", re.I
)
_IMAGE = re.compile(r"[1-4]x\.[a-z]{3,4}\Z")
_REACH = 66  # a local part has at most 64 characters (RFC 5321, 4.5.3.1.1); a space may follow


class Email(Detector):
    """Looks about each @: a local part of 64 characters at most before it, and a domain that ends in letters behind."""

    signs: ClassVar[tuple[str, ...]] = ("@", "(at", "[at", "{at", "<at", "( at", "[ at", "（at", "【at", "艾特")
    examples: ClassVar[dict[str, str]] = {
        "write to zhang.san+work@mail.example.co.uk, please": "zhang.san+work@mail.example.co.uk",
        "我的邮箱是zhangsan_88@qq.com谢谢": "zhangsan_88@qq.com",
        "mail: john (at) example [dot] com": "john (at) example [dot] com",
        "邮箱ｌｉｓｉ＠１６３．ｃｏｍ。": "ｌｉｓｉ＠１６３．ｃｏｍ",
        "jürgen@müller.de wrote": "jürgen@müller.de",
        "wrapped: lisi@\nexample.com": "lisi@\nexample.com",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "thanks @zhangsan and @li",
        "3 apples @ 2.50 each",
        "pip install pkg@1.2.3",
        "git clone git@github.com:org/repo",
        "logo@2x.png",
        "x = coordinates @ self.positional",
        "谢谢@小王 明天见",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for sign in _AT.finditer(shadow):
            before = shadow[max(0, sign.start() - _REACH) : sign.start()]
            local = _LOCAL_BACKWARDS.match(before[::-1])
            end = _domain_end(shadow, sign.end()) if local else 0
            if local and end:
                name = local[1].rstrip(".'%+-")
                is_product = (
                    local.start(1) and shadow[sign.end()] == " " and not _COMMON.search(shadow, sign.end(), end)
                )
                if name != "tig" and not is_product:  # git@host:path names a repository, A @ B.T multiplies
                    yield self.at(sign.start() - local.start(1) - len(name), end)


def _domain_end(shadow: str, start: int) -> int:
    """Where the domain ends that starts at `start`; 0 where there is none."""
    for form in (_DOMAIN, _SPACED_DOMAIN):
        domain = form.match(shadow, start)
        top = domain and _TOP.match(domain[1])
        if domain and top and not _IMAGE.match(domain[1]):
            end = domain.start(1) + top.end()
            tail = _TAIL.match(shadow, end)
            return tail.end() if tail else end
    return 0
