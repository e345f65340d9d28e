"""Chat templates rendered safely: a base's template is a program from outside (CVE-2024-34359, CVE-2026-5760).

Jinja's immutable sandbox keeps it from Python's insides. What the sandbox leaves open is work without end, so work has
a price: a turn of a loop, a call or a filter costs a step and what it handles costs by its size; what grows is weighed
before it is made; and filters, methods and names that chat templates have no use for are not there. `strftime_now` is
not there either: templates that ask whether it is take a fixed date instead, and the same chat gives the same tokens
tomorrow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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
MOST_TEMPLATE_CHARACTERS = 100_000
MOST_STEPS = 100_000
"""Price of one rendering, and most items of a list with all that is in it."""
CHARACTERS_A_STEP = 100
MOST_NUMBER = 10**9
FILTERS = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "int", "items", "last",
    "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "safe", "select", "selectattr",
    "sort", "string", "sum", "title", "trim", "unique", "upper",
)  # fmt: skip
METHODS = {
    "capitalize", "count", "endswith", "find", "get", "index", "isdigit", "items", "join", "keys", "lower", "lstrip",
    "removeprefix", "removesuffix", "replace", "rfind", "rsplit", "rstrip", "split", "splitlines", "startswith",
    "strip", "title", "upper", "values",
}  # fmt: skip


class Refused(SecurityError):
    """A template asked for something, or for more of it, than a chat can need."""


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}`, by which some templates mark answers; here it is its body."""

    tags = {"generation"}  # noqa: RUF012 - as its base declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Priced(NodeTransformer):
    """Puts a price on what the sandbox cannot see: turns of loops, lists that are made, what is compared or cut.

    The calls go to the environment itself, so that no template can put a name of its own in between.
    """

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        node.body = [nodes.Output([_call("turn")]), *node.body]
        return node

    def visit_List(self, node: nodes.List) -> nodes.Expr:
        self.generic_visit(node)
        return _call("priced", node)

    visit_Dict = visit_List

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:
        self.generic_visit(node)
        return _call("priced", node) if node.ctx == "load" else node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:
        self.generic_visit(node)
        node.expr = _call("priced", node.expr)
        for operand in node.ops:
            operand.expr = _call("priced", operand.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Getitem:
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            node.node = _call("priced", node.node)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        """`~` becomes `+` of texts, which the sandbox sees."""
        self.generic_visit(node)
        whole, *others = (nodes.Filter(one, "string", [], [], None, None) for one in node.nodes)
        for text in others:
            whole = nodes.Add(whole, text)  # type: ignore[assignment]
        return whole


def _call(method: str, *values: nodes.Expr) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(method), list(values), [], None, None)


