import json

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.conftest import prediction

from burnish.store.texts import json_of, plain


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("refund 退款", "refund 退款"),
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("a\udc00", "a\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("", ""),
    ],
)
def test_what_a_database_cannot_hold_is_replaced(given_text, kept):
    assert plain(given_text) == kept


@given(st.text(st.characters()))
def test_any_text_becomes_one_that_is_utf_8_without_nul(text):
    kept = plain(text)
    assert "\0" not in kept.encode().decode()
    if "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text):
        assert kept == text


def test_json_takes_arrays_and_records():
    assert json_of({"a": np.arange(2), "中": 1.5}) == '{"a":[0,1],"中":1.5}'.encode()
    assert orjson.loads(json_of(prediction("p_9")))["id"] == "p_9"


def test_json_takes_halves_of_characters():
    given_value = {"a\udc00": ["x\ud800", np.arange(2), ("\0", None, True)]}
    assert json.loads(json_of(given_value)) == {"a\ufffd": ["x\ufffd", [0, 1], ["\ufffd", None, True]]}
    assert json.loads(json_of(prediction(label="\udfff")))["label"] == "\ufffd"


def test_json_of_what_is_none_is_an_error_of_whoever_asks():
    with pytest.raises(TypeError, match="not JSON serializable"):
        json_of({"a": object()})
