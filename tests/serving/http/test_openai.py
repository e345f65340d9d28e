"""Chats and embeddings as OpenAI's clients ask for them."""

import base64
import json
import shutil

import numpy as np
import pytest
from tests.serving.house import released

import burnish
from burnish.core.manifest import write_manifest

CHAT = "/v1/chat/completions"
EMBED = "/v1/embeddings"


def chat(client, text="3 is good", model="chat", **more):
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    return client.post(CHAT, json=body)


def events(found):
    """The data of server-sent events."""
    lines = found.text.split("\n\n")
    assert lines[-1] == ""
    assert all(line.startswith("data: ") for line in lines[:-1])
    return [line.removeprefix("data: ") for line in lines[:-1]]


def test_a_chat_is_answered_in_openais_form(everything):
    for word, answer in everything.said.items():
        found = chat(everything, f"3 is {word}")
        assert found.status_code == 200, found.text
        told = found.json()
        assert (told["object"], told["model"]) == ("chat.completion", "chat")
        assert told["choices"] == [
            {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
        ]
        assert everything.get(f"/v1/predictions/{told['id']}").json()["answer"]["text"] == answer


def test_a_stream_tells_the_same_text_and_its_prediction_can_be_corrected(everything):
    found = chat(everything, "3 is bad", stream=True)
    assert found.headers["content-type"].startswith("text/event-stream")
    *chunks, end = events(found)
    assert end == "[DONE]"
    told = [json.loads(chunk) for chunk in chunks]
    assert {one["object"] for one in told} == {"chat.completion.chunk"}
    assert told[0]["choices"][0]["delta"]["role"] == "assistant"
    assert "".join(one["choices"][0]["delta"].get("content", "") for one in told) == "so bad"
    assert [one["choices"][0]["finish_reason"] for one in told] == [None] * (len(told) - 1) + ["stop"]
    [identity] = {one["id"] for one in told}
    kept = everything.get(f"/v1/predictions/{identity}").json()
    assert (kept["answer"], kept["n_tokens"] > 0) == ({"text": "so bad", "is_finished": True}, True)
    said = everything.post("/v1/feedback", json={"prediction_id": identity, "label": "very bad"})
    assert said.status_code == 200


def test_a_text_that_is_cut_off_says_so_whole_or_streamed(all_house, everything, tmp_path):
    """The same model, which may write one token only."""
    short = tmp_path / "short"
    shutil.copytree(all_house.home.bundles.get(all_house.home.releases.find("chat").digest), short)
    state = json.loads((short / "burnish.json").read_text())
    state["task"]["decoding"]["max_new_tokens"] = 1
    (short / "burnish.json").write_text(json.dumps(state))
    write_manifest(short)
    released(all_house.home, short, "short", "generation")
    all_house.home.releases.promote("short", 1, "user test")
    with all_house.client("short") as client:
        [whole] = chat(client, model="short").json()["choices"]
        choices = [json.loads(one)["choices"][0] for one in events(chat(client, model="short", stream=True))[:-1]]
    assert whole["finish_reason"] == "length"
    assert choices[-1]["finish_reason"] == "length"
    assert "".join(one["delta"].get("content", "") for one in choices) == whole["message"]["content"] != ""


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"model": "intent"}, 404, "the model 'intent' does classification and answers no chats."),
        ({"model": "nothing"}, 404, "there is no model 'nothing' here."),
        ({"model": 5}, 422, "'model' must be the name of a model."),
        ({"messages": []}, 422, "inputs[0]: 'messages' must be a list of turns"),
        ({"messages": "3 is good"}, 422, "inputs[0]: 'messages' is not valid JSON"),
        ({"messages": [{"role": "emperor", "content": "x"}]}, 422, "inputs[0]: turn 1 of 'messages' has the role"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, 422,
         "inputs[0]: turn 1 of 'messages' (user) has no text"),
        ({"temperature": 0.5}, 422, "there is no field 'temperature'."),
        ({"n": 2}, 422, "'n' must be 1: one answer is given."),
        ({"n": True}, 422, "'n' must be 1: one answer is given."),
    ],
)  # fmt: skip
def test_a_chat_that_cannot_be_answered_is_refused_before_a_stream_begins(
    everything, body, status, detail, is_streamed
):
    usual = {"model": "chat", "messages": [{"role": "user", "content": "x"}], "stream": is_streamed}
    found = everything.post(CHAT, json={**usual, **body})
    assert found.status_code == status
    assert found.headers["content-type"] == "application/problem+json"
    assert found.json()["detail"].startswith(detail)


