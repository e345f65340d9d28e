"""The versions in service: what the store says should answer, loaded beside what answers now, swapped in one step."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from burnish.core.errors import BurnishError, UserError, hint
from burnish.flows.traffic import Traffic, traffic_of
from burnish.serving.allocator import apart, give_back
from burnish.serving.problems import Problem, place_of, shown
from burnish.serving.served import Served
from burnish.store.home import Home
from burnish.store.records import Release
from burnish.store.records import Traffic as Kind
from burnish.store.releases import CANDIDATE, PREVIOUS, PRODUCTION, Reference

Load = Callable[[Release], Served]
Tell = Callable[[str, str, str], None]
TRY_AGAIN_S = 15.0
"""After this time a version that could not be loaded is tried again."""


@dataclass(frozen=True)
class Routing:
    """Which releases answer for a name at this moment. `previous` stays loaded, so that a way back takes no time."""

    main: Release
    previous: Release | None = None
    canary: Release | None = None
    shadow: Release | None = None
    traffic: Traffic = field(default_factory=Traffic)

    def releases(self) -> list[Release]:
        return [one for one in (self.main, self.canary, self.shadow, self.previous) if one is not None]


class Fleet:
    """What is in service for the references that the server was started with."""

    def __init__(self, home: Home, asked: Sequence[Reference], load: Load, most_loaded: int = 0) -> None:
        self._home = home
        self._asked = asked
        self._load = load
        self._most_loaded = most_loaded
        self._routings: Mapping[str, Routing] = {}
        self._served: Mapping[str, Served] = {}
        self._broken: dict[str, tuple[float, str]] = {}
        self._looking = threading.Lock()
        self._loading = threading.RLock()
        self.faults: Mapping[str, str] = {}
        """Name → why what the store says is not what answers."""
        self.tell: Tell = lambda name, result, reason: None
        """Is told of every swap, and of every one that failed and why."""

    @property
    def names(self) -> list[str]:
        return sorted(self._routings)

    def routing(self, name: str) -> Routing:
        """What answers for a name.

        Raises:
            Problem: this server has no such model.
        """
        found = self._routings.get(name)
        if found is None:
            raise Problem(404, f"there is no model '{shown(name)}' here.{hint(shown(name), self._routings)}")
        return found

    def chosen(self, name: str) -> tuple[Release, Kind]:
        """The release that answers this request, and whether as `live` or `canary`."""
        routing = self.routing(name)
        if routing.canary is not None and random.random() * 100 < routing.traffic.percent:  # noqa: S311  # no secret
            return routing.canary, "canary"
        return routing.main, "live"

    def is_full(self, name: str, n_coming: int) -> bool:
        """Whether what answers for a name takes nothing more at this moment, beside so many inputs on their way."""
        routing = self._routings.get(name)
        served = None if routing is None else self._served.get(routing.main.digest)
        return served is not None and served.lane.is_full(n_coming)

    def served(self, release: Release) -> Served:
        """A release, loaded if it is not; this takes a while then, and is not for the event loop.

        Raises:
            UserError: it cannot be loaded.
        """
        found = self._served.get(release.digest)
        return found if found is not None else self._loaded(release)

    def loaded(self, release: Release) -> Served | None:
        """A release, if it is loaded."""
        return self._served.get(release.digest)

    def refresh(self) -> None:
        """Bring what answers to what the store says. What cannot be loaded leaves what answers as it is.

        Raises:
            StoreUnavailable: the database does not answer; what answers stays.
        """
        with self._looking:
            wanted, faults = self._wanted()
            for name, routing in wanted.items():
                self._swap(name, routing, faults)
            self.faults = faults
            self._retire()

    def close(self) -> None:
        """Answer what waits, then let go of everything."""
        self._routings = {}
        for served in self._served.values():
            served.close()

    def _swap(self, name: str, wanted: Routing, faults: dict[str, str]) -> None:
        """Load what a name needs beside what answers, then let it answer. Only production must load: without a canary,
        a shadow or a way back it goes on.
        """
        before = self._routings.get(name)
        fault = self._fault_of(wanted.main, is_swap=before is not None and before.main != wanted.main)
        if fault is not None:
            faults[name] = fault
            return
        canary, shadow = (self._usable(one, faults) for one in (wanted.canary, wanted.shadow))
        wanted = replace(wanted, canary=canary, shadow=shadow, previous=self._usable(wanted.previous, {}))
        if wanted != before:
            self._routings = {**self._routings, name: wanted}
            self.tell(name, "done", f"version {wanted.main.version} answers")
            if self._most_loaded:
                with self._loading:
                    self._leave(self._most_loaded)

    def _usable(self, release: Release | None, faults: dict[str, str]) -> Release | None:
        """A release, if it can be loaded."""
        fault = None if release is None else self._fault_of(release)
        if release is not None and fault is not None:
            faults[release.name] = fault
        return None if fault is not None else release

    def _fault_of(self, release: Release, *, is_swap: bool = False) -> str | None:
        """Why a release cannot answer. With a bound on what is in memory it is loaded when it is first asked, but for
        one that is to take the place of another.
        """
        if release.digest in self._served:
            return None
        tried = self._broken.get(release.digest)
        if tried is not None and time.monotonic() - tried[0] < TRY_AGAIN_S:
            return tried[1]
        if self._most_loaded and len(self._served) >= self._most_loaded and not is_swap:
            return None
        try:
            self._loaded(release, is_swap=is_swap)
        except Exception as error:  # whatever a library raises: what answers now goes on
            reason = str(error) if isinstance(error, BurnishError) else f"{type(error).__name__} at {place_of(error)}"
            fault = f"{release.name}:{release.version} cannot be loaded: {reason}"
            self._broken[release.digest] = time.monotonic(), fault
            self.tell(release.name, "failed", fault)
            return fault
        self._broken.pop(release.digest, None)
        return None

    def _wanted(self) -> tuple[dict[str, Routing], dict[str, str]]:
        wanted, faults = {}, {}
        aliases = {(one.name, one.alias): one.version for one in self._home.releases.aliases()}
        for asked in self._asked:
            try:
                wanted[asked.name] = self._routing_of(asked, aliases)
            except UserError as error:
                faults[asked.name] = str(error)
        return wanted, faults

    def _routing_of(self, asked: Reference, aliases: Mapping[tuple[str, str], int]) -> Routing:
        find = self._home.releases.find
        main = find(asked)
        if asked.version is not None or asked.alias in (CANDIDATE, PREVIOUS):
            return Routing(main)
        with self._home.store.reading() as connection:
            traffic = traffic_of(connection, asked.name)
        before = aliases.get((asked.name, PREVIOUS))

        def other(version: int | None) -> Release | None:
            return None if version in (None, main.version) else find(Reference(asked.name, version, PRODUCTION))

        return Routing(main, other(before), other(traffic.canary), other(traffic.shadow), traffic)

    def _loaded(self, release: Release, *, is_swap: bool = False) -> Served:
        with self._loading:
            if release.digest not in self._served:
                if self._most_loaded and not is_swap:
                    self._leave(self._most_loaded - 1)
                with apart():
                    served = self._load(release)
                self._served = {**self._served, release.digest: served}
            return self._served[release.digest]

    def _leave(self, n: int) -> None:
        """Let those go that were asked longest ago, until `n` are left."""
        while len(self._served) > n:
            oldest = min(self._served, key=lambda digest: self._served[digest].used_at)
            self._close_later([oldest])

    def _retire(self) -> None:
        """Let go of what no name needs any more."""
        used = {release.digest for routing in self._routings.values() for release in routing.releases()}
        if not used.issuperset(self._served):
            with self._loading:
                self._close_later([digest for digest in self._served if digest not in used])

    def _close_later(self, digests: Sequence[str]) -> None:
        """Take them out of service at once, and close each when what waits there is answered."""
        gone = [self._served[digest] for digest in digests]
        self._served = {digest: one for digest, one in self._served.items() if digest not in digests}
        while gone:
            threading.Thread(target=_let_go, args=([gone.pop()],), name="retire", daemon=True).start()


def _let_go(last: list[Served]) -> None:
    """Close a version, drop it, and only then give back what it took: nothing else may hold it."""
    last.pop().close()
    give_back()
