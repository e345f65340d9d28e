"""Burnish: from a pretrained model and your own text to a small, fast, trusted service."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from burnish.flows.check import check
    from burnish.flows.compare import compare
    from burnish.flows.converse import converse
    from burnish.flows.export import export
    from burnish.flows.fit import fit
    from burnish.flows.index import index
    from burnish.flows.init import init
    from burnish.flows.judge import judge
    from burnish.flows.load import load
    from burnish.flows.predict import predict
    from burnish.flows.pretrain import pretrain
    from burnish.flows.promote import promote, rollback
    from burnish.flows.relate import relate
    from burnish.flows.release import release
    from burnish.flows.retrain import retrain
    from burnish.flows.shrink import shrink
    from burnish.flows.stream import stream

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "check",
    "compare",
    "converse",
    "export",
    "fit",
    "index",
    "init",
    "judge",
    "load",
    "predict",
    "pretrain",
    "promote",
    "relate",
    "release",
    "retrain",
    "rollback",
    "shrink",
    "stream",
]

_VERBS = (
    *("check", "compare", "converse", "export", "fit", "index", "init", "judge", "load", "predict", "pretrain"),
    *("promote", "relate", "release", "retrain", "shrink", "stream"),
)
_HOMES = {verb: (f"burnish.flows.{verb}", verb) for verb in _VERBS} | {
    "rollback": ("burnish.flows.promote", "rollback")
}


def __getattr__(name: str) -> Any:
    """A verb, imported when it is first asked for: `import burnish` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'burnish' has no attribute '{name}'")
    module, verb = _HOMES[name]
    return getattr(importlib.import_module(module), verb)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
