"""Names in messengers need a cue, and say so more clearly where they could be words."""

import pytest

from burnish.data.masking import Mask

MASK = Mask.of(["messenger"])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("微信号zhangsan", "微信号[MESSENGER]"),
        ("加V信：zhang-san", "加V信：[MESSENGER]"),
        ("微信zhangsan1", "微信[MESSENGER]"),
        ("WeChat: zhangsan", "WeChat: [MESSENGER]"),
        ("my wechat is zhang_san", "my wechat is [MESSENGER]"),
        ("QQ12345678", "QQ[MESSENGER]"),
        ("qq群：1234 5678", "qq群：[MESSENGER]"),
        ("Telegram @zhang_san", "Telegram @[MESSENGER]"),
    ],
)
def test_a_name_behind_a_cue_is_masked(text, masked):
    assert MASK(text).text == masked


@pytest.mark.parametrize(
    "text",
    ["微信zhangsan", "微信：abc", "wechat is great", "QQ1234", "QQ123456789012", "QQ音乐", "VX1000型", "zhang_san1"],
)
def test_what_may_be_something_else_is_left(text):
    assert MASK(text).found == ()
