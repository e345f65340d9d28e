"""kill -9 at random moments: does a resumed fit end in the weights of the uninterrupted one?

    python benchmarks/kill.py --trials 20

The fit is `burnish fit recipes/support.yaml` on the real base, with a checkpoint every half second. In each trial the
process is killed (SIGKILL) after a random time, over and over, until one attempt with --resume reaches the end.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7, help="of the moments at which it is killed")
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        whole = fit(Path(folder) / "whole", asked.epochs, None)
        longest = time.monotonic() - started
        print(f"uninterrupted: {whole[:16]} in {longest:.0f} s", flush=True)
        n_same = n_kills = 0
        for trial in range(asked.trials):
            found, kills = until_done(Path(folder) / f"trial-{trial}", asked.epochs, draw, longest)
            n_same, n_kills = n_same + (found == whole), n_kills + kills
            print(f"trial {trial + 1}: {found[:16]} after {kills} kills, same: {found == whole}", flush=True)
    print(f"\n{n_same} of {asked.trials} trials ended in the weights of the uninterrupted run ({n_kills} kills)")
    sys.exit(n_same != asked.trials)


def until_done(out: Path, epochs: int, draw: random.Random, longest: float) -> tuple[str, int]:
    """The weights' hash after at least one kill; an attempt that ends before its kill starts the trial anew."""
    kills = 0
    while True:
        is_hunted = kills == 0 or (kills < 3 and draw.random() < 0.3)
        found = fit(out, epochs, draw.uniform(0.3, 0.95) * longest if is_hunted else None)
        if found:
            shutil.rmtree(out)
        if found and kills:
            return found, kills
        if found:
            longest *= 0.7  # the machine is quicker now than when it was timed
        else:
            kills += 1


def fit(out: Path, epochs: int, patience_s: float | None) -> str:
    """SHA-256 of the bundle's weights; empty when the process was killed first."""
    command = [sys.executable, "-m", "burnish", "fit", "recipes/support.yaml", f"train.epochs={epochs}"]
    command += [
        "train.checkpoint_every_s=0.5",
        "judge.formats=[json]",
        "judge.n_bootstrap=0",
        "--out",
        str(out),
        "--resume",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, errors = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        if not out.exists():
            return ""  # else it was killed between the last rename and its own end: the bundle is whole
        return weights_hash(out)
    if process.returncode not in (0, 3):  # 3: one epoch may miss the gate of the recipe
        raise SystemExit(errors[-3000:])
    return weights_hash(out)


def weights_hash(bundle: Path) -> str:
    return hashlib.sha256((bundle / "model" / "model.safetensors").read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
