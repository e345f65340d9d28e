"""The server process's own parts: its address, its lock, its workers."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from burnish.core.errors import UserError
from burnish.core.settings import settings
from burnish.serving import server, workers
from burnish.serving.limits import Limits
from burnish.serving.log import Log
from burnish.serving.server import alone, bound, forwarding, serve, url_of
from burnish.serving.serving import Serving
from burnish.serving.workers import Crew, ready_file, run_workers


def serving(**how):
    return Serving(**{"models": ["intent"], "port": 0, **how})


def test_it_listens_on_this_machine_only_unless_told():
    with bound(serving()) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        assert url_of(serving(), listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_an_address_of_the_newer_kind_is_told_in_brackets():
    asked = serving(host="::1")
    try:
        listening = bound(asked)
    except UserError:
        pytest.skip("this machine has no IPv6")
    with listening:
        assert url_of(asked, listening) == f"http://[::1]:{listening.getsockname()[1]}"


def test_an_address_that_cannot_be_had_is_told():
    with bound(serving()) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError) as caught:
            bound(serving(port=port))
    assert str(caught.value) == (
        f"cannot listen at 127.0.0.1:{port} (Address already in use); choose another with --port or --host."
    )
    with pytest.raises(UserError, match=r"^cannot listen at no\.such\.host\.invalid:0 \("):
        bound(serving(host="no.such.host.invalid"))


def test_one_server_has_a_database_file(house):
    with alone(house.home), pytest.raises(UserError) as caught, alone(house.home):
        pass
    assert str(caught.value) == (
        f"{house.folder / 'burnish.db'}: another server uses this database; stop it, or use PostgreSQL, which several "
        "may share: BURNISH_DATABASE=postgresql://…"
    )
    with alone(house.home):
        pass


@pytest.fixture
def at_home(house, monkeypatch):
    """The house as the one that the environment names."""
    monkeypatch.setenv("BURNISH_HOME", str(house.folder))
    settings.cache_clear()
    yield house
    settings.cache_clear()


def test_what_is_not_there_is_told_before_anything_is_loaded(at_home):
    with pytest.raises(UserError, match=r"^there is no release of the name 'mood'\. There are: intent\.$"):
        serve(serving(models=["mood"]))
    with pytest.raises(UserError, match=r"^there is nothing to serve"):
        serve(serving(models=[]))


def test_one_worker_runs_here_and_several_are_watched(at_home, monkeypatch):
    ran = []
    monkeypatch.setattr(server, "run", lambda *arguments: ran.append("here"))
    monkeypatch.setattr(workers, "run_workers", lambda *arguments: ran.append("watched"))
    stream = io.StringIO()
    serve(serving(), Log(stream))
    serve(serving(workers=2), Log(stream))
    assert ran == ["here", "watched"]
    first = json.loads(stream.getvalue().splitlines()[0])
    assert (first["message"], first["url"].startswith("http://127.0.0.1:")) == ("listening", True)


class Impatient(Log):
    """Sends a signal as soon as the server says that it is ready."""

    def tell(self, level, message, **about):
        super().tell(level, message, **about)
        if message == "ready":
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_drains_from_the_moment_on_that_it_says_it_is_ready(house):
    def undrained(*_):
        raise AssertionError("the signal came before the server listened to any")

    stream, before = io.StringIO(), signal.signal(signal.SIGTERM, undrained)
    try:
        with bound(serving(port=0)) as listening:
            server.run(serving(limits=Limits(drain_s=0)), house.home, Impatient(stream), listening)
    finally:
        signal.signal(signal.SIGTERM, before)
    told = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert told[-2:] == ["ready", "stopped"]


def test_what_libraries_say_is_forwarded_while_it_serves_only():
    stream = io.StringIO()
    with forwarding(Log(stream)):
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").warning("nobody hears this")
    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == "Invalid HTTP request received."


class Fake(subprocess.Popen):
    """In place of a worker: a process that does what its code says."""

    def __init__(self, code):
        super().__init__([sys.executable, "-c", code], start_new_session=True)


STAYS = "import time; time.sleep(60)"


@pytest.fixture
def make_crew(tmp_path, monkeypatch):
    """`make_crew([code, …])`: workers that run those, one after the other."""
    crews = []

    def make(codes, n_workers=2):
        listening = bound(serving())
        crew = Crew(serving(workers=n_workers), listening, tmp_path)
        left = iter(codes)
        monkeypatch.setattr(crew, "_started", lambda: Fake(next(left)))
        crews.append((crew, listening))
        return crew

    yield make
    for crew, listening in crews:
        listening.close()
        hurrying = threading.Event()
        hurrying.set()
        crew.stop(hurrying)


def await_death(process):
    process.wait(30)


def test_a_worker_that_died_is_replaced_and_what_it_said_of_how_things_stand_is_forgotten(
    make_crew, no_waits, tmp_path
):
    crew = make_crew([STAYS, STAYS, STAYS])
    crew.fill()
    assert crew.replace_dead() == []
    first, second = (process for process, _ in crew._workers)
    (tmp_path / f"gauge_livesum_{first.pid}.db").write_bytes(b"")
    first.kill()
    await_death(first)
    assert crew.replace_dead() == [first]
    assert not list(tmp_path.glob("gauge_livesum_*"))
    assert second in [process for process, _ in crew._workers]
    assert len(crew._workers) == 2


@pytest.mark.parametrize(
    ("code", "is_old"), [("import sys; sys.exit(1)", False), ("import sys; sys.exit(2)", True)], ids=["quick", "told"]
)
def test_workers_that_cannot_start_end_the_server(make_crew, no_waits, monkeypatch, code, is_old):
    monkeypatch.setattr(workers, "MOST_QUICK_DEATHS", 2)
    if is_old:
        monkeypatch.setattr(workers, "QUICK_DEATH_S", 0.0)
    crew = make_crew([code] * 5, n_workers=1)
    crew.fill()
    await_death(crew._workers[0][0])
    crew.replace_dead()
    await_death(crew._workers[0][0])
    with pytest.raises(UserError, match=r"^workers die as soon as they are started; the lines above say why\.$"):
        crew.replace_dead()


DIES = "import sys; sys.exit(2)"
"""As where the database is away."""


@pytest.fixture
def no_waits(monkeypatch):
    monkeypatch.setattr(workers, "FIRST_WAIT_S", 0.0)


def test_workers_that_cannot_start_anew_never_end_those_that_answer(make_crew, no_waits, tmp_path):
    n = 2 * workers.MOST_QUICK_DEATHS
    crew = make_crew([STAYS, *[DIES] * n, STAYS])
    crew.fill()
    stays = crew._workers[0][0]
    ready_file(tmp_path, stays.pid).touch()
    for _ in range(n):
        process = crew._workers[1][0]
        await_death(process)
        assert crew.replace_dead() == [process]
    assert [process.poll() for process, _ in crew._workers] == [None, None]
    assert crew._workers[0][0] is stays


def test_where_one_has_come_up_before_all_died_it_is_tried_on(make_crew, no_waits, monkeypatch, tmp_path):
    monkeypatch.setattr(workers, "MOST_QUICK_DEATHS", 1)
    crew = make_crew([DIES] * 5, n_workers=1)
    crew.fill()
    ready_file(tmp_path, crew._workers[0][0].pid).touch()
    for _ in range(4):
        process = crew._workers[0][0]
        await_death(process)
        assert crew.replace_dead() == [process]
    assert not list(tmp_path.glob("ready_*"))


def test_the_more_die_at_once_the_longer_the_next_is_waited_for_up_to_a_bound(make_crew, monkeypatch, tmp_path):
    now = [1000.0]
    monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=lambda: now[0]))
    crew = make_crew([STAYS, *[DIES] * 9, STAYS, STAYS])
    crew.fill()
    ready_file(tmp_path, crew._workers[0][0].pid).touch()
    for wait_s in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0):
        await_death(crew._workers[1][0])
        assert len(crew.replace_dead()) == 1
        now[0] += wait_s - 0.01
        assert (crew.replace_dead(), len(crew._workers)) == ([], 1)
        now[0] += 0.02
        assert (crew.replace_dead(), len(crew._workers)) == ([], 2)
    now[0] += 10 * workers.QUICK_DEATH_S
    crew._workers[1][0].kill()  # what has lived for a while is replaced at once
    await_death(crew._workers[1][0])
    assert len(crew.replace_dead()) == 1
    assert len(crew._workers) == 2


def test_workers_that_die_late_are_replaced_for_ever(make_crew, monkeypatch):
    monkeypatch.setattr(workers, "MOST_QUICK_DEATHS", 1)
    monkeypatch.setattr(workers, "QUICK_DEATH_S", 0.0)
    crew = make_crew(["import sys; sys.exit(1)"] * 4, n_workers=1)
    crew.fill()
    for _ in range(3):
        process = crew._workers[0][0]
        await_death(process)
        assert crew.replace_dead() == [process]


def test_stopping_passes_the_signal_on_and_waits_until_told_to_hurry(make_crew):
    crew = make_crew(
        [STAYS, "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"]
    )
    crew.fill()
    time.sleep(1)  # until the second one has begun to ignore the signal
    hurrying = threading.Event()
    timer = threading.Timer(0.5, hurrying.set)
    timer.start()
    crew.stop(hurrying)
    assert [process.returncode for process, _ in crew._workers] == [-signal.SIGTERM, -signal.SIGKILL]


def test_a_signal_ends_the_watching_and_the_socket_is_let_go(monkeypatch):
    listening, seen = bound(serving()), []

    class Quiet:
        def __init__(self, *arguments):
            pass

        def fill(self):
            threading.Timer(0.1, lambda: signal.raise_signal(signal.SIGTERM)).start()

        def replace_dead(self):
            return []

        def stop(self, hurrying):
            seen.append(listening.fileno())

    monkeypatch.setattr(workers, "Crew", Quiet)
    before = signal.getsignal(signal.SIGTERM)
    run_workers(serving(), Log(io.StringIO()), listening)
    assert seen == [-1]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_worker_is_given_what_it_serves_and_where(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: started.append((command, how)))
    with bound(serving()) as listening:
        Crew(serving(limits=Limits(inputs=7)), listening, tmp_path)._started()
        [(command, how)] = started
        assert command[1:4] == ["-m", "burnish.serving.worker", str(listening.fileno())]
        assert Serving.model_validate_json(command[-1]).limits.inputs == 7
        assert how["env"]["PROMETHEUS_MULTIPROC_DIR"] == str(tmp_path)
        assert how["pass_fds"] == [listening.fileno()]
