"""Alerts on their way to the sinks: each is noted before it is sent, and what was not taken goes out again later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from burnish.core.errors import BurnishError
from burnish.core.events import Listener, Message
from burnish.core.parts import Part
from burnish.monitoring.sinks._contract import Sink
from burnish.store.home import Home
from burnish.store.records import Alert
from burnish.store.states import put_state, read_state

MOST_WAITING = 500
"""Newest deliveries that wait; of a sink that stays away for weeks the older ones are given up."""


@dataclass(frozen=True)
class Post:
    """The alerts of one released model. A delivery may come twice, after a crash, and then has the same id."""

    home: Home
    name: str
    sinks: Sequence[Part]
    listen: Listener

    def take(self, alerts: Sequence[Alert]) -> None:
        """Note what is to be sent, to every sink; what waits already is not noted again."""
        if not alerts:
            return
        waiting = self._waiting()
        for alert in alerts:
            for sink in self.sinks:
                one = {"sink": sink.as_recipe(), "alert": asdict(alert)}
                if not any(_is_same(one, other) for other in waiting):
                    waiting.append(one)
        self._keep(waiting)

    def deliver(self) -> None:
        """Send what waits, the oldest first. A sink that fails keeps nothing from the others, and is asked again when
        this is called next; what waits for one that is no longer named is dropped.
        """
        sinks = [(sink.as_recipe(), cast("Sink", sink)) for sink in self.sinks]
        waiting, left = self._waiting(), []
        for one in waiting:
            sink = next((sink for recipe, sink in sinks if recipe == one["sink"]), None)
            if sink is not None and not self._is_sent(sink, Alert(**one["alert"])):
                left.append(one)
        if waiting != left:
            self._keep(left)

    def _is_sent(self, sink: Sink, alert: Alert) -> bool:
        try:
            sink.send(alert)
        except BurnishError as error:
            self.listen(Message(f"{sink.part_name}: {error}", "warning"))
            return False
        return True

    def _waiting(self) -> list[dict[str, Any]]:
        with self.home.store.reading() as connection:
            return list(read_state(connection, self._place) or [])

    def _keep(self, waiting: Sequence[dict[str, Any]]) -> None:
        with self.home.store.writing() as connection:
            put_state(connection, self._place, list(waiting[-MOST_WAITING:]))

    @property
    def _place(self) -> str:
        return f"unsent {self.name}"


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both tell the same sink of the same state of the same alert."""
    own, others = one["alert"], other["alert"]
    return bool(one["sink"] == other["sink"] and (own["id"], own["state"]) == (others["id"], others["state"]))
