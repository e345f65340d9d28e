"""Threads that stand back: they and what they start have less of the processor than the event loop."""

import os
import sys
import threading

import pytest

from burnish.serving.background import NICENESS, standing_back


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
def test_what_is_made_and_what_it_starts_stands_back_and_whoever_asked_does_not():
    def make():
        found = []
        started = threading.Thread(target=lambda: found.append(niceness()))
        started.start()
        started.join()
        return [niceness(), *found]

    before = niceness()
    wanted = min(19, before + NICENESS)
    assert standing_back(make) == [wanted, wanted]
    assert niceness() == before


def test_an_error_is_raised_where_it_was_asked_for():
    def fail():
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        standing_back(fail)
