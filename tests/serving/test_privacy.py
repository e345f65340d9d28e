"""Planted personal data: sent through every path, and looked for in every byte that is left behind."""

import json
import sqlite3

import pytest

PHONE, MAIL, ID = "13912345678", "li.lei@example.com", "11010519491231002X"
PREDICT = "/v1/models/intent/predict"


def luhn_of(start):
    """A number with the check digit that Luhn's rule wants, reckoned here."""
    digits = [int(digit) for digit in reversed(start)]
    total = sum(sum(divmod(digit * 2, 10)) if at % 2 == 0 else digit for at, digit in enumerate(digits))
    return start + str(-total % 10)


SECRETS = (PHONE, MAIL, ID, luhn_of("622202123456789012"))


def send_everywhere(client, house, secret):
    """A secret in every place that somebody may write something."""
    said = f"my data: {secret} 请联系"
    admin = house.as_role("admin")
    found = client.post(PREDICT, json={"inputs": [said, {"text": "a", "text_pair": said}]}).json()
    identity = found["predictions"][0]["prediction_id"]
    client.post(PREDICT, content=json.dumps(said) + "\n{" + said, headers={"content-type": "application/x-ndjson"})
    client.post(PREDICT, content=said.encode())
    for body in ({said: 1}, {"inputs": {said: 1}}, {"inputs": {"text": [said]}}, {"inputs": []}):
        client.post(PREDICT, json=body)
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [said]}
    client.post("/v2/models/intent/infer", json={"id": said, "inputs": [tensor]})
    client.post("/v1/chat/completions", json={"model": said, "messages": [{"role": "user", "content": said}]})
    client.post("/v1/embeddings", json={"model": "intent", "input": said})
    feedback = {"prediction_id": identity, "label": "bad", "comment": said}
    for token in (said.encode(), secret):
        client.post("/v1/feedback", json=feedback, headers={"Idempotency-Key": token})
        client.post("/v1/feedback", json={**feedback, "label": "good"}, headers={"Idempotency-Key": token})
    client.post("/v1/feedback", json={**feedback, "label": said})
    client.post("/v1/feedback", json={**feedback, "prediction_id": secret})
    told = client.get("/v1/feedback?name=intent", headers=admin).json()["feedback"]
    decision = {"ids": [one["id"] for one in told], "state": "rejected", "reason": said}
    client.post("/v1/feedback/decide", json=decision, headers=admin)
    client.post("/v1/models/intent/promote", json={"version": 2, "why": said}, headers=admin)
    client.post("/v1/models/intent/rollback", json={"why": said}, headers=admin)
    for path in (
        f"/v1/models/{secret}",
        f"/v1/predictions/{secret}",
        f"/nowhere/{secret}",
        f"/v1/feedback?name={secret}",
    ):
        client.get(path, headers={**admin, "user-agent": said.encode(), "x-request-timeout": secret})
    client.get("/v1/models", headers={"Authorization": f"Bearer {secret}", "Cookie": secret})
    client.get("/v1/models", headers={"Authorization": f"Bearer bk_{secret}_{secret}"})


def left_behind(house):
    """Every byte of the installation, its database and log, what was logged, and what Prometheus is told."""
    files = [file for file in house.folder.rglob("*") if file.is_file() and "bundles" not in file.parts]
    assert {file.suffix for file in files} >= {".db", ".jsonl"}
    return b"".join(file.read_bytes() for file in files)


@pytest.fixture
def everything_sent(house, request):
    """A server through which every secret went, before it ends: its journal has not moved yet."""
    with house.client() as client:
        client.service._stopped.set()  # nothing moves behind our backs
        for secret in SECRETS:
            send_everywhere(client, house, secret)
        before = left_behind(house)
        client.service.journal.flush()
        yield client, before, left_behind(house)


def test_no_planted_value_is_in_any_byte_that_is_left_behind(everything_sent, house):
    client, before, after = everything_sent
    told = before + after + house.log.getvalue().encode() + client.service.metrics.text()
    assert {secret for secret in SECRETS if secret.encode() in told} == set()
    assert b"[PHONE]" in told
    with sqlite3.connect(f"file:{house.folder / 'burnish.db'}?mode=ro", uri=True) as database:
        (n,) = database.execute("select count(*) from predictions").fetchone()
    database.close()
    assert n >= 4 * len(SECRETS)


def test_no_key_is_in_any_byte_that_is_left_behind(everything_sent, house):
    client, before, after = everything_sent
    told = before + after + house.log.getvalue().encode() + client.service.metrics.text()
    for key in house.keys.values():
        assert key.encode() not in told
        assert key.split("_", 2)[2].encode() not in told


@pytest.mark.parametrize(("keep", "is_there"), [("off", False), ("hashed", False), ("masked", False), ("full", True)])
def test_only_full_keeps_what_was_said(make_house, keep, is_there):
    house = make_house(store_inputs=keep)
    with house.client() as client:
        identity = client.post(PREDICT, json={"inputs": f"call {PHONE}"}).json()["predictions"][0]["prediction_id"]
        client.post("/v1/feedback", json={"prediction_id": identity, "label": "bad", "comment": PHONE})
        kept = client.get(f"/v1/predictions/{identity}").json()
    assert kept["input"] == {"off": None, "hashed": None, "masked": {"text": "call [PHONE]"},
                             "full": {"text": f"call {PHONE}"}}[keep]  # fmt: skip
    [said] = house.home.corrections.of_period("intent")
    assert said.comment == (PHONE if is_there else "[PHONE]")
    assert (PHONE.encode() in left_behind_after(house)) == is_there
    digest = house.home.predictions.find(identity).input_digest
    assert (digest == "") == (keep == "off")


def left_behind_after(house):
    return b"".join(file.read_bytes() for file in house.folder.rglob("*") if file.is_file())


def test_a_text_that_is_right_is_kept_without_personal_data(everything):
    body = {"model": "chat", "messages": [{"role": "user", "content": "3 is good"}]}
    identity = everything.post("/v1/chat/completions", json=body).json()["id"]
    said = everything.post("/v1/feedback", json={"prediction_id": identity, "label": f"call {PHONE}"})
    assert said.status_code == 200
    [kept] = [one for one in everything.service.home.corrections.of_period("chat") if one.prediction == identity]
    assert kept.value == "call [PHONE]"
