"""Tokens of a trusted issuer: who they let in, and everything that must not."""

import asyncio
import base64
import hashlib
import hmac
import json
import shutil
import sqlite3
import threading
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from starlette.testclient import TestClient
from tests.serving.house import ROLES, House
from tests.serving.http.test_guard import OPEN, POLICY, send
from tests.serving.issuing import DISCOVERY, published, rsa_key, running_issuer

from burnish.core.errors import UserError
from burnish.core.settings import Settings
from burnish.flows.teaching import _reviewers
from burnish.serving import tokens as module
from burnish.serving.tokens import EXPIRED, WRONG, Trust

PREDICT = "/v1/models/intent/predict"
BODY = {"inputs": "good"}
SAID = "staff=predict, staff=feedback, " + ", ".join(f"is-{role}={role}" for role in ROLES)


@pytest.fixture(scope="module")
def issuer():
    with running_issuer() as one:
        yield one


def settings_for(issuer, **own):
    return {"oidc_issuer": issuer.url, "oidc_audience": "burnish", "oidc_roles": SAID, **own}


@pytest.fixture
def trusting(make_house, issuer):
    """`trusting(oidc_per_minute=3)`: a house whose server takes the issuer's tokens."""
    return lambda **own: make_house(**settings_for(issuer, **own))


@pytest.fixture
def server(trusting):
    house = trusting()
    with house.client() as client:
        client.house = house
        yield client


def ask(client, token, **body):
    return client.post(PREDICT, json=body or BODY, headers={"Authorization": f"Bearer {token}"})


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def refusal(found):
    assert found.status_code == 401, found.text
    assert found.headers["www-authenticate"] == "Bearer"
    return found.json()["detail"]


@pytest.mark.parametrize("key", ["one", "two", "three"], ids=["RS256", "ES256", "EdDSA"])
def test_a_token_is_taken_beside_keys(server, issuer, key):
    assert ask(server, issuer.token(key)).status_code == 200
    assert server.post(PREDICT, json=BODY).status_code == 200  # a key of our own


def test_an_audience_may_be_one_of_several(server, issuer):
    assert ask(server, issuer.token(aud=["shop", "burnish"])).status_code == 200


def test_without_an_issuer_in_the_settings_no_token_is_taken(client, issuer):
    n_before = len(issuer.asked)
    assert refusal(ask(client, issuer.token())).startswith("this key is not valid here")
    assert len(issuer.asked) == n_before


HOUR_S = 3600
WRONGS = {
    "another audience": {"aud": "shop"}, "no audience": {"aud": None}, "an empty audience": {"aud": []},
    "another issuer": {"iss": "https://evil.example.com"}, "no issuer": {"iss": None},
    "a part of the issuer": {"iss": ["http://127.0.0.1"]},
    "not valid yet": {"nbf": time.time() + HOUR_S}, "made in the future": {"iat": time.time() + HOUR_S},
    "no end": {"exp": None}, "an end that is none": {"exp": "never"}, "an end without end": {"exp": float("inf")},
    "no subject": {"sub": None}, "a subject that is no text": {"sub": ["ann"]},
}  # fmt: skip


@pytest.mark.parametrize("claims", WRONGS.values(), ids=WRONGS)
def test_a_token_with_a_wrong_claim_is_refused(server, issuer, claims):
    payload = issuer.claims(**claims)
    private, algorithm = issuer.private["one"]
    head = segment({"alg": algorithm, "typ": "JWT", "kid": "one"})
    signed = jwt.api_jws.encode(json.dumps(payload).encode(), private, algorithm, {"kid": "one"})
    assert head.startswith("ey")
    assert refusal(ask(server, signed)) == WRONG


def test_an_expired_token_says_so_and_some_seconds_are_allowed_for_clocks(server, issuer):
    now = time.time()
    assert refusal(ask(server, issuer.token(exp=now - 30, iat=now - 60))) == EXPIRED
    assert ask(server, issuer.token(exp=now - 3, iat=now - 60)).status_code == 200
    assert ask(server, issuer.token(nbf=now + 3)).status_code == 200


@pytest.mark.parametrize("subject", ["", "x" * (module.MOST_SUBJECT + 1)])
def test_a_subject_has_a_length(server, issuer, subject):
    detail = refusal(ask(server, issuer.token(sub=subject)))
    assert detail == "this token's subject (sub) must have 1 to 128 characters."


