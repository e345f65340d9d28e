import time
from dataclasses import asdict, replace

import pytest
from tests.store.conftest import bytes_of

from burnish.core.errors import NotFound, UserError
from burnish.store.keys import ROLES, Keys, identity_in, is_secret_of


@pytest.fixture
def keys(store, audit):
    return Keys(store, audit)


def test_a_key_is_found_by_its_id_and_known_by_its_secret(keys):
    key, text = keys.create(
        "team 客服", ["predict", "feedback", "predict"], "user ann", per_minute=60, models=("intent",)
    )
    assert key.roles == ("predict", "feedback")
    assert identity_in(text) == key.id
    assert is_secret_of(text, key)
    assert not is_secret_of(text[:-1], key)
    assert not is_secret_of(text + "x", key)
    assert keys.find(key.id) == key
    assert key.at == pytest.approx(time.time(), abs=60)
    assert (key.per_minute, key.per_day, key.models, key.expires_at) == (60, None, ("intent",), None)


def test_a_secret_has_256_bits_and_no_two_are_the_same(keys):
    texts = [keys.create("a", ["predict"], "ann")[1] for _ in range(20)]
    assert len({text.split("_", 2)[2] for text in texts}) == 20
    assert all(len(text.split("_", 2)[2]) == 43 for text in texts)  # 32 bytes in base64


def test_nothing_of_a_secret_is_kept(keys, store, audit):
    key, text = keys.create("a", ["admin"], "ann")
    _, other = keys.rotate(key.id, "ann")
    told = str([asdict(one) for one in keys.all()]) + str([asdict(line) for line in audit.entries()])
    for one in (text, other):
        secret = one.split("_", 2)[2]
        assert secret not in told
        if store.is_sqlite:
            assert key.id.encode() in bytes_of(store)
            assert secret.encode() not in bytes_of(store)
            assert secret[:12].encode() not in bytes_of(store)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_can_be_given(keys, role):
    assert keys.create("a", [role], "ann")[0].roles == (role,)


@pytest.mark.parametrize(
    ("roles", "told"),
    [
        (["predikt"], "there is no role 'predikt'. Did you mean 'predict'?"),
        (["predict", "root"], "there is no role 'root'."),
        ([], "there is no role ''."),
        ([""], "there is no role ''."),
    ],
)
def test_a_role_that_there_is_not_is_told(keys, roles, told):
    with pytest.raises(UserError) as caught:
        keys.create("a", roles, "ann")
    assert str(caught.value) == f"{told} There are predict, feedback, review, release, admin."
    assert keys.all() == []


@pytest.mark.parametrize("owner", ["", "x" * 201])
def test_an_owner_has_a_name_that_fits(keys, owner):
    with pytest.raises(UserError) as caught:
        keys.create(owner, ["predict"], "ann")
    assert str(caught.value) == f"a key's owner has 1 to 200 characters; got {len(owner)}."


@pytest.mark.parametrize("name", ["per_minute", "per_day"])
@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_is_at_least_one(keys, name, limit):
    with pytest.raises(UserError) as caught:
        keys.create("a", ["predict"], "ann", **{name: limit})
    assert str(caught.value) == f"{name}: a key may ask at least once; got {limit}. Leave it out for no limit."


def test_a_revoked_key_stays_revoked_since_the_first_time(keys, audit):
    key, _ = keys.create("a", ["predict"], "ann")
    first = keys.revoke(key.id, "bob")
    assert first == replace(key, revoked_at=first.revoked_at)
    assert first.revoked_at == pytest.approx(time.time(), abs=60)
    assert keys.revoke(key.id, "eve") == first
    assert keys.find(key.id) == first
    assert [(line.who, line.what, line.detail) for line in audit.entries()] == [
        ("ann", "key created", {"owner": "a", "roles": ["predict"]}),
        ("bob", "key revoked", {"owner": "a"}),
    ]


