"""Bodies that are wrong, large, deep or strange: each is refused in one sentence, and nothing breaks."""

import gzip
import json

import pytest
from tests.serving.house import ROLES

PATH = "/v1/models/intent/predict"
JSON = {"content-type": "application/json"}


def post(client, body, path=PATH, **headers):
    return client.post(path, content=body, headers={**JSON, **headers})


def problem(found):
    assert found.headers["content-type"] == "application/problem+json"
    told = found.json()
    assert told.keys() == {"type", "title", "status", "detail"}
    assert told["status"] == found.status_code
    return found.status_code, told["detail"]


NO_JSON = "the body is no JSON that can be read: "


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nothing", b'{"inputs": NaN}', b'{"inputs": 1e400}', b'{"inputs": Infinity}',
        b'{"inputs": ' + b"9" * 100_000 + b"}", b'{"inputs": "\\ud800"}', b'{"inputs": "\xff"}',
        "\ufeff{}".encode(), b"[" * 100_000, b'{"a":' * 5000, b"\x00", b"\x1f\x8b\x08", b'{"inputs": "a"} x',
        "{“inputs”: 'a'}".encode(), b'{"inputs": "a\nb"}',
    ],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_what_is_no_json_is_told(asked, body):
    status, detail = problem(post(asked, body))
    assert status == 400
    assert detail.startswith(NO_JSON)


@pytest.mark.parametrize("path", ["/v1/feedback", "/v1/keys", "/v1/chat/completions", "/v2/models/intent/infer"])
def test_every_route_reads_json_alike(asked, shared_house, path):
    admin = shared_house.as_role("admin")
    assert problem(post(asked, b'{"a": NaN}', path, **admin))[0] == 400
    assert problem(post(asked, b"", path, **admin))[1].startswith(NO_JSON)
    assert problem(post(asked, b"[" * 500 + b"]" * 500, path, **admin)) == (
        400, "the body is nested deeper than 16 levels; send it flatter.",
    )  # fmt: skip
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
        found = post(asked, gzip.compress(b"{}" * 1000), path, **admin, **{"content-encoding": coding})
        assert problem(found) == (415, "the body is compressed; send it as it is.")
    assert problem(post(asked, b" " * (1 << 20) + b"{}", path, **admin)) == (
        413, "the body is larger than 1,048,576 bytes; send it in pieces.",
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/feedback", "/v1/keys", "/v1/erase", "/v1/jobs"])
def test_a_body_that_says_it_is_no_json_is_refused_and_one_that_says_nothing_is_read(asked, shared_house, path):
    admin = shared_house.as_role("admin")
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        found = asked.post(path, content=b"{}", headers={**admin, "content-type": kind})
        said = kind.split(";")[0]
        assert problem(found) == (
            415, f"the body is '{said}'; send JSON, with the header 'Content-Type: application/json'.",
        )  # fmt: skip
    for kind in (
        {},
        {"content-type": "application/merge-patch+json"},
        {"content-type": "Application/JSON;charset=utf-8"},
    ):
        assert problem(asked.post(path, content=b"{}", headers={**admin, **kind}))[0] == 422


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("[]", "the body must be an object with inputs; it is a list."),
        ('"good"', "the body must be an object with inputs; it is a str."),
        ("null", "the body must be an object with inputs; it is a NoneType."),
        ("{}", "the field 'inputs' is missing."),
        ('{"input": "a"}', "there is no field 'input'. Did you mean 'inputs'? Known are inputs."),
        ('{"inputs": "a", "x": 1}', "there is no field 'x'. Known are inputs."),
        ('{"inputs": []}', "'inputs' must hold 1 to 1,000 inputs; it holds 0."),
        ('{"inputs": 5}', "inputs[0]: must be a text, or an object with text, text_pair."),
        ('{"inputs": [null]}', "inputs[0]: must be a text, or an object with text, text_pair."),
        ('{"inputs": ["a", ["b"]]}', "inputs[1]: must be a text, or an object with text, text_pair."),
        ('{"inputs": {}}', "inputs[0]: lacks 'text'."),
        ('{"inputs": {"text": null}}', "inputs[0]: lacks 'text'."),
        ('{"inputs": {"text": ["a"]}}', "inputs[0]: 'text' must be text; got list."),
        ('{"inputs": {"text": "a", "txt": 1}}',
         "inputs[0]: has 'txt', which is none of text, text_pair. Did you mean 'text'?"),
        ('{"inputs": {"text": "a", "label": "good"}}', "inputs[0]: has 'label', which is none of text, text_pair."),
    ],
)  # fmt: skip
def test_what_cannot_be_an_input_is_told(asked, body, detail):
    assert problem(post(asked, body.encode())) == (422, detail)


def test_what_was_sent_is_repeated_only_as_far_as_a_sentence_goes(asked):
    for body in ({"x" * 10**5: 1}, {"inputs": {"x" * 10**5: 1}}):
        status, detail = problem(post(asked, json.dumps(body).encode()))
        assert status == 422
        assert len(detail) < 300
    assert len(problem(asked.post("/v1/models/" + "a" * 60_000 + "/predict", json={"inputs": "a"}))[1]) < 300


