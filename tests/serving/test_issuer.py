"""An issuer's keys: fetched when needed, not again and again, and from nobody else."""

import asyncio
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.serving.issuing import DISCOVERY, KEYS, published, rsa_key, running_issuer

from burnish.serving import issuer as module
from burnish.serving.issuer import IssuerAway, IssuerKeys, is_safe
from burnish.serving.issuer import published as fetched
from burnish.serving.problems import Problem


@pytest.fixture
def issuer():
    with running_issuer() as one:
        yield one


@pytest.fixture
def clock(monkeypatch):
    """`clock.forward(seconds)`: as if so much time had passed for whoever looks after keys."""
    real = time.monotonic

    class Clock:
        passed = 0.0

        def forward(self, seconds):
            self.passed += seconds

    found = Clock()
    monkeypatch.setattr(module.time, "monotonic", lambda: real() + found.passed)
    return found


def away(url):
    with pytest.raises(IssuerAway) as caught:
        fetched(url)
    return str(caught.value)


def test_keys_for_signatures_are_taken_by_their_ids(issuer):
    assert fetched(issuer.url).keys() == {"one", "two", "three"}


def test_keys_that_could_sign_nothing_safely_are_left_out(issuer):
    secret = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "kid": "secret", "alg": "HS256"}
    for_encryption = published(rsa_key(), "RS256", "encryption", use="enc")
    short = published(rsa_key(1024), "RS256", "short")
    bitcoin = published(ec.generate_private_key(ec.SECP256K1()), "ES256K", "bitcoin")
    nameless = {**published(rsa_key(), "RS256", "nameless"), "kid": None}
    odd = [{"kty": "quantum", "kid": "q"}, "text", {"kty": "RSA", "kid": "half", "n": "AQAB"}]
    issuer.publish_keys(secret, for_encryption, short, bitcoin, nameless, *odd)
    assert fetched(issuer.url).keys() == {"one", "two", "three"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://login.example.com/realms/shop", True), ("http://127.0.0.1:8080", True), ("http://localhost", True),
        ("http://[::1]:9000", True), ("http://login.example.com", False), ("ftp://127.0.0.1", False),
        ("file:///etc/passwd", False), ("https://", False), ("http://127.0.0.1.example.com", False),
        ("http://[", False), ("", False),
    ],
)  # fmt: skip
def test_only_https_is_safe_but_on_this_machine(url, expected):
    assert is_safe(url) is expected


def test_a_document_about_another_issuer_is_not_believed(issuer):
    issuer.publish(DISCOVERY, {"issuer": "https://evil.example.com", "jwks_uri": issuer.url + KEYS})
    assert away(issuer.url) == f"{issuer.url}: its {DISCOVERY} is about another issuer."


@pytest.mark.parametrize("address", ["http://evil.example.com/keys", "file:///etc/passwd", None, 5])
def test_keys_are_fetched_from_no_place_that_is_not_safe(issuer, address):
    issuer.publish(DISCOVERY, {"issuer": issuer.url, "jwks_uri": address})
    assert away(issuer.url) == f"{issuer.url}: its {DISCOVERY} names no https address of its keys (jwks_uri)."


def test_no_redirect_is_followed(issuer):
    issuer.publish(DISCOVERY, b"", status=302, Location=issuer.url + "/other")
    issuer.publish("/other", {"issuer": issuer.url, "jwks_uri": issuer.url + KEYS})
    assert away(issuer.url) == f"the issuer of tokens at {issuer.url} cannot be asked for its keys (Found)."
    assert issuer.asked == [DISCOVERY]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", r"cannot be asked for its keys (Expecting value: line 1 column 1 (char 0))."),
        (b"[" * 100_000, r"cannot be asked for its keys (maximum recursion depth exceeded"),
        (b" " * (module.MOST_BYTES + 1), "cannot be asked for its keys (it answers with more than 1,048,576 bytes)."),
        (b"[1]", "answers with something else than a JSON object."),
    ],
    ids=["html", "deep", "large", "list"],
)
def test_an_answer_that_is_none_is_told_in_one_sentence(issuer, body, reason):
    issuer.publish(DISCOVERY, body)
    assert away(issuer.url).startswith(f"the issuer of tokens at {issuer.url} {reason}")


