"""The log: lines of JSON, whatever is told."""

import io
import json
import logging
import os

import pytest

from burnish.serving.log import Forwarding, Log


def test_a_line_is_json_with_its_time_its_level_and_what_it_is_about():
    stream = io.StringIO()
    Log(stream).tell("info", "loaded", name="意图", version=3)
    line = json.loads(stream.getvalue())
    assert line.pop("at").endswith("+00:00")
    assert line == {"level": "info", "message": "loaded", "name": "意图", "version": 3}


def test_a_text_that_is_no_text_becomes_a_line_too():
    stream = io.StringIO()
    Log(stream).tell("error", "half \ud800 a character\nand a second line")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\ufffd" in json.loads(stream.getvalue())["message"]


def test_a_reader_who_has_gone_ends_no_server():
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    Log(stream).tell("info", "nobody reads this")
    with pytest.raises(BrokenPipeError):
        stream.close()
    Log(stream).tell("info", "nor this")


def test_what_a_library_warns_of_is_told_in_its_own_words_only():
    stream, logger = io.StringIO(), logging.getLogger("some.library")
    handler = Forwarding(Log(stream))
    logger.addHandler(handler)
    try:
        logger.warning("cannot read %s", "13912345678")
        logger.info("never mind %s", "13912345678")
        try:
            raise ValueError("13912345678")
        except ValueError:
            logger.exception("Task exception was never retrieved\nfuture: <13912345678>")
    finally:
        logger.removeHandler(handler)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["level"], first["message"], first["logger"]) == ("warning", "cannot read %s", "some.library")
    assert (second["level"], second["message"], second["kind"]) == (
        "error", "Task exception was never retrieved", "ValueError",
    )  # fmt: skip
    assert second["where"].startswith("test_log.py:")
    assert "139" not in stream.getvalue()