def test_a_token_without_a_signature_is_refused(server, issuer):
    payload = segment(issuer.claims(roles=["is-admin"]))
    for algorithm in ("none", "None", "NONE", "", None):
        for signature in ("", "AAAA"):
            head = segment({"alg": algorithm, "typ": "JWT", "kid": "one"})
            assert refusal(ask(server, f"{head}.{payload}.{signature}")) == WRONG
    good = issuer.token()
    assert refusal(ask(server, good.rpartition(".")[0] + ".")) == WRONG


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_secret_to_sign_with(server, issuer, algorithm):
    public = issuer.private["one"][0].public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    jwk = json.dumps(published(issuer.private["one"][0], "RS256", "one"))
    for secret in (public.public_bytes(serialization.Encoding.PEM, form), jwk.encode()):
        head, payload = segment({"alg": algorithm, "kid": "one"}), segment(issuer.claims(roles=["is-admin"]))
        hashed = hmac.new(secret, f"{head}.{payload}".encode(), getattr(hashlib, f"sha{algorithm[2:]}")).digest()
        signature = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        assert refusal(ask(server, f"{head}.{payload}.{signature}")) == WRONG


def test_a_key_signs_with_its_own_algorithm_only(server, issuer):
    """The issuer says RS256 of its key; PS256 with the same key is another thing."""
    private = issuer.private["one"][0]
    for algorithm in ("PS256", "RS512"):
        assert refusal(ask(server, jwt.encode(issuer.claims(), private, algorithm, {"kid": "one"}))) == WRONG
    assert refusal(ask(server, issuer.token("two", head={"kid": "one"}))) == WRONG


def test_a_key_that_the_token_brings_itself_counts_nothing(server, issuer):
    evil = rsa_key()
    own = published(evil, "RS256", "one")
    for head in ({"jwk": own}, {"jku": "http://127.0.0.1:9/keys"}, {"x5c": ["MIIB"]}, {"x5u": "https://evil.example"}):
        assert refusal(ask(server, jwt.encode(issuer.claims(), evil, "RS256", {"kid": "one", **head}))) == WRONG


def test_a_key_of_another_issuer_counts_nothing(server, issuer):
    with running_issuer() as other:
        same_id = other.token(iss=issuer.url)
        other.private["theirs"] = rsa_key(), "RS256"
        assert refusal(ask(server, same_id)) == WRONG
        assert refusal(ask(server, other.token("theirs", iss=issuer.url))) == WRONG
        assert refusal(ask(server, other.token())) == WRONG
        assert other.asked == []


def test_a_token_must_name_its_key_and_ask_for_nothing_unknown(server, issuer):
    private = issuer.private["one"][0]
    assert refusal(ask(server, jwt.encode(issuer.claims(), private, "RS256"))) == WRONG
    for head in ({"kid": 5}, {"kid": "../../one"}, {"kid": "one", "crit": ["exp"]}, {"kid": "one", "b64": False}):
        payload = segment(issuer.claims())
        told = segment({"alg": "RS256", **head})
        assert refusal(ask(server, f"{told}.{payload}.AAAA")) == WRONG
    assert refusal(ask(server, issuer.token(head={"crit": ["b64"], "b64": True}))) == WRONG


@pytest.mark.parametrize("which", [0, 1, 2], ids=["head", "payload", "signature"])
def test_a_changed_token_is_refused(server, issuer, which):
    pieces = issuer.token().split(".")
    at = len(pieces[which]) // 2
    pieces[which] = pieces[which][:at] + ("A" if pieces[which][at] != "A" else "B") + pieces[which][at + 1 :]
    assert refusal(ask(server, ".".join(pieces))) == WRONG


def test_what_is_no_token_is_refused(server):
    deep = base64.urlsafe_b64encode(b'{"a":' * 2000).rstrip(b"=").decode()
    for text in (
        "ey",
        "ey..",
        "eyJ.eyJ.eyJ",
        "ey" + "." * 50,
        "eyé.a.b".encode().decode("latin-1"),
        f"{deep}.e30.AAAA",
    ):
        assert refusal(server.post(PREDICT, json=BODY, headers={"Authorization": f"Bearer {text}".encode("latin-1")}))