def test_a_rotated_key_hands_on_its_rights_and_ends_at_once(keys, audit):
    rights = {"expires_at": time.time() + 1000, "per_minute": 5, "per_day": 50, "models": ("intent",)}
    old, _ = keys.create("a", ["predict", "review"], "ann", **rights)
    new, text = keys.rotate(old.id, "bob")
    assert new.id != old.id
    assert is_secret_of(text, new)
    assert {name: getattr(new, name) for name in rights} == rights
    assert (new.owner, new.roles) == (old.owner, old.roles)
    assert keys.find(old.id).revoked_at is not None
    assert keys.find(new.id) == new
    last = list(audit.entries())[-1]
    assert (last.who, last.what, last.about, last.detail) == (
        "bob", "key rotated", old.id, {"to": new.id, "overlap_s": 0.0},
    )  # fmt: skip


def test_a_rotated_key_may_be_taken_for_a_while(keys):
    old, _ = keys.create("a", ["predict"], "ann")
    keys.rotate(old.id, "ann", overlap_s=100)
    found = keys.find(old.id)
    assert found.revoked_at is None
    assert found.expires_at == pytest.approx(time.time() + 100, abs=60)


def test_the_while_does_not_make_a_key_live_longer(keys):
    end = time.time() + 10
    old, _ = keys.create("a", ["predict"], "ann", expires_at=end)
    keys.rotate(old.id, "ann", overlap_s=1000)
    assert keys.find(old.id).expires_at == end


def test_a_key_without_rights_has_none_to_hand_on(keys):
    expired, _ = keys.create("a", ["predict"], "ann", expires_at=time.time() - 1)
    revoked, _ = keys.create("a", ["predict"], "ann")
    keys.revoke(revoked.id, "ann")
    for key in (expired, revoked):
        with pytest.raises(UserError) as caught:
            keys.rotate(key.id, "ann")
        assert str(caught.value) == f"the key '{key.id}' is revoked or expired; create a new one."
    assert len(keys.all()) == 2


def test_a_key_that_is_revoked_while_it_is_rotated_hands_nothing_on(keys, monkeypatch):
    key, _ = keys.create("a", ["predict"], "ann")
    monkeypatch.setattr(keys, "find", lambda _: key)  # as it was read before
    Keys(keys.store, keys.audit).revoke(key.id, "bob")
    with pytest.raises(UserError, match="is revoked or expired; create a new one"):
        keys.rotate(key.id, "ann")
    assert [one.id for one in keys.all()] == [key.id]
    assert [line.what for line in keys.audit.entries()] == ["key created", "key revoked"]


@pytest.mark.parametrize("identity", ["none", "", "a\0b", "x" * 5000, "' OR 1=1 --", "\ud800"])
def test_a_key_that_there_is_not_is_told(keys, identity):
    for action in (keys.find, lambda one: keys.revoke(one, "ann"), lambda one: keys.rotate(one, "ann")):
        with pytest.raises(NotFound) as caught:
            action(identity)
        assert str(caught.value) == f"there is no key '{identity}'; `burnish keys` lists them."


def test_keys_are_listed_the_oldest_first(keys):
    made = [keys.create(owner, ["predict"], "ann")[0] for owner in "cab"]
    assert [key.owner for key in keys.all()] == ["c", "a", "b"]
    assert keys.all() == made


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("bk_12ab_secret", "12ab"),
        ("bk_12ab_sec_ret", "12ab"),
        ("bk__", ""),
        ("sk_12ab_secret", None),
        ("bk_12ab", None),
        ("", None),
        ("Bearer bk_1_2", None),
    ],
)
def test_an_id_is_read_from_the_text_of_a_key(text, identity):
    assert identity_in(text) == identity


def test_a_text_of_halves_of_characters_is_no_secret(keys):
    key, _ = keys.create("a", ["predict"], "ann")
    assert not is_secret_of("bk_\ud800", key)
