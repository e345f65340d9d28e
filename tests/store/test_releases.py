import random
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.conftest import release
from tests.store.hostile import PATHS

from burnish.core.errors import GateMissed, NotFound, UserError
from burnish.store.releases import NAME, Reference, Releases, reference


@pytest.fixture
def releases(store, audit):
    return Releases(store, audit)


def pointed(releases, name="intent"):
    return {one.alias: one.version for one in releases.aliases() if one.name == name}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("intent", Reference("intent", None, "production")),
        ("intent:7", Reference("intent", 7, "production")),
        ("intent@candidate", Reference("intent", None, "candidate")),
        ("intent@previous", Reference("intent", None, "previous")),
        ("a", Reference("a", None, "production")),
        ("0a.b_c-d", Reference("0a.b_c-d", None, "production")),
        ("a" * 64 + ":999999999", Reference("a" * 64, 999999999, "production")),
    ],
)
def test_a_reference_is_a_name_with_a_version_or_an_alias(text, meant):
    assert reference(text) == meant


@pytest.mark.parametrize(("text", "told"), [("a", "a@production"), ("a:7", "a:7"), ("a@previous", "a@previous")])
def test_a_reference_is_told_in_full(text, told):
    assert str(reference(text)) == told


@pytest.mark.parametrize("text", PATHS)
def test_a_hostile_reference_is_refused_in_one_line(text):
    with pytest.raises(UserError) as caught:
        reference(text)
    told = str(caught.value)
    assert told.startswith(
        f"{text[:80]!r} names no release; write name, name:7 or name@production. A name has up to 64 "
    )
    assert len(told.splitlines()) == 1
    assert len(told) < 1200


def test_there_are_as_many_hostile_references_as_promised():
    assert len(set(PATHS)) >= 80


@pytest.mark.parametrize(("alias", "near"), [("prodution", " Did you mean 'production'?"), ("latest", "")])
def test_an_alias_that_is_none_is_told(alias, near):
    with pytest.raises(UserError) as caught:
        reference(f"intent@{alias}")
    assert str(caught.value) == (
        f"'intent@{alias}': there is no alias '{alias}'.{near} There are production, candidate, previous."
    )


@given(st.text(max_size=80))
def test_whatever_passes_is_a_plain_name(text):
    try:
        name = reference(text).name
    except UserError:
        return
    assert NAME.fullmatch(name)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert name[0] not in "._-"


def test_versions_of_a_name_count_from_one_and_each_is_the_candidate(releases):
    made = [releases.register(release(why=why, gates={"accuracy": [0.5, True]})) for why in ("first", "更好")]
    other = releases.register(release("other", version=99))
    assert [one.version for one in made] == [1, 2]
    assert other.version == 1
    assert pointed(releases) == {"candidate": 2}
    assert releases.all("intent") == made[::-1]
    assert releases.all() == [*made[::-1], other]
    assert releases.all("nobody") == []
    assert releases.find("intent:1") == made[0]
    assert releases.find("intent@candidate") == made[1]
    assert releases.find(Reference("intent", 2, "production")) == made[1]


@pytest.mark.parametrize("name", ["../x", "Intent", "", "a" * 65])
def test_a_release_of_a_name_that_is_none_is_refused(releases, name):
    with pytest.raises(UserError, match="names no release"):
        releases.register(release(name))
    assert releases.all() == []


@pytest.mark.parametrize("name", ["intent:7", "intent@candidate"])
def test_a_release_gets_its_version_and_brings_none(releases, name):
    with pytest.raises(UserError) as caught:
        releases.register(release(name))
    assert str(caught.value) == f"'{name}' is no bare name; a release gets its version when it is registered."


def test_what_is_promoted_is_production_and_what_was_is_previous(releases):
    for _ in range(3):
        releases.register(release())
    assert releases.promote("intent", 1, "ann").version == 1
    assert pointed(releases) == {"production": 1, "candidate": 3}
    releases.promote("intent", 3, "ann", "better")
    assert pointed(releases) == {"production": 3, "previous": 1}
    assert releases.find("intent").version == 3
    assert releases.find("intent@previous").version == 1


def test_a_rollback_goes_back_and_can_be_undone(releases):
    for version in (1, 2):
        releases.register(release())
        releases.promote("intent", version, "ann")
    assert releases.roll_back("intent", "bob", "it is slow").version == 1
    assert pointed(releases) == {"production": 1, "previous": 2}
    assert releases.roll_back("intent", "bob").version == 2
    assert pointed(releases) == {"production": 2, "previous": 1}


def test_an_alias_says_who_moved_it(releases):
    releases.register(release(by="bob"))
    releases.promote("intent", 1, "ann")
    [alias] = releases.aliases()
    assert (alias.name, alias.alias, alias.version, alias.by) == ("intent", "production", 1, "ann")