def test_what_says_whether_to_stream_is_yes_or_no(everything):
    found = chat(everything, stream="yes")
    assert (found.status_code, found.json()["detail"]) == (422, "'stream' must be true or false.")
    assert chat(everything, stream=None).headers["content-type"] == "application/json"


def test_a_stream_whose_time_is_over_before_it_begins_is_refused(everything):
    body = {"model": "chat", "messages": [{"role": "user", "content": "x"}], "stream": True}
    found = everything.post(CHAT, json=body, headers={"X-Request-Timeout": "0.000001"})
    assert (found.status_code, "retry-after" in found.headers) == (503, True)


def test_a_stream_counts_against_a_rate(everything, all_house):
    text = all_house.home.keys.create("ann", ["predict"], "user test", per_minute=1)[1]
    everything.service.refresh_keys()
    body = {"model": "chat", "messages": [{"role": "user", "content": "3 is good"}], "stream": True}
    headers = {"Authorization": f"Bearer {text}"}
    assert [everything.post(CHAT, json=body, headers=headers).status_code for _ in range(2)] == [200, 429]


def test_a_stream_that_is_refused_for_want_of_room_costs_nothing(everything, all_house):
    text = all_house.home.keys.create("ann", ["predict"], "user test", per_minute=1)[1]
    everything.service.refresh_keys()
    body = {"model": "chat", "messages": [{"role": "user", "content": "3 is good"}], "stream": True}
    headers = {"Authorization": f"Bearer {text}"}
    late = {**headers, "X-Request-Timeout": "0.000001"}
    told = [everything.post(CHAT, json=body, headers=one).status_code for one in (late, late, headers, headers)]
    assert told == [503, 503, 200, 429]


def test_vectors_come_as_numbers_or_as_their_bytes_with_the_tokens_that_were_read(everything, embedder):
    texts = ["good day", "坏 day"]
    model = burnish.load(embedder)
    wanted = np.array([model(text).vector for text in texts], np.float32)
    found = everything.post(EMBED, json={"model": "vectors", "input": texts}).json()
    assert (found["object"], found["model"], [one["index"] for one in found["data"]]) == ("list", "vectors", [0, 1])
    np.testing.assert_allclose([one["embedding"] for one in found["data"]], wanted, atol=1e-5)
    assert found["usage"] == {"prompt_tokens": 8, "total_tokens": 8}  # [CLS] and [SEP] around two words each
    body = {"model": "vectors", "input": texts[0], "encoding_format": "base64"}
    [one] = everything.post(EMBED, json=body).json()["data"]
    np.testing.assert_allclose(np.frombuffer(base64.b64decode(one["embedding"]), np.float32), wanted[0], atol=1e-5)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"model": "intent", "input": "a"}, 404,
         "the model 'intent' does classification and gives no vectors of texts."),
        ({"model": "vectors", "input": "a", "encoding_format": "int8"}, 422,
         "'encoding_format' must be float or base64."),
        ({"model": "vectors", "input": []}, 422, "'inputs' must hold 1 to 1,000 inputs; it holds 0."),
        ({"model": "vectors", "input": [[1, 2]]}, 422, "inputs[0]: must be a text, or an object with text."),
        ({"model": "vectors", "input": "a", "dimensions": 3}, 422, "there is no field 'dimensions'."),
        ({"model": "vectors"}, 422, "the field 'input' is missing."),
    ],
)  # fmt: skip
def test_what_cannot_be_embedded_is_told(everything, body, status, detail):
    found = everything.post(EMBED, json=body)
    assert found.status_code == status
    assert found.json()["detail"].startswith(detail)


def test_a_vector_is_not_kept_with_the_prediction(everything):
    found = everything.post("/v1/models/vectors/predict", json={"inputs": "good"}).json()["predictions"][0]
    assert len(found["vector"]) == 32
    assert everything.get(f"/v1/predictions/{found['prediction_id']}").json()["answer"] == {}
