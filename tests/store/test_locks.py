import subprocess
import sys
import threading
import time

import pytest

from burnish.store.faults import StoreUnavailable
from burnish.store.locks import locked, try_lock

HOLD = """
import sys, time
from burnish.store.locks import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_its_owners_file(tmp_path):
    with locked(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_only_one_thread_holds_a_lock_and_the_others_get_it_later(tmp_path):
    most = held = 0
    lock = threading.Lock()

    def work():
        nonlocal most, held
        for _ in range(20):
            with locked(tmp_path / "lock"):
                with lock:
                    held += 1
                    most = max(most, held)
                time.sleep(0)
                with lock:
                    held -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_lock_of_another_process_is_waited_for_and_given_up(tmp_path):
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(StoreUnavailable, match=r"another process holds .*lock for too long; is one stopped\?$"),
            locked(path, 0.05),
        ):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with locked(path, 0.05):  # a killed process holds nothing
        pass


def test_a_lock_that_cannot_be_made_is_told(tmp_path):
    with (
        pytest.raises(StoreUnavailable, match=r"gone/lock cannot be locked \(No such file or directory\)\.$"),
        locked(tmp_path / "gone" / "lock"),
    ):
        pass


def test_a_block_that_raises_lets_go(tmp_path):
    with pytest.raises(ValueError, match="stop"), locked(tmp_path / "lock"):
        raise ValueError("stop")
    with (tmp_path / "lock").open() as file:
        assert try_lock(file.fileno())