def test_every_move_is_in_the_audit_log(releases, audit):
    releases.register(release(why="first", by="user ann"))
    releases.register(release(is_passed=False, by="user ann"))
    releases.promote("intent", 1, "ann", "why not")
    releases.promote("intent", 2, "bob", force=True)
    releases.roll_back("intent", "eve", "slow")
    lines = [(line.who, line.what, line.about, line.detail) for line in audit.entries()]
    assert lines == [
        ("user ann", "release", "intent:1", {"digest": "ab" * 32, "why": "first", "passed": True}),
        ("user ann", "release", "intent:2", {"digest": "ab" * 32, "why": "", "passed": False}),
        ("ann", "promote", "intent:1", {"before": None, "why": "why not", "force": False}),
        ("bob", "promote", "intent:2", {"before": 1, "why": "", "force": True}),
        ("eve", "rollback", "intent:1", {"before": 2, "why": "slow"}),
    ]
    assert audit.fault() is None


def test_one_that_missed_its_gate_is_not_promoted_but_by_force(releases, audit):
    releases.register(release(is_passed=False))
    with pytest.raises(GateMissed) as caught:
        releases.promote("intent", 1, "ann")
    assert str(caught.value) == "intent:1 missed its gate and is not promoted; force does it all the same."
    assert pointed(releases) == {"candidate": 1}
    releases.promote("intent", 1, "ann", force=True)
    assert pointed(releases) == {"production": 1}


def refused(action, kind=NotFound):
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value)


def test_a_name_that_there_is_not_is_told_with_those_that_there_are(releases):
    nothing = "there is no release of the name 'intnt'. Nothing was released yet."
    assert refused(lambda: releases.find("intnt")) == nothing
    assert refused(lambda: releases.promote("intnt", 1, "ann")) == nothing
    assert refused(lambda: releases.roll_back("intnt", "ann")) == nothing
    releases.register(release())
    releases.register(release("ticket"))
    told = "there is no release of the name 'intnt'. Did you mean 'intent'? There are: intent, ticket."
    assert refused(lambda: releases.find("intnt:3")) == told
    assert refused(lambda: releases.promote("../x\n" * 99, 1, "ann")).startswith(
        "there is no release of the name '../x\\n"
    )


@pytest.mark.parametrize("version", [0, -1, 2, 2**31, 2**63, 10**40])
def test_a_version_that_there_is_not_is_told(releases, version):
    releases.register(release())
    told = f"intent: there is no version {version}; `burnish releases intent` lists those that there are."
    assert refused(lambda: releases.promote("intent", version, "ann")) == told
    assert refused(lambda: releases.find(Reference("intent", version, "production"))) == told


@pytest.mark.parametrize(
    ("alias", "how"),
    [
        ("production", "`burnish promote`"),
        ("previous", "the second `burnish promote`"),
        ("candidate", "`burnish release`"),
    ],
)
def test_an_alias_that_points_nowhere_is_told(releases, alias, how):
    releases.register(release())
    if alias == "candidate":
        releases.promote("intent", 1, "ann")
    assert refused(lambda: releases.find(f"intent@{alias}")) == (f"intent: no version is {alias} yet; {how} makes one.")


def test_what_is_production_already_is_told_and_nothing_moves(releases, audit):
    releases.register(release())
    releases.promote("intent", 1, "ann")
    told = refused(lambda: releases.promote("intent", 1, "ann"), UserError)
    assert told == "intent:1 is production already."
    assert pointed(releases) == {"production": 1}
    assert len(list(audit.entries())) == 2


def test_without_a_version_before_nothing_is_rolled_back(releases):
    releases.register(release())
    told = "intent: there is no version before production to go back to."
    assert refused(lambda: releases.roll_back("intent", "ann"), UserError) == told
    releases.promote("intent", 1, "ann")
    assert refused(lambda: releases.roll_back("intent", "ann"), UserError) == told


def test_whoever_registers_and_promotes_at_once_gets_versions_of_their_own(releases, audit):
    def work(seed):
        draw = random.Random(seed)
        for _ in range(5):
            made.append(releases.register(release()).version)
            with suppress(UserError):
                releases.promote("intent", draw.choice(made), "ann")
            with suppress(UserError):
                releases.roll_back("intent", "ann")

    made = []
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == list(range(1, 16))
    assert audit.fault() is None
    now = pointed(releases)
    assert now["production"] != now["previous"]
    state = {"production": None, "previous": None}
    for line in audit.entries():  # what the log tells is what the aliases say
        if line.what in ("promote", "rollback"):
            moved = int(line.about.split(":")[1])
            state = {"production": moved, "previous": line.detail["before"] or state["previous"]}
    assert {alias: now[alias] for alias in state} == state
