"""The Open Inference Protocol, version 2."""

import json

import pytest

INFER = "/v2/models/intent/infer"


def tensor(name="text", data=("good day", "坏 day"), **changes):
    return {"name": name, "shape": [len(data)], "datatype": "BYTES", "data": list(data), **changes}


def test_a_batch_of_texts_is_answered_in_one_tensor(asked, answer_of):
    found = asked.post(INFER, json={"id": "mine", "inputs": [tensor()]}).json()
    assert (found["model_name"], found["model_version"], found["id"]) == ("intent", "1", "mine")
    [output] = found["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("predictions", "BYTES", [2])
    told = [json.loads(one)["confidence"] for one in output["data"]]
    assert told == pytest.approx([answer_of(text)["confidence"] for text in ("good day", "坏 day")], abs=1e-6)


def test_a_tensor_a_column_makes_rows_of_pairs(asked):
    pairs = [tensor(), tensor("text_pair", ("a", "b"), shape=[2, 1])]
    found = asked.post(INFER, json={"inputs": pairs, "parameters": {}, "outputs": []})
    assert found.status_code == 200
    assert "id" not in found.json()


def test_server_and_model_say_what_they_are(asked):
    assert asked.get("/v2").json()["name"] == "burnish"
    told = asked.get("/v2/models/intent").json()
    assert told["versions"] == ["1"]
    assert told["platform"] == "burnish_classification"
    assert told["inputs"] == [{"name": name, "datatype": "BYTES", "shape": [-1]} for name in ("text", "text_pair")]
    assert asked.get("/v2/models/intent/ready").json() == {"ready": True}


def test_a_model_that_made_room_for_another_is_not_ready_until_it_is_asked(house):
    with house.client() as client:
        served = client.service.fleet._served
        client.service.fleet._served = {}
        found = client.get("/v2/models/intent/ready")
        assert (found.status_code, found.json()) == (503, {"ready": False})
        client.service.fleet._served = served


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "the field 'inputs' is missing."),
        ({"inputs": []}, "'inputs' must be a list of tensors with name, shape, datatype and data."),
        ({"inputs": "good"}, "'inputs' must be a list of tensors with name, shape, datatype and data."),
        ({"inputs": ["good"]}, "a tensor has name, shape, datatype and data."),
        ({"inputs": [tensor(name=5)]}, "a tensor has name, shape, datatype and data."),
        ({"inputs": [tensor(datatype="FP32")]}, "the tensor 'text' must be of datatype BYTES; got 'FP32'."),
        ({"inputs": [tensor(datatype=None)]}, "the tensor 'text' must be of datatype BYTES; got 'None'."),
        ({"inputs": [tensor(data=[1, 2])]}, "the tensor 'text' must hold a list of texts as data."),
        ({"inputs": [tensor(shape=[3])]}, "the tensor 'text' holds 2 texts, so its shape is [2]."),
        ({"inputs": [{"name": "text", "datatype": "BYTES", "data": ["a"]}]},
         "the tensor 'text' holds 1 texts, so its shape is [1]."),
        ({"inputs": [tensor(), tensor()]}, "there are two tensors 'text'; each column has one."),
        ({"inputs": [tensor(), tensor("text_pair", ("a",))]},
         "the tensors are of different lengths; each must hold one value an input."),
        ({"inputs": [tensor(data=())]}, "'inputs' must hold 1 to 1,000 inputs; it holds 0."),
        ({"inputs": [tensor("txt")]}, "inputs[0]: has 'txt', which is none of text, text_pair."),
        ({"inputs": [tensor()], "id": 5}, "'id' must be a text."),
        ({"inputs": [tensor()], "odd": 5}, "there is no field 'odd'."),
    ],
)  # fmt: skip
def test_tensors_that_cannot_be_read_are_told(asked, body, detail):
    found = asked.post(INFER, json=body)
    assert found.status_code == 422
    assert found.json()["detail"].startswith(detail)
