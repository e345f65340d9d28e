"""Texts at the edge of what may be asked: where an artefact that was tried on ordinary ones goes wrong first."""

from __future__ import annotations

from itertools import chain, count

N_EDGES = 200

_SHORT = (
    "",
    " ",
    "\n",
    "\t",
    "a",
    "I",
    "。",
    "?",
    "!!",
    "0",
    "-1",
    "…",
    "\u200b",
    "\ufeff",
    "\x00",
    "\x07a",
    "\u202eabc",
)
_EMOJI = ("🙂", "👩‍👩‍👧‍👦", "🇨🇭🇨🇳", "👍🏽👍🏿", "a🙂b", "🙂 🙂 🙂", "❤️‍🔥", "1️⃣2️⃣")
_MIXED = (
    "Bitte 退款 por favor",
    "订单 order №42 заказ 注文",
    "Привет 你好 hello שלום مرحبا",
    "naïve café Zürich Ångström",
    "e\u0301 vs \u00e9",
    "ＦＵＬＬ　ＷＩＤＴＨ １２３",
    "ｈａｌｆ ﾊﾝｶｸ",
    "x² + y² = z²",
    "𝒜𝓁𝓅𝒽𝒶",
    "가나다 라마바",
    "ไทยไม่มีช่องว่าง",
    "हिन्दी में प्रश्न",
    "<b>bold</b> &amp; <script>alert(1)</script>",
    "'; DROP TABLE users; --",
    "[CLS] [SEP] [MASK] [PAD] [UNK]",
    "<s> </s> <mask> <pad>",
    "https://example.org/a?b=c&d=%20#e",
    "someone@example.org +41 44 123 45 67",
    "C:\\temp\\new\\table",
    '{"key": ["value", null, 1e-9]}',
    "tab\tand\nnew\r\nlines",
    "control \x01\x02\x1f characters \x7f",
    "zero\u200bwidth\u200djoiner\u2060here",
    "soft\u00adhyphen and\u00a0hard space",
    "UPPER lower MiXeD",
    "a" * 60,
    "不" * 60,
    "ab " * 30,
)
_WORDS = ("refund", "the", "不", "42", "🙂", "Zürich", "?", "x", "退款", "don't")


def edge_texts(max_length: int) -> list[str]:
    """200 different texts, for a model that takes `max_length` tokens: empty, of one token, just fitting, too long, of
    lengths between, emoji, mixed scripts, control characters.
    """
    fitting = (max_length - n_special for n_special in (0, 1, 2, 3))
    between = (max_length * tenth // 10 for tenth in range(9, 0, -1))
    found = dict.fromkeys((*_SHORT, *_EMOJI, *_MIXED))
    for length in chain((1, 2, 2 * max_length), fitting, between, count(3)):
        found |= dict.fromkeys(" ".join([word] * length) for word in _WORDS)
        if len(found) >= N_EDGES:
            break
    return list(found)[:N_EDGES]
