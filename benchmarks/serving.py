"""The server under load: throughput against what teams run instead, overload, mix-ups, kills, swaps, leaks, bad files.

    python benchmarks/serving.py --bundle runs/clinc-small --texts texts.txt --only http overload

`--bundle` is a bundle for classification, best a shrunk one; `--texts` are texts for it, one a line. Each part has an
installation of its own in a temporary folder and prints a table:

    http        single texts over HTTP against in-process answers; the time and CPU of a request
    rivals      the same texts and client against MLflow, LitServe, BentoML, FastAPI + transformers.pipeline
    overload    2 and 5 times what it can answer, in an open loop
    order       what it gains that texts which wait are dealt out by length
    mixups      10,000 requests at once, each with answers that only it can have
    signals     SIGTERM and kill -9 under load; swaps and rollbacks under load
    leak        100,000 requests with 500 swaps: memory, threads, files
    flips       one byte changed in a released bundle
    privacy     planted personal data, looked for in all that is kept
    database    PostgreSQL stopped, and frozen, under load

For `rivals`, `--original` is the bundle before it was shrunk and `--python NAME=PATH` the python of each one's
environment: fastapi (with uvicorn[standard]), litserve, bentoml, mlflow, each with torch and transformers of the
versions in constraints.txt. `--quick` sees in minutes that everything runs; its numbers mean nothing.

The load generator is our own: raw sockets, open loop where load is meant to be too much, and every request ends in
exactly one column: answered rightly, answered wrongly, refused, or lost. Answers are held against those of the same
texts in-process.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import signal
import sys
from pathlib import Path

PARTS = {
    "http": ("throughput", "http"),
    "rivals": ("contest", "rivals"),
    "overload": ("overload", "overload"),
    "order": ("order", "order"),
    "mixups": ("mixups", "mixups"),
    "signals": ("signals", "signals"),
    "leak": ("leak", "leak"),
    "flips": ("flips", "flips"),
    "privacy": ("planted", "privacy"),
    "database": ("outage", "database"),
}


def main() -> None:
    from serving.bench import Bench, Sizes

    asked = _asked()
    os.environ["BURNISH_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(asked.threads)
    _allow_many_files()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    sizes = Sizes.quick() if asked.quick else Sizes()
    given = {name: value for name, value in vars(asked).items() if name in Sizes.__dataclass_fields__ and value}
    sizes = Sizes(**{**vars(sizes), **given})
    pythons = {name: Path(path) for name, _, path in (one.partition("=") for one in asked.python)}
    bench = Bench(asked.bundle, asked.texts, sizes, asked.original, pythons, asked.server_cores)
    if asked.server_cores:
        os.sched_setaffinity(0, os.sched_getaffinity(0).difference(asked.server_cores))
    faults = 0
    for name in asked.only or PARTS:
        module, function = PARTS[name]
        try:
            getattr(importlib.import_module(f"serving.{module}"), function)(bench)
        except (RuntimeError, TimeoutError, OSError) as error:  # the other parts go on
            print(f"\n## {name}\n\ncould not be measured: {error}", flush=True)
            faults += 1
    sys.exit(faults)


def _asked() -> argparse.Namespace:
    from serving.bench import Sizes

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART")
    parser.add_argument("--original", type=Path)
    parser.add_argument("--python", nargs="+", default=[], metavar="NAME=PATH")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--server-cores", nargs="+", type=int, default=(), help="the server's; the generator has the others"
    )
    parser.add_argument("--quick", action="store_true")
    for name, value in vars(Sizes()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), help=f"default {value}")
    return parser.parse_args()


def _allow_many_files() -> None:
    """Ten thousand connections are ten thousand files, here and in the servers that are started."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
