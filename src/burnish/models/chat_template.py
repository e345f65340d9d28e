"""Chat templates rendered safely: a base's template is a program from outside (CVE-2024-34359, CVE-2026-5760).

Jinja's immutable sandbox keeps it from Python's insides. What the sandbox leaves open is work without end: so every
turn of a loop and every call is counted, what grows is measured before it is made, and filters and names that chat
templates have no use for are not there. `strftime_now` is not there either: templates that ask whether it is take a
fixed date instead, and the same chat gives the same tokens tomorrow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, LoopControlExtension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from burnish.core.errors import UserError

MOST_CHARACTERS = 8_000_000
"""Of a text that a template makes, or holds on the way."""
MOST_TEMPLATE_CHARACTERS = 200_000
MOST_STEPS = 200_000
"""Turns of loops and calls in one rendering."""
MOST_NUMBER = 10**9
FILTERS = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "int", "items", "join",
    "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "safe",
    "select", "selectattr", "sort", "string", "sum", "title", "trim", "unique", "upper",
)  # fmt: skip
METHODS = {
    "capitalize", "count", "endswith", "find", "get", "index", "isdigit", "items", "join", "keys", "lower", "lstrip",
    "removeprefix", "removesuffix", "replace", "rfind", "rsplit", "rstrip", "split", "splitlines", "startswith",
    "strip", "title", "upper", "values",
}  # fmt: skip


class TooMuch(SecurityError):
    """A template asked for more work or more text than a chat can need."""


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}`, by which some templates mark answers; here it is its body."""

    tags = {"generation"}  # noqa: RUF012 - as its base declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Counted(NodeTransformer):
    """Puts a step into every loop, and `~` through `+`, which is measured."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        node.body = [nodes.Output([nodes.Call(nodes.Name("__step", "load"), [], [], None, None)]), *node.body]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        self.generic_visit(node)
        texts: list[nodes.Expr] = [nodes.Filter(one, "string", [], [], None, None) for one in node.nodes]
        whole = texts[0]
        for text in texts[1:]:
            whole = nodes.Add(whole, text)
        return whole


class _Sandbox(ImmutableSandboxedEnvironment):
    """One rendering at a time: `n_steps` counts those of the one under way."""

    intercepted_binops = frozenset(["+", "*", "**", "%"])

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, optimized=False, extensions=[LoopControlExtension, _Generation]
        )
        self.filters = {name: self.filters[name] for name in FILTERS} | {"tojson": _as_json, "join": _join}
        self.filters["replace"] = lambda text, old, new: _replace(str(text), str(old), str(new))
        self.globals = {"range": self._range, "dict": dict, "namespace": self.globals["namespace"]}
        self.globals |= {"raise_exception": _refuse, "__step": self.step}
        self.n_steps = 0

    def step(self) -> str:
        self.n_steps += 1
        if self.n_steps > MOST_STEPS:
            raise TooMuch(f"it takes more than {MOST_STEPS:,} steps")
        return ""

    def _range(self, *bounds: int) -> range:
        found = range(*bounds)
        if len(found) > MOST_STEPS:
            raise TooMuch(f"it counts to more than {MOST_STEPS:,}")
        return found

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise TooMuch(f"it uses '{operator}', which can make a text or number of any size")
        if operator == "*":
            _measure(_size(left) * _size(right))
        elif operator == "+":
            _measure(_size(left) + _size(right))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, called: Any, *args: Any, **kwargs: Any) -> Any:
        self.step()
        owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
        if isinstance(owner, str | Mapping | Sequence):
            if name not in METHODS:
                raise TooMuch(f"it calls '{name}', for which a chat has no use")
            if isinstance(owner, str) and name == "replace":
                return _replace(owner, *args)
            if isinstance(owner, str) and name == "join":
                return _join(args[0], owner)
        return super().call(context, called, *args, **kwargs)


def _size(value: Any) -> int:
    """Of a text or list its length, of a number its amount."""
    if isinstance(value, bool | int | float):
        return int(min(abs(value), MOST_NUMBER))
    return len(value) if isinstance(value, str | Sequence | Mapping) else 1


def _measure(size: int) -> None:
    if size > MOST_CHARACTERS:
        raise TooMuch(f"it makes something of {size:,} characters or more")


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    n = (text.count(old) if old else len(text) + 1) if count < 0 else count
    _measure(len(text) + n * len(new))
    return text.replace(old, new, count)


def _join(items: Any, between: str = "", attribute: str | None = None) -> str:
    texts = [str(item if attribute is None else item[attribute]) for item in items]
    _measure(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def _as_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **_: Any) -> str:
    """Unlike Jinja's own, without HTML escapes: transformers' templates rely on it."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=None if indent is None else min(int(indent), 8))


def _refuse(message: str) -> None:
    raise TemplateError(str(message))


class ChatTemplate:
    """A compiled template. `tokens` are names that it may use, such as `eos_token`.

    Raises:
        UserError: the text is no template, or too long.
    """

    def __init__(self, source: str, tokens: Mapping[str, str]) -> None:
        self.source = source
        self.tokens = dict(tokens)
        if len(source) > MOST_TEMPLATE_CHARACTERS:
            raise UserError(
                f"base: its chat template has {len(source):,} characters, of which {MOST_TEMPLATE_CHARACTERS:,} are "
                "allowed; it is refused."
            )
        self._sandbox = _Sandbox()
        try:
            self._template = self._sandbox.from_string(_Counted().visit(self._sandbox.parse(source)))
        except (TemplateError, RecursionError, SyntaxError, MemoryError) as error:
            raise UserError(f"base: its chat template cannot be read ({_first_line(error)}).") from None

    def render(self, messages: Sequence[Mapping[str, str]], *, add_generation_prompt: bool) -> str:
        """The chat as the base reads it; with what comes before an answer where one is to be written.

        Raises:
            UserError: the template refuses the chat, fails, or asks for more than a chat can need.
        """
        self._sandbox.n_steps = 0
        told = {"messages": [dict(one) for one in messages], "add_generation_prompt": add_generation_prompt}
        pieces, size = [], 0
        try:
            for piece in self._template.generate(**self.tokens, **told, tools=None, documents=None):
                size += len(piece)
                _measure(size)
                pieces.append(piece)
        except SecurityError as error:
            raise UserError(f"base: its chat template is refused: {_first_line(error)}.") from None
        except Exception as error:  # a template may fail in any way that Python knows
            raise UserError(f"base: its chat template does not take this chat ({_first_line(error)}).") from None
        return "".join(pieces)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().split("\n")[0][:200] or type(error).__name__).rstrip(".")
