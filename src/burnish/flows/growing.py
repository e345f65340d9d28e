"""Tasks put beside those of a finished bundle: its trunk and its heads stay as they are, bit for bit.

Only new heads are trained, on the trunk as it is. What is written takes trunk and old heads from the bundle's own
files, so that nothing in training can reach them.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from burnish.bundle.bundle import Bundle, Knowledge, open_bundle
from burnish.bundle.predictor import load_predictor
from burnish.bundle.runtimes.torch import Torch
from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import Faults, UserError, listed
from burnish.models.network import Network
from burnish.models.sharing import SharedReadout
from burnish.recipe.load import Loaded
from burnish.recipe.schema import Recipe
from burnish.tasks._contract import Decision, Task
from burnish.tasks._joint import Joint


@dataclass(frozen=True)
class Beginning:
    """The bundle that new tasks are put beside."""

    bundle: Bundle

    @property
    def joint(self) -> Joint:
        joint = self.bundle.knowledge.task.joint
        assert joint is not None, "only a bundle of several tasks is begun from"
        return joint

    def recipe_of(self, loaded: Loaded) -> Loaded:
        """The recipe as it is run: on the bundle's trunk, which stays, and with texts read as the bundle reads them."""
        recipe, knowledge = loaded.recipe, self.bundle.knowledge
        frozen = recipe.train.freeze.model_copy(update={"all_but_head": True})
        changed = {
            "base": str(self.bundle.model_folder),
            "data": recipe.data.model_copy(update={"max_length": knowledge.max_length, "prompt": knowledge.prompt}),
            "train": recipe.train.model_copy(update={"freeze": frozen}),
        }
        return replace(loaded, recipe=recipe.model_copy(update=changed))

    def knowledge_with(self, new: Knowledge) -> Knowledge:
        """What the old tasks and the new ones know."""
        old = self.bundle.knowledge
        return replace(
            old,
            task=self.joint.beside(new.task),
            labels=(*old.labels, *new.labels),
            decision=Decision(members={**old.decision.members, **new.decision.members}),
        )

    def network_with(self, new: Network) -> Network:
        """The old trunk with its own heads, and the new ones beside them."""
        core = load_predictor(self.bundle).core
        assert isinstance(core, TorchCore), "`begin` lets no other runtime through"
        old = core.network.cpu()
        heads = {
            name: readout.head(name)
            for readout in (old.readout, new.readout)
            if isinstance(readout, SharedReadout)
            for name in readout.names
        }
        return Network(old.trunk, SharedReadout({name: head.cpu() for name, head in heads.items()}))

    def copy_reports(self, folder: Path) -> None:
        """The reports of the old tasks, beside those of the new ones."""
        reports = self.bundle.folder / "report"
        for file in reports.rglob("*"):
            name = file.relative_to(reports)
            if file.is_file() and name.parts[0] in self.joint.members:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, folder / name)


def begin(loaded: Loaded) -> Beginning | None:
    """The bundle that the recipe starts from; None for a model of its own.

    Raises:
        UserError: it cannot be used, or the recipe asks for what would change it.
    """
    task = cast("Task", loaded.recipe.task)
    if task.joint is None or task.joint.start is None:
        return None
    bundle, place = open_bundle(loaded.located("task", "start")), loaded.place("task", "start")
    old = bundle.knowledge.task
    if old.joint is None:
        raise UserError(f"{place}: {bundle.folder} is a bundle of the task '{old.part_name}'; name one of multitask.")
    if not isinstance(bundle.knowledge.runtime, Torch):
        raise UserError(
            f"{place}: {bundle.folder} is a shrunk bundle (its runtime is {bundle.knowledge.runtime.part_name}), which "
            "cannot be the start of further tasks; name the bundle that it was shrunk from."
        )
    faults = Faults()
    for fault in _changes(loaded.recipe, bundle, old.joint, task.joint):
        faults.add(f"{place}: {fault}")
    faults.raise_if_any()
    old.joint.beside(task)
    return Beginning(bundle)


def _changes(recipe: Recipe, bundle: Bundle, old: Joint, new: Joint) -> list[str]:
    """What the recipe asks for that the bundle's tasks would not survive, a sentence each."""
    faults, knowledge = [], bundle.knowledge
    if taken := [name for name in new.members if name in old.members]:
        faults.append(f"{bundle.folder} has the task {listed(taken)} already; give the new one another name.")
    if recipe.base not in (Recipe.model_fields["base"].default, str(bundle.model_folder)):
        faults.append(f"the trunk is that of {bundle.folder}, so there is no other base; take 'base' out.")
    for name, unset in (("max_length", None), ("prompt", "")):
        asked, had = getattr(recipe.data, name), getattr(knowledge, name)
        if asked not in (unset, had):
            faults.append(f"{bundle.folder} reads texts with {name} {had!r}; got data.{name} {asked!r}. Take it out.")
    is_split, needs_split = (any(one.task.is_cjk_split for one in joint.members.values()) for joint in (old, new))
    if needs_split and not is_split:
        odd = [name for name, one in new.members.items() if one.task.is_cjk_split]
        faults.append(
            f"{listed(odd)} needs every Chinese character as a token of its own, which {bundle.folder} does not give; "
            "train all tasks together."
        )
    return faults
