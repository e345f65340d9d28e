"""Part `rivals`: the same texts and the same client against what teams run. Each rival has an environment of its own
and serves the network as it was fine-tuned, through transformers.pipeline; of its settings the best ones here count.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.bench import Bench, median, say, tell
from serving.client import Asked, Pool, payload_of
from serving.house import house_of
from serving.load import closed_loop, quantile, run
from serving.processes import end
from serving.throughput import CONNECTIONS, WARM_S, measure

FOLDER = Path(__file__).with_name("rivals")
START_S = 180.0
FARTHEST = 1e-3
TO_REACH = 3.0
N_TEXTS = 1500
"""Of the texts, which take their turns."""


@dataclass(frozen=True)
class Rival:
    """A server with some settings. Commands are of its environment's folder of binaries, or scripts of `rivals/`."""

    name: str
    about: str
    command: tuple[str, ...]
    path: str = "/predict"
    body: Callable[[str], Any] = lambda text: {"text": text}
    answer: Callable[[Any], dict[str, Any]] = lambda said: said
    environment: Mapping[str, str] = field(default_factory=dict)


def _fastapi(kind: str, workers: int, threads: int) -> Rival:
    command = ("uvicorn", "fastapi_server:app", "--port", "PORT", "--workers", str(workers), "--log-level", "warning")
    command += ("--timeout-worker-healthcheck", "120")  # loading takes longer than it waits by itself
    own = {**_threads(threads), "RIVAL_KIND": kind}
    return Rival("fastapi", f"{kind}, {workers} × {threads} threads", command, environment=own)


def _litserve(workers: int, threads: int, batch: int, wait_s: float) -> Rival:
    command = ("python", "litserve_server.py", "PORT", str(workers), str(batch), str(wait_s))
    about = f"batches of {batch}, {wait_s * 1000:g} ms, {workers} × {threads} threads"
    return Rival("litserve", about, command, environment=_threads(threads))


def _bentoml(workers: int, threads: int, batch: int) -> Rival:
    command = ("bentoml", "serve", "bentoml_server:Classify", "--host", "127.0.0.1", "--port", "PORT")
    own = {"RIVAL_WORKERS": str(workers), "RIVAL_BATCH": str(batch), "BENTOML_DO_NOT_TRACK": "True"}
    about = f"batches of {batch}, {workers} × {threads} threads"
    body, answer = (lambda text: {"texts": [text]}), (lambda said: said[0])
    return Rival("bentoml", about, command, body=body, answer=answer, environment={**_threads(threads), **own})


def _mlflow(workers: int, threads: int) -> Rival:
    command = ("mlflow", "models", "serve", "-m", "SAVED", "--env-manager", "local", "--host", "127.0.0.1")
    command += ("--port", "PORT", "--workers", str(workers))
    body, answer = (lambda text: {"inputs": [text]}), (lambda said: said["predictions"][0])
    about = f"{workers} × {threads} threads"
    return Rival("mlflow", about, command, "/invocations", body, answer, _threads(threads))


