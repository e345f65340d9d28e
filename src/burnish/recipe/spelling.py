"""What is wrong with a file that is not YAML, in one sentence that says what to do."""

from __future__ import annotations

import re

import yaml

from burnish.recipe.document import Place

_ADVICE = {
    "expected chomping or indentation indicators": 'a value that starts with > or | needs quotes, e.g. ">= 0.95"',
    "expected alphabetic or numeric character": "a value that starts with * or & needs quotes",
    "mapping values are not allowed here": "there is a second ': ' on the line, or the indentation is off; "
    "text that holds ': ' needs quotes",
    "could not find expected ':'": "a line is not `key: value`",
    "found unexpected end of stream": "a quote is opened and never closed",
    "found unknown escape character": "in double quotes a backslash starts an escape; use single quotes",
    "expected ',' or": "a bracket is opened and never closed, or a comma is missing",
    "expected <block end>": "the indentation does not fit the lines above",
    "found undefined alias": "a value that starts with * is an alias of YAML; text needs quotes",
    "found duplicate anchor": "an anchor (&name) is defined twice",
    "but found another document": "a recipe is one document; remove the line ---",
    "expected the node content": "a value is missing, or text that starts with a special character needs quotes",
    "while parsing a flow node": "a value is missing, or text that starts with a special character needs quotes",
    "found unhashable key": "a key must be a word",
}


def sentence(error: yaml.YAMLError, place: Place, text: str) -> str:
    """`file:line: is not valid YAML: what to do`, from the library's error and the text that it stopped at."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"{_at(place, line)}: holds the control character #x{error.character:04x}; remove it."
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"{place}: is not valid YAML ({error})."
    mark = error.problem_mark or error.context_mark
    line = min(mark.line + 1 if mark else 1, len(text.splitlines()) or 1)
    return f"{_at(place, _opened(error) or line)}: is not valid YAML: {_advice(error, _line(text, line))}."


def _opened(error: yaml.MarkedYAMLError) -> int | None:
    """The line that an unclosed quote or bracket was opened on: the end of the file tells nobody anything."""
    problem = f"{error.problem}"
    is_unclosed = "unexpected end of stream" in problem or "but got '<stream end>'" in problem
    return error.context_mark.line + 1 if is_unclosed and error.context_mark else None


def _advice(error: yaml.MarkedYAMLError, line: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in f"{error.problem}":
        return "the line is indented with a tab; use spaces"
    odd = re.search(r"found character '(.)' that cannot start any token", f"{error.problem}")
    if odd:
        return f"text that starts with {odd[1]} needs quotes"
    if "'<stream end>'" in f"{error.problem}":
        return _ADVICE["expected ',' or"]
    known = f"{error.context} {error.problem} {error.note or ''}"
    return next((advice for problem, advice in _ADVICE.items() if problem in known), f"{error.problem}")


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1] if number <= len(lines) else ""


def _at(place: Place, line: int) -> str:
    return str(place) if place.file is None else f"{place.file}:{line}"
