"""What is installed and what this machine can do: the first thing to look at when something is slow or missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import cast

import burnish
from burnish.core.errors import UserError
from burnish.core.settings import settings, usable_cores
from burnish.core.shelves import Shelf
from burnish.models.bases._contract import Base
from burnish.store.sqlite import sqlite_module

LIBRARIES = (
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "accelerate",
    "numpy",
    "pyarrow",
    "scikit-learn",
    "pydantic",
)
INSTRUCTIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "avx512_bf16": "AVX-512 bf16",
    "amx_bf16": "AMX bf16",
    "amx_int8": "AMX int8",
    "asimd": "NEON",
    "bf16": "Arm bf16",
    "i8mm": "Arm int8",
}
"""Flag in /proc/cpuinfo → the name people know. They decide what bf16 training and int8 inference cost."""

Findings = dict[str, dict[str, str]]


def examine() -> Findings:
    """Section → name → finding. Libraries are looked up, not imported, except torch for its devices."""
    return {
        "burnish": _own(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "extras": {name: _extra(name, needs) for name, needs in extras().items()},
        "machine": _machine(Path("/proc")),
        "devices": _devices(),
        "bases": {name: _base(name) for name in Shelf("bases").names()},
        "storage": _storage(),
    }


def extras() -> dict[str, list[str]]:
    """Extra → the distributions it brings, from the installed metadata of Burnish itself."""
    found: dict[str, list[str]] = {}
    for line in importlib.metadata.requires("burnish") or []:
        match = re.match(r"([A-Za-z0-9._-]+).*;\s*extra\s*==\s*['\"]([\w-]+)['\"]", line)
        if match and match[1] != "burnish" and match[2] != "dev":
            found.setdefault(match[2], []).append(match[1])
    return {name: needs for name, needs in found.items() if name != "all"}


def instruction_sets(cpuinfo: str) -> list[str]:
    """The instruction sets that matter here, of the first processor in a /proc/cpuinfo."""
    match = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    flags = set(match[1].split()) if match else set()
    return [name for flag, name in INSTRUCTIONS.items() if flag in flags]


def _own() -> dict[str, str]:
    return {
        "version": burnish.__version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _extra(name: str, needs: list[str]) -> str:
    missing = [need for need in needs if _version(need) == "not installed"]
    return "installed" if not missing else f"lacks {', '.join(missing)}: pip install 'burnish[{name}]'"


def _machine(proc: Path) -> dict[str, str]:
    cpuinfo = _text(proc / "cpuinfo")
    return {
        "processor": processor(proc),
        "cores": f"{usable_cores()} usable of {os.cpu_count()}",
        "threads": f"{settings().n_threads} (BURNISH_THREADS)",
        "instructions": ", ".join(instruction_sets(cpuinfo)) or "none of those that matter are known",
        "memory": _memory(_text(proc / "meminfo")),
    }


def processor(proc: Path = Path("/proc")) -> str:
    """What the processor calls itself in `cpuinfo`, or else its kind."""
    model = re.search(r"^model name\s*:\s*(.*)$", _text(proc / "cpuinfo"), re.MULTILINE)
    return model[1] if model else platform.processor() or platform.machine()


def _memory(meminfo: str) -> str:
    kib = {name: int(number) for name, number in re.findall(r"^(\w+):\s+(\d+) kB", meminfo, re.MULTILINE)}
    if "MemTotal" not in kib:
        return "unknown"
    return f"{_gib(kib.get('MemAvailable', 0) * 1024)} free of {_gib(kib['MemTotal'] * 1024)}"


def _devices() -> dict[str, str]:
    if importlib.util.find_spec("torch") is None:
        return {"torch": "not installed: pip install 'burnish[train]'"}
    import torch

    found = {"torch threads": f"{torch.get_num_threads()}"}
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        found[f"cuda:{number}"] = f"{about.name}, {_gib(about.total_memory)}"
    if torch.backends.mps.is_available():
        found["mps"] = "Apple GPU"
    return found if len(found) > 1 else {**found, "accelerator": "none; the CPU is used"}


def _base(name: str) -> str:
    try:
        folder = cast("Base", Shelf("bases").build(name)).folder()
    except UserError as error:
        return str(error)
    return f"present in {folder}" if folder.is_dir() else f"absent: {folder} is no folder"


def _storage() -> dict[str, str]:
    """Data is prepared beside the bundle by `fit`, in the system's folder for temporary files by the other verbs."""
    temporary = Path(tempfile.gettempdir())
    return {
        "temporary files": f"{temporary}, {_gib(shutil.disk_usage(temporary).free)} free",
        "sqlite": sqlite_module().sqlite_version,
    }


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
