"""The ready recipes on public data: scores, calibration, time and memory of `burnish fit`, one after the other.

    BURNISH_DATA=… BURNISH_ZH_BASE=… python benchmarks/accuracy.py clinc150 conll2003 thucnews_titles --threads 2

BURNISH_DATA is the folder that holds the data sets (see the recipes), BURNISH_ZH_BASE a Chinese base. Time is the
wall time of the whole command, from reading the files to the written bundle; memory is its peak resident memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WANTED = {"clinc150": "accuracy", "conll2003": "entity_f1", "thucnews_titles": "accuracy", "chnsenticorp": "accuracy"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="+", help="names of files in recipes/, without the suffix")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="keep the bundles here")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in asked.recipes:
            rows.append(fit(name, (asked.out or Path(scratch)) / name, asked.threads))
            print(json.dumps(rows[-1]), flush=True)
    print("\n| recipe | rows judged | score | 95 % interval | ECE before | ECE after | wall time | peak memory |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['name']} | {row['n_rows']:,} | {row['score']} | {row['interval']} | {row['ece_before']:.2%} "
            f"| {row['ece_after']:.2%} | {row['minutes']:.1f} min | {row['peak_mb']:.0f} MB |"
        )


def fit(name: str, out: Path, threads: int) -> dict:
    command = [sys.executable, "-m", "burnish", "fit", f"recipes/{name}.yaml", "--out", str(out)]
    environment = {**os.environ, "BURNISH_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak_kb = 0
    while process.poll() is None:
        peak_kb = max(peak_kb, resident_kb(process.pid))
        time.sleep(0.2)
    if process.returncode not in (0, 3):  # 3: a gate was missed, which the table shows anyway
        raise SystemExit(process.stderr.read().decode()[-3000:])
    minutes = (time.monotonic() - started) / 60
    return {"name": name, "minutes": minutes, "peak_mb": peak_kb / 1024, **scores(name, out)}


def resident_kb(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def scores(name: str, out: Path) -> dict:
    report = json.loads((out / "report" / "report.json").read_text())
    main_score = WANTED.get(name, report["headline"][0])
    shown = [f"{key} {report['scores'][key]:.2%}" for key in dict.fromkeys([main_score, *report["headline"][:4]])]
    low, high = report["intervals"][main_score]
    return {
        "n_rows": report["n_rows"],
        "score": ", ".join(shown),
        "interval": f"{low:.2%} – {high:.2%}",
        "ece_before": report["calibration"]["ece_before"],
        "ece_after": report["calibration"]["ece_after"],
    }


if __name__ == "__main__":
    main()
