"""`load`: anything that can answer, ready to be asked: a bundle, or a pretrained base as it is.

A bundle is loaded by its own runtime, so nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from burnish.bundle.bundle import Bundle, open_bundle
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.bundle.proof import proof_in
from burnish.core.errors import UserError, listed
from burnish.core.events import Listener, ignore
from burnish.core.manifest import MANIFEST
from burnish.core.shelves import Shelf, need
from burnish.recipe.load import load_untrained
from burnish.tasks._contract import Task


def load(
    model: str | Path,
    task: str | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    cache: int = 0,
    listen: Listener = ignore,
    **settings: Any,
) -> Predictor:
    """A bundle, or a base that answers as it is, as a predictor: call it with a text, or `predict` many.

    Args:
        model: the folder of a bundle; or a base by name, folder or `hub:<id>`, and then `task` says what it should do.
        task: for a base only: the task's name, or a mapping with its settings.
        overrides: for a base only: texts such as `task.corpus=faq.csv` or `data.prompt=query: `.
        cache: how many answers are remembered, so that the same input again costs nothing; 0 remembers none.
        listen: is told of progress.
        **settings: for a base only: the task's own (`labels`, `corpus`, …), `prompt` and `max_length`.

    A shrunk bundle is asked the texts of its proof first.

    Raises:
        UserError: it is neither; a bundle is told to do another thing, or answers otherwise than where it was shrunk;
            or the base cannot do this without training.
        ValueError: `cache` is negative.
    """
    predictor = load_with_columns(model, task, overrides, listen=listen, **settings)[0]
    if (proof := proof_in(Path(model))) is not None:
        proof.check(predictor, Path(model))
    return predictor.remembering(cache) if cache else predictor


def load_with_columns(
    model: str | Path,
    task: str | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    listen: Listener = ignore,
    **settings: Any,
) -> tuple[Predictor, dict[str, str]]:
    """The predictor, and the columns that its recipe or the overrides name."""
    if (Path(model) / MANIFEST).is_file():
        if task is not None or overrides or settings:
            raise UserError(f"{model}: is a bundle, which answers as it was made; leave out the task and its settings.")
        bundle = open_bundle(model)
        return load_predictor(bundle), _trained_columns(bundle)
    if task is None:
        raise _untold(model)
    asked = load_untrained(task, model, overrides, **settings)
    need("torch", "train")
    from burnish.flows.untrained import predictor_of

    return predictor_of(asked, listen), dict(asked.recipe.data.columns)


def _trained_columns(bundle: Bundle) -> dict[str, str]:
    recipe = yaml.safe_load((bundle.folder / "recipe.yaml").read_text("utf-8"))
    gold = bundle.knowledge.task.gold
    return {role: name for role, name in recipe["data"]["columns"].items() if role not in gold}


def _untold(model: str | Path) -> UserError:
    """Why a model that is no bundle cannot be loaded without a word on what it should do."""
    is_base = str(model) in Shelf("bases").names() or str(model).startswith("hub:")
    if not is_base and not (Path(model) / "config.json").is_file():
        open_bundle(model)  # says what is wrong with it
    ready = [_told_with(name) for name in Shelf("tasks").names() if _told_with(name)]
    return UserError(
        f"{model}: is a base, not a bundle, so it must be told its task. As it is, a base can do: {listed(ready)}; "
        "and any task for which it has a trained head of its own. For all else fine-tune it first: `burnish fit`."
    )


def _told_with(name: str) -> str:
    needs = cast("type[Task]", Shelf("tasks").get(name)).untrained_needs
    return "" if needs is None else f"{name} (told {needs})" if needs else name
