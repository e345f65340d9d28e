"""A recipe from a file, a mapping or keyword arguments: everything wrong with it is said at once."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from burnish.core.errors import Faults, UserError, hint
from burnish.core.shelves import Shelf
from burnish.recipe.arguments import from_fields, from_overrides
from burnish.recipe.document import Document, Place, flat, replaced
from burnish.recipe.environment import Expansion, expand, without_rows
from burnish.recipe.faults import sentences, shown
from burnish.recipe.migrate import migrated
from burnish.recipe.outline import Trail, field_at, with_part_names
from burnish.recipe.schema import Recipe, share_of
from burnish.recipe.syntax import read

SUFFIXES = (".yaml", ".yml", ".json")
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".xls", ".ods")


@dataclass(frozen=True)
class Loaded:
    """A recipe, and where each of its values was written.

    A relative path is read from the folder of the file it is written in; one from the command line or from
    Python, from the current folder. The recipe keeps it as written; `located` says where it is.
    """

    recipe: Recipe
    path: Path | None
    places: Mapping[Trail, Place]

    @property
    def folder(self) -> Path:
        """The folder of the recipe's file; the current one when there is no file."""
        return self.path.parent if self.path else Path()

    def place(self, *trail: str | int) -> str:
        """`recipe.yaml:7: data.train`, the start of a sentence about a value."""
        return Document({}, dict(self.places)).start(trail)

    def located(self, *trail: str | int) -> Any:
        """The value at `trail`, its relative paths led from the folder they were written in."""
        value: Any = self.recipe
        for step in trail:
            value = getattr(value, step) if isinstance(step, str) and not isinstance(value, dict) else value[step]
        return self._led(value, trail)

    def _led(self, value: Any, trail: Trail) -> Any:
        if isinstance(value, list) and all(isinstance(item, str | Path) for item in value):
            return [self._led(item, (*trail, number)) for number, item in enumerate(value)]
        if isinstance(value, dict) and isinstance(value.get("path"), str | Path):
            return {**value, "path": self._led(value["path"], (*trail, "path"))}
        is_path = isinstance(value, Path) or (isinstance(value, str) and _is_path(value, trail))
        if not is_path:
            return value
        file = Document({}, dict(self.places)).place(trail).file
        led = _without_detour((file.parent if file else Path()) / Path(value).expanduser())
        return led if not _names_base(trail) or led.exists() or isinstance(value, Path) else value


