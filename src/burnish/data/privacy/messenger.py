"""Names and numbers in messengers, behind a cue word: WeChat, QQ, Telegram; 微信号, QQ号."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found
from burnish.data.privacy._cues import Cue

_WECHAT = Cue("微信", "薇信", "威信", "wechat", "weixin", "vx", "wx", "v信")
_QQ = Cue("qq", "扣扣", "企鹅号")
_TELEGRAM = Cue("telegram", "电报", "line id", "skype")
_SAID = r"[ ]?((?:号码?|账号|帐号|id|number|no\.?)?[ ]?(?:[:=是为]|is)?)[ ]?@?(?!\[[A-Z_]+\])[\[(\"'「]?"
_NAME = re.compile(rf"{_SAID}([A-Za-z][A-Za-z0-9_-]{{5,19}})(?![A-Za-z0-9_@-])", re.IGNORECASE)
_WEAK = {"", "is", "是", "为"}  # words may follow
_NUMBER = re.compile(
    r"[ ]?(?:群|号码?|号|账号|number|no\.?|id)?[ ]?[:=是为]?[ ]?[\[(]?([1-9](?:[ \n-]?[0-9]){4,10})"
    r"(?![0-9A-Za-z_%]|[.][0-9]|[元块年月日])",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"[ ]?(?:id|账号|号)?[ ]?[:=是为]?[ ]?@([A-Za-z][A-Za-z0-9_]{4,31})", re.IGNORECASE)


class Messenger(Detector):
    """A WeChat name has 6 to 20 signs, a QQ number 5 to 11 digits. Behind 微信 without 号 or a colon, a name needs a
    digit or an underscore.
    """

    signs: ClassVar[tuple[str, ...]] = (*_WECHAT.words, *_QQ.words, *_TELEGRAM.words)
    examples: ClassVar[dict[str, str]] = {
        "加我微信zhang_san88聊": "zhang_san88",
        "微信号：lisidezhanghao": "lisidezhanghao",
        "my WeChat ID: wang_wu_2020": "wang_wu_2020",
        "VX:abc123456": "abc123456",
        "QQ号是123456789。": "123456789",
        "add me on QQ 987654321": "987654321",
        "telegram: @some_user": "some_user",
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "微信支付失败",
        "wechat payment failed",
        "WeChat is broken again",
        "QQ音乐2024版",
        "QQ 2024年更新",
        "微信：[MESSENGER]",
        "the box123456 arrived",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for end in _WECHAT.ends(shadow):
            name = _NAME.match(shadow, end)
            if name and (name[1].strip() not in _WEAK or not name[2].isalpha()):
                yield self.at(*name.span(2))
        for cue, form in ((_QQ, _NUMBER), (_TELEGRAM, _HANDLE)):
            for end in cue.ends(shadow):
                if one := form.match(shadow, end):
                    yield self.at(*one.span(1))
