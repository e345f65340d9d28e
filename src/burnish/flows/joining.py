"""Data of a task made of several: each is prepared as if it were alone, then their examples stand in one corpus."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from burnish.core.errors import Faults, UserError, hint, listed
from burnish.core.events import Event, Listener, Message
from burnish.core.members import BETWEEN, joined
from burnish.data.corpus import Corpus, CorpusWriter
from burnish.flows.ingest import CARRIED, LINE, PLACE, Ingested, Reading, schema_of
from burnish.flows.prepare import SIDES, Prepared, fresh_folder, prepare
from burnish.recipe.load import Loaded
from burnish.recipe.schema import DataSection
from burnish.tasks._contract import Task
from burnish.tasks._joint import Joint

_OF_DATA = "|".join(sorted(DataSection.model_fields.keys() - {"max_length", "prompt"}))


def prepare_all(loaded: Loaded, work: Path, listen: Listener) -> Prepared:
    """The prepared data of any task; `work` is an empty folder.

    Raises:
        UserError: every fault of the data that can be found at once, of all tasks.
    """
    joint = cast("Task", loaded.recipe.task).joint
    if joint is None:
        return prepare(loaded, work, listen)
    refuse_strangers(loaded, joint)
    members, faults = {}, Faults()
    for name in joint.members:
        try:
            members[name] = prepare(of_member(loaded, name), fresh_folder(work / name), _telling(name, listen))
        except UserError as error:
            for fault in error.faults:
                faults.add(_placed(fault, name))
            faults.n_total += error.n_more
    faults.raise_if_any()
    return _together(joint, members, work)


def refuse_strangers(loaded: Loaded, joint: Joint) -> None:
    """Raise `UserError` for every slice and class weight that names none of the tasks."""
    weights, faults = loaded.recipe.train.class_weights, Faults()
    asked = {"judge.slices": loaded.recipe.judge.slices, "train.class_weights": weights}
    for where, words in asked.items():
        for word in words if not isinstance(words, str) else ():
            name = word.partition(BETWEEN)[0]
            if BETWEEN not in word or name not in joint.members:
                faults.add(
                    f"{where}: '{word}' belongs to no task.{hint(name, joint.members)} Write it as "
                    f"{joined(next(iter(joint.members)), word)}; the tasks are: {listed(joint.members)}."
                )
    faults.raise_if_any()


def of_member(loaded: Loaded, name: str) -> Loaded:
    """The recipe of one task, as if it were alone, with the places that its values were written in.

    Raises:
        UserError: the recipe does not say where its rows come from.
    """
    recipe, inner = loaded.recipe, ("task", "tasks", name)
    joint = cast("Task", recipe.task).joint
    assert joint is not None
    task, data = joint.members[name]
    if data is None:
        raise UserError(f"{loaded.place(*inner)}.data is missing; it says where the rows of this task come from.")
    own = {
        "task": task,
        "data": data,
        "train": recipe.train.of_member(name, has_labels=task.least_labels > 0),
        "judge": recipe.judge.of_member(name),
    }
    places = {trail[3:]: place for trail, place in loaded.places.items() if trail[:3] == inner and trail[3:]}
    return replace(loaded, recipe=recipe.model_copy(update=own), places={**loaded.places, **places})


def _placed(fault: str, name: str) -> str:
    """A fault of one task's data, told by where the recipe of all has it."""
    fault = re.sub(rf"(?<![\w./])data\.(?=({_OF_DATA})\b)", f"task.tasks.{name}.data.", fault)
    return re.sub(r"^task\.(?!tasks\.)", f"task.tasks.{name}.task.", fault)


def _telling(name: str, listen: Listener) -> Listener:
    """A listener that says which task a message is about."""

    def told(event: Event) -> None:
        listen(replace(event, text=f"{name}: {event.text}") if isinstance(event, Message) else event)

    return told


def _together(joint: Joint, members: dict[str, Prepared], work: Path) -> Prepared:
    tasks = {name: one.task for name, one in members.items()}
    task = joint.settled(tasks, {name: _filled_texts(one) for name, one in members.items()})
    assert task.joint is not None
    sides = {
        side: _one_corpus(task.joint, {name: one.sides[side] for name, one in members.items() if side in one.sides},
                          task, work / f"{side}.arrow")
        for side in SIDES
        if any(side in one.sides for one in members.values())
    }  # fmt: skip
    return Prepared(
        task=task,
        sides=sides,
        labels=tuple(joined(name, label) for name, one in members.items() for label in one.labels),
        whole=None,
        duplicates=None,
        leaks=[],
        digest="-".join(one.digest for one in members.values()),
        members=members,
    )


def _filled_texts(prepared: Prepared) -> list[str]:
    """The columns of texts that the training rows of a task fill."""
    assert prepared.train is not None, "each of several tasks has rows"
    corpus = prepared.train.corpus
    known = [name for name in prepared.task.texts if name in corpus.schema.names]
    return [name for name in known if any(value is not None for value in corpus.values(name))]


def _one_corpus(joint: Joint, sides: Mapping[str, Ingested], task: Task, path: Path) -> Ingested:
    """The examples of one side of every task, one task after the other."""
    carried = {name for side in sides.values() for name in side.corpus.schema.names if name.startswith(CARRIED)}
    reading = Reading(task, {}, tuple(sorted(name.removeprefix(CARRIED) for name in carried)), "stop")
    places: list[str] = []
    with CorpusWriter(path, schema_of(reading)) as writer:
        for name, side in sides.items():
            for example in side.corpus:
                stood: dict[str, Any] = {LINE: example[LINE], PLACE: len(places) + example[PLACE]}
                writer.add({**joint.example_of(name, example), **{key: example.get(key) for key in carried}, **stood})
            places += side.places
    facts = {place: found for side in sides.values() for place, found in side.facts.items()}
    dropped = [reason for side in sides.values() for reason in side.dropped]
    return Ingested(Corpus(path), places, facts, sum(side.n_dropped for side in sides.values()), dropped)
