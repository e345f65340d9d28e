"""Ways to change an audit log that somebody may think of who can write to the database, but has not the secret."""

import math

from sqlalchemy import text


def raw(connection):
    """Every line as it lies there, and the head."""
    lines = [tuple(row) for row in connection.execute(text("SELECT * FROM audit ORDER BY number"))]
    head = connection.execute(text("SELECT value FROM states WHERE name = 'audit head'")).scalar()
    return lines, head


def put_back(connection, kept):
    lines, head = kept
    connection.execute(text("DELETE FROM audit"))
    connection.execute(text("DELETE FROM states WHERE name = 'audit head'"))
    for line in lines:
        values = {f"c{at}": value for at, value in enumerate(line)}
        connection.execute(text("INSERT INTO audit VALUES (:c0, :c1, :c2, :c3, :c4, :c5, :c6)"), values)
    if head is not None:
        connection.execute(text("INSERT INTO states (name, value) VALUES ('audit head', :head)"), {"head": head})


def flipped(value, draw):
    """A value with one of its bits, or its last digit, changed."""
    if isinstance(value, float):
        return math.nextafter(value, draw.choice([0.0, math.inf]))
    if isinstance(value, int):
        return value ^ 1 << draw.randrange(8, 20)  # to a number that no other line has
    at = draw.randrange(len(value))
    other = chr(ord(value[at]) ^ 1 << draw.randrange(5))
    return value[:at] + (other if other.isprintable() else "~") + value[at + 1 :]


def flip(lines, head, draw):
    at, column = draw.randrange(len(lines)), draw.randrange(7)
    line = list(lines[at])
    line[column] = flipped(line[column], draw)
    return [*lines[:at], tuple(line), *lines[at + 1 :]], head


def flip_head(lines, head, draw):
    return lines, flipped(head, draw)


def delete(lines, head, draw):
    at = draw.randrange(len(lines))
    return [*lines[:at], *lines[at + 1 :]], head


def delete_and_close_the_gap(lines, head, draw):
    at = draw.randrange(len(lines) - 1)
    return [*lines[:at], *((line[0] - 1, *line[1:]) for line in lines[at + 1 :])], head


def reorder(lines, head, draw):
    first, second = sorted(draw.sample(range(len(lines)), 2))
    swapped = list(lines)
    swapped[first] = (lines[first][0], *lines[second][1:])
    swapped[second] = (lines[second][0], *lines[first][1:])
    return swapped, head


def cut_the_end(lines, head, draw):
    return lines[: draw.randrange(len(lines))], head


def cut_all(lines, head, draw):
    return [], draw.choice([head, None])


def lose_the_head(lines, head, draw):
    return lines, None


def repeat_a_line(lines, head, draw):
    return [*lines, (lines[-1][0] + 1, *draw.choice(lines)[1:])], head


WAYS = (
    flip, flip_head, delete, delete_and_close_the_gap, reorder, cut_the_end, cut_all, lose_the_head, repeat_a_line,
)  # fmt: skip


def n_found(store, audit, n_trials, draw):
    """How many of so many changes to a log the log tells of; each is undone again."""
    with store.reading() as connection:
        kept = raw(connection)
    found = 0
    for trial in range(n_trials):
        way = WAYS[trial % len(WAYS)]
        while (changed := way(*kept, draw)) == kept:
            pass
        try:
            with store.writing() as connection:
                put_back(connection, changed)
            found += audit.fault() is not None
        finally:
            with store.writing() as connection:
                put_back(connection, kept)
    return found
