"""YAML as recipes use it: safe, every value with its line, no key twice, and no surprises.

YAML 1.1 reads `no` as false, `010` as 8, `1:30` as 90 and `1e-4` as text. A recipe follows the core schema of
YAML 1.2 (§10.3.2) instead: only true and false are booleans, only decimal numbers are numbers. Keys are always
text, because a label may be called `1`, `no` or `null`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from burnish.core.errors import Faults, UserError
from burnish.recipe.document import Document, Place
from burnish.recipe.outline import Trail, dotted
from burnish.recipe.spelling import sentence

MAX_BYTES = 1 << 18
MAX_VALUES = 20_000
_TAG = "tag:yaml.org,2002:"
_INSTEAD_OF_MERGING = "write what is shared into another file and name it at the top: `include: shared.yaml`."


class _Loader(yaml.SafeLoader):
    """Composes nodes; the values are made here, not by the library."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  (the library's own name for it; none of YAML 1.1's rules)


_PLAIN = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(?:0|[1-9][0-9]{0,17})", list("-+0123456789")),
    "float": (
        r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+0123456789."),
    ),
}
for _name, (_pattern, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})$"), _first)


def add_rules_to(dumper: type[yaml.SafeDumper]) -> None:
    """Make a dumper quote every text that this reader would take for a number, a boolean or nothing."""
    for name, (pattern, first) in _PLAIN.items():
        dumper.add_implicit_resolver(_TAG + name, re.compile(rf"(?:{pattern})$"), first)


def plain(text: str) -> Any:
    """The value of a scalar written without quotes: `3` is a number, `>= 0.95` and `10%` are text."""
    name = next((name for name, (pattern, _) in _PLAIN.items() if re.fullmatch(pattern, text)), "str")
    return _scalar(name, text)


def parse(text: str, place: Place, faults: Faults, above: Trail = ()) -> Document:
    """`text` as a document. Doubled keys and unknown tags go to `faults`.

    Raises:
        UserError: it is not YAML at all, or would grow beyond all bounds.
    """
    walk = _Walk(place, faults)
    try:
        node = yaml.compose(text, _Loader)
        value = None if node is None else walk.value(node, above)
    except yaml.YAMLError as error:
        raise UserError(sentence(error, place, text)) from None
    except RecursionError:
        raise UserError(f"{place}: is nested too deeply to be a recipe.") from None
    return Document(value, walk.places, walk.texts)  # type: ignore[arg-type]


def read(path: Path, faults: Faults) -> Document:
    """The document in a file. Raises `UserError` when it cannot be read, is not YAML, or is not a mapping."""
    document = parse(_text_of(path), Place(path), faults)
    if document.values is None:
        raise UserError(f"{path}: is empty; a recipe needs at least `task: …` and `data: {{train: …}}`.")
    if not isinstance(document.values, dict):
        raise UserError(f"{path}:1: must be a mapping of `key: value` lines, such as `task: classification`.")
    return document


def _text_of(path: Path) -> str:
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}).") from None
    if size > MAX_BYTES:
        raise UserError(f"{path}: has {size:,} bytes; a recipe has at most {MAX_BYTES:,}. Is it a data file?")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: is not UTF-8 text (byte {error.start}); save the recipe as UTF-8.") from None


class _Walk:
    """Turns nodes into values and remembers where each was written."""

    def __init__(self, place: Place, faults: Faults) -> None:
        self.place = place
        self.faults = faults
        self.places: dict[Trail, Place] = {}
        self.texts: dict[Trail, str] = {}
        self.n_values = 0
        self.open: set[int] = set()

    def value(self, node: yaml.Node, trail: Trail) -> Any:
        self.places.setdefault(trail, self.place_of(node))
        self.n_values += 1
        if self.n_values > MAX_VALUES:
            raise UserError(f"{self.place}: holds more than {MAX_VALUES:,} values; are aliases (*name) multiplied?")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, trail)
        if id(node) in self.open:
            raise UserError(f"{self.place_of(node)}: an alias (*name) contains itself.")
        if node.tag not in (_TAG + "map", _TAG + "seq"):
            return self.foreign(node)
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, trail)
            return [self.value(item, (*trail, number)) for number, item in enumerate(node.value)]
        finally:
            self.open.discard(id(node))

    def mapping(self, node: yaml.MappingNode, trail: Trail) -> dict[str, Any]:
        made: dict[str, Any] = {}
        first: dict[str, Place] = {}
        for key_node, value_node in node.value:
            place = self.place_of(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.add(f"{place}: a key must be a word; text with {{ or [ needs quotes.")
                continue
            key = key_node.value
            where = f"{dotted(trail)}." if trail else ""
            if key == "<<" and not key_node.style:  # in quotes it is a name like any other
                self.faults.add(f"{place}: {where}<< (a merge key) is not allowed; {_INSTEAD_OF_MERGING}")
                continue
            if key in first:
                self.faults.add(f"{place}: {where}{key} is given twice, first at {first[key]}; keep one of them.")
                continue
            first[key] = place
            self.places[(*trail, key)] = place
            made[key] = self.value(value_node, (*trail, key))
        return made

    def scalar(self, node: yaml.ScalarNode, trail: Trail) -> Any:
        name = node.tag.removeprefix(_TAG)
        if name not in {*_PLAIN, "str"}:
            return self.foreign(node)
        if name not in {"str", "null"}:
            self.texts[trail] = node.value
        try:
            return _scalar(name, node.value)
        except ValueError:
            self.faults.add(f"{self.place_of(node)}: '{node.value}' cannot be read as !!{name}; leave the tag out.")
            return None

    def foreign(self, node: yaml.Node) -> None:
        tag = node.tag.replace(_TAG, "!!")
        self.faults.add(f"{self.place_of(node)}: the tag {tag} is not allowed; a recipe holds plain values only.")

    def place_of(self, node: yaml.Node) -> Place:
        return self.place if self.place.file is None else Place(self.place.file, node.start_mark.line + 1)


def _scalar(name: str, text: str) -> Any:
    if name == "null":
        return None
    if name == "bool":
        return text.lower() == "true"
    if name == "int":
        return int(text)
    if name == "float":
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