def load(
    source: str | Path | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    beneath: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Loaded:
    """The recipe in `source`, with keyword arguments and then overrides laid over it.

    Args:
        source: a YAML file, a mapping shaped like one, or None when the keyword arguments say it all.
        overrides: texts such as `train.epochs=3`.
        beneath: what holds where none of the others says anything: a verb's own defaults.
        fields: settings by the last word of their path: `task`, `train` (the rows), `epochs`, `text_column`, …

    Raises:
        UserError: every fault of the recipe, each with its file and line.
    """
    faults = Faults()
    path = Path(source) if isinstance(source, str | Path) else None
    document = Document(dict(beneath or {})).under(_document(source, path, faults)).under(from_fields(fields, faults))
    document = from_overrides(overrides, document, faults)
    document, expansions = expand(_current(document), os.environ, faults)
    return Loaded(_checked(document, expansions, faults), path, document.places)


def load_untrained(task: Any, base: str | Path, overrides: Sequence[str] = (), **settings: Any) -> Loaded:
    """What a base is asked to do as it is, as a recipe without rows.

    Args:
        task: its name, or a mapping with its settings.
        base: a name, a folder or `hub:<id>`.
        overrides: texts such as `task.corpus=faq.csv`.
        settings: `prompt` and `max_length`; all others are the task's own.

    Raises:
        UserError: every fault of it.
    """
    faults = Faults()
    named = dict(task) if isinstance(task, Mapping) else {"name": task}
    values: dict[str, Any] = {"task": named, "base": str(base), "data": {}}
    places: dict[Trail, Place] = {}
    for word, value in settings.items():
        section = "data" if word in ("prompt", "max_length") else "task"
        values[section][word] = value
        places[(section, word)] = Place(label=f"argument '{word}'")
    document = from_overrides(overrides, Document(values, places), faults)
    document, expansions = expand(document, os.environ, faults)
    return Loaded(_checked(document, expansions, faults, is_untrained=True), None, document.places)


def restore(filled: Mapping[str, Any]) -> Recipe:
    """The recipe of a finished run, from its stored filled form. Variables stay as written: nobody needs them again."""
    return _checked(_current(Document(dict(filled))), {}, Faults())


def _document(source: object, path: Path | None, faults: Faults) -> Document:
    if path is not None:
        return _with_includes(path, faults, above=())
    if source is None or isinstance(source, Mapping):
        return Document(dict(source or {}))
    raise UserError(f"a recipe is a YAML file, a mapping, or nothing but arguments; got {shown(source)}.")


def _with_includes(path: Path, faults: Faults, above: tuple[Path, ...]) -> Document:
    """A file's document laid over those it includes, the first include lowest."""
    _refuse_absent(path)
    document = read(path, faults)
    named = document.values.pop("include", [])
    below = Document()
    for number, name in enumerate(named if isinstance(named, list) else [named]):
        place = document.place(("include", number))
        if not isinstance(name, str):
            faults.add(f"{place}: include must be a file name or a list of them; got {shown(name)}.")
            continue
        below = below.under(_included(path.parent / name, place, faults, (*above, path)))
    return below.under(document)


def _included(path: Path, place: Place, faults: Faults, above: tuple[Path, ...]) -> Document:
    if path.resolve() in [file.resolve() for file in above]:
        circle = " → ".join(file.name for file in (*above, path))
        faults.add(f"{place}: include goes in a circle: {circle}; leave one of them out.")
        return Document()
    try:
        return _with_includes(path, faults, above)
    except UserError as error:
        faults.add(f"{place}: include: {error}")
        return Document()


def _refuse_absent(path: Path) -> None:
    if path.is_file():
        _refuse_table(path)
        return
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name the recipe's file in it, such as {path / 'recipe.yaml'}.")
    folder = path.parent
    near = [file.name for file in folder.iterdir() if file.suffix in SUFFIXES] if folder.is_dir() else []
    raise UserError(f"{path}: there is no such recipe.{hint(path.name, near)} `burnish init DATA` writes one.")


def _refuse_table(path: Path) -> None:
    if Path(path.name.removesuffix(".gz")).suffix.lower() in TABLES:
        raise UserError(
            f"{path}: is a table, not a recipe; `burnish init {shlex.quote(str(path))}` writes one, or give the rows "
            "with --train."
        )


def _current(document: Document) -> Document:
    values = migrated(document.values, str(document.place(("schema",))))
    return Document(values, document.places, document.texts)


def _checked(
    document: Document, expansions: Mapping[Trail, Expansion], faults: Faults, *, is_untrained: bool = False
) -> Recipe:
    """The recipe. Raises `UserError` with the faults found before and those of the values."""
    values = _with_words_for_booleans(with_part_names(document.values))
    document = Document(values, document.places, document.texts)
    try:
        recipe = _validated(document, {"is_untrained": is_untrained})
    except ValidationError as error:
        for sentence in sentences(error, document, expansions):
            faults.add(sentence)
        raise faults.error() from None
    faults.raise_if_any()
    return recipe if is_untrained else recipe.with_placeholders(_placeholders(values, expansions))


def _validated(document: Document, context: dict[str, bool]) -> Recipe:
    """The recipe. Where text is wanted, what YAML read as a number or a boolean is taken as it was written."""
    values = document.values
    while True:
        try:
            return Recipe.model_validate(values, context=context)
        except ValidationError as error:
            wanted = [details["loc"] for details in error.errors() if details["type"] == "string_type"]
            texts: dict[Trail, Any] = {at: document.texts[at] for at in wanted if at in document.texts}
            if not texts:
                raise
            values = replaced(values, texts)


def _with_words_for_booleans(values: dict[str, Any]) -> dict[str, Any]:
    """`values` with true and false as words where a number is wanted: the library would take them for 1 and 0."""
    words: dict[Trail, Any] = {}
    for trail, value in flat(without_rows(values)):
        field = field_at(trail, values) if isinstance(value, bool) else None
        if field is not None and field.annotation in (int, float, int | None, float | None):
            words[trail] = "true" if value else "false"
    return replaced(values, words)  # type: ignore[no-any-return]


def _placeholders(values: dict[str, Any], expansions: Mapping[Trail, Expansion]) -> dict[Trail, str]:
    """Which values the filled recipe writes as `${NAME}`: all that may stand there as text.

    A number, a choice or a part's name that came from the environment is written out instead: it is no
    secret, and a filled recipe that lacks it says less than what was done.
    """
    written: dict[Trail, str] = {trail: expansion.written for trail, expansion in expansions.items()}
    while written:
        try:
            Recipe.model_validate(replaced(values, written))
        except ValidationError as error:
            at = [details["loc"] for details in error.errors()]
            refused = [trail for loc in at for trail in (loc, (*loc, "name")) if trail in written]
            if not refused:
                return written
            written = {trail: text for trail, text in written.items() if trail not in refused}
        else:
            return written
    return written


def _without_detour(path: Path) -> Path:
    """`samples/a.csv` for `recipes/../samples/a.csv`: the same file, as a person would write it."""
    if ".." not in path.parts or not path.resolve().is_relative_to(Path.cwd()):
        return path
    return path.resolve().relative_to(Path.cwd())


def _names_base(trail: Trail) -> bool:
    """Whether a base is named: the recipe's, or a further one that a task has, such as its `text_base`."""
    return trail == ("base",) or (trail[0] == "task" and str(trail[-1]).endswith("_base"))


def _is_path(value: str, trail: Trail) -> bool:
    if _names_base(trail):
        return not value.startswith("hub:") and value not in Shelf("bases").names()
    is_elsewhere = value.startswith("hub:") or "://" in value or share_of(value) is not None
    return not is_elsewhere
