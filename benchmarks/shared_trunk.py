"""Two releases of one frozen base, served apart and together: memory, and texts a second through the real service.

    taskset -c 0 python benchmarks/shared_trunk.py clinc150/data_full.json --threads 1

Both models are minilm with a trained head and a frozen trunk: intents, and a topic made of them. `apart` serves a copy
of the second in whose trunk the last bit of one weight is another, so that nothing can be shared and all else is the
same; `one` serves the first alone. Each contender is a process of its own, on the same cores with the same threads for
each batch, in rounds in turn. Clients ask the service in its process, one text a request, each the next when it has its
answer; CPU is that of the whole process, and tells more than the rate does where others are at work. `mixed`: every
text is asked of one of both, in turn. `of both`: every text is asked of both at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONTENDERS = {"apart": ("intent", "other"), "together": ("intent", "topic"), "one": ("intent",)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="data_full.json of CLINC150")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each case in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--home", type=Path, help="an installation that this script has made before, or makes")
    parser.add_argument("--only", choices=CONTENDERS, help="run one contender in this process (used by the script)")
    asked = parser.parse_args()
    if asked.only:
        print(json.dumps(measure(asked)))
        return
    os.environ.update(dict.fromkeys(("BURNISH_THREADS", "OMP_NUM_THREADS"), str(asked.threads)))
    with tempfile.TemporaryDirectory() as folder:
        asked.home = asked.home or Path(folder) / "home"
        if not asked.home.exists():
            release_all(asked, Path(folder))
        found: dict[str, list[dict]] = {name: [] for name in CONTENDERS}
        for _ in range(asked.rounds):
            for name in CONTENDERS:
                found[name].append(run_one(asked, name))
                print(json.dumps({"contender": name, **found[name][-1]}), file=sys.stderr, flush=True)
    tell(found)


def tell(found: dict[str, list[dict]]) -> None:
    def middle(name: str, what: str) -> float:
        return statistics.median(one[what] for one in found[name])

    cases = " | ".join(f"{case}: answers/s | × apart | CPU, ms an answer | × apart" for case in ("mixed", "of both"))
    print(f"| served | weights, MB | resident, MB | {cases} |")
    print("|---" * 11 + "|")
    for name in CONTENDERS:
        cells = [name, f"{middle(name, 'weights_mb'):.0f}", f"{middle(name, 'resident_mb'):.0f}"]
        for case in ("mixed", "both"):
            rate, cost = middle(name, f"{case}_per_s"), middle(name, f"{case}_cpu_ms")
            cells += [f"{rate:.0f}", f"{rate / max(middle('apart', f'{case}_per_s'), 1e-9):.2f}"]
            cells += [f"{cost:.2f}", f"{cost / middle('apart', f'{case}_cpu_ms'):.2f}"]
        print(f"| {' | '.join(cells)} |")


def run_one(asked: argparse.Namespace, name: str) -> dict:
    told = ["--clients", asked.clients, "--seconds", asked.seconds, "--home", asked.home, "--only", name]
    words = [sys.executable, __file__, str(asked.data), *map(str, told)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def release_all(asked: argparse.Namespace, folder: Path) -> None:
    """The bundles, in production under three names."""
    from burnish.store.home import open_home
    from burnish.store.records import Release

    rows = json.loads(asked.data.read_text())["train"][::5]
    bundles = {
        "intent": fit(folder / "intent", [(text, label) for text, label in rows]),
        "topic": fit(folder / "topic", [(text, label[0]) for text, label in rows]),
    }
    bundles["other"] = with_another_bit(bundles["topic"], folder / "other")
    home = open_home(settings(asked.home))
    for name, bundle in bundles.items():
        made = Release(name, 0, home.bundles.put(bundle), "classification", time.time(), "benchmark", recipe="")
        home.releases.register(made)
        home.releases.promote(name, 1, "benchmark")
    home.close()


def fit(folder: Path, rows: list[tuple[str, str]]) -> Path:
    import burnish

    given = [{"text": text, "label": label} for text, label in rows]
    recipe = {
        "task": {"name": "classification", "head": "mean"},
        "base": "minilm",
        "data": {"train": given, "dev": "10%"},
        "train": {"epochs": 3, "freeze": {"all_but_head": True}, "learning_rate": 0.003},
        "judge": {"n_bootstrap": 2, "formats": ["json"]},
    }
    return burnish.fit(recipe, out=folder).bundle


def with_another_bit(bundle: Path, folder: Path) -> Path:
    """A copy whose trunk differs in the last bit of one weight."""
    import torch
    from safetensors.torch import load_file, save_file

    from burnish.core.manifest import write_manifest

    shutil.copytree(bundle, folder)
    file = folder / "model" / "model.safetensors"
    weights = load_file(file)
    name = min(name for name in weights if name.endswith("output.dense.weight"))
    one = weights[name].view(-1)
    one[0] = torch.nextafter(one[0], torch.tensor(9.0))
    save_file(weights, file, metadata={"format": "pt"})
    write_manifest(folder)
    return folder


def settings(home: Path):
    from burnish.core.settings import Settings

    return Settings(home=str(home), database="", bundles="", store_inputs="off")


def measure(asked: argparse.Namespace) -> dict:
    """One contender: what it holds in memory before and after, and both cases."""
    from burnish.serving.limits import Limits
    from burnish.serving.log import Log
    from burnish.serving.service import Service
    from burnish.serving.serving import Serving
    from burnish.store.home import open_home

    names = CONTENDERS[asked.only]
    texts = [text for text, _ in json.loads(asked.data.read_text())["test"]]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        own = settings(shutil.copytree(asked.home, Path(folder) / "home"))
        home = open_home(own)
        service = Service(home, Serving(models=list(names), limits=Limits(waiting=10_000)), own, Log(log))
        service.start()
        asyncio.run(load(service, names, texts, asked.clients, 1.0))
        found = {"resident_mb": resident_mb(), "weights_mb": weights_mb(service, names)}
        for case, given in (("mixed", 1), ("both", len(names))):
            began, cpu = time.perf_counter(), time.process_time()
            n_answers = asyncio.run(load(service, names, texts, asked.clients, asked.seconds, given))
            found[f"{case}_per_s"] = n_answers / (time.perf_counter() - began)
            found[f"{case}_cpu_ms"] = 1000 * (time.process_time() - cpu) / n_answers
        service.stop()
        home.close()
    return found


async def load(service, names, texts, n_clients, seconds, n_asked=1):
    """How many answers came to what was asked within some seconds; `n_asked` names are asked at once."""
    from burnish.serving.access import Caller
    from burnish.serving.service import Call
    from burnish.store.records import Key

    caller = Caller(Key("k1", "", "benchmark", ("predict",), 0.0))
    until, number, n_answers = time.monotonic() + seconds, 0, 0

    async def client() -> None:
        nonlocal number, n_answers
        while time.monotonic() < until:
            text, at = texts[number % len(texts)], number
            number += 1
            some = [names[(at + n) % len(names)] for n in range(n_asked)]
            calls = (Call(caller, time.monotonic() + 60, time.perf_counter()) for _ in some)
            await asyncio.gather(*(service.answer(name, [text], how) for name, how in zip(some, calls, strict=True)))
            n_answers += len(some)

    await asyncio.gather(*(client() for _ in range(n_clients)))
    return n_answers


def weights_mb(service, names) -> float:
    """Bytes of all weights of the networks in service, those that several use once."""
    cores = [service.fleet.loaded(service.fleet.routing(name).main).predictor.core for name in names]
    return sum({p.data_ptr(): p.nbytes for core in cores for p in core.network.parameters()}.values()) / 1e6


def resident_mb() -> float:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