def _threads(threads: int) -> dict[str, str]:
    return {"RIVAL_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}


RIVALS = (
    _fastapi("def", 1, 2), _fastapi("async", 1, 2), _fastapi("def", 2, 1), _fastapi("async", 2, 1),
    _litserve(1, 2, 32, 0.005), _litserve(1, 2, 64, 0.02), _litserve(2, 1, 32, 0.005), _litserve(2, 1, 32, 0.02),
    _bentoml(1, 2, 32), _bentoml(1, 2, 64), _bentoml(2, 1, 32),
    _mlflow(1, 2), _mlflow(2, 1),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    per_s: float
    p99_ms: float
    n_asked: int
    n_bad: int


def rivals(bench: Bench) -> None:
    """First every setting for a short time, then in turns the best of each rival and Burnish."""
    if bench.original is None or not bench.pythons:
        raise RuntimeError("say --original BUNDLE and --python NAME=PATH for each rival")
    with tempfile.TemporaryDirectory(prefix="burnish-rivals-") as folder:
        contest = Contest(bench, Path(folder))
        best = contest.best_settings()
        rounds: dict[str, list[Found]] = {name: [] for name in ("burnish", *best)}
        for number in range(bench.sizes.rounds):
            rounds["burnish"].append(_ours(bench))
            for name, rival in best.items():
                rounds[name].append(contest.measure(rival, bench.sizes.seconds))
            say(f"round {number + 1}: " + ", ".join(f"{name} {all_[-1].per_s:.0f}" for name, all_ in rounds.items()))
    _tell(best, rounds)


class Contest:
    """Rivals with the answers they must give."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        assert bench.original is not None
        self.bench = bench
        self.folder = folder
        self.environment = {**os.environ, "RIVAL_MODEL": str((bench.original / "model").absolute())}
        self.environment |= {"BENTOML_HOME": str(folder / "bentoml"), "PYTHONPATH": str(FOLDER)}
        self.environment |= {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        self.expected = self._expected()

    def best_settings(self) -> dict[str, Rival]:
        """Of each rival those that answer most."""
        best: dict[str, tuple[float, Rival]] = {}
        tried: Counter[str] = Counter()
        for rival in RIVALS:
            tried[rival.name] += 1
            if rival.name not in self.bench.pythons or tried[rival.name] > self.bench.sizes.settings:
                continue
            try:
                found = self.measure(rival, self.bench.sizes.seconds / 3)
            except (RuntimeError, TimeoutError) as error:
                say(f"{rival.name}, {rival.about}: {error}")
                continue
            say(f"{rival.name}, {rival.about}: {found}")
            if found.per_s > best.get(rival.name, (0.0,))[0]:
                best[rival.name] = (found.per_s, rival)
        return {name: rival for name, (_, rival) in best.items()}

    def measure(self, rival: Rival, seconds: float) -> Found:
        payloads = [payload_of("POST", rival.path, rival.body(text)) for text in self.bench.texts[:N_TEXTS]]
        with self._started(rival) as port:
            _await_answer(port, payloads[0])

            async def load(for_s: float) -> list[Asked]:
                pool = Pool(port)
                try:
                    return await closed_loop(pool, payloads, CONNECTIONS, for_s)
                finally:
                    await pool.close()

            run(load(WARM_S))
            asked = run(load(seconds))
        good = [one for one in asked if one.status == 200 and self._is_right(rival, one)]
        took_s = max(one.at for one in asked) - asked[0].sent
        return Found(len(good) / took_s, quantile([one.ms for one in good], 0.99), len(asked), len(asked) - len(good))

    def _is_right(self, rival: Rival, asked: Asked) -> bool:
        found, (label, score) = rival.answer(asked.json()), self.expected[asked.number % len(self.expected)]
        return found["label"] == label and abs(found["score"] - score) <= FARTHEST

    def _expected(self) -> list[tuple[str, float]]:
        """What the pipeline answers in one of their environments without a server."""
        texts = self.folder / "texts.json"
        texts.write_text(json.dumps(self.bench.texts))
        python = next(iter(self.bench.pythons.values()))
        return [tuple(one) for one in json.loads(self._output(python, "classifier.py", str(texts)))]

    def _output(self, python: Path, *words: str) -> str:
        command = [str(python), *words]
        done = subprocess.run(command, cwd=FOLDER, env=self.environment, capture_output=True, text=True, timeout=900)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr[-1500:]}")
        return done.stdout.splitlines()[-1] if done.stdout else ""

    @contextmanager
    def _started(self, rival: Rival) -> Iterator[int]:
        python, port, saved = self.bench.pythons[rival.name], _free_port(), self.folder / "saved"
        if "SAVED" in rival.command and not saved.exists():
            self._output(python, "mlflow_server.py", str(saved))
        places = {"PORT": str(port), "SAVED": str(saved)}
        words = [places.get(word, word) for word in rival.command]
        own = {**self.environment, **rival.environment, "PATH": f"{python.parent}:{os.environ['PATH']}"}
        log = self.folder / f"{rival.name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [str(python.parent / words[0]), *words[1:]],
                cwd=FOLDER, env=own, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
        try:
            yield port
        except (RuntimeError, TimeoutError) as error:
            raise RuntimeError(f"{error}; its log ends with: {log.read_text('utf-8', 'replace')[-800:]}") from None
        finally:
            end(process, 10.0)


def _await_answer(port: int, payload: bytes) -> None:
    """Returns when a first request is answered by 200."""

    async def first() -> int:
        pool = Pool(port, 20.0)
        try:
            from serving.load import Closed

            [asked] = await Closed(pool, [payload], 1, 1).ended()
            return asked.status
        finally:
            await pool.close()

    until, status = time.monotonic() + START_S, 0
    while time.monotonic() < until:
        if (status := run(first())) == 200:
            return
        time.sleep(0.3)
    raise RuntimeError(f"did not answer within {START_S:g} s; its last status was {status}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _ours(bench: Bench) -> Found:
    with house_of(bench) as house, house.serving() as server:
        measure(bench, server, CONNECTIONS, WARM_S)
        found = measure(bench, server, CONNECTIONS, bench.sizes.seconds)
    return Found(found.per_s, found.ms[1], found.account.n_asked, found.account.n_asked - found.account.n_good)


def _tell(best: Mapping[str, Rival], rounds: Mapping[str, list[Found]]) -> None:
    ours = rounds["burnish"]
    ratios = [one.per_s / max(rounds[name][at].per_s for name in best) for at, one in enumerate(ours)]
    rows = [
        (
            "Burnish, ratio to the best of the others",
            f"≥ {TO_REACH:g} ×",
            f"{median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f})",
        )
    ]
    for name, all_ in rounds.items():
        about = f" ({best[name].about})" if name in best else ""
        n_bad, n_asked = sum(one.n_bad for one in all_), sum(one.n_asked for one in all_)
        measured = f"{median([one.per_s for one in all_]):,.0f}/s, p99 {median([one.p99_ms for one in all_]):,.0f} ms"
        rows.append((f"{name}{about}", "", f"{measured}; {n_bad:,} of {n_asked:,} not answered rightly"))
    tell(f"Single texts over HTTP at {CONNECTIONS} connections, against what teams run", rows)
