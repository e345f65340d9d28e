"""Whatever a network of random weights prefers, what it writes to a schema parses and validates."""

import json
import sys
from enum import Enum
from typing import Annotated, Literal

import pytest
import torch
from pydantic import BaseModel, Field, ValidationError

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.decoding import Decoding
from burnish.models.heads._contract import HeadPlan
from burnish.models.json_schema import check_schema, read_schema
from burnish.models.streaming import stream
from burnish.models.writing import write

ENDS = [2, 0]
Short = Annotated[str, Field(max_length=4)]


class Colour(Enum):
    RED = "red"
    GREEN = "绿色"


class Order(BaseModel, extra="forbid"):
    city: Literal["北京", "上海"]
    n: Annotated[int, Field(ge=0, le=99)]
    is_paid: bool


class Nested(BaseModel, extra="forbid"):
    orders: Annotated[list[Order], Field(min_length=1, max_length=2)]
    colour: Colour | None
    note: Short


class Choice(BaseModel, extra="forbid"):
    answer: Annotated[str, Field(pattern=r"^[a-c]{2}-\d$")]
    size: Literal[1, 2, "三"]


@pytest.fixture(scope="module")
def network(tiny_causal_base):
    network = Shelf("heads").build("causal").attach(tiny_causal_base, HeadPlan(())).eval()
    for parameter in network.parameters():
        parameter.data *= 6 if parameter.ndim == 2 else 1
    return network


def prompts(network):
    return [torch.tensor(network.vocabulary.encode(text).ids) for text in ("good day", "北京好", "a")]


@pytest.mark.parametrize("model", [Order, Nested, Choice])
@pytest.mark.parametrize("changes", [{}, {"temperature": 1.5}, {"num_beams": 3}], ids=str)
def test_every_text_parses_and_validates_in_a_batch_and_alone(network, model, changes):
    how = Decoding(max_new_tokens=250, json_schema=model.model_json_schema(), **changes)
    with torch.inference_mode():
        together = write(network, prompts(network), how, ENDS)
        alone = write(network, prompts(network)[1:2], how, ENDS)
    assert together[1] == alone[0]
    for draft in together:
        assert draft.is_finished
        model.model_validate_json(draft.text)


def test_without_the_schema_it_would_not(network):
    with torch.inference_mode():
        (draft,) = write(network, prompts(network)[:1], Decoding(max_new_tokens=40, temperature=1.0), ENDS)
    with pytest.raises(ValidationError):
        Order.model_validate_json(draft.text)


def test_it_can_be_streamed(network):
    how = Decoding(max_new_tokens=250, json_schema=Order.model_json_schema(), temperature=1.0)
    Order.model_validate_json("".join(stream(network, prompts(network)[0], how, ENDS)))


def test_text_that_is_cut_off_is_not_finished(network):
    how = Decoding(max_new_tokens=3, json_schema=Order.model_json_schema())
    with torch.inference_mode():
        (draft,) = write(network, prompts(network)[:1], how, ENDS)
    assert not draft.is_finished
    assert draft.text.startswith("{")


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "objct"}, "Invalid type: objct"),
        ({"$ref": "#/nowhere"}, "Pointer '/nowhere' does not exist"),
        ({"type": "array", "uniqueItems": True}, 'Unimplemented keys: ["uniqueItems"]'),
    ],
)
def test_a_schema_that_cannot_be_compiled_is_told(network, schema, reason):
    with pytest.raises(UserError) as caught:
        check_schema(schema, network.vocabulary, ENDS)
    assert str(caught.value) == (
        f"task.decoding.json_schema: this schema cannot be compiled ({reason}); say it with simpler keywords."
    )


def test_a_tokenizer_without_bytes_is_told(tiny_base):
    from tokenizers import Tokenizer

    backend = Tokenizer.from_file(str(tiny_base / "tokenizer.json"))
    with pytest.raises(UserError, match=r"the tokenizer of this base cannot be held to a schema \(.*\); take a base"):
        check_schema({"type": "object"}, backend, [3])


def test_a_missing_library_is_named_with_the_line_that_brings_it(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(UserError, match=r"needs the library 'llguidance': pip install 'burnish\[generate\]'"):
        check_schema({"type": "object"}, network.vocabulary, ENDS)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no file FILE; name a JSON file, or write the schema in its place."),
        ("{", "FILE is not valid JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))."),
        ("[]", "FILE must hold a JSON object; it holds list."),
    ],
)
def test_a_file_without_a_schema_is_told(tmp_path, content, sentence):
    path = tmp_path / "schema.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_schema(path)
    assert str(caught.value).replace(str(path), "FILE") == f"task.decoding.json_schema: {sentence}"


def test_a_schema_comes_from_a_file(tmp_path):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(Order.model_json_schema()))
    assert read_schema(path) == Order.model_json_schema()


@pytest.mark.parametrize("idle", [{"stop": ["}"]}, {"no_repeat_ngram": 2}])
def test_what_would_break_the_schema_is_refused(idle):
    with pytest.raises(ValidationError, match="json_schema says where a text ends and what stands in it"):
        Decoding(json_schema={"type": "object"}, **idle)
