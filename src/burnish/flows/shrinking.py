"""Where a bundle is shrunk: its rows laid out again as when it was made, methods applied, the result judged on dev."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import yaml
from pydantic import ValidationError

from burnish.bundle.bundle import Bundle, Knowledge
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.bundle.runtimes.torch import Torch
from burnish.bundle.torch_core import TorchCore
from burnish.compression.methods._contract import Method
from burnish.compression.subject import Loss, Material, Subject, subject_of
from burnish.core.errors import Faults, UserError, listed
from burnish.core.events import Listener, Message
from burnish.core.shelves import Shelf
from burnish.flows.ground import Ground, lay_ground
from burnish.flows.judge import files_in
from burnish.flows.judging import Judge
from burnish.flows.train import batches_of, job_of, loss_of
from burnish.recipe.load import Loaded, load
from burnish.recipe.schema import DataSection, TrainSection, share_of
from burnish.tasks._contract import Answered, Batch, Example, Feature
from burnish.training.run import run

if TYPE_CHECKING:
    from burnish.models.network import Network

N_EXAMPLES = 300


def loaded_again(bundle: Bundle, overrides: Sequence[str]) -> Loaded:
    """The recipe of a bundle as one that starts from the bundle's own model and reads texts as that does.

    Raises:
        UserError: the overrides do not suit the recipe, or the bundle was shrunk before.
    """
    knowledge = bundle.knowledge
    if not isinstance(knowledge.runtime, Torch):
        raise UserError(f"{bundle.folder}: was shrunk before; shrink the bundle that it was made from.")
    filled = yaml.safe_load((bundle.folder / "recipe.yaml").read_text("utf-8"))
    loaded = load(filled, overrides)
    recipe = loaded.recipe
    _refuse_absent(bundle, recipe.data)
    read = recipe.data.model_copy(update={"max_length": knowledge.max_length, "prompt": knowledge.prompt})
    return replace(loaded, recipe=recipe.model_copy(update={"base": str(bundle.model_folder), "data": read}))


def _refuse_absent(bundle: Bundle, data: DataSection) -> None:
    """Raise `UserError` where files that the recipe names are not there: it keeps paths as they were written, and they
    may have been led from elsewhere.
    """
    faults = Faults()
    for name in ("train", "dev", "test"):
        given = getattr(data, name)
        for path in () if given is None or share_of(given) is not None else files_in(given):
            if not path.exists():
                faults.add(
                    f"{bundle.folder}: its recipe names the rows '{path}', which are not there as seen from the "
                    f"current folder, {Path.cwd()}; say where they are: data.{name}=FILE."
                )
    faults.raise_if_any()


@dataclass
class Workshop:
    """A bundle, the rows it was made from, and a folder to work in."""

    bundle: Bundle
    ground: Ground
    work: Path
    listen: Listener

    @classmethod
    def opened(cls, bundle: Bundle, overrides: Sequence[str], work: Path, listen: Listener) -> Workshop:
        """The workshop for a bundle, its rows read again.

        Raises:
            UserError: the rows are not there, are not those that it learnt from, or hold no dev side.
        """
        ground = lay_ground(loaded_again(bundle, overrides), work, listen, is_bundle=True)
        if ground.labels != bundle.knowledge.labels:
            raise UserError(
                f"{bundle.folder}: the rows that its recipe names now have other labels than it learnt; name those it "
                "was made from, e.g. data.train=FILE."
            )
        missing = "dev" if ground.dev is None else "training" if ground.store is None else None
        if missing is not None:
            raise UserError(
                f"{bundle.folder}: its recipe names no {missing} rows; a model is shrunk with training rows and held "
                "against the judged one on dev rows: name both, e.g. data.train=FILE data.dev=10%."
            )
        return cls(bundle, ground, work, listen)

    @cached_property
    def judged(self) -> Predictor:
        """The bundle's own predictor, in torch."""
        return load_predictor(self.bundle)

    @cached_property
    def dev(self) -> list[Answered]:
        """Dev as the judged model answers it."""
        return self.judged.answer(self.dev_examples)

    @property
    def dev_examples(self) -> list[Example]:
        assert self.ground.dev is not None, "`opened` refuses to go without"
        return self.ground.dev.examples

    @property
    def judge(self) -> Judge:
        return Judge(self.bundle.knowledge.task, self.ground.labels, self.ground.recipe.judge)

    def subject(self) -> Subject:
        """The judged model as what the first method gets."""
        return subject_of(self.judged, self.bundle.model_folder)

    def shrunk(self, methods: Sequence[Method]) -> Subject:
        """What the methods make of the model, one after the other.

        Raises:
            UserError: one of them does not suit it, or failed.
        """
        subject = self.subject()
        for method in methods:
            if (refusal := method.refusal(subject)) is not None:
                raise UserError(f"{method.part_name}: {refusal}")
            self.listen(Message(f"{' + '.join((*subject.steps, method.part_name))} …"))
            subject = method.apply(subject, self.material(subject))
        return subject

    def predictor(self, subject: Subject, knowledge: Knowledge) -> Predictor:
        """A predictor of a subject: by its runtime, or in torch where it has none."""
        if subject.runtime is None or subject.files is None:
            core: Any = TorchCore(subject.network, subject.task, subject.reader.pad_id, len(subject.labels))
        else:
            core = subject.runtime.load(subject.files, subject.task, subject.reader, subject.labels)
        return Predictor(knowledge, subject.reader, core)

    def material(self, subject: Subject) -> Material:
        """What the next method may use. Where the tokens are no longer those of the stored rows, nothing is trained."""
        is_same, work = subject.reader is self.judged.reader, self.work / "methods"
        work.mkdir(exist_ok=True)
        return Material(
            examples=self._examples(subject),
            batches=self._batches if is_same else _refuse_training,
            loss=loss_of(self.ground, self.ground.task),
            learn=self._learn if is_same else _refuse_training,
            features=lambda: self._features(subject),
            work=work,
            seed=self.ground.recipe.train.seed,
            listen=self.listen,
        )

    def _examples(self, subject: Subject) -> list[Feature]:
        """Features of training rows spread evenly, as the subject reads them."""
        assert self.ground.prepared.train is not None, "`opened` refuses to go without"
        corpus = self.ground.prepared.train.corpus
        n = min(N_EXAMPLES, len(corpus))
        rows = corpus.take(np.array([at * len(corpus) // n for at in range(n)], np.int64))
        encoded = subject.task.encode(rows, subject.reader, subject.labels)
        return [feature for one in encoded for feature in one.features]

    def _features(self, subject: Subject) -> Iterator[Feature]:
        """Of the training rows alone: what dev and test hold must not decide which tokens stay."""
        assert self.ground.prepared.train is not None, "`opened` refuses to go without"
        for examples in self.ground.prepared.train.corpus.batches(subject.task.rows_at_once):
            for one in subject.task.encode(examples, subject.reader, subject.labels):
                yield from one.features

    def _batches(self) -> Iterator[Batch]:
        stored = batches_of(self.ground, self.ground.task, self.ground.recipe.train.seed)
        return (stored.read(0, position).to("cpu") for position in range(stored.n_batches(0)))

    def _learn(self, network: Network, loss: Loss, *, epochs: int, learning_rate: float | None = None) -> None:
        if not epochs:
            return
        ground, learning = self.ground, self.work / "learning"
        core = TorchCore(network, ground.task, ground.reader.pad_id, len(ground.labels))
        job = replace(
            job_of(ground, ground.recipe.train.seed, core),
            loss=loss,
            settings=self._settings(epochs, learning_rate),
            work=learning / str(len(list(learning.glob("*")))),
            is_kept=False,
            listen=self.listen,
        )
        run(job)

    def _settings(self, epochs: int, learning_rate: float | None) -> TrainSection:
        own = self.ground.recipe.train
        changes: dict[str, Any] = {"epochs": epochs, "patience": None}
        if learning_rate is not None:
            changes |= {"learning_rate": learning_rate, "head_learning_rate": learning_rate}
        return own.model_copy(update=changes)


def write_model(subject: Subject, folder: Path) -> None:
    """What a bundle's model folder holds of a subject: weights or artefact, config, tokenizer.

    Raises:
        UserError: it was left without an artefact and has no plain layout.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if subject.files is not None:
        for file in subject.files.iterdir():
            shutil.copyfile(file, folder / file.name)
        config = getattr(getattr(subject.network, "trunk", None), "config", None)
        if config is not None:
            config.save_pretrained(folder)
        else:
            shutil.copyfile(subject.folder / "config.json", folder / "config.json")
    elif subject.is_plain:
        subject.network.save(folder)
    else:
        raise UserError(
            f"{' + '.join(subject.steps)}: has no layout of its own; end with a method such as int8_static."
        )
    subject.reader.save(folder, subject.folder)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}, got {one['input']!r}" for one in error.errors()
        )
    return " ".join(str(error).split())[:300]


def _refuse_training(*_: Any, **__: Any) -> Any:
    raise UserError("what is trained must come before `vocabulary`, which gives tokens other numbers; swap the two.")


def chains(asked: Sequence[str]) -> list[list[Method]]:
    """Chains of methods as they are written: names joined by commas, or mappings with settings.

    Raises:
        UserError: one cannot be read, or names no method.
    """
    found = []
    for text in asked:
        try:
            items = yaml.safe_load(f"[{text}]")
            found.append([cast("Method", Shelf("methods").build(item)) for item in items])
        except (yaml.YAMLError, ValueError) as error:
            raise UserError(f"--try '{text}': {_reason(error)}") from None
        if not found[-1]:
            raise UserError(f"--try '{text}': names no method; there are: {listed(Shelf('methods').names())}.")
        if any(one.makes == "artefact" for one in found[-1][:-1]):
            raise UserError(f"--try '{text}': what writes an artefact comes last.")
    return found
