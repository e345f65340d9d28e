"""Memory that nobody uses goes back to the system, and threads have no arenas of their own."""

import json
import platform
import subprocess
import sys

import pytest

from burnish.serving import allocator

on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")

FREED = """
import ctypes, json, re
from burnish.serving.allocator import give_back

def resident_mb():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1000

c = ctypes.CDLL(None)
c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
places = [c.malloc(4000) for _ in range(20_000)]
for place in places:
    ctypes.memset(place, 1, 4000)
for place in places[:-1]:  # the last one keeps the heap as long as it is
    c.free(place)
before = resident_mb()
give_back()
print(json.dumps([before, resident_mb()]))
"""
ARENAS = """
import ctypes, json, sys, threading
from burnish.serving.allocator import bound_arenas

if sys.argv[1] == "bound":
    bound_arenas()
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
both = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (both.wait(), c.malloc(4000), both.wait())) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
c.fdopen.restype = ctypes.c_void_p
c.malloc_info.argtypes, c.fflush.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
out = c.fdopen(1, b"w")
c.malloc_info(0, out)
c.fflush(out)
"""


def told(script, *words):
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@on_glibc
def test_what_was_freed_goes_back_to_the_system():
    before, after = json.loads(told(FREED))
    assert before - after > 70


@on_glibc
def test_eight_threads_at_once_share_two_arenas():
    assert told(ARENAS, "bound").count("<heap nr=") == 2
    assert told(ARENAS, "free").count("<heap nr=") > 2


def test_a_c_library_that_knows_neither_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    allocator.bound_arenas()
    allocator.give_back()
