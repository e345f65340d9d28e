"""Part `flips`: one byte changed in a released bundle. It must be refused by its digests, before any parser sees a file
of it, and what answers must go on.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.bench import Bench, account_of, say, tell
from serving.client import Pool, clock, predictions_of
from serving.house import NAME, House, Server, house_of
from serving.load import Closed, run

PARSERS = ("openvino", "onnxruntime", "torch", "tokenizers", "safetensors", "yaml", "transformers")
GIVE_UP_S = 30.0
WATCH_S = 1.0


def flips(bench: Bench) -> None:
    draw = random.Random(7)
    with house_of(bench, n_versions=2) as house:
        refused, loaded = _refused(house, bench.sizes.flips, draw)
        with house.serving() as server:
            n_failed, n_asked, n_lines = run(_live(bench, server, draw))
    n_live = bench.sizes.live_flips
    tell(
        "One byte changed in a released bundle",
        [
            ("positions, over all files", "", f"{refused.total():,}"),
            ("refused by `Bundles.get`", "all", f"{refused[True]:,}"),
            ("accepted, or another error", "0", f"{refused[False]:,}"),
            ("parsers loaded in the process that refused", "none", ", ".join(loaded) or "none"),
            ("promoted damaged while it serves: the old version went on", f"{n_live}", f"{n_live - n_failed}"),
            ("requests meanwhile without a right answer of the old version", "0", f"{n_asked[1]:,} of {n_asked[0]:,}"),
            ("log lines for each damaged version that stands", "few", f"{n_lines:.1f} in {WATCH_S:g} s"),
        ],
    )


def _places(house: House, n: int, draw: random.Random) -> Iterator[tuple[str, Path, int]]:
    """Digest, file and position; files take turns, since by size nearly all would be in the weights."""
    digest = _digest_of(house, 2)
    files = sorted(
        file for file in (house.home / "bundles" / digest).rglob("*") if file.is_file() and file.stat().st_size
    )
    for number in range(n):
        file = files[number % len(files)]
        yield digest, file, draw.randrange(file.stat().st_size)


def _digest_of(house: House, version: int) -> str:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"file:{house.home / 'burnish.db'}?mode=ro", uri=True)) as database:
        query = "SELECT digest FROM releases WHERE name = ? AND version = ?"
        return str(database.execute(query, (NAME, version)).fetchone()[0])


@contextmanager
def _flipped(file: Path, position: int, draw: random.Random) -> Iterator[None]:
    """One byte another one, in place, and then as it was."""
    with file.open("r+b") as opened:
        opened.seek(position)
        before = opened.read(1)
        opened.seek(position)
        opened.write(bytes([before[0] ^ draw.randrange(1, 256)]))
        opened.flush()
        try:
            yield
        finally:
            opened.seek(position)
            opened.write(before)


def _refused(house: House, n: int, draw: random.Random) -> tuple[Counter[bool], list[str]]:
    from burnish.core.errors import UserError
    from burnish.store.bundles import Bundles

    bundles, found = Bundles(house.home / "bundles"), Counter[bool]()
    before = {name for name in PARSERS if name in sys.modules}
    for digest, file, position in _places(house, n, draw):
        with _flipped(file, position, draw):
            try:
                bundles.get(digest)
                found[False] += 1
                say(f"accepted: {file.name} at {position}")
            except UserError:
                found[True] += 1
            except Exception as error:
                found[False] += 1
                say(f"{file.name} at {position}: {type(error).__name__}: {error}")
    bundles.get(_digest_of(house, 2))  # as it was: else all would be refused for another reason
    return found, [name for name in PARSERS if name in sys.modules and name not in before]


async def _live(bench: Bench, server: Server, draw: random.Random) -> tuple[int, tuple[int, int], float]:
    """Damaged versions that did not leave the old one alone; requests and those that failed; log lines a version."""
    pool, own, key = Pool(server.port), Pool(server.port), server.house.key
    load = Closed(pool, predictions_of(NAME, key, bench.texts), 4)
    n_failed = n_lines = 0
    for _, file, position in _places(server.house, bench.sizes.live_flips, draw):
        with _flipped(file, position, draw):
            n_failed += not await _stays(server, own, key)
            before = len(server.lines())
            await asyncio.sleep(WATCH_S)
            n_lines += len(server.lines()) - before
            await own.call("POST", f"/v1/models/{NAME}/rollback", {}, key=key)
            await asyncio.sleep(0.6)  # the server has looked again
    asked = await load.stop()
    await pool.close()
    await own.close()
    account = account_of(bench, asked)
    n_other = sum(one.status == 200 and one.json()["version"] != 1 for one in asked)
    n_bad = account.n_asked - account.n_good + n_other
    return n_failed, (account.n_asked, n_bad), n_lines / max(1, bench.sizes.live_flips)


async def _stays(server: Server, own: Pool, key: str) -> bool:
    """Whether the damaged version 2 is refused, and the server says that it is not what it should be."""
    body, until = {"version": 2, "force": True}, clock() + GIVE_UP_S
    if (await own.call("POST", f"/v1/models/{NAME}/promote", body, key=key)).status != 200:
        return False
    while clock() < until:
        ready = (await own.call("GET", "/health/ready")).json()
        version = (await own.call("GET", f"/v1/models/{NAME}", key=key)).json()["version"]
        if version != 1:
            return False
        if ready["status"] == "degraded":
            return True
        await asyncio.sleep(0.05)
    return False
