"""From talks to a bundle, and a talk with it: in Python, remembered, streamed, with facts that can be cited."""

import json
import random

import pytest

import burnish
from burnish.core.errors import UserError

WORDS = ["good", "day", "bad", "so", "all", "北京", "上海"]


def talks(n, seed=0):
    """Each answer says the last word of the question twice: quickly learned by a network of any size."""
    draw = random.Random(seed)
    for _ in range(n):
        turns = []
        for _ in range(draw.randint(1, 2)):
            said = " ".join(draw.choice(WORDS) for _ in range(3))
            turns += [{"role": "user", "content": said}, {"role": "assistant", "content": f"yes {said.split()[-1]}"}]
        yield {"messages": turns}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("talks")
    lines = [json.dumps(row, ensure_ascii=False) for row in talks(60)]
    (folder / "talks.jsonl").write_text("\n".join(dict.fromkeys(lines)), "utf-8")
    rows = ["id,text,answer", *(f"t{number},{word},{word * 2}" for number, word in enumerate(WORDS))]
    (folder / "faq.csv").write_text("\n".join(rows), "utf-8")
    return folder


def recipe_of(folder, base, **task):
    return {
        "task": {"name": "dialogue", "decoding": {"max_new_tokens": 16}, "system": "be good", **task},
        "base": str(base),
        "data": {"train": str(folder / "talks.jsonl"), "dev": "25%", "max_length": 256, "duplicates": "off"},
        "train": {"epochs": 2, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 512, "peft": "lora"},
        "judge": {"n_bootstrap": 20},
    }


@pytest.fixture(scope="module")
def bundle(folder, tiny_causal_base):
    return burnish.fit(recipe_of(folder, tiny_causal_base), out=folder / "bundle").bundle


@pytest.fixture(scope="module")
def with_facts(folder, tiny_base, tiny_causal_base):
    task = {"name": "retrieval", "corpus": str(folder / "faq.csv"), "vector_share": 0.0}
    made = burnish.fit({"task": task, "base": str(tiny_base), "data": {"train": None}}, out=folder / "faq").bundle
    recipe = recipe_of(folder, tiny_causal_base, retriever=str(made), n_facts=2, fact="{text} {answer}")
    recipe["train"]["epochs"] = 0
    return burnish.fit(recipe, out=folder / "with-facts").bundle


def test_training_lowers_perplexity(bundle, folder, tiny_causal_base):
    recipe = recipe_of(folder, tiny_causal_base)
    recipe["train"]["epochs"] = 0
    before = burnish.fit(recipe, out=folder / "untrained").report.scores["perplexity"]
    assert json.loads((bundle / "report" / "report.json").read_text())["scores"]["perplexity"] < 0.8 * before


def test_a_talk_remembers_its_turns_and_forgets_them_when_asked(bundle):
    chat = burnish.converse(bundle)
    first, second = chat("good day"), chat("so bad")
    assert [one["content"] for one in chat.messages] == ["good day", first.text, "so bad", second.text]
    assert [one["role"] for one in chat.messages] == ["user", "assistant"] * 2
    asked = [*chat.messages[:2], {"role": "user", "content": "so bad"}]
    assert next(burnish.predict(bundle, {"messages": asked})) == second
    chat.reset()
    assert chat.messages == []
    assert chat("good day") == first


def test_what_the_recipe_says_first_can_be_said_otherwise(bundle):
    chat = burnish.converse(bundle, system="be bad")
    chat("good day")
    assert chat.messages[0] == {"role": "system", "content": "be bad"}
    chat.reset()
    assert chat.messages == [{"role": "system", "content": "be bad"}]


def test_a_streamed_answer_is_the_same_and_is_remembered(bundle):
    whole = burnish.converse(bundle)("day 北京")
    chat = burnish.converse(bundle)
    assert "".join(chat.stream("day 北京")) == whole.text
    assert chat.messages[-1] == {"role": "assistant", "content": whole.text}
    assert "".join(burnish.stream(bundle, "day 北京")) == whole.text


def test_an_answer_that_is_read_in_part_is_remembered_in_part(bundle):
    chat = burnish.converse(bundle)
    pieces = chat.stream("good day")
    first = next(pieces)
    pieces.close()
    assert [one["content"] for one in chat.messages] == ["good day", first]


def test_nothing_cannot_be_said(bundle):
    with pytest.raises(UserError, match=r"^what is said next must be a text that is not empty\.$"):
        burnish.converse(bundle)(" ")


def test_facts_come_with_the_answer_and_lie_in_the_bundle(with_facts):
    answer = burnish.converse(with_facts)("so bad")
    assert {hit.id for hit in answer.hits} == {"t2", "t3"}
    assert [line.answer for line in answer.lines()[1:]] == [f"[{hit.id}] {hit.text}" for hit in answer.hits]
    assert (with_facts / "stock" / "retriever" / "manifest.json").is_file()


def test_without_a_retriever_there_are_no_facts(bundle):
    assert burnish.converse(bundle)("so bad").hits == []


def test_a_schema_in_a_file_holds_the_answers_of_the_bundle_too(folder, tiny_causal_base):
    schema = {"type": "object", "properties": {"city": {"enum": ["北京", "上海"]}}, "required": ["city"]}
    (folder / "city.json").write_text(json.dumps({**schema, "additionalProperties": False}), "utf-8")
    recipe = recipe_of(folder, tiny_causal_base)
    recipe["train"]["epochs"] = 0
    recipe["task"]["decoding"] = {"max_new_tokens": 60, "json_schema": str(folder / "city.json")}
    made = burnish.fit(recipe, out=folder / "schema").bundle
    (folder / "city.json").unlink()
    answers = list(burnish.predict(made, ["good day", "so bad 北京", "a"]))
    assert all(json.loads(one.text)["city"] in {"北京", "上海"} for one in answers)


def test_a_bundle_that_reads_no_turns_cannot_converse(folder, with_facts):
    with pytest.raises(UserError) as caught:
        burnish.converse(folder / "faq")
    assert str(caught.value) == ("a bundle of the task 'retrieval' cannot converse; take one of: dialogue, generation.")


def test_a_bundle_that_writes_nothing_cannot_be_streamed(folder, with_facts):
    with pytest.raises(
        UserError, match=r"^the task 'retrieval' writes no text, so there is nothing to stream; ask for"
    ):
        list(burnish.stream(folder / "faq", "good"))
    with pytest.raises(UserError, match=r"^inputs: 'query' must be text; got list\.$"):
        list(burnish.stream(folder / "faq", {"query": []}))
