"""The numbers: of one process, and of several that share a folder."""

import os
import subprocess
import sys

from burnish.serving.metrics import FOLDER, Metrics


def test_a_metric_with_its_labels_is_found_once_and_told():
    metrics = Metrics()
    metrics.of(metrics.requests, "/v1/x", 200).inc()
    metrics.of(metrics.requests, "/v1/x", 200).inc(2)
    assert metrics.of(metrics.requests, "/v1/x", 200) is metrics.of(metrics.requests, "/v1/x", 200)
    assert b'burnish_requests_total{route="/v1/x",status="200"} 3.0' in metrics.text()


def test_two_servers_in_one_process_count_apart():
    first, second = Metrics(), Metrics()
    first.unrecorded.inc()
    assert b"burnish_unrecorded_total 1.0" in first.text()
    assert b"burnish_unrecorded_total 0.0" in second.text()


WORKER = """
import sys
from burnish.serving.metrics import Metrics, forget_process
metrics = Metrics()
metrics.of(metrics.requests, "/v1/x", 200).inc(int(sys.argv[1]))
metrics.of(metrics.waiting, "intent").set(int(sys.argv[1]))
if sys.argv[2] != "0":
    forget_process(__import__("pathlib").Path(sys.argv[3]), int(sys.argv[2]))
print(__import__("os").getpid())
print(metrics.text().decode())
"""


def test_whichever_worker_is_asked_tells_the_counts_of_all_and_how_things_stand_of_those_alive(tmp_path):
    def run(n, dead):
        command = [sys.executable, "-c", WORKER, str(n), dead, str(tmp_path)]
        told = subprocess.run(
            command, env={**os.environ, FOLDER: str(tmp_path)}, capture_output=True, text=True, check=True, timeout=60
        ).stdout
        return told.split("\n")[0], told

    first, _ = run(3, "0")
    _, told = run(4, first)
    assert 'burnish_requests_total{route="/v1/x",status="200"} 7.0' in told
    assert 'burnish_waiting{name="intent"} 4.0' in told
