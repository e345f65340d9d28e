"""Training that goes on from a finished bundle: what is taken over, what a recipe cannot change, and how weights move.

The network starts where the bundle left off. Labels may be more: each known one keeps its weights, found by its name,
and a new one starts as its head starts any label.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
import yaml
from pydantic import ValidationError

from burnish.bundle.bundle import Bundle, open_bundle
from burnish.bundle.predictor import load_predictor
from burnish.bundle.runtimes.torch import Torch
from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import Faults, UserError
from burnish.core.files import sha256_of
from burnish.core.manifest import MANIFEST
from burnish.core.shelves import Shelf
from burnish.models.heads._contract import Head
from burnish.models.locate import Located
from burnish.models.network import Network
from burnish.recipe.load import Loaded
from burnish.recipe.schema import Recipe
from burnish.tasks._contract import Task
from burnish.training.anchors._contract import Anchor
from burnish.training.origin import Answers


@dataclass
class WarmStart:
    """The bundle that training goes on from. `place` is where the recipe names it."""

    bundle: Bundle
    place: str
    by_output: frozenset[str] = frozenset()
    """Names of the weights that grew with the labels, a row for each output: known once a network has taken over."""

    @property
    def labels(self) -> tuple[str, ...]:
        return self.bundle.knowledge.labels

    @property
    def base(self) -> Located:
        """The bundle's model, under the name of the base that it was first made from."""
        return Located(self.bundle.knowledge.base, self.bundle.model_folder)

    @property
    def digest(self) -> str:
        """What a checkpoint of a run that starts here belongs to: SHA-256 of a list of every file's."""
        return sha256_of(self.bundle.folder / MANIFEST)

    def recipe_of(self, loaded: Loaded) -> Loaded:
        """The recipe as it is run: with the bundle's base and head, and with texts read as the bundle reads them.

        Raises:
            UserError: a setting of the task does not go with the bundle's head.
        """
        recipe, knowledge = loaded.recipe, self.bundle.knowledge
        changed = {
            "task": self._task_of(cast("Task", recipe.task)),
            "base": _base_said(self.bundle),
            "data": recipe.data.model_copy(update={"max_length": knowledge.max_length, "prompt": knowledge.prompt}),
        }
        return replace(loaded, recipe=recipe.model_copy(update=changed))

    def _task_of(self, task: Task) -> Task:
        settings = {name: getattr(task, name) for name in type(task).model_fields}
        try:
            return type(task).model_validate({**settings, "head": self.bundle.knowledge.task.head_part})
        except ValidationError as error:
            reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            raise UserError(f"{self.place}: with the head of {self.bundle.folder} the task {reason}.") from None

    def places(self, task: Task, labels: tuple[str, ...]) -> tuple[int, ...] | None:
        """Where the bundle's outputs stand among those for `labels`; None where there are no others."""
        knowledge = self.bundle.knowledge
        old, new = knowledge.task.head_plan(knowledge.labels).labels, task.head_plan(labels).labels
        return None if old == new else tuple(new.index(name) for name in old)

    def hand_over(self, network: Network, task: Task, labels: tuple[str, ...], share: float = 1.0) -> None:
        """Put the bundle's weights into a network made for `labels`; of a smaller share of them (0 … 1) the rest stays.

        Raises:
            UserError: a weight is of another size for another reason than further labels.
        """
        core = load_predictor(self.bundle).core
        assert isinstance(core, TorchCore), "`begin_warm` lets no other runtime through"
        self.by_output = take_over(network, core.network, self.places(task, labels), self.place, share)


def take_over(
    new: Network, old: Network, places: tuple[int, ...] | None, where: str, share: float = 1.0
) -> frozenset[str]:
    """Move every weight of `new` a share of the way to that of `old`; of those that grew with the outputs, the rows at
    `places`.

    Returns their names. `where` begins what is said of a weight that does not fit. Raises `UserError`.
    """
    grown, own, moved = [], new.state_dict(keep_vars=True), set()
    with torch.no_grad():
        for name, given in old.state_dict().items():
            kept = own.get(name)
            if kept is not None and kept.shape == given.shape:
                rows: Any = ...
            elif kept is not None and places is not None and kept[list(places)].shape == given.shape:
                rows = list(places)
                grown.append(name)
            else:
                size = "no such weight" if kept is None else f"{list(kept.shape)}"
                raise UserError(
                    f"{where}: the bundle's {name} is {list(given.shape)} and this recipe makes {size} of it; give the "
                    "task the settings that it has in the bundle's recipe.yaml."
                )
            if id(kept) not in moved:  # a tied weight has two names
                moved.add(id(kept))
                kept[rows] = _between(kept[rows], given.to(kept.device), share)
    return frozenset(grown)


def _between(kept: torch.Tensor, given: torch.Tensor, share: float) -> torch.Tensor:
    """Counts have nothing between them, and stay."""
    if share == 1:
        return given
    return torch.lerp(kept, given, share) if kept.is_floating_point() else kept


