"""Secrets: known prefixes, passwords that are given, and what looks random."""

import hashlib
import random
import string
import uuid

import pytest

from burnish.data.masking import Mask

MASK = Mask.of(["secret"])
BASE62 = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    "prefix", ["sk-", "sk-ant-api03-", "ghp_", "github_pat_", "glpat-", "hf_", "xoxb-", "sk_live_", "LTAI", "npm_"]
)
def test_a_key_is_known_by_its_prefix_however_little_random_it_is(prefix):
    key = f"{prefix}{'a1' * 18}"
    assert MASK(f"用{key}登录").text == "用[SECRET]登录"


def test_long_random_tokens_are_found_and_digests_are_not():
    draw = random.Random(7)
    tokens = ["".join(draw.choices(BASE62, k=40)) for _ in range(1000)]
    assert sum(bool(MASK(token).found) for token in tokens) >= 970
    digests = [hashlib.sha256(token.encode()).hexdigest() for token in tokens]
    assert not any(MASK(text).found for digest in digests for text in (digest, digest.upper(), digest[:40]))
    assert not any(MASK(str(uuid.UUID(bytes=draw.randbytes(16)))).found for _ in range(1000))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password: hunter2", "password: [SECRET]"),
        ("Password=correcthorse", "Password=[SECRET]"),
        ('"password": "correct horse"', '"password": "[SECRET]"'),
        ("the password is s3cret!", "the password is [SECRET]"),
        ("密码是 abc123。", "密码是 [SECRET]。"),
        ("口令：Tr0ub4dor&3，勿外传", "口令：[SECRET]，勿外传"),
        ("密码888888", "密码[SECRET]"),
        ("api_key=abcdefgh1234", "api_key=[SECRET]"),
        ("令牌：abcdefgh1234", "令牌：[SECRET]"),
        ("https://bob:pw@db/x", "https://bob:[SECRET]@db/x"),
    ],
)
def test_what_is_given_as_a_secret_is_one(text, masked):
    assert MASK(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "my password is wrong",
        "password: optional",
        "password=None",
        "password = input(prompt)",
        "username, password = given",
        "password=auth[1]",
        "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
        '"integrity": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"',
        "class Qwen3OmniMoeThinkerTextSparseMoeBlock",
        "密码输错了3次",
        "修改密码",
        "the token expired",
        "token: bad",
        "secret recipe number 12",
        "https://example.com:8080/a",
    ],
)
def test_what_speaks_of_secrets_is_none(text):
    assert MASK(text).found == ()


def test_a_private_key_is_masked_to_its_end_or_that_of_the_text():
    head, tail = "-----BEGIN RSA PRIVATE KEY-----\nMII", "-----END RSA PRIVATE KEY-----"
    assert MASK(f"a {head}\n{tail} b {head}\n{tail} c").text == "a [SECRET] b [SECRET] c"
    assert MASK(f"a {head} b").text == "a [SECRET]"


def test_a_picture_in_base64_is_no_secret():
    draw = random.Random(7)
    picture = "".join(draw.choices(BASE62 + "+/", k=2000))
    assert MASK(f"data:image/png;base64,{picture}").found == ()