class _Sandbox(ImmutableSandboxedEnvironment):
    """One rendering at a time: `n_steps` counts those of the one under way."""

    intercepted_binops = frozenset(["+", "*", "**", "%"])

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # nothing is worked out while the template is read
            finalize=lambda value: self.priced(value),
            extensions=[LoopControlExtension, _Generation],
        )
        own = {"tojson": _as_json, "join": self._join, "replace": self._replace}
        filters: dict[str, Any] = {name: self.filters[name] for name in FILTERS} | own
        tests: dict[str, Any] = dict(self.tests)
        self.filters = {name: self._with_price(made) for name, made in filters.items()}
        self.tests = {name: self._with_price(made) for name, made in tests.items()}
        self.globals = {"range": self._range, "dict": dict, "namespace": self.globals["namespace"]}
        self.globals["raise_exception"] = _refuse
        self.n_steps = 0

    def spend(self, n_steps: int) -> None:
        self.n_steps += n_steps
        if self.n_steps > MOST_STEPS:
            raise Refused(f"it takes more than {MOST_STEPS:,} steps")

    def turn(self) -> str:
        """One turn of a loop; the call itself has been paid for."""
        return ""

    def priced(self, value: Any) -> Any:
        """The value, once it is paid for."""
        self.spend(1 + _weight(value) // CHARACTERS_A_STEP)
        return value

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise Refused(f"it uses '{operator}', which can make a text or number of any size")
        size = _amount(left) * _amount(right) if operator == "*" else _amount(left) + _amount(right)
        if operator != "%":
            _refuse_above(size)
        self.spend(1 + (0 if isinstance(left, int | float) else size) // CHARACTERS_A_STEP)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, called: Any, *args: Any, **kwargs: Any) -> Any:
        self.spend(1)
        owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
        if isinstance(owner, str | Mapping | Sequence):
            if name not in METHODS:
                raise Refused(f"it calls '{name}', for which a chat has no use")
            self.priced(owner)
            if isinstance(owner, str) and name in ("replace", "join"):
                return self._replace(owner, *args) if name == "replace" else self._join(args[0], owner)
        found = super().call(context, called, *args, **kwargs)
        return self.priced(found) if called is dict else found

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        """What is unsafe to look at is refused at once, also where a template would only print it."""
        raise Refused(f"access to attribute '{attribute}' of '{type(obj).__name__}' object is unsafe")

    def wrap_str_format(self, value: Any) -> Any:
        """`'{:9999}'.format(…)` makes a text of any size, and chats need none."""
        if getattr(value, "__name__", "") in ("format", "format_map") and isinstance(value.__self__, str):
            raise Refused("it calls 'format', for which a chat has no use")
        return super().wrap_str_format(value)

    def _with_price(self, made: Callable[..., Any]) -> Callable[..., Any]:
        """The same filter or test, paid for by the size of what it is given."""
        n_before = 1 if getattr(made, "jinja_pass_arg", None) is not None else 0  # Jinja's own context comes first

        def priced(*args: Any, **kwargs: Any) -> Any:
            self.priced(args[n_before:])
            return made(*args, **kwargs)

        if n_before:
            priced.jinja_pass_arg = made.jinja_pass_arg  # type: ignore[attr-defined]
        return priced

    def _range(self, *bounds: int) -> range:
        found = range(*bounds)
        if len(found) > MOST_STEPS:
            raise Refused(f"it counts to more than {MOST_STEPS:,}")
        return found

    def _replace(self, text: Any, old: str, new: str, count: int | None = None) -> str:
        text = str(text)
        n = (text.count(old) if old else len(text) + 1) if count is None or count < 0 else count
        _refuse_above(len(text) + n * len(new))
        return str(self.priced(text.replace(old, new, -1 if count is None else count)))

    def _join(self, items: Any, between: str = "", attribute: str | None = None) -> str:
        found = list(items)
        self.priced(found)
        texts = [str(item if attribute is None else self.getitem(item, attribute)) for item in found]
        _refuse_above(sum(map(len, texts)) + len(between) * len(texts))
        return str(self.priced(between.join(texts)))


def _weight(value: Any) -> int:
    """Characters of a text; of lists and mappings those of everything in them, an item counting for one at least."""
    waiting, n_items, size = [value], 0, 0
    while waiting:
        one = waiting.pop()
        n_items += 1
        if isinstance(one, Mapping):
            waiting.extend(one.keys())
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        size += len(one) if isinstance(one, str) else 1
        if n_items > MOST_STEPS:
            raise Refused(f"it makes a list of more than {MOST_STEPS:,} items")
    _refuse_above(size)
    return size


def _amount(value: Any) -> int:
    """What a value can do to the size of a result: a number by its amount, anything else by its weight."""
    if isinstance(value, bool | int | float):
        return int(min(abs(value), MOST_NUMBER))
    return _weight(value)


def _refuse_above(size: int) -> None:
    if size > MOST_CHARACTERS:
        raise Refused(f"it makes something of {size:,} characters or more")


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
            self._template = self._sandbox.from_string(_Priced().visit(self._sandbox.parse(source)))
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
                _refuse_above(size)
                pieces.append(piece)
        except SecurityError as error:
            raise UserError(f"base: its chat template is refused: {_first_line(error)}.") from None
        except Exception as error:  # a template may fail in any way that Python knows
            raise UserError(f"base: its chat template does not take this chat ({_first_line(error)}).") from None
        return "".join(pieces)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().split("\n")[0][:200] or type(error).__name__).rstrip(".")