def test_a_trickle_is_not_waited_for(issuer, monkeypatch):
    monkeypatch.setattr(module, "WAIT_S", 1e-9)
    assert "cannot be asked for its keys" in away(issuer.url)

    class Trickle:
        def read1(self, size):
            return b" "

    with pytest.raises(TimeoutError, match=r"^it takes too long$"):
        module._bytes_of(Trickle(), time.monotonic() - 1)


def test_keys_without_a_list_are_told(issuer):
    issuer.publish(KEYS, {"keys": {"one": 1}})
    assert away(issuer.url) == f"{issuer.url}: what it publishes as its keys (jwks_uri) has no list 'keys'."


def test_nobody_there_is_told_without_what_is_secret():
    with running_issuer() as gone:
        url = gone.url
    assert away(f"{url}/realms/secret").startswith(f"the issuer of tokens at {url} cannot be asked for its keys (")


def test_many_that_need_a_key_at_once_make_one_request(issuer):
    async def many():
        keys = IssuerKeys(issuer.url)
        return await asyncio.gather(*(keys.find("one") for _ in range(50)))

    found = asyncio.run(many())
    assert {one.key_id for one in found} == {"one"}
    assert issuer.asked == [DISCOVERY, KEYS]


def test_an_unknown_key_makes_a_request_but_not_again_and_again(issuer, clock):
    async def asking():
        keys = IssuerKeys(issuer.url)
        await keys.find("one")
        assert [await keys.find(f"nobody-{number}") for number in range(20)] == [None] * 20
        assert len(issuer.asked) == 2
        clock.forward(module.EVERY_S)
        issuer.private["four"] = rsa_key(), "RS256"
        issuer.publish_keys()
        assert (await keys.find("four")).key_id == "four"
        assert len(issuer.asked) == 4

    asyncio.run(asking())


def test_keys_are_looked_at_again_while_they_are_used_and_a_withdrawn_one_is_taken_no_more(issuer, clock):
    async def asking():
        keys = IssuerKeys(issuer.url)
        one, two = await keys.find("one"), await keys.find("two")
        issuer.publish_keys(without=["one"])
        clock.forward(module.FRESH_S + 1)
        assert keys.has(one)  # nobody waits
        await keys._fetching
        assert not keys.has(one)
        assert keys.has(two)  # the same key as before
        assert await keys.find("one") is None

    asyncio.run(asking())


def test_an_issuer_that_is_away_costs_nothing_for_a_while_and_then_everything(issuer, clock):
    told = []

    async def asking():
        keys = IssuerKeys(issuer.url, told.append)
        one = await keys.find("one")
        issuer.publish(DISCOVERY, b"", status=500)
        clock.forward(module.KEPT_S - 10)
        assert (await keys.find("one"), keys.has(one)) == (one, True)
        clock.forward(20)
        assert not keys.has(one)
        with pytest.raises(Problem) as caught:
            await keys.find("one")
        assert caught.value.status == 503
        assert caught.value.detail == "the issuer of this token does not answer now, so the token cannot be checked."
        assert "Retry-After" in caught.value.headers

    asyncio.run(asking())
    sentence = f"the issuer of tokens at {issuer.url} cannot be asked for its keys (Internal Server Error)."
    assert set(told) == {sentence}


def test_an_unknown_key_is_not_told_unknown_by_an_issuer_that_is_away(issuer, clock):
    async def asking():
        keys = IssuerKeys(issuer.url)
        await keys.find("one")
        issuer.publish(DISCOVERY, b"", status=500)
        clock.forward(module.EVERY_S)
        with pytest.raises(Problem) as caught:
            await keys.find("four")
        assert caught.value.status == 503
        assert (await keys.find("one")).key_id == "one"

    asyncio.run(asking())
