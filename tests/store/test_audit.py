import random
import re
import threading
import time

import numpy as np
import pytest
from sqlalchemy import text
from tests.store.conftest import SECRET
from tests.store.tampering import flip, n_found, put_back, raw, reorder

from burnish.core.files import read_json
from burnish.store.audit import Audit
from burnish.store.jobs import Jobs
from burnish.store.keys import Keys
from burnish.store.store import open_store


@pytest.fixture
def note(tmp_path):
    return tmp_path / "noted.json"


@pytest.fixture
def audit(store, note):
    return Audit(store, SECRET, note)


def write(audit, *words, detail=None):
    for word in words:
        with audit.store.writing() as connection:
            audit.add(connection, "user ann", word, "intent:1", detail)


def change(store, statement, **values):
    with store.writing() as connection:
        connection.execute(text(statement), values)


def test_lines_are_read_as_they_were_written(audit):
    before = time.time()
    write(audit, "release", "promote", detail={"why": "更好", "n": [1, 2.5]})
    write(audit, "rollback")
    lines = list(audit.entries())
    assert [(line.number, line.who, line.what, line.about) for line in lines] == [
        (1, "user ann", "release", "intent:1"),
        (2, "user ann", "promote", "intent:1"),
        (3, "user ann", "rollback", "intent:1"),
    ]
    assert [line.detail for line in lines] == [{"why": "更好", "n": [1, 2.5]}] * 2 + [None]
    assert before <= lines[0].at <= lines[2].at <= time.time()
    assert [line.number for line in audit.entries(after=2)] == [3]
    assert audit.fault() is None


def test_an_empty_log_has_no_fault(audit):
    assert audit.fault() is None
    assert list(audit.entries()) == []