def test_a_huge_token_is_refused_before_it_is_looked_at(server, issuer):
    detail = refusal(ask(server, issuer.token(note="x" * 20_000)))
    assert detail == "this token is longer than 16,384 characters."


def test_a_good_payload_under_another_tokens_signature_is_refused(server, issuer):
    mine, theirs = issuer.token(), issuer.token(roles=["is-admin"])
    head, _, signature = mine.split(".")
    assert ask(server, mine).status_code == 200
    assert refusal(ask(server, f"{head}.{theirs.split('.')[1]}.{signature}")) == WRONG


# What a token may do.


@pytest.fixture(scope="module")
def walked(made_house, tmp_path_factory, issuer):
    """A server that is only asked."""
    folder, keys = made_house
    copy = tmp_path_factory.mktemp("walked") / "home"
    shutil.copytree(folder, copy)
    house = House(copy, keys, own=settings_for(issuer))
    with house.client() as client:
        yield TestClient(client.app)
    house.home.close()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_of_a_token_may_what_the_policy_says_and_nothing_else(walked, issuer, role):
    headers = {"Authorization": f"Bearer {issuer.token(roles=[f'is-{role}'])}"}
    for (method, path), may in POLICY.items():
        found = send(walked, method, path, headers)
        assert (found.status_code == 403) != (may == OPEN or role in may), (method, path, found.text)


@pytest.mark.parametrize(
    "roles", [["admin"], "admin", ["predict", "release"], [], None, [["is-admin"]], {"is-admin": 1}, [True], "IS-ADMIN"]
)
def test_values_that_the_settings_do_not_map_give_nothing_whatever_they_are_called(walked, issuer, roles):
    headers = {"Authorization": f"Bearer {issuer.token(roles=roles, role='is-admin', scope='is-admin')}"}
    for (method, path), may in POLICY.items():
        if may != OPEN:
            assert send(walked, method, path, headers).status_code == 403, (method, path)


@pytest.mark.parametrize(
    ("claim", "claims"),
    [
        ("scope", {"scope": "openid is-predict"}),
        ("realm_access.roles", {"realm_access": {"roles": ["is-predict"]}}),
        ("https://shop.example/roles", {"https://shop.example/roles": ["is-predict"]}),
    ],
)
def test_roles_come_from_the_claim_that_the_settings_name(trusting, issuer, claim, claims):
    with trusting(oidc_claim=claim).client() as client:
        assert ask(client, issuer.token(**claims)).status_code == 200
        assert ask(client, issuer.token(roles=["is-predict"])).status_code == 403
        assert ask(client, issuer.token(**{claim.partition(".")[0]: 5})).status_code == 403


# The subject stands where a key's id stands.


def test_what_is_kept_says_which_subject_asked_and_not_who_it_is(server, issuer):
    found = ask(server, issuer.token(sub="ann@example.com")).json()["predictions"][0]
    again = ask(server, issuer.token("two", sub="ann@example.com")).json()["predictions"][0]
    other = ask(server, issuer.token(sub="ben")).json()["predictions"][0]
    server.service.journal.flush()
    home = server.house.home
    kept = [home.predictions.find(one["prediction_id"]).key for one in (found, again, other)]
    assert kept[0] == kept[1] == home.subject_of(issuer.url, "ann@example.com")
    assert kept[2] == home.subject_of(issuer.url, "ben") != kept[0]
    assert "ann@" not in kept[0]
    assert len(kept[0]) <= 32
    assert home.subject_of("https://other.example", "ben") != kept[2]


def test_a_subject_corrects_its_own_answers_and_sees_no_others(server, issuer):
    mine = ask(server, issuer.token()).json()["predictions"][0]["prediction_id"]
    says = {"prediction_id": mine, "label": "bad"}
    for token, status in ((issuer.token(sub="ben"), 404), (issuer.token(), 200), (issuer.token("two"), 200)):
        found = server.post("/v1/feedback", json=says, headers={"Authorization": f"Bearer {token}"})
        assert found.status_code == status


