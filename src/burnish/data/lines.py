"""Lines of a text stream, bounded: a file without line ends never lies in memory whole."""

from __future__ import annotations

from collections.abc import Iterator
from io import TextIOBase

LINE_LIMIT = 16_000_000
"""Most characters of one line. Longer ones are skipped piecewise and reported."""


class BadLine(Exception):
    """A line that cannot be used; its text is the problem, told as the end of a sentence that names the line."""


def read_line(stream: TextIOBase) -> str:
    """The next line with its line end, or an empty string after the last.

    Raises:
        BadLine: the line is too long or holds a NUL; the next call reads the line after it.
    """
    line = stream.readline(LINE_LIMIT)
    if len(line) == LINE_LIMIT and not line.endswith("\n"):
        while (rest := stream.readline(LINE_LIMIT)) and not rest.endswith(("\n", "\r")):
            pass
        raise BadLine(f"the line has over {LINE_LIMIT:,} characters; break it up, or remove it.")
    if "\0" in line:
        raise BadLine("the line holds a NUL character (U+0000), which is not text; export the file again without it.")
    return line


def numbered(stream: TextIOBase) -> Iterator[tuple[int, str | BadLine]]:
    """Every line with its number, counted from 1; an unusable line comes as the `BadLine` that says why."""
    number = 0
    while True:
        number += 1
        try:
            line = read_line(stream)
        except BadLine as problem:
            yield number, problem
            continue
        if not line:
            return
        yield number, line


def line_ends(text: str, start: int, end: int) -> int:
    """How many lines end between two positions of `text`, whichever of the three line ends they use."""
    n_lf = text.count("\n", start, end)
    n_cr = text.count("\r", start, end)
    return n_lf + n_cr - text.count("\r\n", start, end)
