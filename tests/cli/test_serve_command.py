"""What `burnish serve` refuses before it listens, and what its first start prints."""

import pytest
from tests.store.conftest import release

from burnish.serving import server
from burnish.store.keys import is_secret_of


@pytest.fixture
def served(monkeypatch):
    """What would be served."""
    calls = []
    monkeypatch.setattr(server, "serve", calls.append)
    return calls


@pytest.fixture
def intent(home):
    """An installation with `intent:1` in production, `intent:2` as its candidate, and `mood:1`."""
    home.releases.register(release())
    home.releases.promote("intent", 1, "user ann")
    for name in ("intent", "mood"):
        home.releases.register(release(name))
    return home


def test_the_first_start_prints_an_admin_key_once(burnish, intent, served):
    first, second = burnish("serve", "intent"), burnish("serve", "intent")
    [key] = intent.keys.all()
    assert key.roles == ("admin",)
    assert is_secret_of(first.out.strip(), key)
    assert "It is shown once; keep it safe." in first.err
    assert (second.out, len(served)) == ("", 2)


def test_a_first_start_with_a_misspelled_name_shows_no_key(burnish, intent, served):
    ended = burnish("serve", "intnet")
    assert (ended.code, ended.out, served) == (2, "", [])
    assert "there is no release of the name 'intnet'. Did you mean 'intent'?" in ended.err
    assert not intent.keys.all()


def test_what_is_said_is_what_is_served(burnish, intent, served):
    burnish("serve", "intent@candidate", "mood:1", "--port", "0", "--workers", "2", "--most-loaded", "1",
            "--limit", "inputs=7", "--limit", "timeout_s=2.5")  # fmt: skip
    [asked] = served
    assert (asked.models, asked.host, asked.port) == (["intent@candidate", "mood:1"], "127.0.0.1", 0)
    assert (asked.workers, asked.most_loaded, asked.limits.inputs, asked.limits.timeout_s) == (2, 1, 7, 2.5)


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("input=3", "--limit input=3: there is no limit 'input'. Did you mean 'inputs'?"),
        ("inputs", "--limit inputs: has no number; write it behind an =, such as inputs=1000.\n"),
        ("inputs=none", "--limit inputs=none: input should be a valid integer"),
        ("inputs=0", "--limit inputs=0: input should be greater than or equal to 1."),
    ],
)
def test_a_limit_that_cannot_be_is_told_and_no_key_is_made(burnish, home, served, limit, sentence):
    ended = burnish("serve", "intent", "--limit", limit)
    assert ended.code == 2
    assert sentence in ended.err
    assert not served
    assert not home.keys.all()
