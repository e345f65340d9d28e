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
from burnish.serving.allocator import settle

if sys.argv[1] == "bound":
    settle()
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

MAPPED = """
import ctypes, json
from burnish.serving.allocator import apart, settle

class Told(ctypes.Structure):  # struct mallinfo2
    _fields_ = [(name, ctypes.c_size_t) for name in "arena pieces small n_mapped mapped a b used free top".split()]

def asked(n_bytes):
    place = c.malloc(n_bytes)
    found = c.mallinfo2()
    return place, found.n_mapped, found.top

c = ctypes.CDLL(None)
c.malloc.restype, c.free.argtypes, c.mallinfo2.restype = ctypes.c_void_p, [ctypes.c_void_p], Told
c.free(c.malloc(20 << 20))  # by itself glibc would no longer map 10 MB alone
settle()
before = c.mallinfo2().n_mapped
with apart():
    place, inside, _ = asked(1 << 20)
    c.free(c.malloc(100_000))
    c.free(place)
gone = c.mallinfo2()
_, after, _ = asked(1 << 20)
print(json.dumps([inside - before, gone.n_mapped - before, gone.top < 150_000, after - before]))
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


@on_glibc
def test_large_pieces_lie_for_themselves_while_a_model_is_loaded_and_not_else():
    n_inside, n_gone, is_trimmed, n_after = json.loads(told(MAPPED))
    assert (n_inside, n_gone, is_trimmed, n_after) == (1, 0, True, 0)


def test_a_c_library_that_knows_neither_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    allocator.settle()
    with allocator.apart():
        pass
