"""Who asks, and what they may."""

import asyncio
import time

import pytest

from burnish.serving.access import PERMISSIONS, Access, Caller, allowed, has_key, refuse_narrow
from burnish.serving.problems import Problem
from burnish.store.keys import ROLES, _made
from burnish.store.records import Key


def made(*roles, **limits):
    return _made("ann", roles or ("predict",), limits)


def access_of(*keys):
    access = Access(lambda key, since: 0)
    access.refresh(keys)
    return access


def caller_of(access, headers):
    return asyncio.run(access.caller_of(headers))


def refused(calling, *arguments):
    with pytest.raises(Problem) as caught:
        calling(*arguments)
    return caught.value


UNKNOWN = "this key is not valid here: it may be mistyped, expired or revoked."


@pytest.mark.parametrize(
    "headers", [{"authorization": "Bearer {}"}, {"authorization": "bEaReR   {} "}, {"x-api-key": "{}"}]
)
def test_a_key_comes_in_either_header(headers):
    key, text = made()
    given = {name: value.format(text) for name, value in headers.items()}
    assert caller_of(access_of(key), given).key == key
    assert has_key(given)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic dXNlcjpwYXNz"}, {"cookie": "key=bk_1_2"}])
def test_without_a_key_it_is_said_how_to_send_one(headers):
    problem = refused(caller_of, access_of(made()[0]), headers)
    assert (problem.status, problem.headers) == (401, {"WWW-Authenticate": "Bearer"})
    assert problem.detail == "a key is needed: send the header 'Authorization: Bearer bk_…'."
    assert not has_key(headers)


def test_a_wrong_an_expired_and_a_revoked_key_are_refused_alike():
    key, text = made()
    late, late_text = made(expires_at=time.time() - 1)
    gone, gone_text = made(revoked_at=time.time() - 1)
    access = access_of(key, late, gone)
    wrong = [
        text[:-1] + ("A" if text[-1] != "A" else "B"),
        text + "A",
        f"bk_{key.id}_",
        key.id,
        "bk__",
        "",
        "eyJhbGciOiJub25lIn0.e30.",
        "\xff",
        "ключ",
    ]
    for said in [late_text, gone_text, *wrong]:
        problem = refused(caller_of, access, {"authorization": f"Bearer {said}"})
        assert (problem.status, problem.detail) == (401, UNKNOWN), said


def test_a_key_expires_while_the_server_runs():
    key, text = made(expires_at=time.time() + 1.0)
    access = access_of(key)
    headers = {"x-api-key": text}
    caller_of(access, headers)
    time.sleep(1.01)
    assert refused(caller_of, access, headers).status == 401


def test_a_refresh_takes_over_what_the_store_says_and_keeps_what_was_used():
    key, text = made(per_minute=10)
    access = access_of(key)
    caller = caller_of(access, {"x-api-key": text})
    caller.spend(10)
    access.refresh([key])
    assert refused(caller_of(access, {"x-api-key": text}).spend, 1).status == 429
    access.refresh([])
    assert refused(caller_of, access, {"x-api-key": text}).status == 401


def test_roles_of_the_store_and_their_permissions_are_the_same():
    assert PERMISSIONS.keys() == ROLES.keys()


def test_a_refusal_names_the_roles_that_may():
    key, _ = made("predict")
    problem = refused(allowed, Caller(key), "release")
    assert (problem.status, problem.detail) == (
        403, "this key may not do that; it takes one of the roles release, admin.",
    )  # fmt: skip


def test_a_role_that_nobody_knows_allows_nothing():
    caller = Caller(Key("k", "", "ann", ("emperor",), 0.0))
    assert not any(caller.may(one) for one in set().union(*PERMISSIONS.values()))


def test_a_key_for_some_models_has_no_others_and_nothing_that_is_about_all():
    caller = Caller(made("admin", models=("intent",))[0])
    assert allowed(caller, "predict", "intent") is caller
    problem = refused(allowed, caller, "predict", "intend")
    assert (problem.status, problem.detail) == (404, "there is no model 'intend' for this key. Did you mean 'intent'?")
    assert refused(refuse_narrow, caller).detail == "this key is for intent only, and this is about every model."
    refuse_narrow(Caller(made("admin")[0]))


def test_a_key_without_a_limit_may_ask_any_number():
    caller = Caller(made()[0])
    caller.spend(10**9)
    caller.give_back(1)
