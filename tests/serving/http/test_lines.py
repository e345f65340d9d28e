"""Lines of NDJSON: answered as they come, each with its answer or its problem."""

import asyncio
import json

import pytest

PATH = "/v1/models/intent/predict"
LINES = {"content-type": "application/x-ndjson"}


class Talk:
    """A request that is still being sent while its answer comes."""

    def __init__(self, client, **headers):
        told = {"authorization": client.headers["authorization"], **LINES, **headers}
        self.scope = {
            "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in told.items()], "state": {},
            "burnish.more_time": lambda seconds: self.times.append(seconds),
        }  # fmt: skip
        self.app, self.times = client.app, []
        self.coming, self.answered = asyncio.Queue(), asyncio.Queue()

    async def __aenter__(self):
        self.task = asyncio.create_task(self.app(self.scope, self.coming.get, self.answered.put))
        return self

    async def __aexit__(self, *error):
        await asyncio.wait_for(self.task, 5)

    async def say(self, text, more_body=True):
        await self.coming.put({"type": "http.request", "body": text.encode(), "more_body": more_body})

    async def hear(self):
        """What comes next, as lines; the status where it is the head."""
        message = await asyncio.wait_for(self.answered.get(), 5)
        if message["type"] == "http.response.start":
            return message["status"]
        return [json.loads(line) for line in message["body"].splitlines()]


def post(client, text, **headers):
    found = client.post(PATH, content=text, headers={**LINES, **headers})
    return [json.loads(line) for line in found.text.splitlines()]


def test_each_line_gets_its_answer_in_its_order_with_the_version(asked, answer_of):
    texts = [f"good day {number}" for number in range(150)]
    lines = [json.dumps(text if number % 2 else {"text": text}) for number, text in enumerate(texts)]
    found = post(asked, "\n".join(lines))
    assert [one["confidence"] for one in found] == pytest.approx(
        [answer_of(text)["confidence"] for text in texts], abs=1e-6
    )
    assert {(one["model"], one["version"]) for one in found} == {("intent", 1)}
    assert len({one["prediction_id"] for one in found}) == 150


def test_a_line_is_answered_before_the_next_one_is_sent(asked):
    async def scene():
        async with Talk(asked) as talk:
            await talk.say('"good')
            await talk.say(' day"\n"bad day"\n"so')
            assert await talk.hear() == 200
            assert len(await talk.hear()) == 2
            await talk.say(' good"\n\n  \n')
            assert len(await talk.hear()) == 1
            await talk.say('"the last"', more_body=False)
            assert len(await talk.hear()) == 1
            assert await talk.hear() == []

    asyncio.run(scene())


def test_while_lines_are_answered_nobody_waits_for_the_client(asked):
    async def scene():
        async with Talk(asked) as talk:
            await talk.say('"good"\n')
            assert await talk.hear() == 200
            await talk.hear()
            await talk.say("", more_body=False)
        return talk.times

    assert asyncio.run(scene()) == [None, 30] * 2


def test_a_client_who_leaves_in_the_middle_of_a_line_ends_the_stream(asked):
    async def scene():
        async with Talk(asked) as talk:
            await talk.say('"good"\n"ba')
            assert await talk.hear() == 200
            assert len(await talk.hear()) == 1
            await talk.coming.put({"type": "http.disconnect"})
        return talk.answered.qsize()

    assert asyncio.run(scene()) == 0


def test_a_line_that_cannot_be_answered_gets_its_problem_and_the_others_their_answers(asked):
    found = post(asked, '"good"\nnothing\n{"txt": 1}\n[1]\n{"text": null}\n"坏"\n')
    assert [one.get("status", 200) for one in found] == [200, 400, 422, 422, 422, 200]
    assert found[2]["detail"].startswith("inputs[0]: has 'txt', which is none of text, text_pair.")


def test_a_rate_that_is_used_up_ends_where_it_is_and_costs_once(house):
    text = house.home.keys.create("ann", ["predict"], "user test", per_minute=5)[1]
    with house.client() as client:
        lines = '"a"\n{"txt": 1}\n"b"\n"c"\n"d"\n"e"\n"f"\n"g"\n'
        found = post(client, lines, Authorization=f"Bearer {text}")
    assert [one.get("status", 200) for one in found] == [200, 422, 200, 200, 200, 200, 429, 429]


def test_a_stream_may_be_larger_than_a_body_and_a_line_may_not(house):
    with house.client(body_bytes=60) as client:
        found = post(client, ('"' + "a" * 40 + '"\n') * 20 + '"' + "b" * 70 + '"\n"good"\n')
        assert [one.get("status", 200) for one in found] == [200] * 20 + [413, 200]
        assert found[20]["detail"] == "the line is larger than 60 bytes."
        endless = client.post(PATH, content=(b"c" * 50 for _ in range(10)), headers=LINES)
        assert [json.loads(line)["status"] for line in endless.text.splitlines()] == [413]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/models/mood/predict", {}, 404),
        (PATH, {"content-encoding": "gzip"}, 415),
        (PATH, {"x-request-timeout": "soon"}, 400),
        (PATH, {"authorization": "Bearer x"}, 401),
    ],
)
def test_what_is_wrong_with_all_of_it_is_refused_before_the_first_line(asked, path, headers, status):
    assert asked.post(path, content=b'"good"\n', headers={**LINES, **headers}).status_code == status


def test_lines_have_the_bounds_of_inputs(house):
    with house.client(characters=5, json_depth=3) as client:
        found = post(client, '"good day"\n{"text": [[[1]]]}\n"good"\n')
        assert [one.get("status", 200) for one in found] == [422, 400, 200]


def test_no_lines_get_no_answers(asked):
    assert post(asked, "") == []
    assert post(asked, "\n \n\r\n") == []
