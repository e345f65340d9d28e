"""`burnish chat` and `burnish predict --stream`: what is printed, as it comes."""

from __future__ import annotations

import importlib
import io
import sys
from types import SimpleNamespace

import pytest

from burnish.core.errors import UserError


class Talk:
    """Answers with what was said, in two pieces."""

    def __init__(self) -> None:
        self.n_turns = 0

    def stream(self, said: str):
        self.n_turns += 1
        yield f"{self.n_turns}: "
        yield said

    def reset(self) -> None:
        self.n_turns = 0


def stdin(monkeypatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: False))


def test_each_line_is_a_turn_and_reset_forgets_them(burnish, flow, monkeypatch):
    calls = flow("converse", lambda *a, **k: Talk())
    stdin(monkeypatch, "hello\n\n你好\r\n/reset\nbye".encode())
    ended = burnish("chat", "runs/x", "--system", "be good")
    assert [(str(a[0]), k) for a, k in calls] == [("runs/x", {"system": "be good"})]
    assert (ended.code, ended.out) == (0, "1: hello\n2: 你好\n1: bye\n")
    assert ended.err == "Everything is forgotten.\n"


def test_a_line_that_is_no_text_ends_the_talk_with_a_sentence(burnish, flow, monkeypatch):
    flow("converse", lambda *a, **k: Talk())
    stdin(monkeypatch, b"hello\n\xff\n")
    ended = burnish("chat", "runs/x")
    assert (ended.code, ended.out) == (2, "1: hello\n")
    assert ended.err == "stdin:2: is not UTF-8 text; convert it, or use --input FILE.\n"


@pytest.fixture
def streamed(flow, monkeypatch):
    importlib.import_module("burnish.flows.predict")  # first: it keeps what it finds as `load` when it is imported
    monkeypatch.setattr("burnish.flows.load.load", lambda model: model)
    return flow("stream", lambda bundle, said: iter(["a", " ", said]))


def test_text_is_printed_as_it_comes_a_line_for_each_input(burnish, streamed):
    ended = burnish("predict", "runs/x", "--stream", "b", "北京")
    assert (ended.code, ended.out) == (0, "a b\na 北京\n")


def test_streaming_reads_lines_too(burnish, streamed, monkeypatch):
    stdin(monkeypatch, b"b\nc\n")
    assert burnish("predict", "runs/x", "--stream").out == "a b\na c\n"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--json"], "--stream prints plain text while it is written, and --json whole answers; choose one."),
        (["--input", "a.csv"], "--stream prints text on stdout while it is written; it does not go with --input or"),
        (["--output", "b.csv"], "--stream prints text on stdout while it is written; it does not go with --input or"),
    ],
)
def test_streaming_is_plain_text_on_stdout(burnish, streamed, more, sentence):
    ended = burnish("predict", "runs/x", "b", "--stream", *more)
    assert ended.code == 2
    assert ended.err.startswith(sentence)


def test_a_bundle_that_cannot_is_told_in_one_sentence(burnish, flow):
    def refuse(*args, **options):
        raise UserError("a bundle of the task 'tokens' cannot converse; take one of: dialogue, generation.")

    flow("converse", refuse)
    ended = burnish("chat", "runs/x")
    assert (ended.code, ended.err) == (
        2,
        "a bundle of the task 'tokens' cannot converse; take one of: dialogue, generation.\n",
    )
