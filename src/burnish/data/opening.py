"""From what a recipe or a program gives as data to the sources that read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from burnish.core.errors import UserError, hint, listed
from burnish.core.shelves import Shelf
from burnish.data.paths import require_file, require_folder
from burnish.data.sources._contract import Source
from burnish.recipe.faults import demand

SHELF = Shelf("sources")
HUB = "hub:"
SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
PACKED = ".gz"  # what every source that reads text unpacks on the way


def open_sources(value: Any, encoding: str = "auto", where: str = "data.train") -> list[Source]:
    """The sources that `value` names, ready to stream.

    `value` is a path (its suffix tells the format), `hub:<id>` or `hub:<id>:<split>`, a mapping `{name: csv, path: …}`
    (the name may be left out when the suffix tells it), a list of such, or rows from Python. `encoding` goes to every
    source that has one and was not given its own; `where` is the place in the recipe that messages name.

    Raises:
        UserError: a file is not there, a format is not known, a setting is wrong, or the rows are of no readable form.
    """
    if isinstance(value, list | tuple) and _is_list_of_sources(value, where):
        return [source for item in value for source in open_sources(item, encoding, where)]
    if isinstance(value, Source):
        return [value]
    if isinstance(value, str) and value.startswith(HUB):
        return [_build(_hub_settings(value), encoding, where)]
    if isinstance(value, str | Path):
        return [_build({"path": value}, encoding, where)]
    if _is_source_mapping(value):
        return [_build(dict(value), encoding, where)]
    return [_memory(value)]


def known_suffixes() -> dict[str, str]:
    """Each file suffix that some source claims → that source's name."""
    return {suffix: name for name in SHELF.names() for suffix in getattr(SHELF.get(name), "suffixes", ())}


def _is_list_of_sources(value: list[Any] | tuple[Any, ...], where: str) -> bool:
    if not value:
        raise UserError(f"{where}: the list is empty; name a file, or give rows.")
    return any(isinstance(item, str | Path | Source) for item in value) or all(map(_names_a_place, value))


def _names_a_place(item: Any) -> bool:
    """`{name: csv, path: a.csv}` in a list; a row that happens to have a column `name` has no such pair."""
    return _is_source_mapping(item) and item.get("name") in SHELF.names() and ("path" in item or "id" in item)


def _is_source_mapping(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(value.get(key), str | Path) for key in ("name", "path"))


def _hub_settings(value: str) -> dict[str, Any]:
    name, _, split = value.removeprefix(HUB).partition(":")
    return {"name": "hub", "id": name, **({"split": split} if split else {})}


def _memory(value: Any) -> Source:
    from burnish.data.sources.memory import Memory, form_of

    form_of(value)
    return Memory(data=value)


def _build(given: dict[str, Any], encoding: str, where: str) -> Source:
    """The part that `given` names, or that the suffix of its path tells."""
    name = given.pop("name", None)
    if isinstance(given.get("path"), str | Path):
        given["path"] = Path(given["path"]).expanduser()
        require = require_folder if _takes_folder(name) else require_file
        require(given["path"])
    name = name or _name_for(given["path"])
    if name == "memory":
        raise UserError(
            f"{where}: these rows were given from Python, so the recipe alone cannot repeat them; name a file."
        )
    part = SHELF.get(name)
    if "encoding" in part.model_fields and encoding != "auto":
        given.setdefault("encoding", encoding)
    try:
        built = part.model_validate(given)
    except ValidationError as error:
        raise UserError(*_faults(error, name, where)) from None
    if not isinstance(built, Source):
        raise UserError(f"{where}: the part '{name}' on the shelf 'sources' is not a source.")
    return built


def _takes_folder(name: Any) -> bool:
    return name in SHELF.names() and bool(getattr(SHELF.get(name), "takes_folder", False))


def _name_for(path: Path) -> str:
    suffixes = known_suffixes()
    suffix = path.suffix.lower()
    if suffix == PACKED and _is_text(suffixes.get(inner := Path(path.stem).suffix.lower())):
        return suffixes[inner]
    if suffix in SPREADSHEETS:
        raise UserError(f"{path}: is a spreadsheet; save it as CSV (UTF-8) and give that.")
    if suffix not in suffixes:
        raise UserError(
            f"{path}: the suffix '{suffix}' does not tell the format. "
            f"Known are {listed(sorted(suffixes))}; or say it: {{name: tsv, path: {path}}}, "
            "and has_header: false with names: [text, label] if no line names the columns."
        )
    return suffixes[suffix]


def _is_text(name: str | None) -> bool:
    return name is not None and "encoding" in SHELF.get(name).model_fields


def _faults(error: ValidationError, name: str, where: str) -> list[str]:
    """One sentence for each setting that the source does not take."""
    sentences = []
    for fault in error.errors(include_url=False):
        place = ".".join([where, *(str(part) for part in fault["loc"])])
        wanted = demand(fault)
        sentences.append(f"{place} {wanted}" if wanted else f"{place}: {_problem(fault['type'], fault, name)}")
    return sentences


def _problem(kind: str, fault: Mapping[str, Any], name: str) -> str:
    allowed = list(SHELF.get(name).model_fields)
    if kind == "extra_forbidden":
        near = hint(str(fault["loc"][-1]), allowed)
        return f"the source '{name}' has no such setting.{near} It has: {listed(allowed)}."
    if kind == "missing":
        return f"the source '{name}' needs it."
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{message}; got {fault['input']!r}." if fault["loc"] else f"{message}."
