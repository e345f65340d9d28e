from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.core.errors import Faults, UserError
from burnish.recipe.document import Document, Place
from burnish.recipe.load import load
from burnish.recipe.show import as_yaml
from burnish.recipe.syntax import parse, plain, read

START = "task: classification\ndata: {train: a.csv}\n"


def refusal(text: str) -> str:
    """The one sentence for a file that is not YAML."""
    Path("recipe.yaml").write_text(text, "utf-8")
    with pytest.raises(UserError) as caught:
        read(Path("recipe.yaml"), Faults())
    return str(caught.value)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def values_of(text: str) -> Document:
    faults = Faults()
    document = parse(text, Place(Path("r.yaml")), faults)
    faults.raise_if_any()
    return document


def test_every_value_has_its_line():
    document = values_of("a: 1\nb:\n  c: x\n  d:\n    - p\n    - q\n")
    assert {trail: place.line for trail, place in document.places.items()} == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "d"): 4,
        ("b", "d", 0): 5,
        ("b", "d", 1): 6,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("3", 3),
        ("-3", -3),
        ("0", 0),
        ("007", "007"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1e-4", 1e-4),
        ("2E3", 2000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.inf", float("-inf")),
        ("2020-01-01", "2020-01-01"),
        ("10%", "10%"),
        ("~", None),
        ("", None),
        ("null", None),
        ("1" * 30, float("1" * 30)),
        ("'3'", "3"),
        ('"no"', "no"),
    ],
)
def test_scalars_mean_what_they_look_like(text, value):
    assert values_of(f"a: {text}\n").values == {"a": value}
    if text[:1] not in ("'", '"'):
        assert plain(text) == value


def test_keys_are_always_text():
    assert values_of("{1: a, no: b, null: c, true: d, 1.50: e}").values == {
        "1": "a",
        "no": "b",
        "null": "c",
        "true": "d",
        "1.50": "e",
    }


def test_a_doubled_key_is_named_with_both_lines(faults):
    assert faults(START + "train:\n  epochs: 1\n  seed: 1\n  epochs: 2\n") == [
        "recipe.yaml:6: train.epochs is given twice, first at recipe.yaml:4; keep one of them."
    ]
    assert faults(START + "task: tokens\n") == [
        "recipe.yaml:3: task is given twice, first at recipe.yaml:1; keep one of them."
    ]


def test_a_merge_key_is_refused_and_include_named_instead(faults):
    assert faults(START + "train: &t\n  epochs: 1\njudge:\n  <<: *t\n  n_errors: 3\n") == [
        (
            "recipe.yaml:6: judge.<< (a merge key) is not allowed; write what is shared into another file and name it "
            "at the top: `include: shared.yaml`."
        )
    ]


def test_a_label_may_be_called_like_a_merge_key():
    assert values_of('{"<<": 1}').values == {"<<": 1}


def test_an_alias_may_repeat_a_value():
    assert values_of("a: &x {b: 1}\nc: *x\n").values == {"a": {"b": 1}, "c": {"b": 1}}


def test_multiplied_aliases_are_refused():
    bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
    names = "abcdefgh"
    for below, name in pairwise(names):
        bomb += f"{name}: &{name} [{','.join([f'*{below}'] * 10)}]\n"
    assert refusal(bomb) == "recipe.yaml: holds more than 20,000 values; are aliases (*name) multiplied?"


def test_an_alias_inside_itself_is_refused():
    assert refusal("a: &a [1, *a]\n") == "recipe.yaml:1: an alias (*name) contains itself."


def test_deep_nesting_is_refused():
    assert refusal("[" * 5000) == "recipe.yaml: is nested too deeply to be a recipe."


def test_tags_are_refused(faults):
    assert faults(START + "base: !!python/object/apply:os.system [ls]\n")[0] == (
        "recipe.yaml:3: the tag !!python/object/apply:os.system is not allowed; a recipe holds plain values only."
    )
    assert faults(START + "base: !secret x\n")[0] == (
        "recipe.yaml:3: the tag !secret is not allowed; a recipe holds plain values only."
    )


def test_a_tag_that_does_not_fit_is_refused(faults):
    assert faults(START + "train: {epochs: !!int x}\n")[0] == (
        "recipe.yaml:3: 'x' cannot be read as !!int; leave the tag out."
    )