@pytest.mark.parametrize(("roles", "heard"), [("is-review", ("review",)), ("staff", ("predict", "feedback"))])
def test_the_word_of_a_subject_counts_as_its_roles_did_when_it_spoke(server, issuer, roles, heard):
    home = server.house.home
    asked = ask(server, issuer.token(sub="rita", roles=["staff"])).json()["predictions"][0]["prediction_id"]
    says = {"prediction_id": asked, "label": "bad"}
    for said in ("is-admin", roles):
        headers = bearer(issuer.token(sub="rita", roles=[said]))
        assert server.post("/v1/feedback", json=says, headers=headers).status_code == 200
    assert home.keys.heard() == {home.subject_of(issuer.url, "rita"): heard}
    is_trusted = bool(_reviewers(home, []) & home.keys.heard().keys())
    assert is_trusted == (roles == "is-review")


def test_a_subject_is_named_in_the_audit_log(server, issuer):
    token = issuer.token(sub="olga", roles=["is-admin"])
    made = server.post("/v1/keys", json={"owner": "shop", "roles": ["predict"]}, headers=bearer(token))
    assert made.status_code == 201
    identity = server.house.home.subject_of(issuer.url, "olga")
    assert list(server.house.home.audit.entries())[-1].who == f"key {identity} (olga)"


def test_a_rate_is_of_the_subject_whatever_its_tokens(trusting, issuer):
    with trusting(oidc_per_minute=3).client() as client:
        for key in ("one", "two", "three"):
            assert ask(client, issuer.token(key)).status_code == 200
        found = ask(client, issuer.token(jti="new"))
        assert (found.status_code, found.json()["detail"]) == (
            429, "this key may ask 3 inputs a minute; they are used up.",
        )  # fmt: skip
        assert ask(client, issuer.token(sub="ben")).status_code == 200
        assert client.post(PREDICT, json=BODY).status_code == 200  # keys have their own


def test_a_quota_is_of_the_subject_and_outlives_the_server(trusting, issuer):
    house = trusting(oidc_per_day=2)
    with house.client() as client:
        assert ask(client, issuer.token()).status_code == 200
    with house.client() as client:
        assert ask(client, issuer.token()).status_code == 200
        assert ask(client, issuer.token()).status_code == 429


def test_subjects_whose_day_cannot_be_counted_now_hold_nobody_else_up(trusting, issuer):
    counting = threading.Event()
    with trusting(oidc_per_day=2).client() as client:
        access = client.service.access
        access._count_of = lambda key, since: counting.wait(20) and 0

        async def scene():
            tokens = [issuer.token(sub=f"subject {n}") for n in range(40)]  # more than the default pool has threads
            asking = [asyncio.create_task(access.tokens.caller_of(token)) for token in tokens]
            await asyncio.sleep(0.5)
            assert not any(one.done() for one in asking)
            await asyncio.wait_for(asyncio.to_thread(time.monotonic), 5)
            counting.set()
            return {caller.key.id for caller in await asyncio.gather(*asking)}

        assert len(asyncio.run(scene())) == 40


def test_subjects_without_a_quota_need_no_database(trusting, issuer):
    with trusting(oidc_per_minute=5).client() as client:
        for _ in range(300):
            client.service.desk._room.acquire(blocking=False)  # as where the database hangs
        assert ask(client, issuer.token()).status_code == 200


def test_the_first_requests_of_a_subject_count_its_day_once_together(trusting, issuer):
    counted = []
    with trusting(oidc_per_day=50).client() as client:
        access = client.service.access
        access._count_of = lambda key, since: time.sleep(0.2) or counted.append(key) or 0

        async def scene():
            tokens = [issuer.token(jti=str(n)) for n in range(20)]
            return await asyncio.gather(*map(access.tokens.caller_of, tokens))

        callers = asyncio.run(scene())
    assert len(counted) == 1
    assert len({id(caller._allowance) for caller in callers}) == 1


def test_a_known_token_is_not_checked_again_until_it_expires(trusting, issuer, monkeypatch):
    with trusting().client() as client:
        tokens, token, checked = client.service.access.tokens, issuer.token(exp=time.time() + 60), []
        check = tokens._checked
        monkeypatch.setattr(tokens, "_checked", lambda *about: checked.append(about[0]) or check(*about))
        for _ in range(3):
            assert ask(client, token).status_code == 200
        assert checked == [token]
        monkeypatch.setattr(module.time, "time", lambda clock=time.time: clock() + 60 + module.LEEWAY_S)
        ask(client, token)
        assert checked == [token, token]