def test_what_is_undone_leaves_no_line(audit):
    def promote_and_fail():
        with audit.store.writing() as connection:
            audit.add(connection, "ann", "promote", "a:1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        promote_and_fail()
    assert list(audit.entries()) == []
    assert audit.fault() is None


def test_the_first_digest_is_the_hmac_that_the_page_says(audit):
    """By OpenSSL's words: HMAC-SHA256 of the JSON of [64 zeros, number, time, who, what, about, detail as text]."""
    import hashlib
    import hmac
    import json

    write(audit, "release", detail={"a": "中"})
    [line] = audit.entries()
    told = ["0" * 64, 1, line.at, "user ann", "release", "intent:1", '{"a":"中"}']
    written = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    assert line.digest == hmac.new(SECRET, written, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("word", ["a\0b", "half \ud800", "x" * 5000, "", "名字 😀"])
def test_any_text_can_be_logged(audit, word):
    with audit.store.writing() as connection:
        audit.add(connection, word, word[:60], word, {"said": word, "numbers": np.arange(2)})
    assert audit.fault() is None
    [line] = audit.entries()
    assert len(line.who) == min(200, len(word))


def test_two_writers_at_once_get_two_numbers(audit):
    threads = [threading.Thread(target=write, args=(audit, *"abcde")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [line.number for line in audit.entries()] == list(range(1, 21))
    assert audit.fault() is None


def test_looking_while_others_write_finds_no_fault(audit):
    is_over = threading.Event()

    def go_on():
        while not is_over.is_set():
            write(audit, "a")

    thread = threading.Thread(target=go_on)
    thread.start()
    found = [audit.fault() for _ in range(15)]
    is_over.set()
    thread.join()
    assert found == [None] * 15


@pytest.mark.parametrize("seed", range(2))
def test_every_change_is_found(audit, seed):
    write(audit, *"abcdef", detail={"why": "because", "n": 1.5})
    assert audit.fault() is None
    assert n_found(audit.store, audit, 27, random.Random(seed)) == 27
    assert audit.fault() is None


def test_what_was_changed_is_told(audit):
    store = audit.store
    write(audit, "release", "promote", "rollback")
    with store.reading() as connection:
        kept = raw(connection)

    def told(statement, **values):
        change(store, statement, **values)
        fault = audit.fault()
        with store.writing() as connection:
            put_back(connection, kept)
        return fault

    assert told("DELETE FROM audit WHERE number = 2") == "the audit log lacks line 2: the next one is 3."
    assert told("UPDATE audit SET who = 'user bob' WHERE number = 2") == (
        "the audit log was changed at line 2 (promote intent:1), or before the secret was."
    )
    cut = "the audit log ends at line 2, but its head says otherwise: its end was cut or changed."
    assert told("DELETE FROM audit WHERE number = 3") == cut
    assert told("DELETE FROM states WHERE name = 'audit head'") == cut.replace("line 2", "line 3")
    assert told("UPDATE states SET value = '[7]' WHERE name = 'audit head'") == cut.replace("line 2", "line 3")
    damaged = "the audit log cannot be read to its end: its head, or a line behind line 0, was changed."
    assert told("UPDATE states SET value = '{' WHERE name = 'audit head'") == damaged
    if store.is_sqlite:
        assert (
            re.sub(r"line \d", "line 0", told("UPDATE audit SET who = CAST(x'ff' AS TEXT) WHERE number = 3")) == damaged
        )
        assert told("UPDATE audit SET who = x'ff' WHERE number = 2") == damaged.replace("line 0", "line 1")


def test_a_byte_of_a_detail_counts_even_where_it_means_the_same(audit):
    write(audit, "a", detail={"n": 1e300})
    change(audit.store, "UPDATE audit SET detail = :same", same='{"n":1E300}')
    assert audit.fault().startswith("the audit log was changed at line 1 (a intent:1)")


def test_an_end_that_was_cut_is_found_after_more_was_written_too(audit):
    write(audit, "a", "b", "c")
    change(audit.store, "DELETE FROM audit WHERE number = 3")
    write(audit, "d")
    assert audit.fault() == "the audit log lacks line 3: the next one is 4."


@pytest.mark.parametrize("statement", ["DELETE FROM states", "UPDATE states SET value = '0'"])
def test_a_head_that_was_dropped_or_changed_hides_nothing(audit, statement):
    write(audit, "a", "b", "c")
    change(audit.store, "DELETE FROM audit WHERE number = 3")
    change(audit.store, f"{statement} WHERE name = 'audit head'")
    write(audit, "d")
    assert audit.fault() == "the audit log lacks line 3: the next one is 4."


def test_a_log_that_was_put_back_to_an_earlier_state_is_found_once_it_was_looked_at(audit, note):
    write(audit, "a")
    with audit.store.reading() as connection:
        early = raw(connection)
    write(audit, "b", "c")
    assert audit.fault() is None
    assert read_json(note)["number"] == 3
    with audit.store.writing() as connection:
        put_back(connection, early)
    assert audit.fault() == (
        "the audit log ends at line 1, but had 3 when it was looked at: an older state was put in its place. If that "
        f"was you, remove {note}."
    )
    write(audit, "d", "e", "f")
    assert audit.fault() == (
        "the audit log was written anew: line 3 is not the one that was there when it was looked at."
    )
    note.unlink()
    assert audit.fault() is None


def test_a_log_that_was_removed_whole_is_found_by_what_is_left(store):
    audit = Audit(store, SECRET)
    Keys(store, audit).create("a", ["predict"], "ann")
    Jobs(store, audit).add("retrain", {}, "ann")
    for table in ("audit", "states"):
        change(store, f"DELETE FROM {table}")
    assert audit.fault() == "the audit log is empty, but there are keys and jobs: it was removed."


def test_without_a_note_nothing_is_noted(store):
    audit = Audit(store, SECRET)
    write(audit, "a")
    assert audit.fault() is None


def test_another_secret_finds_another_log(audit):
    write(audit, "a")
    assert Audit(audit.store, b"other" * 8).fault() == (
        "the audit log was changed at line 1 (a intent:1), or before the secret was."
    )


def test_lines_outlive_the_process(audit, url):
    write(audit, "a", "b")
    audit.store.close()
    store = open_store(url)
    again = Audit(store, SECRET)
    write(again, "c")
    assert again.fault() is None
    assert [line.what for line in again.entries()] == ["a", "b", "c"]
    store.close()


def test_the_ways_to_tamper_change_something():
    lines = [(1, 1.5, "ann", "a", "x", None, "d"), (2, 1.5, "ann", "b", "y", "{}", "e")]
    draw = random.Random(0)
    assert reorder(lines, "h", draw) == (
        [(1, 1.5, "ann", "b", "y", "{}", "e"), (2, 1.5, "ann", "a", "x", None, "d")],
        "h",
    )
    assert len(flip(lines[1:], "h", draw)[0]) == 1
