"""Keys, tokens and passwords: by the prefix of who gave them out, by what is said before them, or by looking random."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from burnish.data.privacy._contract import Detector, Found, digits
from burnish.data.privacy._cues import Cue

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}+")
_KNOWN = re.compile(  # as the services' own pages name them
    r"sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"
    r"|AIza[A-Za-z0-9_-]{35}|xox[abeprs]-[A-Za-z0-9-]{10,}|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}"
    r"|pypi-[A-Za-z0-9_-]{40,}|LTAI[A-Za-z0-9]{12,30}(?![0-9A-Za-z])|AKID[A-Za-z0-9]{32}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)?"
)
_CLASSES = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]")))
_TURN = re.compile("(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")
_RUN = re.compile("[a-z]{4,}")
_LEAST, _LOOKED_AT = 32, 128  # characters
_BLOB = re.compile(r"[A-Za-z0-9+/=_-]{200}")
_DIGEST = re.compile(r"sha[0-9]{1,3}[-_:]", re.IGNORECASE)
_BEFORE_DIGEST = re.compile(r"(?:sha-?[0-9]{1,3}|md5|digest|checksum|integrity|hash)[\"']?[ ]?[=:-][ ]?[\"']?\Z", re.I)

_LINK = re.compile(r"://[^\s/:@]{0,64}:([^\s/@]{1,128})@")
_PEM = re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]{0,20}PRIVATE KEY-----")

_PASSWORD = Cue("password", "passwd", "passcode", "passphrase", "pwd", "密码", "密碼", "口令")
_NO_VALUES = {"none", "null", "true", "false", "value", "self", "required", *_PASSWORD.words}
_OPEN = r"(?!\[[A-Z_]+\])"  # not masked before
_CODE = re.compile(r"[(\[]")
_GIVEN = re.compile(
    rf"[\"']?[ ]?([:=]|is|was|是|为|為)?[ ]?(?:\"{_OPEN}([^\"\n]{{1,200}})\"|"
    rf"[\"']?{_OPEN}([^\s\"'<>,;\u2e80-\uffff]{{4,64}}))",
    re.IGNORECASE,
)
_KEY = Cue(
    "api key", "api_key", "api-key", "apikey", "access key", "access_key", "access-key", "accesskey", "secret key",
    "secret_key", "secretkey", "client_secret", "client secret", "secret", "token", "bearer", "basic", "密钥", "秘钥",
    "令牌",
)  # fmt: skip
_KEY_VALUE = re.compile(r"(?=[A-Za-z+/_.~-]{0,40}[0-9])[A-Za-z0-9+/_.~-]{12,512}+=*")


class Secret(Detector):
    """What looks random has 32 letters and digits or more, which change between upper case, lower case and digits as
    chance would: names in code change less, and hexadecimal digests have one case. A password is taken where it is
    given (`password: x1`, 密码是x1), not where it is spoken of.
    """

    signs: ClassVar[tuple[str, ...]] = (digits(1), "akia", *_PASSWORD.words, "private key", "://")
    examples: ClassVar[dict[str, str]] = {
        "use sk-proj-4fT9vXq2LmB8nZ7cR1yW please": "sk-proj-4fT9vXq2LmB8nZ7cR1yW",
        "密钥是AKIAIOSFODNN7EXAMPLE吗": "AKIAIOSFODNN7EXAMPLE",
        "Authorization: Bearer 8f3a9c1d2e4b5a6f": "8f3a9c1d2e4b5a6f",
        "my password is hunter2.": "hunter2",
        "密码：abc12345，请修改": "abc12345",
        "PASSWORD=correcthorse": "correcthorse",
        '{"password": "correct horse"}': "correct horse",
        "postgres://app:pw9@db/x": "pw9",
        "it was q7ZkR2mX9vB4nL8cT1yW5dF3hJ6gP0sA there": "q7ZkR2mX9vB4nL8cT1yW5dF3hJ6gP0sA",
        "令牌eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0In0.c2lnbmE": "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0In0.c2lnbmE",
        "a\n-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----": (
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"
        ),
    }
    harmless: ClassVar[tuple[str, ...]] = (
        "I forgot my password again",
        "忘记密码怎么办，密码错误",
        "密码6位以上",
        "password: required",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "550e8400-e29b-41d4-a716-446655440000",
        "getUserAccountByIdentifierOrEmail2Address",
        "sk-toggleable__label-arrow",
        "a token of 25 euros",
        "the class Wav2Vec2EncoderLayerStableLayerNorm",
        "token in (first, entity_2_token)",
        "connect(password=None)",
        "已有[SECRET]，密码：[SECRET]",
    )

    def find(self, shadow: str) -> Iterator[Found]:
        for one in _TOKEN.finditer(shadow):
            known = _KNOWN.match(shadow, one.start())
            if known or _is_random(one[0], shadow, one.start()):
                yield self.at(one.start(), known.end() if known else one.end())
        for one in _KEY.values(shadow, _KEY_VALUE):
            if not _is_of_words(one[0]):
                yield self.at(one.start(), one.start() + len(one[0].rstrip(".-")))
        for one in _LINK.finditer(shadow):
            yield self.at(*one.span(1))
        yield from self._passwords(shadow)
        yield from self._private_keys(shadow)

    def _passwords(self, shadow: str) -> Iterator[Found]:
        done = 0
        for end in _PASSWORD.ends(shadow):
            given = _GIVEN.match(shadow, end) if end > done else None
            if not given:
                continue
            group = 2 if given[2] else 3
            value = given[2] or given[3].rstrip(".:?)]}")
            said = " =" if " =" in given[0] else given[1] or ""
            if _is_password(said, value, is_quoted=group == 2):
                done = given.start(group) + len(value)
                yield self.at(given.start(group), done)

    def _private_keys(self, shadow: str) -> Iterator[Found]:
        end = 0
        while head := _PEM.search(shadow, end):
            tail = _PEM_END.search(shadow, head.end())
            end = tail.end() if tail else len(shadow)
            yield self.at(head.start(), end)


def _is_random(token: str, shadow: str, start: int) -> bool:
    """Whether a token is long, of three classes of signs, and changes class nearly as often as random ones (62 %)."""
    looked_at = token[:_LOOKED_AT]
    if len(token) < _LEAST or not all(one.search(looked_at) for one in _CLASSES) or _DIGEST.match(token):
        return False
    is_blob = _BLOB.match(shadow, start) or _BLOB.match(shadow, max(0, start - 200))  # a picture in base64
    if is_blob or _BEFORE_DIGEST.search(shadow[max(0, start - 16) : start]):
        return False
    return len(_TURN.findall(looked_at)) >= 0.4 * len(looked_at) and not _is_of_words(looked_at)


def _is_of_words(token: str) -> bool:
    """Whether a token is like a name in code: a third of it runs of lower case, and hardly a digit."""
    n_digits = sum(sign.isdigit() for sign in token)
    return n_digits < 3 and 3 * sum(map(len, _RUN.findall(token))) >= len(token)


def _is_password(said: str, value: str, is_quoted: bool) -> bool:
    """Whether what stands behind `password` is one: anything in quotes or after =, else no plain word and no code."""
    if value.lower() in _NO_VALUES or ("=" in said and _CODE.search(value)):
        return False
    if is_quoted and said in ("=", " =", ":"):
        return True
    has_digit = any(sign.isdigit() for sign in value)
    if said:
        return len(value) >= 4 and (said == "=" or has_digit or not value.isalpha())
    return len(value) >= 6 and has_digit