def begin_warm(loaded: Loaded) -> WarmStart | None:
    """The bundle that the recipe starts from; None where it starts from a base.

    Raises:
        UserError: it cannot be used, or the recipe asks for what it is not.
    """
    _refuse_idle_replay(loaded)
    recipe = loaded.recipe
    if recipe.train.start is None:
        return None
    place, task = loaded.place("train", "start"), cast("Task", recipe.task)
    if (reason := cannot_go_on(task)) is not None:
        raise UserError(f"{place}: {reason}")
    bundle = open_bundle(loaded.located("train", "start"))
    runtime = bundle.knowledge.runtime
    if not isinstance(runtime, Torch):
        raise UserError(
            f"{place}: {bundle.folder} is a shrunk bundle (its runtime is {runtime.part_name}), which is not trained "
            "further; name the bundle that it was shrunk from, and shrink the result again."
        )
    faults = Faults()
    for fault in _changes(recipe, task, bundle):
        faults.add(f"{place}: {fault}")
    faults.raise_if_any()
    return WarmStart(bundle, place)


def without_start(loaded: Loaded) -> tuple[Loaded, tuple[str, ...]]:
    """The recipe of a bundle, whose own model is the base: without what that went on from; and the labels that it has,
    some of which may have no rows.
    """
    recipe = loaded.recipe
    if recipe.train.start is None:
        return loaded, ()
    none = Shelf("anchors").build("none")
    changed = {
        "train": recipe.train.model_copy(update={"start": None, "start_share": 0.0, "anchor": none}),
        "data": recipe.data.model_copy(update={"replay": None}),
    }
    labels = open_bundle(Path(recipe.base).parent).knowledge.labels
    return replace(loaded, recipe=recipe.model_copy(update=changed)), labels


def _refuse_idle_replay(loaded: Loaded) -> None:
    """Raise `UserError` where rows to hold on to are named that nobody would read."""
    recipe = loaded.recipe
    joint = cast("Task", recipe.task).joint
    named = {} if joint is None else {f"task.tasks.{name}.data": one.data for name, one in joint.members.items()}
    anchor = cast("Anchor", recipe.train.anchor)
    faults = Faults()
    for section, data in {"data": recipe.data, **named}.items():
        if data is not None and data.replay is not None and (section != "data" or not anchor.most_rows):
            faults.add(
                f"{section}.replay: no anchor reads these rows (train.anchor is '{anchor.part_name}'); name ewc or "
                "replay with train.start, or take them out."
            )
    faults.raise_if_any()


def cannot_go_on(task: Task) -> str | None:
    """Why a task has no warm start, or None."""
    name = task.part_name
    if task.joint is not None:
        return f"the task '{name}' is not trained further; task.start puts further tasks beside those of a bundle."
    if task.head_part.gives == "preferences":
        return (
            f"the task '{name}' is not trained further, as its weights belong to the items of one catalogue; "
            "train it anew on all rows."
        )
    if task.head_part.gives in ("fused", "space"):
        return f"the task '{name}' is not trained further where it reads with several bases; train it anew on all rows."
    return None


def _changes(recipe: Recipe, task: Task, bundle: Bundle) -> Iterator[str]:
    """What the recipe asks for that the bundle is not, a sentence each."""
    knowledge, folder = bundle.knowledge, bundle.folder
    old = knowledge.task
    if task.part_name != old.part_name:
        yield f"{folder} is a bundle of the task '{old.part_name}', and this recipe's is '{task.part_name}'."
        return
    asked: Any = getattr(task, "head", None) if "head" in task.model_fields_set else None
    if asked is not None and asked != old.head_part:
        yield f"the head is that of {folder}, {_said(old.head_part)}; got {_said(asked)}. Take task.head out."
    template = getattr(task, "template", None)
    if template is not None and template != getattr(old, "template", None):
        yield f"chats are written as {folder} writes them; take task.template out."
    same = (Recipe.model_fields["base"].default, knowledge.base, _base_said(bundle), str(folder))
    if recipe.base not in (*same, str(bundle.model_folder)):
        yield f"the base is that of {folder} ({knowledge.base}); got '{recipe.base}'. Take 'base' out."
    for name, unset in (("max_length", None), ("prompt", "")):
        wanted, had = getattr(recipe.data, name), getattr(knowledge, name)
        if wanted not in (unset, had):
            yield f"{folder} reads texts with {name} {had!r}; got data.{name} {wanted!r}. Take it out."


def _said(head: Head) -> str:
    """A head as a recipe writes it: its name, and those settings that are not the usual ones."""
    fields = type(head).model_fields
    settings = [f"{name}: {value}" for name, value in head.model_dump().items() if value != fields[name].default]
    return head.part_name if not settings else f"{{name: {head.part_name}, {', '.join(settings)}}}"


def _base_said(bundle: Bundle) -> str:
    """The base as the bundle's own recipe says it."""
    return str(yaml.safe_load((bundle.folder / "recipe.yaml").read_text("utf-8"))["base"])


def answers_of(task: Task, labels: tuple[str, ...]) -> Answers:
    """What the logits of a task say."""
    gives, problem = task.head_part.gives, task.head_plan(labels).problem
    if gives == "spans":
        return "places"
    if gives == "vectors" or problem == "regression":
        return "values"
    return "choices" if problem == "multi_label_classification" else "choice"
