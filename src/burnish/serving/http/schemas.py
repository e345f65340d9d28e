"""JSON schemas of what is read and written by hand: inputs and answers of models, chats, embeddings, tensors."""

from __future__ import annotations

from typing import Any

from burnish.serving.limits import Limits
from burnish.tasks._contract import Task

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
SAID = ["string", "number", "boolean"]
"""What a column of texts takes; a number is read as its digits."""
PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {"type": TEXT, "title": TEXT, "status": NUMBER, "detail": TEXT},
}


def closed(needed: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with these fields and no other."""
    properties = {**needed, **optional}
    return {"type": "object", "required": list(needed), "properties": properties, "additionalProperties": False}


def some_of(one: Schema, limits: Limits) -> Schema:
    return {"type": "array", "minItems": 1, "maxItems": limits.inputs, "items": one}


def text_of(limits: Limits) -> Schema:
    return {**TEXT, "maxLength": limits.characters}


def input_of(task: Task | None, limits: Limits) -> Schema:
    """One input: the text alone where there is one, or an object of the task's columns."""
    if task is None:
        return {"anyOf": [text_of(limits), {"type": "object"}]}
    columns = [one for one in task.wanted if one.name not in task.gold | task.files]
    properties: dict[str, Schema] = {one.name: {"description": one.what} for one in columns}
    for one in columns:
        if one.name in task.texts:
            types = [*SAID, *([] if one.is_required else ["null"])]
            properties[one.name] |= {**text_of(limits), "type": types}
    needed = [one.name for one in columns if one.is_required]
    row = {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
    return {"anyOf": [text_of(limits), row]} if set(needed) <= {task.texts[0]} else row


def inputs_of(task: Task | None, limits: Limits) -> Schema:
    """What is asked of a model."""
    one = input_of(task, limits)
    return closed({"inputs": {"anyOf": [one, some_of(one, limits)]}})


def answers_of(task: Task | None, definitions: dict[str, Schema]) -> Schema:
    """What a model answers; the types that it refers to are put among `definitions`."""
    answer: Schema = {"type": "object"}
    if task is not None:
        answer = task.answer.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        definitions.update(answer.pop("$defs", {}))
    answer["properties"] = {"prediction_id": TEXT, **answer.get("properties", {})}
    answer["required"] = ["prediction_id", *answer.get("required", ())]
    return closed({"model": TEXT, "version": NUMBER, "predictions": {"type": "array", "items": answer}})


def chat_of(limits: Limits) -> Schema:
    """https://platform.openai.com/docs/api-reference/chat/create, as far as it is taken."""
    role = {"enum": ["system", "user", "assistant"]}
    content = {**text_of(limits), "pattern": r"\S"}
    turn = {"type": "object", "required": ["role", "content"], "properties": {"role": role, "content": content}}
    more: dict[str, Schema] = {
        "stream": {"type": ["boolean", "null"]}, "n": {"enum": [1, None]}, "user": {}, "metadata": {}, "store": {},
    }  # fmt: skip
    return closed({"model": TEXT, "messages": some_of(turn, limits)}, **more)


def embedding_of(limits: Limits) -> Schema:
    """https://platform.openai.com/docs/api-reference/embeddings/create, as far as it is taken."""
    text = text_of(limits)
    said = {"anyOf": [text, some_of(text, limits)]}
    return closed({"model": TEXT, "input": said}, encoding_format={"enum": ["float", "base64"]}, user={})


def tensors_of(limits: Limits) -> Schema:
    """The Open Inference Protocol's request, of texts."""
    data = some_of(text_of(limits), limits)
    shape = {"type": "array", "minItems": 1, "maxItems": 2, "items": NUMBER}
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {"name": TEXT, "shape": shape, "datatype": {"const": "BYTES"}, "data": data},
    }
    return closed({"inputs": {"type": "array", "minItems": 1, "items": tensor}}, id=TEXT, parameters={}, outputs={})
