"""The fleet: what answers follows the store, whatever cannot be loaded, and bounds on what is in memory."""

import threading
import time
import weakref
from dataclasses import replace

import pytest

from burnish.core.errors import UserError
from burnish.flows.traffic import Traffic, set_traffic
from burnish.serving import fleet as fleet_module
from burnish.serving.fleet import Fleet
from burnish.serving.problems import Problem
from burnish.store.releases import reference


class Loaded:
    """In place of a loaded bundle."""

    def __init__(self, release):
        self.release, self.used_at, self.closed = release, time.monotonic(), threading.Event()

    def close(self):
        self.closed.set()


class Loader:
    """Loads what is not broken, and tells what it was asked for."""

    def __init__(self):
        self.asked, self.broken, self.made = [], {}, []

    def __call__(self, release):
        self.asked.append(f"{release.name}:{release.version}")
        if release.version in self.broken:
            raise self.broken[release.version]
        self.made.append(Loaded(release))
        return self.made[-1]


@pytest.fixture
def loader():
    return Loader()


@pytest.fixture
def releases(house):
    """Five versions of `intent`, 1 in production, and one of `mood` and of `topic`."""
    made = house.home.releases.find("intent:1")
    for number in (3, 4, 5):
        house.home.releases.register(replace(made, digest=str(number) * 64))
    for name in ("mood", "topic"):
        house.home.releases.register(replace(made, name=name, digest=name.ljust(64, "0")))
        house.home.releases.promote(name, 1, "user test")
    return house.home.releases


@pytest.fixture
def make_fleet(house, releases, loader):
    def make(*asked, most_loaded=0):
        fleet = Fleet(house.home, [reference(one) for one in asked or ("intent",)], loader, most_loaded)
        fleet.told = []
        fleet.tell = lambda name, result, reason: fleet.told.append((name, result))
        fleet.refresh()
        return fleet

    return make


def main_of(fleet, name="intent"):
    return fleet.routing(name).main.version


def test_production_is_followed_and_a_version_or_another_alias_is_not(make_fleet, releases):
    fleets = [make_fleet(one) for one in ("intent", "intent@candidate", "intent:2")]
    assert [main_of(one) for one in fleets] == [1, 5, 2]
    releases.promote("intent", 4, "user test")
    for one in fleets:
        one.refresh()
    assert [main_of(one) for one in fleets] == [4, 5, 2]


def test_a_name_that_is_not_served_is_told_with_the_nearest(make_fleet):
    with pytest.raises(Problem, match=r"^there is no model 'intend' here\. Did you mean 'intent'\?$"):
        make_fleet().routing("intend")


def test_what_answered_before_stays_loaded_for_the_way_back(make_fleet, releases, loader):
    fleet = make_fleet()
    releases.promote("intent", 3, "user test")
    fleet.refresh()
    releases.promote("intent", 4, "user test")
    fleet.refresh()
    assert main_of(fleet) == 4
    first, second, third = loader.made
    assert first.closed.wait(2)  # version 1 is neither production nor the way back
    releases.roll_back("intent", "user test")
    fleet.refresh()
    assert (main_of(fleet), loader.asked) == (3, ["intent:1", "intent:3", "intent:4"])
    assert not second.closed.is_set()
    assert not third.closed.is_set()


def test_memory_is_given_back_when_nothing_holds_the_version_that_is_gone(make_fleet, releases, loader, monkeypatch):
    is_gone, given_back = [], threading.Event()
    first = []
    monkeypatch.setattr(fleet_module, "give_back", lambda: (is_gone.append(first[0]() is None), given_back.set()))
    fleet = make_fleet()
    first.append(weakref.ref(loader.made.pop()))
    for version in (3, 4):
        assert not is_gone
        releases.promote("intent", version, "user test")
        fleet.refresh()
    assert given_back.wait(2)
    assert is_gone == [True]


def test_nothing_is_loaded_anew_while_nothing_changes(make_fleet, loader):
    fleet = make_fleet()
    for _ in range(5):
        fleet.refresh()
    assert (loader.asked, fleet.told) == (["intent:1"], [("intent", "done")])


def test_a_version_that_cannot_be_loaded_leaves_what_answers_and_is_not_tried_all_the_time(
    make_fleet, releases, loader, monkeypatch
):
    fleet = make_fleet()
    loader.broken[4] = UserError("its manifest.json was changed.")
    releases.promote("intent", 4, "user test")
    for _ in range(5):
        fleet.refresh()
    assert main_of(fleet) == 1
    assert fleet.faults == {"intent": "intent:4 cannot be loaded: its manifest.json was changed."}
    assert (loader.asked.count("intent:4"), fleet.told.count(("intent", "failed"))) == (1, 1)
    monkeypatch.setattr(fleet_module, "TRY_AGAIN_S", 0.0)
    loader.broken.clear()
    fleet.refresh()
    assert (main_of(fleet), fleet.faults) == (4, {})


def test_a_fault_of_a_library_while_loading_is_no_other_fault(make_fleet, releases, loader):
    fleet = make_fleet("intent", "mood")
    loader.broken[4] = MemoryError("secret")
    releases.promote("intent", 4, "user test")
    fleet.refresh()
    assert main_of(fleet) == 1
    assert fleet.faults["intent"].startswith("intent:4 cannot be loaded: MemoryError at test_fleet.py:")
    assert "secret" not in fleet.faults["intent"]
    assert main_of(fleet, "mood") == 1


