"""Part `privacy`: values that must not be kept, sent by every way into the server: as inputs, in comments, in what is
wrong with a request. Then all that was kept, logged and counted is searched for them, while the server runs and after
it ended.

The values and sentences are those of benchmarks/privacy.py, which shares nothing with the detectors.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import orjson

from privacy import KINDS
from serving.bench import Bench, say, tell
from serving.client import Asked, Pool
from serving.house import NAME, Server, house_of
from serving.load import run

KINDS_PLANTED = ("e-mail", "mobile", "resident id", "bank card", "secret")
PREDICT = f"/v1/models/{NAME}/predict"
HARMLESS = "zwetschgendatschi"
"""A word that nothing masks: it must be found, else the search itself finds nothing."""
SETTLE_S = 2.5
"""Until the journal is in the database."""


@dataclass(frozen=True)
class Planted:
    """A value, the sentence that it stands in, and by which way it was sent."""

    kind: str
    value: str
    sentence: str
    way: str

    @property
    def forms(self) -> tuple[bytes, ...]:
        """As it would stand in a file."""
        return tuple({self.value.encode(), quote(self.value).encode()})


Request = tuple[str, str, object, Mapping[str, str]]
"""Method, path, body, headers."""


def _feedback(one: Planted, known: str, **said: object) -> Request:
    return "POST", "/v1/feedback", {"prediction_id": known, **said}, {}


def _triton(sentence: str) -> dict[str, object]:
    return {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [sentence]}]}


WAYS: Mapping[str, Callable[[Planted, str], Request]] = {
    "input": lambda one, known: ("POST", PREDICT, {"inputs": one.sentence}, {}),
    "one of several inputs": lambda one, known: ("POST", PREDICT, {"inputs": ["hello", {"text": one.sentence}]}, {}),
    "line of a stream": lambda one, known: (
        "POST", PREDICT, orjson.dumps(one.sentence) + b"\n", {"content-type": "application/x-ndjson"},
    ),
    "input of /v2": lambda one, known: ("POST", f"/v2/models/{NAME}/infer", _triton(one.sentence), {}),
    "comment": lambda one, known: _feedback(one, known, accepted=True, comment=one.sentence),
    "label that there is not": lambda one, known: _feedback(one, known, label=one.value),
    "id of a prediction": lambda one, known: _feedback(one, one.value, accepted=True),
    "idempotency key": lambda one, known: (
        "POST", "/v1/feedback", {"prediction_id": known, "accepted": True}, {"idempotency-key": one.value},
    ),
    "unknown field": lambda one, known: ("POST", PREDICT, {"inputs": {"text": "hello", one.value: 1}}, {}),
    "broken JSON": lambda one, known: ("POST", PREDICT, b'{"inputs": "' + one.value.encode(), {}),
    "wrong type": lambda one, known: ("POST", PREDICT, {"inputs": {"text": [one.value]}}, {}),
    "path": lambda one, known: ("GET", f"/v1/{quote(one.value)}", None, {}),
    "name of a model": lambda one, known: ("POST", f"/v1/models/{quote(one.value)}/predict", {"inputs": "hello"}, {}),
    "query": lambda one, known: ("GET", f"/v1/models?{quote(one.value)}={quote(one.value)}", None, {}),
    "timeout": lambda one, known: ("POST", PREDICT, {"inputs": "hello"}, {"x-request-timeout": one.value}),
    "key": lambda one, known: ("POST", PREDICT, {"inputs": "hello"}, {"x-api-key": one.value}),
}  # fmt: skip


def privacy(bench: Bench) -> None:
    planted = list(_planted(bench.sizes.values))
    with house_of(bench) as house:
        with house.serving() as server:
            statuses, metrics = run(_send(server, planted))
            places = {"metrics": metrics, **_kept(house.home), "log": server.log.read_bytes()}
            found = _found(planted, places)
        later = {**_kept(house.home), "log": server.log.read_bytes()}
        found |= _found(planted, later)
    control = sum(HARMLESS.encode() in content for content in later.values())
    _tell(planted, statuses, found, sum(map(len, later.values())), control)


def _planted(n: int) -> Iterator[Planted]:
    draw = random.Random(7)
    seen: set[str] = set()
    ways = list(WAYS)
    while len(seen) < n:
        number = len(seen)
        kind, way = KINDS_PLANTED[number % len(KINDS_PLANTED)], ways[number // len(KINDS_PLANTED) % len(ways)]
        _, make, chinese, english = KINDS[kind]
        value = make(draw).plain
        if value not in seen:
            seen.add(value)
            yield Planted(kind, value, draw.choice((chinese, english)[number % 2]).format(value), way)


async def _send(server: Server, planted: list[Planted]) -> tuple[dict[str, Counter[int]], bytes]:
    """What each way was answered, and the metrics afterwards."""
    pool, key = Pool(server.port), server.house.key
    first = await pool.call("POST", PREDICT, {"inputs": f"hello {HARMLESS}"}, key=key)
    known = first.json()["predictions"][0]["prediction_id"]
    statuses: dict[str, Counter[int]] = defaultdict(Counter)
    for one in planted:
        method, path, body, headers = WAYS[one.way](one, known)
        said = await pool.call(method, path, body, headers, "" if one.way == "key" else key)
        statuses[one.way][said.status] += 1
    await asyncio.sleep(SETTLE_S)
    metrics = await _metrics(pool, key)
    await pool.close()
    return statuses, metrics.body


async def _metrics(pool: Pool, key: str) -> Asked:
    found = await pool.call("GET", "/metrics", key=key)
    assert found.status == 200, found.body
    return found


def _kept(home: Path) -> dict[str, bytes]:
    """Every file of the installation but the bundles."""
    files = [file for file in home.rglob("*") if file.is_file() and "bundles" not in file.relative_to(home).parts]
    return {str(file.relative_to(home)): _read(file) for file in files}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # moved into the database meanwhile
        return b""


def _found(planted: list[Planted], places: Mapping[str, bytes]) -> set[tuple[Planted, str]]:
    return {
        (one, place)
        for place, content in places.items()
        for one in planted
        if any(form in content for form in one.forms)
    }


def _tell(
    planted: list[Planted],
    statuses: Mapping[str, Counter[int]],
    found: set[tuple[Planted, str]],
    n_bytes: int,
    control: int,
) -> None:
    kinds = Counter(one.kind for one in planted)
    leaked = {one for one, _ in found}
    rows = [
        ("values planted", "", f"{len(planted):,}: " + ", ".join(f"{kind} {n}" for kind, n in kinds.items())),
        ("files in which a harmless word that was sent too is found", "some", f"{control}"),
        ("found in what was kept, logged or counted", "0", f"{len(leaked):,} (in {n_bytes / 1e6:.1f} MB searched)"),
    ]
    for way, answers in statuses.items():
        of_way = sorted((one.kind, place) for one, place in found if one.way == way)
        where = ", ".join(f"{kind} in {place}: {n}" for (kind, place), n in Counter(of_way).items())
        answered = ", ".join(f"{status}: {n}" for status, n in sorted(answers.items()))
        rows.append((f"as {way}, answered {answered}", "0", where or "0"))
    shown = {(one.way, one.kind): (one, place) for one, place in found}
    for one, place in shown.values():
        say(f"found in {place}: {one}")
    tell("Planted personal data and secrets", rows)
