"""Lines of stdin as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from burnish.cli.say import is_terminal
from burnish.core.errors import UserError


def lines(mark: str = "") -> Iterator[str]:
    """Each line without its end; on a terminal `mark` asks for it.

    Raises:
        UserError: a line is not UTF-8.
    """
    number = 0
    while True:
        if mark and is_terminal(sys.stdin):
            sys.stderr.write(mark)
            sys.stderr.flush()
        line = sys.stdin.buffer.readline()
        number += 1
        if not line:
            return
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise UserError(f"stdin:{number}: is not UTF-8 text; convert it, or use --input FILE.") from None