def test_a_token_of_a_withdrawn_key_is_refused_though_it_was_known(trusting, issuer):
    with trusting().client() as client:
        token = issuer.token("two")
        assert ask(client, token).status_code == 200
        keys = client.service.access.tokens._keys
        issuer.publish_keys(without=["two"])
        try:
            keys._fetched_at -= 301
            keys._tried_at -= 301
            ask(client, issuer.token("one"))
            client.portal.call(_settled, keys)
            assert refusal(ask(client, token)) == WRONG
        finally:
            issuer.publish_keys()


async def _settled(keys):
    if keys._fetching is not None:
        await keys._fetching


def test_no_more_tokens_are_remembered_than_a_bound(server, issuer, monkeypatch):
    monkeypatch.setattr(module, "MOST_KNOWN", 3)
    for number in range(6):
        assert ask(server, issuer.token(sub=f"user {number}")).status_code == 200
    tokens = server.service.access.tokens
    assert (len(tokens._known), len(tokens._allowances)) == (3, 3)


def test_an_issuer_that_is_away_lets_nobody_in_and_stops_no_key(trusting, issuer):
    house = trusting()
    before = issuer.answers[DISCOVERY]
    issuer.publish(DISCOVERY, b"", status=500)
    try:
        with house.client() as client:
            found = ask(client, issuer.token())
            assert (found.status_code, found.json()["detail"]) == (
                503, "the issuer of this token does not answer now, so the token cannot be checked.",
            )  # fmt: skip
            assert client.post(PREDICT, json=BODY).status_code == 200
            assert client.get("/health/ready").status_code == 200
    finally:
        issuer.answers[DISCOVERY] = before
    [told] = [line for line in house.lines() if "issuer" in line["message"]]
    assert (told["level"], told["message"]) == (
        "warning",
        f"the issuer of tokens at {issuer.url} cannot be asked for its keys (Internal Server Error).",
    )


def test_no_token_is_logged_or_kept(trusting, issuer):
    house = trusting(store_inputs="full")
    with house.client() as client:
        good, bad = issuer.token(roles=["is-admin"]), issuer.token() + "A"
        ask(client, good)
        ask(client, bad)
        client.get("/metrics", headers=bearer(good))
        client.service.journal.flush()
        told = client.get("/metrics", headers=bearer(good)).text
    with sqlite3.connect(house.folder / "burnish.db") as database:
        dumped = "\n".join(database.iterdump())
    for token in (good, bad):
        for piece in (token, token.split(".")[1], token.split(".")[2]):
            assert piece not in house.log.getvalue() + told + dumped


# What the settings must say.


def trust_of(**own):
    return Trust.of(Settings(**{"oidc_issuer": "https://a.example", "oidc_audience": "b", "oidc_roles": SAID, **own}))


def test_without_an_issuer_nobody_is_trusted():
    assert trust_of(oidc_issuer="") is None
    assert trust_of().roles["staff"] == ["predict", "feedback"]


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"oidc_issuer": "http://a.example"}, "BURNISH_OIDC_ISSUER: must be an https:// address; got 'http://a.example'."),
        (
            {"oidc_audience": ""},
            (
                "BURNISH_OIDC_AUDIENCE is missing: without it tokens for every other service of the issuer would be "
                "taken here; give the audience (aud) that it writes into tokens for this server."
            ),
        ),
        (
            {"oidc_roles": " , "},
            (
                "BURNISH_OIDC_ROLES is missing: say which values of the claim have which role, as in staff=predict, "
                "ops=release; without it no token may do anything."
            ),
        ),
        (
            {"oidc_roles": "staff=predcit"},
            (
                "BURNISH_OIDC_ROLES: 'staff=predcit' must be VALUE=ROLE, as in staff=predict, ops=release. Did you "
                "mean 'predict'? The roles are predict, feedback, review, release, admin."
            ),
        ),
        (
            {"oidc_roles": "staff"},
            (
                "BURNISH_OIDC_ROLES: 'staff' must be VALUE=ROLE, as in staff=predict, ops=release. The roles are "
                "predict, feedback, review, release, admin."
            ),
        ),
    ],
)  # fmt: skip
def test_settings_that_trust_in_part_are_refused_at_the_start(own, sentence):
    with pytest.raises(UserError) as caught:
        trust_of(**own)
    assert str(caught.value) == sentence