@pytest.mark.parametrize("kind", ["canary", "shadow"])
def test_a_canary_or_shadow_that_cannot_be_loaded_holds_up_no_rollback(make_fleet, releases, loader, house, kind):
    fleet = make_fleet()
    loader.broken[5] = UserError("gone.")
    traffic = Traffic(canary=5, percent=50) if kind == "canary" else Traffic(shadow=5)
    set_traffic(house.home, "intent", traffic, "user test")
    releases.promote("intent", 3, "user test")
    fleet.refresh()
    assert main_of(fleet) == 3
    assert getattr(fleet.routing("intent"), kind) is None
    assert fleet.faults == {"intent": "intent:5 cannot be loaded: gone."}
    assert {fleet.chosen("intent")[0].version for _ in range(50)} == {3}


def test_a_way_back_that_cannot_be_loaded_is_no_fault_of_what_answers(make_fleet, releases, loader):
    releases.promote("intent", 3, "user test")
    loader.broken[1] = UserError("gone.")
    fleet = make_fleet()
    assert (main_of(fleet), fleet.faults, fleet.routing("intent").previous) == (3, {}, None)


def test_a_name_without_production_is_a_fault_from_the_start(house, loader, releases):
    fleet = Fleet(house.home, [reference("nothing")], loader)
    fleet.refresh()
    assert list(fleet.faults) == ["nothing"]
    assert fleet.names == []


def test_a_store_that_is_away_changes_nothing(make_fleet, house, monkeypatch):
    from burnish.store.store import StoreUnavailable

    def gone():
        raise StoreUnavailable("away")

    fleet = make_fleet()
    monkeypatch.setattr(house.home.releases, "aliases", gone)
    with pytest.raises(StoreUnavailable):
        fleet.refresh()
    assert main_of(fleet) == 1


def test_requests_are_shared_out_by_percent(make_fleet, house, monkeypatch):
    from types import SimpleNamespace

    set_traffic(house.home, "intent", Traffic(canary=2, percent=25), "user test")
    fleet = make_fleet()
    draws = iter([0.0, 0.2499, 0.25, 0.9])
    monkeypatch.setattr(fleet_module, "random", SimpleNamespace(random=lambda: next(draws)))
    found = [fleet.chosen("intent") for _ in range(4)]
    assert [(release.version, kind) for release, kind in found] == [
        (2, "canary"), (2, "canary"), (1, "live"), (1, "live"),
    ]  # fmt: skip


def test_a_canary_that_became_production_is_none_any_more(make_fleet, house, releases):
    set_traffic(house.home, "intent", Traffic(canary=2, percent=25), "user test")
    fleet = make_fleet()
    releases.promote("intent", 2, "user test")
    fleet.refresh()
    assert (main_of(fleet), fleet.routing("intent").canary) == (2, None)


def test_versions_of_one_content_are_loaded_once(make_fleet, releases, loader):
    same = releases.find("intent:1")
    releases.register(replace(same))
    releases.promote("intent", 6, "user test")
    fleet = make_fleet()
    assert (main_of(fleet), loader.asked) == (6, ["intent:6"])
    assert fleet.loaded(same) is fleet.loaded(fleet.routing("intent").main)


def test_with_a_bound_the_one_that_was_asked_longest_ago_makes_room(make_fleet, loader):
    fleet = make_fleet("intent", "mood", "topic", most_loaded=2)
    assert loader.asked == ["intent:1", "mood:1"]
    intent, mood = loader.made
    intent.used_at = mood.used_at + 10
    fleet.served(fleet.routing("topic").main)
    assert mood.closed.wait(2)
    assert fleet.loaded(fleet.routing("mood").main) is None
    assert fleet.loaded(fleet.routing("intent").main) is intent
    assert fleet.served(fleet.routing("intent").main) is intent


def test_with_a_bound_a_version_is_loaded_before_it_takes_over_all_the_same(make_fleet, releases, loader):
    fleet = make_fleet("intent", "mood", most_loaded=2)
    loader.broken[4] = UserError("gone.")
    releases.promote("intent", 4, "user test")
    fleet.refresh()
    assert main_of(fleet) == 1
    assert not [one for one in loader.made if one.closed.is_set()]
    releases.promote("intent", 3, "user test")
    fleet.refresh()
    assert main_of(fleet) == 3
    assert fleet.loaded(fleet.routing("intent").main) is loader.made[-1]
    assert len(fleet._served) == 2


def test_what_is_loaded_while_another_is_retired_is_not_forgotten(make_fleet, releases, loader):
    fleet = make_fleet("intent", "mood", "topic", most_loaded=2)
    names, errors = ("intent", "mood", "topic"), []

    def ask(name):
        for _ in range(100):
            found = fleet.served(fleet.routing(name).main)
            if found.release.name != name:
                errors.append(name)

    threads = [threading.Thread(target=ask, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for _ in range(20):
        fleet.refresh()
    for thread in threads:
        thread.join()
    assert errors == []
    in_service = {id(one) for one in fleet._served.values()}
    for one in loader.made:
        assert id(one) in in_service or one.closed.wait(2)


def test_two_looks_at_once_are_one_after_the_other(make_fleet, releases, loader):
    fleet = make_fleet()
    for version in (3, 4, 3, 4, 3):
        releases.promote("intent", version, "user test")
        threads = [threading.Thread(target=fleet.refresh) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert main_of(fleet) == version


def test_closing_closes_everything(make_fleet, loader):
    fleet = make_fleet("intent", "mood")
    fleet.close()
    assert all(one.closed.is_set() for one in loader.made)
    assert fleet.names == []
