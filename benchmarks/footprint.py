"""What answering takes where only `burnish[serve]` is installed: disk, memory, and time to the first answer.

    python benchmarks/footprint.py --bundle runs/clinc-small --threads 1

It makes an environment of its own with `pip install 'burnish[serve]'` from this checkout and constraints.txt, or takes
the one that `--python` names. Installed size leaves out pip and setuptools, and is told with and without the bytecode
that pip makes of every module (`pip install --no-compile` makes none; then Python keeps that of the modules that it
loads). Memory is that of the whole process (VmRSS)
after the first answer and after 1,000 single texts of the bundle's own proof in turn; time is from starting Python to
the first answer, the median of `--rounds`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
ASK = """
import json, sys, time
import burnish

def resident_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmRSS"))

model = burnish.load(sys.argv[1])
texts = json.loads(sys.argv[2])
model(texts[0])
found = {"first_answer": time.time(), "first_mb": resident_mb()}
for at in range(1000):
    model(texts[at % len(texts)])
print(json.dumps({**found, "later_mb": resident_mb(), "torch": "torch" in sys.modules}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--python", type=Path, help="of an environment that has burnish[serve]")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = asked.python or install(Path(folder))
        texts = [
            one["text"] for one in json.loads((asked.bundle / "proof.json").read_text())["examples"] if one["text"]
        ]
        runs = [run(python, asked, texts) for _ in range(asked.rounds)]
        print("| installed, MB | without bytecode | first answer after, s | MB then | MB after 1,000 texts | torch |")
        print("|---|---|---|---|---|---|")
        medians = [
            f"{statistics.median(one[name] for one in runs):.2f}" for name in ("seconds", "first_mb", "later_mb")
        ]
        print(
            f"| {' | '.join(f'{size:.0f}' for size in installed_mb(python))} | {' | '.join(medians)} | "
            f"{'loaded' if runs[0]['torch'] else 'not there'} |"
        )


def install(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    told = [python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", f"{ROOT}[serve]"]
    subprocess.run(list(map(str, told)), check=True)
    return python


def installed_mb(python: Path) -> tuple[float, float]:
    """With and without bytecode."""
    told = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    folder = Path(subprocess.run([python, "-c", told], capture_output=True, text=True, check=True).stdout.strip())
    kept = [one for one in folder.iterdir() if not one.name.startswith(LEFT_OUT)]
    files = [file for one in kept for file in ([one] if one.is_file() else one.rglob("*")) if file.is_file()]
    whole, bytecode = (sum(file.stat().st_size for file in files if file.match(kind)) for kind in ("*", "*.pyc"))
    return whole / 1e6, (whole - bytecode) / 1e6


def run(python: Path, asked: argparse.Namespace, texts: list[str]) -> dict[str, float]:
    environment = {**os.environ, "BURNISH_THREADS": str(asked.threads), "PYTHONPATH": ""}
    started = time.time()
    done = subprocess.run(
        [python, "-c", ASK, asked.bundle, json.dumps(texts)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    found = json.loads(done.stdout.splitlines()[-1])
    return {**found, "seconds": found["first_answer"] - started}


if __name__ == "__main__":
    main()
