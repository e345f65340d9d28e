"""What `burnish keys` makes, lists and refuses."""

import time

import pytest
from tests.store.conftest import release

from burnish.cli.lists import moment


def made(burnish, *words):
    ended = burnish("keys", "--create", "shop 店", *words)
    assert ended.code == 0, ended.err
    return ended.out.strip()


def test_a_new_key_is_printed_alone_and_may_only_predict(burnish, home):
    text = made(burnish)
    [key] = home.keys.all()
    assert text.startswith(f"bk_{key.id}_")
    assert (key.owner, key.roles, key.expires_at) == ("shop 店", ("predict",), None)


def test_roles_and_limits_are_those_that_were_said(burnish, home):
    made(burnish, "--role", "feedback", "--role", "predict", "--limit", "days=2", "--limit", "per_minute=60",
         "--limit", "per_day=900", "--limit", "model=intent", "--limit", "model=mood")  # fmt: skip
    [key] = home.keys.all()
    assert (key.roles, key.per_minute, key.per_day, key.models) == (
        ("feedback", "predict"), 60, 900, ("intent", "mood"),
    )  # fmt: skip
    assert key.expires_at == pytest.approx(time.time() + 2 * 86_400, abs=60)


def test_a_key_for_what_is_not_released_yet_is_made_and_told(burnish, home):
    home.releases.register(release("intent"))
    ended = burnish("keys", "--create", "a", "--limit", "model=intnt", "--limit", "model=intent")
    assert ended.err == "warning: nothing is released as 'intnt' yet. Did you mean 'intent'?\n"
    assert home.keys.all()[0].models == ("intnt", "intent")
    assert ended.out.startswith("bk_")


def test_the_list_says_what_each_key_may_do_and_never_its_text(burnish, home):
    text = made(burnish, "--limit", "per_minute=60")
    ended = burnish("keys")
    assert text not in ended.out
    for word in (text.split("_")[1], "shop 店", "predict", "valid", "60/min", "all"):
        assert word in ended.out


def test_a_revoked_key_is_listed_as_such(burnish, home):
    identity = made(burnish).split("_")[1]
    assert f"{identity} is revoked; servers refuse it within a second." in burnish("keys", "--revoke", identity).err
    assert "revoked" in burnish("keys").out


def test_a_rotated_key_gives_way_at_once_or_after_the_overlap(burnish, home):
    old = made(burnish).split("_")[1]
    new = burnish("keys", "--rotate", old).out.strip().split("_")[1]
    found = {key.id: key for key in home.keys.all()}
    assert found[old].revoked_at is not None
    third = burnish("keys", "--rotate", new, "--overlap-hours", "2").out.strip()
    found = {key.id: key for key in home.keys.all()}
    assert found[new].expires_at == pytest.approx(time.time() + 7_200, abs=60)
    assert third.split("_")[1] in found


def test_a_key_that_replaces_one_with_an_end_has_that_end_and_says_so(burnish, home):
    old = made(burnish, "--limit", "days=90").split("_")[1]
    ended = burnish("keys", "--rotate", old, "--overlap-hours", "24")
    [end] = [key.expires_at for key in home.keys.all() if key.id != old]
    assert end == pytest.approx(time.time() + 90 * 86_400, abs=60)
    assert ended.err == f"ends at {moment(end)}, as the one that it replaces; --create makes one with another.\n"
    assert len(ended.out.splitlines()) == 1
    assert burnish("keys", "--rotate", made(burnish).split("_")[1]).err == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--create", "a", "--revoke", "b"], "give one of --create, --revoke and --rotate."),
        (["--role", "admin"], "--role and --limit say what a new key may do; they go with --create."),
        (["--overlap-hours", "2"], "--overlap-hours goes with --rotate; a key that is revoked is refused at once."),
        (["--create", "a", "--role", "predct"], "Did you mean 'predict'?"),
        (["--create", "a", "--limit", "day=2"], "--limit day=2: there is no limit 'day'. Did you mean 'days'?"),
        (["--create", "a", "--limit", "days=-1"], "--limit days=-1: must be a number above 0."),
        (["--create", "a", "--limit", "per_day=many"], "--limit per_day=many: must be a number above 0."),
        (["--create", "a", "--limit", "model=intent:7"], "a model is a bare name, such as intent."),
        (["--revoke", "0123"], "there is no key '0123'"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_sentence(burnish, home, words, sentence):
    ended = burnish("keys", *words)
    assert ended.code == 2
    assert sentence in ended.err
    assert not home.keys.all()