def test_of_a_name_that_is_said_twice_the_last_counts(asked, answer_of):
    found = post(asked, b'{"inputs": "bad day", "inputs": "good day"}')
    assert found.json()["predictions"][0]["confidence"] == pytest.approx(answer_of("good day")["confidence"], abs=1e-6)


def test_a_million_names_of_one_object_are_no_trouble(asked):
    body = b'{"inputs": {' + b",".join(b'"%d":1' % number for number in range(80_000)) + b"}}"
    assert problem(post(asked, body))[0] == 422


@pytest.mark.parametrize(
    ("limit", "body_of", "status", "detail"),
    [
        ({"inputs": 3}, lambda n: {"inputs": ["a"] * n}, 422, "'inputs' must hold 1 to 3 inputs; it holds 4."),
        ({"characters": 3}, lambda n: {"inputs": "坏" * n}, 422,
         "inputs[0]: has 4 characters; one input may have 3."),
        ({"characters": 3}, lambda n: {"inputs": {"text": "a", "text_pair": "b" * (n - 1)}}, 422,
         "inputs[0]: has 4 characters; one input may have 3."),
        ({"json_depth": 3}, lambda n: {"inputs": {"text": [["a"]] if n > 3 else "a"}}, 400,
         "the body is nested deeper than 3 levels; send it flatter."),
    ],
    ids=["inputs", "characters", "of_all_columns", "depth"],
)  # fmt: skip
def test_a_bound_is_where_it_was_set_to_the_last_one(house, limit, body_of, status, detail):
    with house.client(**limit) as client:
        assert [client.post(PATH, json=body_of(n)).status_code for n in (2, 3)] == [200, 200]
        assert problem(client.post(PATH, json=body_of(4))) == (status, detail)


def test_the_bytes_of_a_body_are_counted_as_they_come_whatever_its_head_says(house):
    body = json.dumps({"inputs": "good day"}).encode()

    def pieces(n):
        yield body
        yield b" " * (n - len(body))

    with house.client(body_bytes=100) as client:
        for n, status in ((99, 200), (100, 200), (101, 413)):
            assert client.post(PATH, content=pieces(n), headers=JSON).status_code == status
            assert post(client, b"".join(pieces(n))).status_code == status
        assert problem(post(client, b"".join(pieces(101)))) == (
            413, "the body is larger than 100 bytes; send it in pieces.",
        )  # fmt: skip


@pytest.mark.parametrize("said", ["0", "-1", "nan", "inf", "3600.5", "soon", "", "1;2", "9" * 500])
def test_a_time_that_is_none_is_told(asked, said):
    status, detail = problem(post(asked, b'{"inputs": "a"}', **{"X-Request-Timeout": said}))
    assert status == 400
    assert detail == f"X-Request-Timeout must be seconds, above 0 and up to 3600; got '{said[:40]}'."


def test_a_request_may_say_how_long_it_waits_but_not_longer_than_the_server_does(house):
    with house.client(timeout_s=0.0001) as client:
        found = post(client, b'{"inputs": "a"}', **{"X-Request-Timeout": "3600"})
        assert problem(found) == (
            503, "the request's time was over before it was answered; give it more, or come back later.",
        )  # fmt: skip
        assert int(found.headers["retry-after"]) >= 1
    with house.client() as client:
        assert post(client, b'{"inputs": "a"}', **{"X-Request-Timeout": "0.0001"}).status_code == 503
        assert post(client, b'{"inputs": "a"}', **{"X-Request-Timeout": "60"}).status_code == 200


def test_what_is_refused_before_the_body_needs_no_body(asked, shared_house):
    for role in ROLES:
        if role not in ("predict", "admin"):
            assert problem(post(asked, b"{" * 1000, **shared_house.as_role(role)))[0] == 403


def test_ranges_and_conditions_change_nothing(asked):
    headers = {"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(2000)), "If-None-Match": "*"}
    assert asked.get("/v1/models", headers=headers).status_code == 200


STRANGE = [
    "", " ", "\x00", "a\x00b", "\u200b", "\ufeff", "\u202eabc", "\U000e0061", "e\u0301" * 500, "👩‍👩‍👧‍👦", "\uffff",
    "\U0010ffff", "ａｂｃ", "a" * 99_999, "(" * 5000, "<script>alert(1)</script>", "'; DROP TABLE predictions; --",
    "𝔤𝔬𝔬𝔡", "坏" * 5000, "\x7f\x08\r", "{{7*7}}", "%s%n", "../../etc/passwd", "\x1b[31m",
]  # fmt: skip


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: ascii(text[:12]))
def test_no_text_is_too_strange_to_be_answered_and_kept(asked, shared_house, text):
    found = asked.post(PATH, json={"inputs": text})
    assert found.status_code == 200
    identity = found.json()["predictions"][0]["prediction_id"]
    assert asked.get(f"/v1/predictions/{identity}").status_code == 200