def test_a_key_that_is_no_word_is_refused(faults):
    assert faults(START + "base: {{name}: x}\n")[0] == (
        "recipe.yaml:3: a key must be a word; text with { or [ needs quotes."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "recipe.yaml: is empty; a recipe needs at least `task: …` and `data: {train: …}`."),
        ("# nothing\n", "recipe.yaml: is empty; a recipe needs at least `task: …` and `data: {train: …}`."),
        ("- a\n", "recipe.yaml:1: must be a mapping of `key: value` lines, such as `task: classification`."),
        ("hello", "recipe.yaml:1: must be a mapping of `key: value` lines, such as `task: classification`."),
        ("a:\n\tb: 1\n", "recipe.yaml:2: is not valid YAML: the line is indented with a tab; use spaces."),
        ("a:\n  b: 1\n\tc: 2\n", "recipe.yaml:3: is not valid YAML: the line is indented with a tab; use spaces."),
        (
            "a: b: c\n",
            (
                "recipe.yaml:1: is not valid YAML: there is a second ': ' on the line, or the indentation is off; "
                "text that holds ': ' needs quotes."
            ),
        ),
        (
            "a:\n    b: 1\n  c: 2\n",
            "recipe.yaml:3: is not valid YAML: the indentation does not fit the lines above.",
        ),
        ("a: 1\nb\nc: 2\n", "recipe.yaml:3: is not valid YAML: a line is not `key: value`."),
        ('a: "x\nb: 1\n', "recipe.yaml:1: is not valid YAML: a quote is opened and never closed."),
        (
            "a: 1\nb: [x,\n",
            "recipe.yaml:2: is not valid YAML: a bracket is opened and never closed, or a comma is missing.",
        ),
        (
            "gates: {accuracy: >= 0.9}\n",
            "recipe.yaml:1: is not valid YAML: text that starts with > needs quotes.",
        ),
        (
            "a: >= 0.9\n",
            'recipe.yaml:1: is not valid YAML: a value that starts with > or | needs quotes, e.g. ">= 0.95".',
        ),
        ("a: @x\n", "recipe.yaml:1: is not valid YAML: text that starts with @ needs quotes."),
        ("a: `x`\n", "recipe.yaml:1: is not valid YAML: text that starts with ` needs quotes."),
        ("a: %x\n", "recipe.yaml:1: is not valid YAML: text that starts with % needs quotes."),
        ("a: *\n", "recipe.yaml:1: is not valid YAML: a value that starts with * or & needs quotes."),
        (
            "a: *x\n",
            "recipe.yaml:1: is not valid YAML: a value that starts with * is an alias of YAML; text needs quotes.",
        ),
        (
            'a: "C:\\data"\n',
            "recipe.yaml:1: is not valid YAML: in double quotes a backslash starts an escape; use single quotes.",
        ),
        ("a: 1\n---\nb: 2\n", "recipe.yaml:2: is not valid YAML: a recipe is one document; remove the line ---."),
        ("a: 1\nb: \x07\n", "recipe.yaml:2: holds the control character #x0007; remove it."),
    ],
)
def test_wrong_yaml_is_one_sentence_with_its_line_and_what_to_do(text, sentence):
    assert refusal(text) == sentence


@pytest.mark.parametrize(("encoding", "is_read"), [("utf-8-sig", True), ("utf-16", True), ("gb18030", False)])
def test_a_recipe_is_utf_8_with_or_without_its_mark(encoding, is_read):
    Path("recipe.yaml").write_bytes(("task: classification\ndata: {train: 数据.csv}\n").encode(encoding))
    if is_read:
        assert load("recipe.yaml").recipe.data.train == "数据.csv"
    else:
        with pytest.raises(UserError, match=r"^recipe.yaml:2: is not UTF-8 text \(byte 35\); save the recipe as UTF-8"):
            load("recipe.yaml")


def test_a_large_file_is_no_recipe():
    Path("train.txt").write_bytes(b"a,b\n" * 100_000)
    with pytest.raises(
        UserError, match=r"^train.txt: has 400,000 bytes; a recipe has at most 262,144. Is it a data file"
    ):
        load("train.txt")


def test_a_file_that_cannot_be_read_is_named():
    with pytest.raises(UserError, match=r"^gone.yaml: cannot be read \(No such file or directory\)\.$"):
        read(Path("gone.yaml"), Faults())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_what_is_written_is_read_back(value):
    assert values_of(f"a: {as_yaml(value)}\n").values == {"a": value}


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`\t\n ,?0123", max_size=40))
def test_no_text_at_all_gets_anything_but_a_value_or_a_user_error(text):
    faults, said = Faults(), "r.yaml:"
    try:
        parse(text, Place(Path("r.yaml")), faults)
    except UserError as error:
        said = str(error)
    assert said.startswith("r.yaml:")
    assert "\n" not in said
