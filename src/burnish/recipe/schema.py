"""The recipe's schema: what to do, with the reason or unit of each setting under it.

Every field has a default except the task and the training data, so that a filled recipe (all defaults
written out, stored with the result) says completely what was done.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    field_serializer,
    field_validator,
)

from burnish.core.members import owned, owned_items
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.recipe.rows import ROWS, names_rows, told

SCHEMA = 1


class Section(BaseModel):
    """Base of every section: unknown keys are faults, values never change after loading, numbers are finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class DataSection(Section):
    """Where rows come from, what their columns mean, and how they are split."""

    train: Any
    """A path, a list of paths, `hub:<id>`, a source part with settings, or (from Python) rows, pandas, pyarrow.
    May be left out where `task.labels` tells every label in words; nothing is trained then, and dev may be left out."""

    dev: Any = "10%"
    """Like `train`, or a share of it such as `10%`. Dev chooses the best epoch and fits the calibration."""

    test: Any = None
    """Like `train`, or a share of it. Test is only ever judged. Without it, the judge falls back to dev and says so."""

    replay: Any = None
    """Rows in files or sources, like `train`, that the bundle `train.start` knew: what an anchor that reads rows holds
    on to. They are not trained on. Null takes those rows of `train` whose labels that bundle knew."""

    columns: dict[str, str] = {}
    """What the task reads → the column that holds it in the file, e.g. `{text: utterance, label: intent}`."""

    split: Annotated[Part, Shelf("splits")] = Field(default="stratified", validate_default=True)
    """How shares are cut from `train`: random, stratified, grouped, time."""

    duplicates: Literal["near", "exact", "off"] = "near"
    """Which duplicates are kept on one side of a split, and reported as leaks between given splits."""

    similarity: float = Field(default=0.8, gt=0, le=1)
    """Jaccard similarity of character 5-grams from which two texts count as near duplicates."""

    encoding: str = "auto"
    """Text encoding of files: `auto` (UTF-8, UTF-16 with BOM, GB18030), or a codec's name."""

    bad_rows: Literal["stop", "drop"] = "stop"
    """What to do with rows that cannot be used: stop and name them, or drop them and count them in the data card."""

    rows_per_class: int | None = Field(default=None, ge=1)
    """Most training rows of each label, drawn by the seed once dev and test are cut off: for few-shot, and to see how
    a score grows with rows; null takes all."""

    most_share_rows: int = Field(default=20_000, ge=100)
    """Most rows that a share such as `10%` takes: more would cost time and memory and change no decision."""

    max_length: int | None = Field(default=None, ge=8)
    """Most tokens a text may have; null takes what the base allows. Longer texts are cut or windowed by the task."""

    prompt: str = ""
    """Put before every text that the base reads, as E5 bases want `query: `; part of the bundle, never of an answer."""

    @field_serializer(*ROWS, "replay")
    def _rows_are_told(self, value: Any) -> Any:
        return told(value)

    @field_validator("train")
    @classmethod
    def _train_is_named(cls, value: Any) -> Any:
        if isinstance(value, str | list) and not value:
            raise ValueError("must name the training rows, e.g. train.csv; it is empty")
        if share_of(value) is not None:
            raise ValueError(f"must name the rows that shares are cut from, e.g. train.csv; got '{value}'")
        return value

    @field_validator("replay")
    @classmethod
    def _replay_is_somewhere(cls, value: Any) -> Any:
        is_given_in_place = isinstance(value, list | dict) and not names_rows(value)
        if is_given_in_place or share_of(value) is not None or value == []:
            raise ValueError("must name files or sources of rows that train.start knew, e.g. old.csv, or be left out")
        return value

    @field_validator("dev")
    @classmethod
    def _dev_is_there(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.data.get("train") is not None:
            raise ValueError("is needed: it chooses the best epoch and fits the calibration; give a share or a file")
        return value

    @field_validator("dev", "test")
    @classmethod
    def _share_is_sensible(cls, value: Any, info: ValidationInfo) -> Any:
        percent = share_of(value)
        if percent is not None and "train" in info.data and info.data["train"] is None:
            raise ValueError(f"is a share of data.train, which is not given; name a file; got '{value}'")
        if percent is not None and not 0 < percent < 0.9:
            raise ValueError(f"must be a share between 0% and 90%, or a file; got '{value}'")
        return value


def share_of(value: Any) -> float | None:
    """0.1 for `10%`; None when `value` is not a share."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value) if isinstance(value, str) else None
    return float(found[1]) / 100 if found else None


Weights = dict[str, Annotated[float, Field(gt=0)]]


def _kind_of_weights(value: Any) -> str:
    return "each" if isinstance(value, dict) else "word"


class FreezeSection(Section):
    """What is not trained."""

    embeddings: bool = False
    """Keep the token embeddings as pretrained: fewer bytes per step, seldom less accurate."""

    layers: int = Field(default=0, ge=0)
    """How many layers, from the bottom, stay as pretrained."""

    all_but_head: bool = False
    """Train only the head. The base is then read without dropout; under the heads mean and max each text is read once,
    and what the base made of it is kept for later runs."""


class TrainSection(Section):
    """How the model is fine-tuned."""

    epochs: int = Field(default=5, ge=0)
    """Passes over the training rows; 0 trains nothing and judges the base as it is."""

    tokens_per_batch: int = Field(default=1024, ge=16)
    """Most tokens (padding included) computed at once; rows of like length share a batch."""

    accumulate: int = Field(default=1, ge=1)
    """Batches whose gradients are added before one optimiser step."""

    learning_rate: float = Field(default=2e-4, gt=0)
    """Peak rate of the pretrained weights."""

    head_learning_rate: float | None = Field(default=None, gt=0)
    """Peak rate of the new head; null takes 10 × `learning_rate`, or `learning_rate` itself after `start`."""

    optimizer: Annotated[Part, Shelf("optimizers")] = Field(default="adamw", validate_default=True)
    """adamw, adafactor, sgd."""

    schedule: Annotated[Part, Shelf("schedules")] = Field(default="linear", validate_default=True)
    """constant, linear, cosine; each with `warmup`, the share of steps that the rate rises."""

    clip_norm: float = Field(default=1.0, ge=0)
    """Largest gradient norm; 0 turns clipping off."""

    weight_decay: float = Field(default=0.01, ge=0)
    """Decay of matrices; biases and norms are never decayed."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of matrix products in training. `auto` takes bf16 where the device is fast at it. Judged in fp32."""

    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: a third slower, far less memory."""

    freeze: FreezeSection = Field(default_factory=FreezeSection)
    """What is not trained."""

    peft: Annotated[Part, Shelf("peft")] = Field(default="full", validate_default=True)
    """How the base is tuned: full (all weights), lora (small matrices beside them). The head is always trained."""

    start: str | None = None
    """Folder of a bundle that training goes on from: its weights, labels, `base`, `max_length` and `prompt`. The rows
    may have further labels. Null starts from `base`."""

    start_share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the weights of `start` in the result, which lies on the way between them and what was trained (weight
    interpolation, Wortsman et al. 2022, arXiv 2109.01903), so that less is forgotten; 0 keeps what was trained."""

    anchor: Annotated[Part, Shelf("anchors")] = Field(default="none", validate_default=True)
    """What training holds on to of `start`, so that less is forgotten: none; l2sp (its weights); ewc (its weights, each
    as its answers hang on it); replay (its answers to rows that it knew)."""

    dropout: float | None = Field(default=None, ge=0, lt=1)
    """Every dropout of the base; null keeps what the base was made with. A base that is frozen whole drops nothing."""

    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of the target spread evenly over all labels."""

    class_weights: Annotated[
        Annotated[Literal["none", "balanced"], Tag("word")] | Annotated[Weights, Tag("each")],
        Discriminator(_kind_of_weights),
    ] = "none"
    """`balanced` weighs a class by the inverse of its rows; or a weight for each label."""

    patience: int | None = Field(default=None, ge=1)
    """Stop after this many epochs without a better dev score; null never stops early."""

    keep: Literal["best", "last"] = "best"
    """Which epoch's weights become the bundle: best dev score, or the last."""

    seed: int = Field(default=7, ge=0)
    """Start of every random choice: order, head, dropout, split."""

    n_seeds: int = Field(default=1, ge=1)
    """Train this many times with seeds seed, seed+1, …; the report averages them, the best on dev is kept."""

    checkpoint_every_s: float = Field(default=60.0, gt=0)
    """Seconds between checkpoints from which `--resume` goes on; up to ten times as many where saving a large model
    would else take more than a twentieth of the time."""

    observers: list[Annotated[Part, Shelf("observers")]] = Field(default=["jsonl"], validate_default=True)
    """Who else records each step: jsonl, tensorboard, wandb, mlflow."""

    @field_validator("peft")
    @classmethod
    def _nothing_is_frozen_twice(cls, value: Part, info: ValidationInfo) -> Part:
        if getattr(value, "keeps_base", False) and info.data.get("freeze", FreezeSection()) != FreezeSection():
            raise ValueError(
                f"is '{value.part_name}', which trains no weight of the base, so there is nothing to freeze; "
                "take train.freeze out, or write full"
            )
        return value

    @field_validator("start_share")
    @classmethod
    def _share_is_of_something(cls, value: float, info: ValidationInfo) -> float:
        if value and "start" in info.data and info.data["start"] is None:
            raise ValueError(f"is {value:g}, a share of a bundle's weights; name that as train.start, or write 0")
        return value

    @field_validator("anchor")
    @classmethod
    def _anchor_has_hold(cls, value: Part, info: ValidationInfo) -> Part:
        name, peft = value.part_name, info.data.get("peft")
        if name != "none" and "start" in info.data and info.data["start"] is None:
            raise ValueError(f"is '{name}', which holds on to a bundle; name that as train.start, or write none")
        if getattr(value, "holds_weights", False) and isinstance(peft, Part) and getattr(peft, "keeps_base", False):
            raise ValueError(
                f"is '{name}', which holds on to weights, and '{peft.part_name}' (train.peft) trains none of the base; "
                "write replay, or peft: full"
            )
        return value

    def of_member(self, member: str, has_labels: bool) -> TrainSection:
        """What is asked of one of several tasks; class weights named `sentiment/positive` are its."""
        weights = self.class_weights
        own = owned_items(member, weights) if isinstance(weights, dict) else weights if has_labels else "none"
        return self.model_copy(update={"class_weights": own or "none"})


def _comparing(condition: str) -> str:
    if not re.fullmatch(r"\s*(>=|<=|>|<)\s*-?\d+(\.\d+)?\s*", condition):
        raise ValueError(f"must be one of >= <= > < and a number, like \">= 0.95\"; got '{condition}'")
    return condition


class JudgeSection(Section):
    """How the result is judged."""

    metric: str | None = None
    """Dev score that chooses the best epoch and seed; null takes the task's own."""

    calibration: Annotated[Part, Shelf("calibrations")] = Field(default="temperature", validate_default=True)
    """How confidences are made honest on dev: temperature, beta, none."""

    start: bool = False
    """Whether the model is also judged as it starts, before it is trained; the report says both."""

    target_precision: float = Field(default=0.95, gt=0, le=1)
    """Precision wanted of the answers that are given; the abstention threshold is chosen for it on dev."""

    slices: list[str] = []
    """Columns of the data by whose values scores are also reported."""

    n_bootstrap: int = Field(default=1000, ge=0)
    """Resamples behind the 95 % intervals; 0 leaves them out."""

    n_errors: int = Field(default=50, ge=0)
    """Most confident and hardest errors listed in the report."""

    formats: list[Annotated[Part, Shelf("formats")]] = Field(
        default=["json", "markdown", "html"], validate_default=True
    )
    """Forms in which the report is written."""

    gates: dict[str, Annotated[str, AfterValidator(_comparing)]] = {}
    """What the bundle must reach, e.g. `{accuracy: ">= 0.95", ece: "<= 0.05"}`; exit code 3 when one is missed."""

    def of_member(self, member: str) -> JudgeSection:
        """What is asked of one of several tasks: gates `sentiment/accuracy` and slices `sentiment/channel` are its."""
        own = {"gates": owned_items(member, self.gates), "slices": list(owned(member, self.slices))}
        return self.model_copy(update={**own, "metric": None})


class Recipe(Section):
    """One recipe: task, base, data, training, judging."""

    schema_number: int = Field(default=SCHEMA, alias="schema")
    """Version of this schema; older recipes are migrated when read."""

    task: Annotated[Part, Shelf("tasks")]
    """What the model learns to do: a part of the shelf `tasks`, e.g. classification."""

    base: str = "minilm"
    """A name on the shelf `bases`, a local folder, or `hub:<id>`."""

    data: DataSection
    """Where rows come from."""

    train: TrainSection = Field(default_factory=TrainSection)
    """How the model is fine-tuned."""

    judge: JudgeSection = Field(default_factory=JudgeSection)
    """How the result is judged."""

    @field_validator("data", mode="before")
    @classmethod
    def _rows_are_named(cls, value: Any, info: ValidationInfo) -> Any:
        """Only a task that needs none may lack training rows, and then dev too; one made of several has its own."""
        if not isinstance(value, dict):
            return value
        if "task" not in info.data and not value.keys() & set(ROWS):  # whether it needs rows here, nobody knows
            return {"train": None, **value}
        if getattr(info.data.get("task"), "joint", None) is not None:
            named = [side for side in ROWS if value.get(side) is not None]
            if named:
                raise ValueError(f"has {' and '.join(named)}; each of task.tasks has its own data: give its rows there")
            return {**value, "train": None, "dev": None}
        is_untrained = bool(info.context and info.context.get("is_untrained"))
        if is_untrained or not getattr(info.data.get("task"), "needs_rows", True):
            return {"train": None, **({} if value.get("train") is not None else {"dev": None}), **value}
        return {**value, "train": ""} if value.get("train", "") is None else value

    _placeholders: dict[tuple[str | int, ...], str] = PrivateAttr(default_factory=dict)

    @property
    def placeholders(self) -> dict[tuple[str | int, ...], str]:
        """Where a value came from the environment → what was written there, e.g. `${DATABASE_URL}`."""
        return self._placeholders

    def with_placeholders(self, written: dict[tuple[str | int, ...], str]) -> Recipe:
        """The same recipe, knowing which of its values must never be shown."""
        known = self.model_copy()
        known._placeholders = dict(written)
        return known

    def __repr__(self) -> str:
        """Short, because a recipe may hold secrets; `burnish.recipe.show.filled_yaml` tells all that may be told."""
        return f"Recipe(task={self.task.part_name!r})"

    __str__ = __repr__
